// Package actors runs what the engine knows of each device, plan, tag and zone while it
// happens: frames go in, fixes, visits and occupancy come out.
//
// # Tree
//
//	System ─┬─ supervisor "device" ── one actor per device  (actors/device)
//	        ├─ supervisor "plan" ──── one actor per plan    (actors/plan)
//	        ├─ supervisor "tag" ───── one actor per tag     (actors/tag)
//	        └─ supervisor "zone" ──── one actor per zone    (actors/zone)
//
// Each actor is a thin Receive around a pure state that knows neither protoactor
// nor a clock. A panic restarts that actor alone: the message that caused it is
// lost and counted, what the actor must not forget survives (a device's progress,
// what a plan has learned, a tag's open visits, who is inside a zone), its siblings
// notice nothing. Up to three failures in a minute are restarted from at once, more
// with pauses of 100 ms doubling to 10 s; an actor is never given up.
//
// Actors are made by the first message of something admitted (a frame of a known
// device, an observation of a registered tag, an entry into a drawn zone), never
// by a look-up, and go when idle: a tag that is absent for 10 min, a device that
// is silent for 30 min and has no tag waiting for it, a plan whose devices are all
// silent for 30 min, a zone that is empty for 10 min. What a plan has learned is
// kept for its next actor. A present tag that nobody hears for 30 min gives back its
// window and its track and keeps its visits.
//
// # Messages
//
//	to      message        from     mailbox policy
//	device  Frame          Frame    live: the oldest is dropped when full
//	        Connected      ingest   control
//	        Disconnected   ingest   control
//	        Restore        start    control
//	        Sweep          timer    control
//	plan    Delivered      device   live: the oldest is dropped when full
//	        Lessons        tag      newest per tag and second of a minute
//	        Sweep          timer    control
//	tag     Heard          device   live: the oldest is dropped when full
//	        Progress       device   newest per device
//	        Tide           plan     live: the oldest is dropped when full
//	        Restore        start    control
//	        Adopt          start    control
//	        Amend          history  control
//	        Recheck        Forget   control
//	        Sweep          timer    newest
//	zone    Presence       tag      newest per tag
//	        publish        itself   control
//	        Sweep          timer    control
//
// Anything else is counted as unknown and is a defect.
//
// # Concurrency
//
// A fixed pool of workers (actors/dispatch) runs the mailboxes (actors/mailbox).
// Nothing here blocks a sender: mailboxes are bounded by dropping live messages,
// which are stored on another path, by replacing superseded ones, or by the number
// of admitted things. Calls of [Output] about one tag, and about one zone, come
// in order, from any worker; calls about different ones run at once.
//
// # Time
//
// Positions, visits and absence run on event time only (see actors/tag). The
// server's clock decides whether a device is online and what stays in memory.
package actors
