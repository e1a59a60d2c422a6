// Package analytics answers questions about the past: who stayed where for how
// long, how full zones were, which ways tags take, where they dwell.
//
// There is one file per question. Every answer obeys the same rules:
//
//   - What was taken back is not counted: tables are read with FINAL, or from a
//     roll-up of days that nobody has written to since it was made (see rollup.go).
//   - A question has a time, [From, To). A stay that reaches out of it counts with
//     the part inside.
//   - A visit that is open counts to the tag's last fix in its location.
//   - A visit to a part of a zone lies within one to the whole: sums over zones
//     take each moment of a tag once.
//   - A fix counts with the time for which it held, never as a row.
//   - Outside zones is a place too: the time in which a tag was heard and had no
//     visit.
//   - Days, weekdays and hours are those of [Query.In]; a day may have 23 or 25
//     hours.
//
// Every statement is bounded in time, memory and rows. An error of the kind
// schema.TooLarge says that the question asks for more; schema.Unavailable that
// the warehouse is away.
//
// [Analytics] is safe for concurrent use.
package analytics
