package actors

import (
	"context"
	"sync"

	"mybeacon/actors/device"
	"mybeacon/actors/plan"
	"mybeacon/actors/tag"
	"mybeacon/schema"
)

// Adopt takes up a tag as it was when the engine stopped: the state has lived
// through all that storage has of the tag, with [System.TagConfig] and
// [System.Plans]. The caller no longer touches it. It must come before the frames,
// and before the tag's devices are restored.
func (s *System) Adopt(k tag.Key, state *tag.State) {
	for _, v := range state.Visits() {
		s.visits.note(v)
	}
	s.tags.summon(k, &tag.Adopt{State: state})
}

// RestoreDevice takes up a device as it was when the engine stopped. It must come
// before the frames.
func (s *System) RestoreDevice(r device.Restore) {
	if !r.Source.Device.IsZero() && !r.Source.Plan.IsZero() {
		s.devices.summon(r.Source.Device, &r)
	}
}

// Amend puts a visit in the place of an open one of the same tag and zone that
// began at another time, and reports whether that one was still open. The output is
// told nothing: the caller stores the exchange. It waits for the tag's actor.
func (s *System) Amend(ctx context.Context, instead schema.VisitID, v schema.Visit) (bool, error) {
	done := make(chan bool, 1)
	m := &tag.Amend{Instead: instead, Visit: v, Done: func(amended bool) {
		if amended {
			s.visits.exchange(instead, v)
		}
		done <- amended
	}}
	if !s.tags.tell(tag.Key{Organisation: v.Organisation, Tag: v.Tag}, m) {
		return false, nil
	}
	select {
	case amended := <-done:
		return amended, nil
	case <-ctx.Done():
		return false, context.Cause(ctx)
	}
}

// Teach gives a plan the lessons that its tags gave before the engine stopped and that
// are not in its calibration. It must come before the devices are restored.
func (s *System) Teach(id schema.PlanID, lessons []*tag.Lessons) {
	s.plans.summon(id, &plan.Taught{Lessons: lessons})
}

// Revs takes n revisions, the first of which it returns: whoever writes what tags
// did in the past takes part in the same order of versions.
func (s *System) Revs(n int) uint64 { return s.rev.Add(uint64(n)) - uint64(n) + 1 }

// TagConfig returns what tags are judged by.
func (s *System) TagConfig() *tag.Config { return &s.cfg.Tag }

// PlanConfig returns what the receivers of a plan are judged by.
func (s *System) PlanConfig() *plan.Config { return &s.cfg.Plan }

// Plans returns the plans as they were made ready for the tags.
func (s *System) Plans() *tag.Plans { return s.layouts }

// visitBook knows which visits are open, as the output was told. It changes a
// few times per tag and hour, so one lock serves all.
type visitBook struct {
	mu   sync.Mutex // guards open
	open map[schema.VisitID]schema.Visit
}

func (b *visitBook) note(v schema.Visit) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if v.LeftAt.IsZero() {
		b.open[v.ID] = v
	} else {
		delete(b.open, v.ID)
		if len(b.open) == 0 { // a map never shrinks
			b.open = make(map[schema.VisitID]schema.Visit)
		}
	}
}

// exchange puts an open visit in the place of another.
func (b *visitBook) exchange(instead schema.VisitID, v schema.Visit) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.open, instead)
	b.open[v.ID] = v
}

func (b *visitBook) list() []schema.Visit {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := make([]schema.Visit, 0, len(b.open))
	for _, v := range b.open {
		out = append(out, v)
	}
	return out
}

func (b *visitBook) len() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.open)
}
