// Package calibration keeps what plans learn about their receivers over restarts.
//
// A [Keeper] stores every so often what changed since it last did, and gives all
// of it back at the start. What is lost when the server dies is what was learned
// since then; while the store is away, what was learned waits in memory and the
// next attempt stores it.
//
// A Keeper is used by one goroutine.
package calibration
