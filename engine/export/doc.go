// Package export writes rows of any length out: as CSV, JSON, NDJSON or Parquet, while
// they are read, in memory that does not grow with them.
//
// What can be exported is a [Dataset]. A product's module offers its own (see
// [Source]); the core asks for them by id and knows none of them. Rows come from
// [Dataset.Open], which is given the scope of whoever asks and holds the rows to it.
//
// [Write] counts and hashes what it writes, so that a file can be named in the history
// by its sha256. A Dataset is immutable and may be used by many at once; Rows and a
// call of Write are for one goroutine.
package export
