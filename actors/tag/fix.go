package tag

import (
	"math"
	"time"

	"mybeacon/actors/zone"
	"mybeacon/geometry/fence"
	"mybeacon/geometry/locate"
	"mybeacon/schema"
)

// fix estimates the position of one second, and what follows from it.
func (s *State) fix(second schema.EventTime, e *Effects) {
	end := second.Add(time.Second)
	s.window.prune(end.Add(-s.cfg.Window))
	s.window.see(end)
	s.mem.fixed = second
	plan := s.plans.Plan(s.mem.choice.choose(s.cfg, &s.window, end))
	if plan == nil || plan.locator == nil {
		return
	}
	s.moveTo(plan, second, e)
	samples := s.window.locate(plan, end)
	estimate, ok := s.track.Update(sinceEpoch(second), samples)
	if !ok {
		return
	}
	s.mem.present = true
	f := s.compose(plan, second, estimate)
	zone := s.show(plan, &f, samples)
	s.transit(plan, s.mem.fence.Observe(s.cfg.Fence, sinceEpoch(second), zone), &f, e)
	s.mem.last = f
	e.Moved = append(e.Moved, schema.TagMoved{Fix: f, Presence: schema.Present})
	s.store(f, e)
}

// moveTo makes plan the one that the tag is on.
func (s *State) moveTo(plan *Plan, second schema.EventTime, e *Effects) {
	if v := &s.mem.visit; !v.ID.IsZero() && v.Plan != plan.Layout.Plan {
		s.leaveZone(second, e)
	}
	if s.mem.fencePlan != plan.Layout.Plan {
		s.mem.zone, s.mem.shownSince = fence.Decision{}, 0
		s.mem.fence, s.mem.fencePlan = fence.State{}, plan.Layout.Plan
	}
	s.dropLostZone(plan, second, e)
	if s.track == nil || s.plan == nil || s.plan.locator != plan.locator {
		s.track = plan.locator.NewTrack()
	}
	if s.plan == nil || s.plan.model != plan.model {
		s.zoning = nil
		if plan.model != nil {
			s.zoning = plan.model.NewTrack()
		}
	}
	s.plan = plan
}

// compose makes the fix of an estimate, without its zone.
func (s *State) compose(plan *Plan, second schema.EventTime, est locate.Estimate) schema.Fix {
	f := schema.Fix{
		Organisation: s.key.Organisation, Tag: s.key.Tag,
		Location: plan.Layout.Location, Plan: plan.Layout.Plan,
		At: second, X: est.Pos.X, Y: est.Pos.Y, AccuracyM: est.AccuracyM, Accuracy95M: est.Accuracy95M,
		Receivers: uint8(min(est.Receivers, math.MaxUint8)), ValidFor: s.cfg.StoreEvery,
	}
	if r, rssi := s.window.loudest(plan, second.Add(time.Second)); r != nil {
		f.Receiver, f.RSSI, f.KeepDays = r.source.Receiver, rssi, r.source.KeepDays
	}
	return f
}

// show decides which zone the fix shows and returns its number. The decision is
// the posterior's, or the model's where zones are learned, and at once: delays are
// for visits.
func (s *State) show(plan *Plan, f *schema.Fix, samples []locate.Sample) int {
	if s.zoning != nil {
		s.shares = s.zoning.Update(sinceEpoch(f.At), samples, s.shares)
	} else {
		s.shares = s.track.Zones(plan.laid, s.shares)
	}
	before := s.mem.zone.Zone()
	zone := s.mem.zone.Decide(s.hysteresis(f.At), s.shares)
	if zone != before || s.mem.shownSince.IsZero() {
		s.mem.shownSince = f.At
	}
	if zone != outside {
		f.Zone = plan.byIndex[zone]
	}
	for _, share := range s.shares {
		if share.Zone == zone {
			f.ZoneP = share.P
		}
	}
	return zone
}

