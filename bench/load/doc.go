// Package load measures how much the engine carries and how fast it answers.
//
// [Ingest] streams a crowd of tags through the scanners' door. Its stages are
//
//   - "full": a whole server in this process, on embedded stores in a directory of
//     its own. The receivers are real uplinks (package edge/client) over loopback
//     sockets, and one live map watches the location.
//   - "decode": the bytes of such messages to Arrow records, with sessions and
//     journal as in a server, but without socket, actors and warehouse.
//
// # Load
//
// The crowd walks on one plan. Each tag sends twice a second; as many receivers as
// [Config] says hear it, up to twelve, the nearest ones. A receiver sends a frame for
// every half second of event time. Event time is the crowd's own: it passes as fast
// as the server takes it, and a tag is fixed once in each second of it.
//
// The full stage has three parts, each as long as asked for. First a closed loop: a frame
// goes when what is [maxUnstored] older is acknowledged and what is [maxUnseen]
// older is on the map. That is the highest rate that can be sustained, and neither
// the warehouse nor the map falls behind it for however long it lasts. Then half that
// rate, by the clock, for the times that things take; and 25,000 observations a second,
// half of what a server must carry: the higher the first part's rate, the harder the
// second, so only the third compares versions and machines. Each part is measured after a
// warm-up.
//
// The map's time begins when the last receiver hands over its frame of the second, and
// ends when the message is there that shows the tag in it; a second that a later one
// overtook on its way has no time. The seconds of all tags end together, so the tags of a
// second are placed in a burst, and the time of the last ones is that of the burst, of the
// wait for the map's rate (at most 50 ms, which the one map here asks for) and of the way
// through the socket.
//
// At last the inserts of observations alone are measured, the engine's against those of
// the bare driver, into a warehouse that nobody else uses.
//
// # What the figures mean
//
// See [Figures]. Allocations and memory are those of the whole process, so the
// crowd's and the uplinks' share is in them; PostgreSQL and ClickHouse, which are
// processes of their own, are not. They and the crowd share the machine's cores with
// what is measured.
//
// # Fences
//
// [Fences] measures what follows when a position is known: in which zone it is,
// what that confirms, and what a live map shows of it. There is no socket that takes
// positions, so they are made in place; the events come back over one.
//
// # Concurrency
//
// Ingest and Fences may be called one at a time: they measure the process. A
// [Fleet] says for itself.
package load
