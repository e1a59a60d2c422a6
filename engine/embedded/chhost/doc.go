// Package chhost is the embedded warehouse process: the ClickHouse engine
// library behind the HTTP interface a ClickHouse server has, on loopback.
//
// The server starts it as a child (the hidden sub-command clickhouse-host), so
// that the engine's signals, threads and crashes stay out of the server. An
// unmodified clickhouse-go (Protocol HTTP), curl or Grafana talk to it:
//
//	GET  /ping                             liveness, no token
//	POST /?query=…&database=…&param_x=…    the statement in the URL and its data in the body, or all in the body
//
// # Who may call
//
// Two random tokens, made by the parent, keep two classes of caller apart: the
// server's own (schema changes and inserts) and a reader's (read-only). A
// token is taken as Basic or X-ClickHouse-Key password or as Bearer.
//
// What a caller may say is bounded three times: by the engine's own grants (no
// file, URL or other source; only databases named mybeacon…), by its parser
// (one statement, of an allowed class), and by a strict reading of the text that
// refuses whatever those two let through: INFILE, OUTFILE, the function file().
//
// # Concurrency
//
// Each request gets an engine session of its own, so nothing leaks from one to
// the next, and a slot of its class: inserts, the server's queries and readers'
// queries never wait for each other. Waiting for a slot is bounded. A client
// that goes away has its statement killed. SELECTs are streamed where the output
// format can be cut into pieces; every other answer is held in memory, bounded.
package chhost
