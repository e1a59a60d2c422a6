package rederive_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"mybeacon/engine/rederive"
	"mybeacon/schema"
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
	wanted, found := l.tell(want.stored(tags, l.begin, end)), l.tell(got.stored(tags, l.begin, end))
	if diff := cmp.Diff(wanted, found, cmpopts.EquateApprox(0, 0.02), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("-in order +late\n%s", diff)
	}
}

// row is what of a stored row is compared, in seconds of the life.
type row struct {
	Tag       byte
	At, Until float64
	Zone      schema.ZoneID
	Receiver  schema.ReceiverID
	Receivers uint8
	RSSI      schema.CentiDBm
	X, Y, R   float64
	R95, P    float64
	Visit     schema.VisitID
}

func (l *life) tell(d rederive.Derived) (rows []row) {
	for _, f := range d.Fixes {
		at := f.At.Sub(l.begin).Seconds()
		rows = append(rows, row{
			Tag: f.Tag[15], At: at, Until: at + f.ValidFor.Seconds(), Zone: f.Zone, Receiver: f.Receiver, Receivers: f.Receivers, RSSI: f.RSSI,
			X: f.X, Y: f.Y, R: f.AccuracyM, R95: f.Accuracy95M, P: f.ZoneP,
		})
	}
	for _, v := range d.Visits {
		rows = append(rows, row{Tag: v.Tag[15], At: v.EnteredAt.Sub(l.begin).Seconds(), Until: max(-1, v.LeftAt.Sub(l.begin).Seconds()), Zone: v.Zone, Visit: v.ID})
	}
	return rows
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

// A tag is heard by a receiver alone that is cut off, and so it seems to be absent to
// all others. When the receiver comes back, its first word makes the stay one again.
func TestATagThatSeemedAbsent(t *testing.T) {
	const middle, seconds = 500, 700
	others := []int{0, 1, 2, 3, 4}
	walks := walker{at: schema.Point{X: 3, Y: 5}, goal: schema.Point{X: 17, Y: 5}}
	rests := walker{at: schema.Point{X: 17.5, Y: 5}, rests: true}
	for name, c := range map[string]struct {
		tag         walker
		again, back int // when the others hear it again, and the receiver is back
	}{
		"while nobody hears it":        {walks, 400, 300},
		"when others hear it again":    {walks, 250, 300},
		"to the end":                   {walks, middle, 300},
		"and is heard late":            {walks, middle, middle - 10},
		"in one zone, and others hear": {rests, 400, 300},
		"in one zone, to the end":      {rests, middle, 300},
		"in one zone, heard late":      {rests, middle, middle - 10},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLifeOf([]walker{c.tag}, 2, morning, seconds, 0)
			l.only(tagID(0), 100, 120, others...)
			l.only(tagID(0), 120, c.again, 5)
			outage := away{5, 110, c.back, c.back}
			inOrder, late := newServer(t), newServer(t)
			l.play(inOrder, 0, middle)
			l.play(late, 0, middle, outage)
			inOrder.settle()
			late.settle()
			if n := one[uint64](late, "SELECT uniqExact(visit_id) FROM zone_visits FINAL") - one[uint64](inOrder, "SELECT uniqExact(visit_id) FROM zone_visits FINAL"); n == 0 {
				t.Error("no visit was split: nothing was tested")
			}
			late.work()
			sameVisits(t, inOrder, late)
			l.play(inOrder, middle, seconds)
			l.play(late, middle, seconds)
			inOrder.settle()
			late.work()
			same(t, l, 1, inOrder, late)
			sameVisits(t, inOrder, late)
		})
	}
}

