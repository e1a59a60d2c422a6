// Package clickhouse opens the warehouse, brings its schema up to date and lets
// a person ask it. It works the same over the embedded warehouse and a
// ClickHouse server, reached by its HTTP interface or its native protocol.
//
// A [DB] is safe for concurrent use. Opening one does not connect: the server
// takes frames in while ClickHouse is away, and the first use finds out.
package clickhouse
