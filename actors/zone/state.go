package zone

import (
	"time"

	"mybeacon/schema"
)

// Place says which zone it is.
type Place struct {
	Organisation schema.OrganisationID
	Location     schema.LocationID
	Plan         schema.PlanID
	Zone         schema.ZoneID
}

// Presence tells a zone that a tag is inside from At on, or no longer. Telling
// the same twice changes nothing.
type Presence struct {
	Place
	Tag    schema.TagID
	Inside bool
	At     schema.EventTime
}

// Sweep tells the zone the server's time, about every few seconds.
type Sweep struct{ Now time.Time }

// State is who is inside one zone. Its zero value is an empty zone without a
// place; see [NewState].
type State struct {
	place  Place
	inside map[schema.TagID]struct{}
	at     schema.EventTime // of the newest change
	swept  time.Time        // last Sweep that found somebody inside or a change
	dirty  bool             // changed since Occupancy was taken
}

// NewState returns an empty zone.
func NewState(p Place) *State {
	return &State{place: p, inside: make(map[schema.TagID]struct{})}
}

// Set notes a presence and reports whether it changed who is inside.
func (s *State) Set(p *Presence) bool {
	_, was := s.inside[p.Tag]
	if was == p.Inside {
		return false
	}
	if p.Inside {
		s.inside[p.Tag] = struct{}{}
	} else {
		delete(s.inside, p.Tag)
	}
	s.at = max(s.at, p.At)
	s.dirty = true
	return true
}

// Take returns the occupancy, and whether it changed since it was last taken.
// At is the newest change's: tags report in their own event time, and the
// occupancy of a zone never goes back in it.
func (s *State) Take() (schema.Occupancy, bool) {
	changed := s.dirty
	s.dirty = false
	p := s.place
	return schema.Occupancy{
		Organisation: p.Organisation, Location: p.Location, Plan: p.Plan, Zone: p.Zone,
		Tags: len(s.inside), At: s.at,
	}, changed
}

// Idle reports whether the zone was empty at every sweep of the last duration.
func (s *State) Idle(now time.Time, after time.Duration) bool {
	if len(s.inside) > 0 || s.swept.IsZero() {
		s.swept = now
		return false
	}
	return now.Sub(s.swept) >= after
}
