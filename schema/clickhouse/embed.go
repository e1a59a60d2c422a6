// Package clickhouse holds the numbered migrations of the warehouse: plain
// statements separated by semicolons, each safe to run twice. A file that has
// landed is never edited: a change is a new file.
package clickhouse

import "embed"

// FS holds the migrations, 0001_name.sql and on.
//
//go:embed *.sql
var FS embed.FS
