// Package mailbox is the bounded mailbox of every actor of the engine. It
// implements protoactor's actor.Mailbox, whose own bounded forms either spin a
// core after the first drop or block the sender.
//
// # Policy
//
//   - System messages (start, stop, restart, suspend) come first and are never
//     dropped.
//   - User messages keep the order in which they were posted.
//   - A message with a key ([Keyed]) replaces an older one of the same key that
//     still waits. The newer one stands at the back: it may rely on all that was
//     posted before it, so it must not overtake. Such messages are bounded by the
//     number of keys and not by the limit.
//   - A live message ([Droppable]) counts against the limit; when it is reached,
//     the oldest live message is dropped and counted. What was dropped is stored
//     nevertheless: storage does not go through actors.
//   - Anything else is control: rare by construction, and bounded at
//     [controlFactor] times the limit, by dropping the oldest.
//   - A [Barrier] is called when all that was posted before it was handled. The
//     actor does not see it.
//
// # Concurrency
//
// Post… may be called from any goroutine and returns after a push under a
// mutex; it never waits for room or for the actor. One worker at a time runs the
// actor; after the dispatcher's throughput of messages it goes to the back of
// the queue. A panic of the actor takes the message that caused it with it, is
// counted and given to the supervisor as a [*Panic]; the others stay queued.
package mailbox
