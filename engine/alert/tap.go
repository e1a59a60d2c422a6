package alert

import (
	"sync"
	"sync/atomic"

	"mybeacon/schema"
)

// The bounds of what may wait for the engine. Beyond, the newest of a known visit or tag
// still replaces the older; what is new is counted and read from storage later.
const (
	maxVisits  = 50_000
	maxSights  = 200_000
	maxTidings = 100_000 // plans
)

// interest is what rules are about. It is immutable.
type interest struct {
	zones map[schema.LocationID]bool // whose visits matter
	lost  map[schema.OrganisationID]bool
}

// sight is a change of a tag's presence.
type sight struct {
	org      schema.OrganisationID
	tag      schema.TagID
	location schema.LocationID
	plan     schema.PlanID
	absent   bool
	heard    schema.EventTime
}

// Tap takes what happens, from the actors' workers, and never waits: a short lock around
// a map. Where no rule looks at something it costs a look at a pointer.
type Tap struct {
	about atomic.Pointer[interest]
	wake  chan struct{} // of one

	mu     sync.Mutex
	visits map[schema.VisitID]schema.Visit // the newest of each
	order  []schema.VisitID
	sights map[schema.TagID]sight
	tides  map[schema.PlanID]schema.EventTime
	lost   uint64 // since the last drain

	away    sync.RWMutex
	absents map[schema.TagID]bool // those who come back must be told of
}

// NewTap returns a tap that nobody is interested in yet.
func NewTap() *Tap {
	t := &Tap{wake: make(chan struct{}, 1), absents: map[schema.TagID]bool{}}
	t.reset()
	t.about.Store(&interest{})
	return t
}

func (t *Tap) reset() {
	t.visits, t.order = map[schema.VisitID]schema.Visit{}, nil
	t.sights, t.tides = map[schema.TagID]sight{}, map[schema.PlanID]schema.EventTime{}
	t.lost = 0
}

// Visit takes the beginning or the end of a visit.
func (t *Tap) Visit(v schema.Visit) {
	if !t.about.Load().zones[v.Location] {
		return
	}
	t.mu.Lock()
	_, known := t.visits[v.ID]
	switch {
	case !known && len(t.order) >= maxVisits:
		t.lost++
	default:
		if !known {
			t.order = append(t.order, v.ID)
		}
		t.visits[v.ID] = v
	}
	t.mu.Unlock()
	t.call()
}

// TagMoved takes who is gone and who is back. Of a tag that is there it costs a look.
func (t *Tap) TagMoved(m schema.TagMoved) {
	about := t.about.Load()
	if !about.lost[m.Organisation] {
		return
	}
	absent := m.Presence == schema.Absent
	t.away.RLock()
	before := t.absents[m.Tag]
	t.away.RUnlock()
	if before == absent {
		return
	}
	t.away.Lock()
	if absent {
		t.absents[m.Tag] = true
	} else {
		delete(t.absents, m.Tag)
	}
	t.away.Unlock()
	t.mu.Lock()
	if _, known := t.sights[m.Tag]; !known && len(t.sights) >= maxSights {
		t.lost++
	} else {
		t.sights[m.Tag] = sight{m.Organisation, m.Tag, m.Location, m.Plan, absent, m.At}
	}
	t.mu.Unlock()
	t.call()
}

// Tide takes how far a plan has been heard.
func (t *Tap) Tide(plan schema.PlanID, through schema.EventTime) {
	if about := t.about.Load(); len(about.zones)+len(about.lost) == 0 {
		return
	}
	t.mu.Lock()
	if _, known := t.tides[plan]; known || len(t.tides) < maxTidings {
		t.tides[plan] = through
	}
	t.mu.Unlock()
	t.call()
}

func (t *Tap) call() {
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

// caught is what has happened since the last drain.
type caught struct {
	visits []schema.Visit // in the order in which they were first told
	sights map[schema.TagID]sight
	tides  map[schema.PlanID]schema.EventTime
	lost   uint64
}

func (t *Tap) drain() caught {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := caught{visits: make([]schema.Visit, len(t.order)), sights: t.sights, tides: t.tides, lost: t.lost}
	for i, id := range t.order {
		c.visits[i] = t.visits[id]
	}
	t.reset()
	return c
}

// attend says what rules are about, and who is away as far as the engine knows.
func (t *Tap) attend(about *interest, absent []schema.TagID) {
	t.away.Lock()
	for _, id := range absent {
		t.absents[id] = true
	}
	t.away.Unlock()
	t.about.Store(about)
}
