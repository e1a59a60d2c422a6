// Package zone keeps who is inside a zone and tells how many.
//
// One actor per zone that any tag ever entered. [State] is the pure machine,
// [Actor] its thin shell. The facts about a tag in a zone, the visits, are the
// tag's ([mybeacon/actors/tag]); the zone counts them.
//
// Concurrency: a State belongs to its actor. Presence messages are keyed by tag,
// so that a zone that cannot keep up sees the newest of each tag, and occupancy
// is published once per burst: after all messages that waited when the first of
// them was handled.
package zone
