// Package device is what the engine knows of one device while it runs: which
// frames it has had, how far in event time it has delivered, which tags it
// hears, and whether it is online.
//
// [State] is the pure machine, [Actor] its thin shell. A frame goes in; out come
// one message per tag that the frame heard, word of the device's progress to the
// tags that it heard lately but not now, and, after those, to the plan.
//
// # Progress
//
// A device has delivered up to event time t when no frame that is still on its
// way can tell of anything before t. Frames carry consecutive numbers, so a gap
// holds back all that comes after it until it is filled, or until it is older than
// the hold of [Config]: then it counts as lost. So tags get the frames of a device
// in its order, whatever the order in which they came. A clock that is set back
// takes progress back. Progress is what lets a tag be fixed without
// waiting (through the plan, see package plan), and what lets its absence be told
// from a scanner's.
//
// # Concurrency
//
// A State belongs to its actor. What it sends is not changed afterwards.
package device
