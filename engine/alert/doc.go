// Package alert tells people what their rules ask to be told: who entered or left a
// zone, stays too long, is lost; which zone is over its capacity, which receiver is
// silent, whose battery is low. It is the core's: a product says which things there
// are ([Things]) and the engine what happens to them ([Tap]).
//
// # The way of an alert
//
//	actors -> Tap (bounded, coalescing) -> Engine, one goroutine: State (pure, event time)
//	   -> PostgreSQL, one transaction: alert rows, deliveries, jobs
//	   -> jobs: digests by mail, signed posts to webhooks
//
// The hot path puts a value in a map and goes on. An engine that is behind sees the
// newest of each visit, tag and plan; what the tap has no room for is counted, and
// the engine reads from storage who is where (catching up).
//
// # Time
//
// Stays, crowds and lost tags are judged on event time, against the tide of their plan:
// while its scanners or the server are away no time passes there, and what is told is
// that the receiver is silent. Late data are never seen here: they are worked into the
// past without live messages.
//
// # Once
//
// An alert's id is derived from its rule since its last change, its subject and when that
// began, and a rule has one open alert per subject; both are unique in the database. A cause that ends
// and comes back within [Hold] is the same alert. After a restart the open alerts, who
// was away, and up to when events were looked at are read back; what was stored since
// is looked at then, and a cause that ended meanwhile ends its alert.
//
// # Bounds
//
// Each recipient gets one digest a minute at most, of [maxItems] alerts; the others are
// counted in it. Rules, watched subjects and what waits for the database are bounded.
//
// # Concurrency
//
// All methods of [Store], [Service] and [Tap] are safe for concurrent use. [State]
// belongs to one goroutine.
package alert
