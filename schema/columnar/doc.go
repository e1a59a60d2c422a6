// Package columnar turns facts into Arrow records, one builder per table of
// schema/clickhouse. A field has the name of its column and carries the column's
// type in its metadata ([ClickHouseType]), so that who inserts a record needs no
// look at the table.
//
//	UUID                    fixed_size_binary[16]
//	DateTime64(3, 'UTC')    timestamp[ms, tz=UTC]
//	LowCardinality(String)  dictionary<values=utf8, indices=uint32>
//
// A builder belongs to one goroutine. NewRecord hands its rows over and leaves
// the builder empty and ready; the record is the caller's to Release, once, and
// may then be read by any goroutine. A builder is released when it is no longer
// used; it takes back rows that no record was made of.
package columnar
