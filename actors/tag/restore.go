package tag

import (
	"mybeacon/geometry/fence"
	"mybeacon/schema"
)

// Restore takes up a visit that was open when the engine stopped.
func (s *State) Restore(v schema.Visit, e *Effects) {
	if s.mem.present || v.ID.IsZero() || !v.LeftAt.IsZero() {
		return
	}
	p := s.plans.Plan(v.Plan)
	if p == nil || p.zone(v.Zone) == outside {
		v.LeftAt = v.EnteredAt // nobody knows; the zone went while the engine was down
		e.Visits = append(e.Visits, v)
		return
	}
	s.mem.fence, s.mem.fencePlan = fence.Within(p.zone(v.Zone)), v.Plan
	s.mem.choice.plan, s.mem.visit, s.mem.present = v.Plan, v, true
	s.mem.heard = max(s.mem.heard, v.EnteredAt)
	e.Zones = append(e.Zones, s.presence(true, v.EnteredAt))
}
