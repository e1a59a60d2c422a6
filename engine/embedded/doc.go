// Package embedded runs the stores that come with the server: the real
// PostgreSQL and the real ClickHouse engine, as supervised child processes under
// one data directory. What a trial runs is what production runs.
//
// # What is where
//
//	DIR/lock             held by the server that uses the directory
//	DIR/secrets.json     random passwords and tokens, 0600
//	DIR/postgres/        PostgreSQL's cluster, 0700, of an unprivileged user when the server is root
//	DIR/clickhouse/      the warehouse: engine/, backups/, inbox/, its configuration
//	DIR/postgres.json    how to reach the running PostgreSQL, 0600 (see [ReadEndpoint])
//	DIR/clickhouse.json  how to read the running warehouse, 0600
//
// PostgreSQL listens on a unix socket only; ClickHouse's HTTP interface on a
// loopback port whose socket this process owns, with random tokens.
//
// # Supervision and concurrency
//
// Each store has one goroutine that starts the child, waits for it and starts it
// again with growing pauses; it keeps its operating-system thread, because the
// kernel ties "die when the parent dies" to the thread that forked. Whatever an
// earlier server left running on the directory is ended first. [Stores] is safe
// for concurrent use; Stop may be called more than once.
package embedded
