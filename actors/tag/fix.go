package tag

import (
	"math"
	"time"

	"mybeacon/geometry/locate"
	"mybeacon/schema"
)

// fix estimates the position of one second, and what follows from it.
func (s *State) fix(second schema.EventTime, e *Effects) {
	end := second.Add(time.Second)
	s.window.prune(end.Add(-s.cfg.Window))
	if s.mem.present && second.Sub(s.mem.heard) >= s.cfg.Fence.Timeout {
		s.holdStored(s.mem.heard, e) // nobody can say whether it was away; no fix does
	}
	s.mem.heard = max(s.mem.heard, s.window.see(end))
	s.mem.fixed = second
	if !s.mem.present {
		s.mem.choice = choice{} // where it was says nothing about where it appears
	}
	plan := s.plans.Plan(s.mem.choice.choose(s.cfg, &s.window, s.plans, end))
	if plan == nil || plan.locator == nil {
		return
	}
	s.moveTo(plan, second, e)
	samples := s.window.locate(plan, end)
	s.track.Calibrate(s.window.correction(plan, second))
	estimate, ok := s.track.Update(sinceEpoch(second), samples)
	if !ok {
		return
	}
	s.mem.present = true
	s.travel = estimate.Travel
	f := s.compose(plan, second, estimate)
	s.transit(plan, s.show(plan, &f, samples), &f, e)
	s.mem.last = f
	e.Moved = append(e.Moved, schema.TagMoved{Fix: f, Presence: schema.Present})
	s.store(f, e)
	s.teach(plan, &f, e)
}

// moveTo makes plan the one that the tag is on.
func (s *State) moveTo(plan *Plan, second schema.EventTime, e *Effects) {
	if s.mem.stayPlan != plan.Layout.Plan {
		s.leaveZones(second, e)
		s.mem.stays, s.mem.stayPlan = [levels]stay{}, plan.Layout.Plan
	}
	s.dropLostZones(plan, second, e)
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
	// By the clock and not by the time since: whatever was stored before, a tag that
	// rests is stored at the same seconds, so that late data change no more than they
	// must.
	every := schema.EventTime(s.cfg.StoreEvery.Milliseconds())
	if f.Zone != old.Zone || f.Plan != old.Plan || f.At/every != old.At/every {
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
