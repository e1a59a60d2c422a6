package sqlhttp

import (
	"sync"
	"time"

	"mybeacon/schema"
)

// slots bounds how many statements run at once. It is safe for concurrent use.
type slots struct {
	ofOne, ofAll int

	mu  sync.Mutex
	all int
	one map[schema.OrganisationID]int // of organisations with a statement under way
}

func newSlots(ofOne, ofAll int) *slots {
	return &slots{ofOne: ofOne, ofAll: ofAll, one: map[schema.OrganisationID]int{}}
}

// full is the cause of a refusal that knows when to try again.
type full struct{}

// Error implements error.
func (full) Error() string { return "all places are taken" }

// RetryAfter implements shell.RetryAfter.
func (full) RetryAfter() time.Duration { return time.Second }

// enter takes a place, or refuses at once with TooMany: who waits for an analyst's
// statement would wait for half a minute.
func (s *slots) enter(organisation schema.OrganisationID) (leave func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all >= s.ofAll || s.one[organisation] >= s.ofOne {
		return nil, &schema.Error{
			Kind: schema.TooMany, Err: full{},
			Message: "as many statements are running as may at once; try again when one is done",
		}
	}
	s.all++
	s.one[organisation]++
	return func() { s.leave(organisation) }, nil
}

func (s *slots) leave(organisation schema.OrganisationID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all--
	if s.one[organisation]--; s.one[organisation] == 0 {
		delete(s.one, organisation)
	}
}
