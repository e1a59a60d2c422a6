// Package replay streams a recorded site to a running server through the very
// door that scanners use: one device per receiver, one frame per receiver and
// second of event time, one tag per track.
//
// # Event time
//
// The recording's second 0 is [Base], a fixed moment. The device's boot id is
// derived from the recording's events, frames are numbered and composed the same
// way each time, so that a second replay sends what the server has already, which
// it recognises: running it again adds nothing.
//
// A receiver that hears nothing while the recording goes on sends an empty frame
// every second, "I listened until now": the server tells a tag that left from a
// scanner that died, and does not wait for one that has nothing to say. When nobody
// hears anything for two minutes the recording is taken as paused: silence has been
// told, the hole is skipped.
//
// # Pace
//
// All tracks run at once, in the order of event time. Whatever the speed, no
// frame is sent while another one that is more than 4 s older is unacknowledged:
// the server takes observations that are up to 6 s older than a tag's newest as
// live, and devices that ran ahead of others would make theirs late.
//
// A replay gives the receivers new tokens, which ends another replay of the same
// site. So a second one on this machine is refused while the first one runs, and
// one that loses its tokens to somebody elsewhere says so.
//
// [Run] is safe for concurrent use; a [Player] serves one replay, and its Acked
// may be called from any goroutine.
package replay