// A tag is heard by a cut-off receiver first, and by the others later: its open visit
// began earlier than the live tag thinks. The job amends it in the live tag, which ends
// the very same visit when it is absent.
func TestAnOpenVisitIsAmended(t *testing.T) {
	const middle, seconds = 300, 500
	l := newLifeOf([]walker{{at: schema.Point{X: 5, Y: 5}, rests: true}}, 3, morning, seconds, 0)
	l.only(tagID(0), 0, 60)
	l.only(tagID(0), 60, 100, 1)
	l.only(tagID(0), 400, seconds)
	inOrder, late := newServer(t), newServer(t)
	l.play(inOrder, 0, middle)
	l.play(late, 0, middle, away{1, 50, 150, 150})
	want, thought := inOrder.sys.OpenVisits(), late.sys.OpenVisits()
	if len(want) != 1 || len(thought) != 1 || want[0].EnteredAt >= thought[0].EnteredAt {
		t.Fatalf("in order %+v, late %+v: nothing is tested", want, thought)
	}
	late.work()
	sameVisits(t, inOrder, late)
	if gone := one[uint64](late, "SELECT count() FROM zone_visits FINAL WHERE visit_id = '"+thought[0].ID.String()+"'"); gone != 0 {
		t.Error("the visit that began too late is still there")
	}
	l.play(inOrder, middle, seconds)
	l.play(late, middle, seconds)
	inOrder.settle()
	late.settle()
	same(t, l, 1, inOrder, late)
	if n := len(late.sys.OpenVisits()); n != 0 {
		t.Errorf("%d visits are open at the end", n)
	}
}

// Only two receivers hear the tag, and both are cut off. What the live tag makes of
// its rest afterwards differs for many minutes, so the past is whole only when the tag
// has gone; before, its last minute is left for the next try.
func TestAllThatHearATagAreCutOff(t *testing.T) {
	const seconds = 600
	for name, outages := range map[string][]away{
		"and back together":       {{2, 110, 220, 260}, {3, 110, 220, 260}},
		"and back one by one":     {{2, 110, 220, 240}, {3, 110, 230, 280}},
		"the second after a long": {{2, 110, 160, 170}, {3, 110, 330, 400}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, resting := range []bool{false, true} {
				tag := walker{at: schema.Point{X: 3, Y: 5}, goal: schema.Point{X: 17, Y: 5}, rests: resting}
				l := newLifeOf([]walker{tag}, 4, morning, seconds, 100)
				l.only(tagID(0), 90, 420, 2, 3)
				l.only(tagID(0), 480, seconds)
				inOrder, late := newServer(t), newServer(t)
				l.play(inOrder, 0, seconds)
				l.play(late, 0, seconds, outages...)
				inOrder.settle()
				late.work()
				same(t, l, 1, inOrder, late)
				sameVisits(t, inOrder, late)
			}
		})
	}
}

// sameVisits fails the test unless the same visits are open: stored and held by the
// actors, on both servers.
func sameVisits(t *testing.T, inOrder, late *server) {
	t.Helper()
	var want []string
	for _, v := range inOrder.sys.OpenVisits() {
		want = append(want, v.ID.String())
	}
	slices.Sort(want)
	var held []string
	for _, v := range late.sys.OpenVisits() {
		held = append(held, v.ID.String())
	}
	slices.Sort(held)
	stored := one[[]string](late, "SELECT arraySort(groupArray(toString(visit_id))) FROM zone_visits FINAL WHERE left_at IS NULL")
	if !slices.Equal(held, want) || !slices.Equal(stored, want) {
		t.Errorf("open visits: %v held, %v stored, want %v", held, stored, want)
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

// What was admitted last before a stop waits in the spool at the start, or the start
// has no time for the tags: it is worked in afterwards.
func TestAStartThatLacksSomething(t *testing.T) {
	const tags, seconds, stop, again = 3, 400, 200, 215
	l := newLife(6, morning, tags, seconds, 20)
	calm := newServer(t)
	l.play(calm, 0, stop)
	l.play(calm, again, seconds)
	calm.settle()
	for name, c := range map[string]struct {
		kept     int // from when on what came was kept
		patience time.Duration
	}{
		"what came last waits": {stop - 90, time.Minute},
		"no time for the tags": {stop, 0},
		"both":                 {stop - 90, 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			l.play(s, 0, c.kept)
			s.away = true
			l.play(s, c.kept, stop)
			s.away = false
			cut := l.second(min(c.kept, stop-4))
			s.resume = func(cfg rederive.Config) error {
				if len(s.kept) > 0 {
					cfg.Lacks = cut.Time()
				}
				return rederive.Resume(t.Context(), cfg, s.sink, c.patience)
			}
			s.restart(cut)
			if len(s.kept) == 0 && c.kept < stop {
				t.Fatal("nothing was kept: nothing is tested")
			}
			l.play(s, again, seconds)
			s.work()
			same(t, l, tags, calm, s)
			sameVisits(t, calm, s)
		})
	}
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
	s.check(s.resume(s.config()))
}
