// Package live holds the two sockets of the server: the live map's, GET
// /api/v1/live, in the files live*.go, and the devices', in the files
// device*.go.
//
// # The live map's socket
//
// [Maps] speaks the sub-protocol [MapProtocol]. The client proves who it is by
// its session cookie (then the Origin must be the server's own), by a bearer
// token, or by ?ticket=, and sends one message within 10 s:
//
//	{"sub": {"location": "…", "rate_ms": 100, "since": {"epoch": "…", "seq": 7}}}
//
// rate_ms (50 to 10000, 100 if left out) is the shortest time between two
// messages; since asks to resume. Then only the server sends, the messages of
// package engine/live. To watch something else a client opens another socket.
//
// The server pings every 25 s and closes when nothing came back for 60 s. Rights
// are checked anew every 3 s. The close codes:
//
//	4401  who asks is not known, or not any more
//	4403  this location is not, or no longer, for the caller, or does not exist
//	4408  the client was too slow: no subscription within 10 s
//	4429  too many sockets of this caller, or of all
//	1008  the message was not a subscription; the reason says what is wrong
//	1012  the server restarts; the reason "retry_ms=N" is a wait drawn for this
//	      client, so that they do not all come back at once
//	1013  rights cannot be checked now, try again later
//
// A client that does not take a message within 10 s is cut; as its connection
// is full no close code can reach it. One that is merely slow gets fewer
// messages, each with the newest state. Nothing is queued per client beyond the
// one message being written, at most 256 KiB.
//
// Each socket has its own goroutines, which end with it; all methods of [Maps]
// are safe for concurrent use.
package live
