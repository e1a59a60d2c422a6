package tag

import (
	"mybeacon/geometry/fence"
	"mybeacon/schema"
)

// Restore gives a tag back the visit that was open when the engine stopped.
type Restore struct{ Visit schema.Visit }

// Adopt gives a tag of which nothing is known yet the state of one that has lived
// through what storage has of it. The sender no longer touches the state.
type Adopt struct{ State *State }

// Amend puts a visit in the place of an open one of the same zone, which began at
// another time as late data have shown.
type Amend struct {
	Instead schema.VisitID
	Visit   schema.Visit
	Done    func(amended bool) // called once, on the tag's worker
}

// Restore takes up a visit that was open when the engine stopped.
func (s *State) Restore(v schema.Visit, e *Effects) {
	if s.mem.fixed > 0 || v.ID.IsZero() || !v.LeftAt.IsZero() {
		return
	}
	if !s.resume(v) {
		v.LeftAt = v.EnteredAt // nobody knows; the zone went while the engine was down
		e.Visits = append(e.Visits, v)
		return
	}
	s.mem.heard = max(s.mem.heard, v.EnteredAt)
	e.Zones = append(e.Zones, presence(&v, true, v.EnteredAt))
}

// resume makes the visit an open one, unless its plan has no such zone any more or
// another visit of its level is open.
func (s *State) resume(v schema.Visit) bool {
	level := whole
	if !v.Parent.IsZero() {
		level = part
	}
	stay := &s.mem.stays[level]
	p := s.plans.Plan(v.Plan)
	if p == nil || p.zone(v.Zone) == outside || p.parent(p.zone(v.Zone)) != v.Parent || !stay.visit.ID.IsZero() {
		return false
	}
	stay.fence, stay.visit, s.mem.stayPlan = fence.Within(p.zone(v.Zone)), v, v.Plan
	s.mem.choice.plan, s.mem.present = v.Plan, true
	return true
}

// Adopt takes over the other state, unless something is known of the tag already.
// The zones and the map are told where the tag is, storage nothing: it knows.
func (s *State) Adopt(from *State, e *Effects) {
	if s.mem.fixed > 0 || s.mem.present || from.key != s.key {
		return
	}
	*s = *from
	for l := range s.mem.stays {
		if v := &s.mem.stays[l].visit; !v.ID.IsZero() {
			e.Zones = append(e.Zones, presence(v, true, v.EnteredAt))
		}
	}
	if s.mem.present && !s.mem.last.At.IsZero() {
		e.Moved = append(e.Moved, schema.TagMoved{Fix: s.mem.last, Presence: schema.Present})
	}
}

// Amend exchanges an open visit and reports whether it did: not when that visit
// has ended meanwhile, or is one to another zone.
func (s *State) Amend(instead schema.VisitID, v schema.Visit) bool {
	for l := range s.mem.stays {
		open := &s.mem.stays[l].visit
		if open.ID == instead && !instead.IsZero() && open.Zone == v.Zone && open.Plan == v.Plan {
			*open = v
			return true
		}
	}
	return false
}

// Past is what storage has of a tag at a moment from which on it lives again.
type Past struct {
	Visits []schema.Visit   // open then, whatever became of them
	Stored schema.Fix       // newest before; zero when there is none, or the tag was absent since
	Since  schema.EventTime // from when on fixes have shown the zone of Stored; zero: not known
}

// Live gives a tag of which nothing is known its past.
func (s *State) Live(p Past) {
	for _, v := range p.Visits {
		v.LeftAt = 0
		if s.resume(v) {
			s.mem.heard = max(s.mem.heard, v.EnteredAt)
		}
	}
	if p.Stored.At.IsZero() {
		return
	}
	s.mem.stored, s.mem.last, s.mem.present = p.Stored, p.Stored, true
	s.mem.heard = max(s.mem.heard, p.Stored.At)
	s.mem.choice.plan = p.Stored.Plan
	plan := s.plans.Plan(p.Stored.Plan)
	if plan == nil || s.mem.stayPlan != plan.Layout.Plan && !s.mem.stayPlan.IsZero() {
		return
	}
	s.mem.stayPlan = plan.Layout.Plan
	zones := [levels]int{outside, outside}
	if n := plan.zone(p.Stored.Zone); n != outside {
		zones[whole] = plan.top(n)
		if plan.top(n) != n {
			zones[part] = n
		}
	}
	for l := range s.mem.stays {
		s.mem.stays[l].shown.Decide(s.cfg.Zones, []fence.Share{{Zone: zones[l], P: 1}})
		s.mem.stays[l].since = p.Since
	}
}

// Visits returns the visits that are open.
func (s *State) Visits() (open []schema.Visit) {
	for l := range s.mem.stays {
		if v := s.mem.stays[l].visit; !v.ID.IsZero() {
			open = append(open, v)
		}
	}
	return open
}

// Present reports whether the tag is there.
func (s *State) Present() bool { return s.mem.present }

// Waits reports whether something was heard of the tag that no fix has seen.
func (s *State) Waits() bool { return !s.window.fresh.IsZero() }

// Correct makes offsets that were stored ready for the plan: from a second on they
// are in force. Receivers that the plan has no longer are left out.
func (p *Plan) Correct(from schema.EventTime, offsets []schema.ReceiverOffset) (Correction, error) {
	if p.locator == nil {
		return Correction{From: from}, nil
	}
	dB := make([]float64, len(p.Layout.Receivers))
	for _, o := range offsets {
		if i := p.receiver(o.Receiver); i >= 0 {
			dB[i] = o.Offset.DBm()
		}
	}
	o, err := p.locator.Offsets(dB)
	return Correction{From: from, Site: p.locator, Offsets: o}, err
}
