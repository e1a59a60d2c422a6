package tag

import (
	"mybeacon/geometry/fence"
	"mybeacon/schema"
)

// Restore takes up a visit that was open when the engine stopped.
func (s *State) Restore(v schema.Visit, e *Effects) {
	level := whole
	if !v.Parent.IsZero() {
		level = part
	}
	stay := &s.mem.stays[level]
	if s.mem.fixed > 0 || !stay.visit.ID.IsZero() || v.ID.IsZero() || !v.LeftAt.IsZero() {
		return
	}
	p := s.plans.Plan(v.Plan)
	if p == nil || p.zone(v.Zone) == outside || p.parent(p.zone(v.Zone)) != v.Parent {
		v.LeftAt = v.EnteredAt // nobody knows; the zone went while the engine was down
		e.Visits = append(e.Visits, v)
		return
	}
	stay.fence, stay.visit, s.mem.stayPlan = fence.Within(p.zone(v.Zone)), v, v.Plan
	s.mem.choice.plan, s.mem.present = v.Plan, true
	s.mem.heard = max(s.mem.heard, v.EnteredAt)
	e.Zones = append(e.Zones, presence(&v, true, v.EnteredAt))
}
