package rederive_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"mybeacon/schema"
)

var morning = time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)

// away is a receiver that is cut off for some seconds, and what it says then comes at
// a later one.
type away struct{ receiver, from, to, back int }

// play admits a life's frames at the seconds at which they arrive.
func (l *life) play(s *server, from, to int, outages ...away) {
	s.t.Helper()
	arrives := func(receiver, second int) int {
		for _, a := range outages {
			if a.receiver == receiver && second >= a.from && second < a.to {
				return a.back
			}
		}
		return second
	}
	for now := from; now < to; now++ {
		for second := range min(now+1, len(l.frames)) {
			for r := range l.frames[second] {
				if arrives(r, second) == now {
					s.admit(l.frames[second][r], l.second(now+1).Time())
				}
			}
		}
		s.check(s.sys.Settle(s.t.Context()))
	}
}

// same fails the test unless both have stored the same, but for the last bits of
// positions: a track that began a few minutes before has not forgotten quite where.
func same(t *testing.T, l *life, tags int, want, got *server) {
	t.Helper()
	end := l.second(len(l.frames))
	diff := cmp.Diff(want.stored(tags, l.begin, end), got.stored(tags, l.begin, end), cmpopts.EquateApprox(0, 0.02), cmpopts.EquateEmpty())
	if diff != "" {
		t.Errorf("-in order +late\n%s", diff)
	}
}

func TestLateDataAreWorkedIn(t *testing.T) {
	const tags, seconds = 3, 600
	for name, outages := range map[string][]away{
		"one receiver, three minutes":              {{2, 100, 280, 330}},
		"two receivers, one after the other":       {{1, 60, 200, 240}, {4, 120, 260, 400}},
		"all but one":                              {{0, 90, 200, 300}, {1, 90, 200, 301}, {2, 90, 200, 302}, {3, 90, 200, 303}, {4, 90, 200, 304}},
		"from the first second on":                 {{3, 0, 150, 300}},
		"all together: nobody was heard meanwhile": {{0, 90, 200, 300}, {1, 90, 200, 300}, {2, 90, 200, 300}, {3, 90, 200, 300}, {4, 90, 200, 300}, {5, 90, 200, 300}},
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(2) {
				l := newLife(seed, morning, tags, seconds)
				inOrder, late := newServer(t), newServer(t)
				l.play(inOrder, 0, seconds)
				l.play(late, 0, seconds, outages...)
				inOrder.settle()
				late.work()
				if n := one[uint64](late, "SELECT count() FROM rederivations FINAL"); n == 0 && one[uint64](late, "SELECT countIf(late) FROM observations") > 0 {
					t.Error("late data are in nobody's log")
				}
				same(t, l, tags, inOrder, late)
			}
		})
	}
}

var _ = fmt.Sprint
var _ schema.EventTime
