// Package tag is where one tag is: which receivers hear it how loudly, its fix of
// each second, the zone it is in, its open visit, and whether it is there at all.
//
// [State] is the pure machine: messages in, [Effects] out, no clock. [Actor] is
// its thin shell. [Plans] keeps what the tags of a plan share.
//
// # Event time
//
// Everything here runs on the time at which receivers heard the tag. A second s
// is fixed once, never again, when it is closed:
//
//   - at once when every plan whose receivers heard the tag within the window has
//     been heard up to s + 1 s: its tide (see package plan), which waits for all
//     its receivers that live, also for one that has not heard the tag before, or
//   - when the tide of any of them is past s + 1 s + grace.
//
// The fix sees all samples of the window up to s + 1 s with their age, in an
// order that does not depend on the order of arrival, and the offsets that were
// learned for that very second: frames that overtake each other by up to 5 s, or
// come more than once, change nothing. A second in which nothing new was heard is
// not fixed; the last fix holds on.
//
// # Absence
//
// A tag is absent when all receivers that heard it within the window before it
// was last heard, and that are still on its plan, have delivered past that moment
// plus the timeout without hearing it. Its visit then ends when it was last heard. A
// receiver that delivers nothing proves nothing, so a dead scanner or an outage never
// ends a visit. Absence too is decided in event time: at a fix after a silence, or
// when nobody can any more have heard the tag before the timeout was over.
//
// # Zones
//
// A zone may be a part of another. A tag is in one zone of each of the two levels at
// most, and in the whole while it is in a part; both have visits and occupancy of
// their own. A fix shows the innermost.
//
// # Plans
//
// A tag is on the plan whose loudest receivers hear it loudest, equally many of each
// plan; one that lives and does not hear it counts as hearing nothing. It changes when
// another plan is clearly ahead for some seconds, so that a tag on the stairs does not
// flap.
//
// # Concurrency
//
// A State belongs to its actor. Plans is safe for concurrent use.
package tag
