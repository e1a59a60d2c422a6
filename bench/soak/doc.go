// Package soak keeps a server under steady load for a while and disturbs it.
//
// A simulated site (package sim) streams to a server in a process of its own, a second
// of event time in each second. Meanwhile one fault after the other is done to it, in
// an order and at moments that the seed decides: see faults.go for what they are. Each
// begins when the one before is over and everything sent until then is acknowledged;
// that time is its recovery.
//
// In the end the server's warehouse is compared with what was sent, as package crash
// does: what is acknowledged must be there, once, and the visits must be those of a
// server that took the same seconds undisturbed. Faults that send what no site would
// send come from a second organisation, the neighbour; it may hurt only itself.
//
// What a run was too short or too small for is listed by name: the requirements R6, R10,
// R11, R15 and R20 in their full size, and faults whose turn did not come.
//
// [Sockets] measures what scanners cost that are connected and have nothing to say.
//
// # Concurrency
//
// Run and Sockets may be called several times at once; the times are then worth less.
package soak
