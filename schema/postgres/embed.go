// Package postgres holds the numbered migrations of the relational store, in
// goose's format. A file that has landed is never edited: a change is a new file.
package postgres

import "embed"

// FS holds the migrations, 0001_name.sql and on.
//
//go:embed *.sql
var FS embed.FS
