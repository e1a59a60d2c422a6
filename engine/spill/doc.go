// Package spill keeps batches on disk while the warehouse is away or slow, and
// ships them when it answers.
//
// # Files
//
// One batch is one Arrow IPC stream under the spool's directory, compressed with
// LZ4. Any Arrow tool reads it; its schema's metadata names the table and the
// de-duplication token. The name says the rest:
//
//	observations.00000000000000000042.1767225600000.10000.0a1b2c3d.arrows
//	table        sequence             written, ms   rows  CRC-32C of the content
//
// A file is written under another name, synced, renamed, and the directory is
// synced: then, and not before, [Spill.Keep] returns and its frames may be
// acknowledged. What is found at the start without that is nobody's promise.
//
// # Shipping
//
// One goroutine inserts the files, visits before the rest and otherwise the
// oldest first, several in one insert when they have piled up. A file is removed
// after its rows were stored. An insert that failed, or during which the machine
// stopped, may have happened: it is repeated with the same rows and the same
// token, so that ClickHouse drops it. That is why what is about to be inserted is
// written down first: a file that is tried alone has ".tried" in its name from
// then on, and files that are tried together are listed with their common token
// in a file of their own,
//
//	group.00000000000000000042.0a1b2c3d.json
//
// which is renamed to *.stored before the first of them is removed, and removed
// after the last.
//
// ClickHouse remembers the tokens of the last 1,000 inserts. What is repeated
// later than that has rows twice until ReplacingMergeTree folds them, and FINAL
// never shows them twice.
//
// A file that the warehouse refuses again and again while it takes others does
// not hold them up: it is passed over and tried now and then. No file is given
// up.
//
// # Damage
//
// All files are read once after the start. One whose checksum is wrong is
// renamed to *.damaged, counted and logged, and never looked at again. One that
// cannot be read for now is tried again.
//
// # Bounds
//
// [Config.Limit] bounds the bytes, of which derived rows (fixes, visits) may have
// [Config.DerivedLimit]; [Config.MaxFiles] bounds the files, [Config.MinFree] is
// left free on the disk. Beyond them, and when the disk fails, Keep returns an
// error and nothing may be acknowledged; the next call tries again. At most one
// group of [Config.GroupRows] rows is in memory.
//
// # Concurrency
//
// All methods are safe for concurrent use. Keep writes one file at a time and
// blocks for as long as the disk takes; it does not wait for the warehouse.
package spill
