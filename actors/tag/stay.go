package tag

import (
	"math"

	"mybeacon/actors/zone"
	"mybeacon/geometry/fence"
	"mybeacon/geometry/locate"
	"mybeacon/schema"
)

// show decides which zones the fix shows, names the innermost in it, and returns
// their numbers by level. The decision is the posterior's, or the model's where
// zones are learned, and at once: delays are for visits.
//
// The zone that is no part is decided first, from what is in it and its parts
// together: that somebody drew parts must not make anybody leave the whole.
func (s *State) show(plan *Plan, f *schema.Fix, samples []locate.Sample) (zones [levels]int) {
	if s.zoning != nil {
		s.shares = s.zoning.Update(sinceEpoch(f.At), samples, s.shares)
	} else {
		s.shares = s.track.Zones(plan.laid, s.shares)
	}
	zones = [levels]int{outside, outside}
	if !plan.nested {
		zones[whole], f.ZoneP = s.decide(whole, s.shares, f.At)
	} else {
		s.wholes = sum(plan, s.shares, s.wholes)
		zones[whole], f.ZoneP = s.decide(whole, s.wholes, f.At)
		zones[part] = s.showPart(plan, zones[whole], f)
	}
	for _, n := range zones {
		if n != outside {
			f.Zone = plan.byIndex[n]
		}
	}
	return zones
}

// showPart decides in which part of a zone the fix is. Being in none of them counts
// as one more; no part has anything of another zone.
func (s *State) showPart(plan *Plan, of int, f *schema.Fix) int {
	within := &s.mem.stays[part]
	if now := within.shown.Zone(); now != outside && plan.top(now) != of {
		within.show()
	}
	if of == outside {
		within.show()
		return outside
	}
	s.parts = s.parts[:0]
	for _, share := range s.shares {
		switch {
		case share.Zone == of:
			s.parts = append(s.parts, fence.Share{Zone: outside, P: share.P})
		case share.Zone != outside && plan.parents[share.Zone] == of:
			s.parts = append(s.parts, share)
		}
	}
	zone, p := s.decide(part, s.parts, f.At)
	if zone != outside {
		f.ZoneP = p
	}
	return zone
}

// sum adds up what is in each zone that is no part, and last outside, in into.
func sum(plan *Plan, shares, into []fence.Share) []fence.Share {
	n := len(plan.byIndex)
	into = into[:0]
	for zone := range n {
		into = append(into, fence.Share{Zone: zone})
	}
	into = append(into, fence.Share{Zone: outside})
	for _, share := range shares {
		at := n
		if share.Zone != outside {
			at = plan.top(share.Zone)
		}
		into[at].P += share.P
	}
	return into
}

// decide returns the zone of a level that a fix of this moment shows, and its share.
func (s *State) decide(level int, shares []fence.Share, now schema.EventTime) (zone int, p float64) {
	stay := &s.mem.stays[level]
	before := stay.shown.Zone()
	zone = stay.shown.Decide(s.hysteresis(stay, now), shares)
	if zone != before || stay.since.IsZero() {
		stay.since = now
	}
	for _, share := range shares {
		if share.Zone == zone {
			p = share.P
		}
	}
	return zone, p
}

// show forgets which zone fixes show.
func (y *stay) show() { y.shown, y.since = fence.Decision{}, 0 }

// hysteresis returns how sure a change of zone must be now. Who rests is less likely
// to change it than who walks, and who has been in a zone for an hour less likely to
// leave it in the next second than who came a minute ago; so the odds asked for are
// higher at rest, and grow with a long stay.
func (s *State) hysteresis(stay *stay, now schema.EventTime) fence.DecisionConfig {
	cfg := s.cfg.Zones
	if stay.since.IsZero() {
		return cfg
	}
	long := math.Max(now.Sub(stay.since).Seconds()/s.cfg.LongStay.Seconds(), 1)
	odds := cfg.SwitchP / (1 - cfg.SwitchP) * math.Pow(s.cfg.RestOdds, 1-s.travel) * long
	cfg.SwitchP = math.Max(math.Min(odds/(1+odds), s.cfg.LongStayP), cfg.SwitchP)
	return cfg
}

// transit opens and closes the visits of a fix in these zones. A part is entered
// after its whole and left before it.
func (s *State) transit(plan *Plan, zones [levels]int, f *schema.Fix, e *Effects) {
	var found [levels][]fence.Transition
	cfg := s.cfg.Fence
	for l := range levels {
		stay := &s.mem.stays[l]
		found[l] = stay.fence.Observe(cfg, sinceEpoch(f.At), zones[l])
		if len(found[l]) > 0 && !found[l][0].Enter {
			cfg.ExitDelay = 0 // who has left the whole has left the part, when it was last there
		}
	}
	for l := part; l >= whole; l-- {
		for _, t := range found[l] {
			if !t.Enter {
				s.closeVisit(l, eventTime(t.At), e)
			}
		}
	}
	for l := range levels {
		for _, t := range found[l] {
			if t.Enter {
				s.openVisit(l, plan, t, f, e)
			}
		}
	}
}

func (s *State) openVisit(level int, plan *Plan, t fence.Transition, f *schema.Fix, e *Effects) {
	id, at := plan.byIndex[t.Zone], eventTime(t.At)
	v := schema.Visit{
		Organisation: s.key.Organisation, Tag: s.key.Tag,
		Location: plan.Layout.Location, Plan: plan.Layout.Plan, Zone: id, Parent: plan.parent(t.Zone),
		ID:        schema.NewVisitID(s.key.Organisation, s.key.Tag, id, at),
		EnteredAt: at, KeepDays: f.KeepDays,
	}
	s.mem.stays[level].visit = v
	e.Visits = append(e.Visits, v)
	e.Zones = append(e.Zones, presence(&v, true, at))
}

// leaveZones ends the visits without waiting for the fence's delay. An exit that
// was pending keeps its own, earlier time.
func (s *State) leaveZones(at schema.EventTime, e *Effects) {
	for l := part; l >= whole; l-- {
		s.leaveZone(l, at, e)
	}
}

func (s *State) leaveZone(level int, at schema.EventTime, e *Effects) {
	for _, t := range s.mem.stays[level].fence.Leave(sinceEpoch(at)) {
		s.closeVisit(level, eventTime(t.At), e)
	}
}

// dropLostZones ends the visits to zones that the plan has no longer, or has on
// another level or in another whole.
func (s *State) dropLostZones(plan *Plan, at schema.EventTime, e *Effects) {
	for l := part; l >= whole; l-- {
		v := &s.mem.stays[l].visit
		if v.ID.IsZero() || v.Plan != plan.Layout.Plan {
			continue
		}
		if n := plan.zone(v.Zone); n == outside || plan.parent(n) != v.Parent {
			s.leaveZone(l, at, e)
		}
	}
}

func (s *State) closeVisit(level int, at schema.EventTime, e *Effects) {
	v := s.mem.stays[level].visit
	if v.ID.IsZero() {
		return
	}
	v.LeftAt = max(at, v.EnteredAt)
	e.Visits = append(e.Visits, v)
	e.Zones = append(e.Zones, presence(&v, false, v.LeftAt))
	s.mem.stays[level].visit = schema.Visit{}
}

// presence is what the zone of a visit is told.
func presence(v *schema.Visit, inside bool, at schema.EventTime) *zone.Presence {
	return &zone.Presence{
		Place: zone.Place{Organisation: v.Organisation, Location: v.Location, Plan: v.Plan, Zone: v.Zone},
		Tag:   v.Tag, Inside: inside, At: at,
	}
}
