package actors

import "mybeacon/actors/mailbox"

// KindStats is the state of the actors of one kind. What ends in a past tense
// counts since the start.
type KindStats struct {
	Actors    int
	Queued    int    // messages that wait, in all mailboxes
	Posted    uint64 // messages sent to them
	Dropped   uint64 // live messages lost to newer ones because a mailbox was full
	Conflated uint64 // messages replaced by newer ones about the same thing
	Refused   uint64 // control messages lost, and messages for actors beyond MaxActors
	Restarts  uint64 // failures; each lost the message that caused it
}

// Stats is the state of a [System].
type Stats struct {
	Device, Plan, Tag, Zone KindStats

	Unknown    uint64 // messages that an actor did not know: a defect
	Repeated   uint64 // frames that a device had had before
	Stale      uint64 // frames too old to tell
	Lessons    uint64 // of fixes for their plans, lost because they came too late or were too many
	OpenVisits int
	Ready      int // actors that wait for a worker
}

// Stats returns the present state. Its figures are not of one instant.
func (s *System) Stats() Stats {
	return Stats{
		Device: kindStats(s.devices, &s.counters.device), Plan: kindStats(s.plans, &s.counters.plan),
		Tag: kindStats(s.tags, &s.counters.tag), Zone: kindStats(s.zones, &s.counters.zone),
		Unknown:    s.counters.unknown.Load(),
		Repeated:   s.counters.repeated.Load(),
		Stale:      s.counters.stale.Load(),
		Lessons:    s.counters.lessons.Load(),
		OpenVisits: s.visits.len(),
		Ready:      s.pool.Queued(),
	}
}

func kindStats[K comparable](r *registry[K], c *mailbox.Counters) KindStats {
	return KindStats{
		Actors: int(r.count.Load()), Queued: r.queued(),
		Posted: c.Posted.Load(), Dropped: c.Dropped.Load(), Conflated: c.Conflated.Load(),
		Refused: c.Refused.Load() + r.refused.Load(), Restarts: c.Panics.Load(),
	}
}
