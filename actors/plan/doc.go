// Package plan is how far in event time a plan has been heard: the point before
// which nothing is still on its way from a receiver that keeps up.
//
// A tag's second must not be fixed while a receiver that heard the tag in it has
// yet to speak, and a tag cannot know of a receiver that hears it for the first
// time. The plan can: all its devices tell it how far they have delivered.
// [State] is the pure machine, [Actor] its thin shell.
//
// # The tide
//
// The plan's tide is the whole second up to which every receiver that lives has
// delivered. A receiver lives while it has spoken within the patience, and is waited
// for while it does not lag behind the plan's clock by more than that. The time that
// passed since its word is time lived through, too: when all come back from an outage,
// who speaks first does not leave the others behind. The tide is never further behind
// the plan's clock than the grace: a receiver that stalls or dies holds the tags of
// its plan for so long and no longer, and not at all once the patience is over.
//
// The plan's clock is the second newest word of those that live, so that one device
// whose clock runs ahead does not hurry the tags of all others; of one or two it is
// the newest. To begin with, all receivers of the layout are taken to live. Who lives is told by how much time the others have lived through
// since, each by its own clock, and not by what their clocks say.
//
// # Order
//
// A device speaks to its tags first and to its plan then, and the plan to the tags
// after that. Mailboxes keep order, so a tag that is told of a tide has already got
// everything that the tide covers.
//
// # Learning
//
// Fixes teach by how much each receiver hears louder than its siblings. The plan
// gathers the lessons of its tags by epochs of event time and puts what follows from
// them into force half a minute later, from a whole second on: so the same frames give
// the same offsets and the same fixes, in whatever order actors run. The tide carries
// what is in force. Receivers that stay where they are keep what was learned of them
// when others are moved.
//
// # Concurrency
//
// A State belongs to its actor. What it sends is not changed afterwards.
package plan