// hysteresis returns how sure a change of zone must be now. Who has been in a zone
// for an hour is less likely to leave it in the next second than who came a minute
// ago, so the odds asked for grow with a long stay.
func (s *State) hysteresis(now schema.EventTime) fence.DecisionConfig {
	cfg := s.cfg.Zones
	if s.mem.shownSince.IsZero() {
		return cfg
	}
	long := math.Max(now.Sub(s.mem.shownSince).Seconds()/s.cfg.LongStay.Seconds(), 1)
	odds := cfg.SwitchP / (1 - cfg.SwitchP) * long
	cfg.SwitchP = math.Max(math.Min(odds/(1+odds), s.cfg.LongStayP), cfg.SwitchP)
	return cfg
}

// transit opens and closes visits.
func (s *State) transit(plan *Plan, transitions []fence.Transition, f *schema.Fix, e *Effects) {
	for _, t := range transitions {
		at := eventTime(t.At)
		if !t.Enter {
			s.closeVisit(at, e)
			continue
		}
		id := plan.byIndex[t.Zone]
		s.mem.visit = schema.Visit{
			Organisation: s.key.Organisation, Tag: s.key.Tag,
			Location: plan.Layout.Location, Plan: plan.Layout.Plan, Zone: id,
			ID:        schema.NewVisitID(s.key.Organisation, s.key.Tag, id, at),
			EnteredAt: at, KeepDays: f.KeepDays,
		}
		e.Visits = append(e.Visits, s.mem.visit)
		e.Zones = append(e.Zones, s.presence(true, at))
	}
}

// leaveZone ends the visit without waiting for the fence's delay. An exit that
// was pending keeps its own, earlier time.
func (s *State) leaveZone(at schema.EventTime, e *Effects) {
	for _, t := range s.mem.fence.Leave(sinceEpoch(at)) {
		s.closeVisit(eventTime(t.At), e)
	}
}

// dropLostZone ends the visit to a zone that the plan has no longer.
func (s *State) dropLostZone(plan *Plan, at schema.EventTime, e *Effects) {
	if v := &s.mem.visit; !v.ID.IsZero() && v.Plan == plan.Layout.Plan && plan.zone(v.Zone) == outside {
		s.leaveZone(at, e)
	}
}

func (s *State) closeVisit(at schema.EventTime, e *Effects) {
	v := s.mem.visit
	if v.ID.IsZero() {
		return
	}
	v.LeftAt = max(at, v.EnteredAt)
	e.Visits = append(e.Visits, v)
	e.Zones = append(e.Zones, s.presence(false, v.LeftAt))
	s.mem.visit = schema.Visit{}
}

// presence is what the zone of the open visit is told.
func (s *State) presence(inside bool, at schema.EventTime) *zone.Presence {
	v := &s.mem.visit
	return &zone.Presence{
		Place: zone.Place{Organisation: v.Organisation, Location: v.Location, Plan: v.Plan, Zone: v.Zone},
		Tag:   v.Tag, Inside: inside, At: at,
	}
}

// store sends a fix to storage unless the newest stored one still says the same.
func (s *State) store(f schema.Fix, e *Effects) {
	if old := &s.mem.stored; !old.At.IsZero() && !s.tellsMore(old, &f) {
		return
	}
	s.holdStored(f.At, e)
	s.mem.stored = f
	e.Fixes = append(e.Fixes, f)
}

func (s *State) tellsMore(old, f *schema.Fix) bool {
	if f.Zone != old.Zone || f.Plan != old.Plan || f.At.Sub(old.At) >= s.cfg.StoreEvery {
		return true
	}
	return math.Hypot(f.X-old.X, f.Y-old.Y) > math.Max(s.cfg.StoreMoveM, f.AccuracyM/2)
}

// holdStored corrects how long the newest stored fix held, when that turned out
// to be shorter than it said: a fix is stored when it is made, not when it ends,
// so that a query sees it at once. A row of the same tag and second replaces the
// earlier one.
func (s *State) holdStored(until schema.EventTime, e *Effects) {
	f := &s.mem.stored
	if held := until.Sub(f.At); !f.At.IsZero() && held < f.ValidFor {
		f.ValidFor = max(held, 0)
		e.Fixes = append(e.Fixes, *f)
	}
}
