// Package ingest is the way in: it takes the decoded frames of authenticated
// devices, judges them, recognises what it has, hands the rest to storage and to
// the actors side by side, and says which frames the device may forget.
//
// # What happens to a frame
//
//	refused    structure, sequence or time is wrong: counted by reason, acknowledged
//	           at once, since it will be no better next time
//	duplicate  (boot_id, seq) is on its way or stored: acknowledged when it is stored
//	unbound    the device belongs to no organisation: acknowledged, kept nowhere
//	admitted   to the journal and to the actors; acknowledged when its rows are stored
//	shed       storage takes nothing: to the actors only, and not acknowledged
//
// Observations are refused one by one and leave a hole in the frame's indexes. A
// frame that has no rows left says "I listened until sent_at": it goes to the
// actors and is acknowledged at once.
//
// An observation whose time cannot be believed, because a clock is ahead or the
// organisation keeps nothing so old, is refused too, but its row goes to the
// [Quarantine], where somebody can see which clock is wrong.
//
// # How much is taken
//
// Three bounds, each of which only delays: what one device may have on its way
// ([Credit]), what the devices of one organisation may send a second ([Quota]),
// and the room for all that waits for storage, of which an organisation may fill
// twice what is free. A socket is simply not read meanwhile; a POST is refused
// with the time at which to come again.
//
// # When storage takes nothing
//
// When the journal has been stalled for a second, frames are shed: they go to the
// actors, so that the live map goes on, and cost no room and no credit; what was
// admitted before stays, within its bounds. The device keeps them, since nobody
// acknowledged them. Once storage has taken frames for two seconds, up to a minute
// when it comes and goes, new ones are admitted again, and the streams on which
// frames were shed end with [ErrSendAgain], some at a time.
//
// Frames that come again are stored and acknowledged as if they were new. The
// actors know them by their numbers, and observations that the live tags have used
// are not late, unless rows that were derived meanwhile are lost
// ([Config.DerivedLost]): then they are worked in anew.
//
// # After a restart
//
// The first frame of (device, boot_id) asks the warehouse which frames it holds;
// the boot's frames wait for the answer, for the live map at most
// [Config.LiveGrace]: then they go to the actors, and only storage waits on. A
// frame whose rows fall on two days is never believed to be stored, because an
// insert is atomic within a day only; storing it again changes nothing.
//
// The sets of sequence numbers are bounded. What is forgotten is stored once
// more under the same key; nothing is ever claimed that is not so.
//
// # Concurrency
//
// All methods are safe for concurrent use. [Session.Offer] never waits for
// storage: [Session.Ready] does, before more is read from the device. One device
// has one stream: a newer one displaces the older.
//
// The tokens of open streams are compared with the directory's every
// [Config.RecheckEvery]: one that was taken back ends its stream.
//
// Lock order: Ingest.mu, then device.mu, then Session.mu, then tenants.mu and what
// the journal and the actors lock. The journal's done functions take device.mu.
package ingest
