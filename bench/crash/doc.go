// Package crash measures what survives when the server is killed.
//
// A simulated site (package sim) streams to a server in a process of its own, as
// fast as it acknowledges. The server is killed with SIGKILL after a random time,
// started again at once on the same directory, and so on. The uplinks know nothing
// of it: they connect anew and send again what is not acknowledged, and forget what
// is. In the end everything is acknowledged, the server is stopped in order and
// started once more, and its warehouse is compared with what was sent:
//
//   - missing: acknowledged observations that are not there, or not with their time
//     and level;
//   - duplicated: rows of an observation beyond the first.
//
// Both are of the FINAL view, which is what analysts read. Then the very same frames
// go to a second server that nobody disturbs. The two servers' visits are compared:
// one of the undisturbed server counts as wrong when the other has none of the same
// tag and zone that begins and ends within two seconds of it. A visit of the killed
// server serves one of the other at most, so that a visit split in two is seen.
//
// The frames are the same in both runs, the order in which those of different
// receivers arrive is not. Without a kill no visit may be wrong either:
// measure that with Kills = 0.
//
// # Concurrency
//
// Run may be called several times at once; the times are then worth less.
package crash
