package rederive_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"mybeacon/engine/rederive"
)

var (
	morning  = time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)
	midnight = time.Date(2026, 1, 31, 23, 57, 0, 0, time.UTC)
)

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
					s.check(s.sys.Settle(s.t.Context())) // or the scheduler decides the order
				}
			}
		}
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
	const tags, seconds = 3, 500
	for name, c := range map[string]struct {
		begin   time.Time
		silence int
		outages []away
	}{
		"one receiver, three minutes":          {morning, 130, []away{{2, 100, 280, 330}}},
		"two receivers, one after the other":   {morning, 130, []away{{1, 60, 200, 240}, {4, 120, 260, 300}}},
		"all but one":                          {morning, 130, []away{{0, 90, 200, 300}, {1, 90, 200, 301}, {2, 90, 200, 302}, {3, 90, 200, 303}, {4, 90, 200, 304}}},
		"from the first second on":             {morning, 130, []away{{3, 0, 150, 300}}},
		"nobody was heard meanwhile":           {morning, 20, []away{{0, 90, 200, 300}, {1, 90, 200, 300}, {2, 90, 200, 300}, {3, 90, 200, 300}, {4, 90, 200, 300}, {5, 90, 200, 300}}},
		"over midnight and the end of a month": {midnight, 130, []away{{2, 100, 280, 330}}},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLife(1, c.begin, tags, seconds, c.silence)
			inOrder, late := newServer(t), newServer(t)
			l.play(inOrder, 0, seconds)
			l.play(late, 0, seconds, c.outages...)
			inOrder.settle()
			late.work()
			log := one[uint64](late, "SELECT count() FROM rederivations FINAL")
			if log == 0 || one[uint64](late, "SELECT sum(fixes) FROM rederivations FINAL") == 0 {
				t.Error("late data changed nothing: nothing was tested")
			}
			same(t, l, tags, inOrder, late)

			// Once more, as after a crash before the log was written: nothing changes.
			late.check(late.conn.Exec(t.Context(), "TRUNCATE TABLE rederivations"))
			late.work()
			if n := one[uint64](late, "SELECT sum(fixes) + sum(visits) FROM rederivations FINAL"); n != 0 {
				t.Errorf("the second pass changed %d rows", n)
			}
			if n := one[uint64](late, "SELECT count() FROM rederivations FINAL"); n < log {
				t.Errorf("the second pass has %d entries in the log, the first had %d", n, log)
			}
		})
	}
}

// What retention has taken is not missed.
func TestLateDataThatAreGone(t *testing.T) {
	const seconds = 300
	l := newLife(1, morning, 1, seconds, 20)
	for s := range l.frames {
		for r := range l.frames[s] {
			l.frames[s][r].KeepDays = 1
		}
	}
	s := newServer(t)
	l.play(s, 0, seconds, away{2, 60, 200, 250})
	s.settle()
	for _, table := range []string{"observations", "fixes"} {
		s.check(s.conn.Exec(t.Context(), "OPTIMIZE TABLE "+table+" FINAL"))
	}
	s.work()
	if n := one[uint64](s, "SELECT count() FROM fixes FINAL"); n != 0 {
		t.Errorf("%d fixes came back", n)
	}
}

// The server is stopped and loses what it had derived last, as a kill does, again and
// again; and one receiver is cut off over two of the stops.
func TestAServerThatIsKilledHasTheSameInTheEnd(t *testing.T) {
	const tags, seconds = 3, 400
	l := newLife(5, morning, tags, seconds, 20)
	outage := away{1, 110, 230, 300}
	calm, killed := newServer(t), newServer(t)
	l.play(calm, 0, seconds)
	calm.settle()
	from := 0
	for _, stop := range []int{60, 61, 130, 190, 333} {
		l.play(killed, from, stop, outage)
		killed.restart(l.second(stop - 4))
		from = stop
	}
	l.play(killed, from, seconds, outage)
	killed.work()
	same(t, l, tags, calm, killed)
}

// restart starts the server anew, without the derived rows since then.
func (s *server) restart(lost interface{ Time() time.Time }) {
	s.t.Helper()
	ctx := context.Background()
	s.stop()
	since := lost.Time().Format("'2006-01-02 15:04:05'")
	s.check(s.conn.Exec(ctx, "DELETE FROM fixes WHERE at >= "+since))
	s.check(s.conn.Exec(ctx, "DELETE FROM zone_visits WHERE entered_at >= "+since+" OR left_at >= "+since))
	s.start()
	s.check(rederive.Resume(ctx, s.config(), s.sink, time.Minute))
}
