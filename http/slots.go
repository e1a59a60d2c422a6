package http

import (
	"context"
	"sync"
	"time"

	"mybeacon/schema"
)

// Slots bound how much of something costly runs at once, of one organisation and of
// all. They are safe for concurrent use.
type Slots struct {
	ofOne, ofAll int
	refusal      string

	mu    sync.Mutex
	all   int
	one   map[schema.OrganisationID]int // of organisations that have a place
	wait  map[schema.OrganisationID]int // of those that wait for one
	freed chan struct{}                 // closed when a place is given back; nil while nobody waits
}

// NewSlots returns so many places of one organisation and of all; the refusal is what
// is told when all are taken.
func NewSlots(ofOne, ofAll int, refusal string) *Slots {
	return &Slots{ofOne: ofOne, ofAll: ofAll, refusal: refusal, one: map[schema.OrganisationID]int{}, wait: map[schema.OrganisationID]int{}}
}

// full is the cause of a refusal that knows when to try again.
type full struct{}

// Error implements error.
func (full) Error() string { return "all places are taken" }

// RetryAfter implements [RetryAfter].
func (full) RetryAfter() time.Duration { return time.Second }

// Enter takes a place, or refuses at once with TooMany. A place must be left once.
func (s *Slots) Enter(organisation schema.OrganisationID) (leave func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.enter(organisation)
}

// Wait is Enter for a page that asks several questions at once: it waits for a place
// for so long, with a bounded number of others.
func (s *Slots) Wait(ctx context.Context, organisation schema.OrganisationID, most time.Duration) (leave func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if leave, err = s.enter(organisation); err == nil || s.wait[organisation] >= s.ofOne*waiters {
		return leave, err
	}
	s.wait[organisation]++
	defer decrement(s.wait, organisation)
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	for err != nil && ctx.Err() == nil {
		if s.freed == nil {
			s.freed = make(chan struct{})
		}
		freed := s.freed
		s.mu.Unlock()
		select {
		case <-freed:
		case <-ctx.Done():
		}
		s.mu.Lock()
		leave, err = s.enter(organisation)
	}
	return leave, err
}

// waiters bounds how many wait for each place.
const waiters = 4

func (s *Slots) enter(organisation schema.OrganisationID) (leave func(), err error) {
	if s.all >= s.ofAll || s.one[organisation] >= s.ofOne {
		return nil, &schema.Error{Kind: schema.TooMany, Err: full{}, Message: s.refusal}
	}
	s.all++
	s.one[organisation]++
	return func() { s.leave(organisation) }, nil
}

func (s *Slots) leave(organisation schema.OrganisationID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all--
	decrement(s.one, organisation)
	if s.freed != nil {
		close(s.freed)
		s.freed = nil
	}
}

func decrement(counts map[schema.OrganisationID]int, of schema.OrganisationID) {
	if counts[of]--; counts[of] == 0 {
		delete(counts, of)
	}
}
