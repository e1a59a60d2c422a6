package actors

import (
	"sync"

	"mybeacon/actors/plan"
	"mybeacon/schema"
)

// Learned takes what plans learn about their receivers, when it comes into force.
// It is called on the actors' workers, must not block, and hears of one plan in
// order.
type Learned interface {
	Offsets(schema.Offsets)
}

// Calibration is all that a plan has learned about its receivers, to be stored as
// JSON.
type Calibration = plan.Calibration

// Calibrations returns what the plans have learned that still exist, in no order.
// It is some seconds old.
func (s *System) Calibrations() []Calibration {
	var out []Calibration
	for _, c := range s.calibrations.list() {
		if _, exists := s.cfg.Layouts.Layout(c.Plan); exists {
			out = append(out, c)
		} else {
			s.calibrations.forget(c.Plan)
		}
	}
	return out
}

// RestoreCalibrations takes up what plans had learned when the engine stopped. It
// must come before the frames. Receivers that were moved meanwhile start blank.
func (s *System) RestoreCalibrations(all []Calibration) {
	for _, c := range all {
		s.calibrations.keep(c)
	}
}

// calibrationBook has the newest calibration of each plan: for storage, and for the
// plan's next actor. A plan's changes every ten seconds, so one lock serves all.
type calibrationBook struct {
	mu     sync.Mutex // guards byPlan
	byPlan map[schema.PlanID]*Calibration
}

func (b *calibrationBook) keep(c Calibration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.byPlan == nil {
		b.byPlan = make(map[schema.PlanID]*Calibration)
	}
	b.byPlan[c.Plan] = &c
}

func (b *calibrationBook) of(id schema.PlanID) *Calibration {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.byPlan[id]
}

func (b *calibrationBook) forget(id schema.PlanID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.byPlan, id)
}

func (b *calibrationBook) list() []Calibration {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := make([]Calibration, 0, len(b.byPlan))
	for _, c := range b.byPlan {
		out = append(out, *c)
	}
	return out
}
