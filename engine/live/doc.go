// Package live keeps the newest state of every tag and zone and gives it to
// those who watch a location: first everything, then what changed.
//
// The engine's side, [Hub.TagMoved] and [Hub.Occupancy], takes a short lock and
// copies one value: it never waits for a watcher, and it does not even encode.
// The watchers' side, [Subscription.Next], is pulled. There is no queue per
// watcher: a room (the state of one location) keeps its entries in the order of
// their last change, each change has a sequence number, and a watcher that has
// seen everything up to number n asks for what came after n. A watcher that
// asks rarely therefore gets only the newest state of each tag (that is the
// conflation), costs nothing while it does not ask, and cannot slow another.
// An entry is encoded once per change, however many watch.
//
// # Messages
//
// A [Message] is a JSON object. Its type is
//
//   - "snapshot": forget everything, this is the state;
//   - "delta": the named tags and zones are now like this; also sent without
//     any every 10 s, as a sign of life that scripts in a browser can see;
//   - "gap": what was asked for with [Cursor] is not known any more; a snapshot
//     follows.
//
// Numbers grow and are not consecutive; they count within one epoch, which is
// one start of the hub. A snapshot or delta larger than [MaxMessage] is cut: its
// number is that of the last entry it holds and the rest follows at once as
// deltas.
//
// # Who is in it
//
// A tag is "present" or, when every receiver that could hear it has listened
// past the timeout without it, "absent": then its position is the last known.
// An absent tag stays 10 minutes of wall clock, so that whoever opens a map sees
// what has just left. Then, or when it appears at another location, or when it
// is deleted, it leaves with the state "gone", which the watcher drops. A tag
// whose scanners fell silent is neither absent nor gone: nothing is known of it,
// its "at" grows old and says so. Zones leave with the state "gone" when they
// are deleted.
//
// # Concurrency
//
// The hub's methods may be called concurrently; moves of one tag must come in
// their order, from one goroutine at a time. A Subscription belongs to one
// goroutine, Close included. Memory is bounded by [Config.MaxTags]; what is
// beyond is dropped and counted.
package live
