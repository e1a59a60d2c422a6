package analytics_test

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"mybeacon/engine/modules/ble/analytics"
	"mybeacon/schema"
)

func zoneTime(tb testing.TB, name string) *time.Location {
	tb.Helper()
	in, err := time.LoadLocation(name)
	if err != nil {
		tb.Fatal(err)
	}
	return in
}

func allWays() []analytics.By {
	return []analytics.By{
		analytics.ByZone, analytics.ByTag, analytics.ByTagZone, analytics.ByHour, analytics.ByWeekday, analytics.ByDay, analytics.ByHourWeekday,
	}
}

// questions are about a few days around the night in which the clocks of Berlin are put
// forward, from several sides.
func questions(tb testing.TB) map[string]analytics.Query {
	berlin, nepal := zoneTime(tb, "Europe/Berlin"), zoneTime(tb, "Asia/Kathmandu")
	day := func(in *time.Location, d int) time.Time { return time.Date(2026, 3, d, 0, 0, 0, 0, in) }
	all := analytics.Query{Organisation: ours, Location: hall, From: day(berlin, 28), To: day(berlin, 31), In: berlin}
	odd := all
	odd.From, odd.To = odd.From.Add(7*time.Hour+1234*time.Second), odd.To.Add(-11*time.Hour-77*time.Second)
	one := all
	one.From, one.To = day(berlin, 29), day(berlin, 30)
	short := odd
	short.To = short.From.Add(40 * time.Minute)
	zones := all
	zones.Zones = []schema.ZoneID{zoneOf(1), zoneOf(5), zoneOf(4)}
	part := odd
	part.Zones = []schema.ZoneID{zoneOf(5)}
	tags := odd
	tags.Chosen, tags.Tags = true, []schema.TagID{tagOf(2), tagOf(3)}
	nobody := all
	nobody.Chosen = true
	plan := all
	plan.Plan = ground
	quarter := odd
	quarter.In, quarter.From = nepal, day(nepal, 28)
	return map[string]analytics.Query{
		"all": all, "odd": odd, "the day of 23 hours": one, "short": short, "zones": zones, "part": part, "tags": tags, "nobody": nobody,
		"plan": plan, "quarters": quarter,
	}
}

// Every figure is what counting second by second says: read from the fixes, from
// roll-ups, and from both when some days were written to since.
func TestFiguresAgree(t *testing.T) {
	p := open(t)
	p.now = time.Now().Add(time.Hour)
	rng := rand.New(rand.NewPCG(1, 2))
	from, to := time.Date(2026, 3, 27, 22, 0, 0, 0, time.UTC), time.Date(2026, 3, 30, 6, 0, 0, 0, time.UTC)
	fixes, visits := live(rng, 3, from, to)
	p.store(fixes, visits)
	p.store(strangers(fixes[:200], visits[:20]))
	t.Run("fixes", func(t *testing.T) { p.each(t, p.compare) })
	if made, err := p.analytics().RollUp(t.Context(), 100); err != nil || made != 4 {
		t.Fatalf("%d days rolled up, %v", made, err)
	}
	t.Run("rolled up", p.some)

	// Late data change two days; a part of another is taken back.
	late := stand(rng, 3, 2, ground, fixesEnd(p, tagOf(3)), fixesEnd(p, tagOf(3))+90_000)
	p.store(late, nil)
	p.takeBack(500, 530)
	days, made, err := p.analytics().RolledUp(t.Context())
	if err != nil || made >= days {
		t.Fatalf("%d of %d days are rolled up after they were written to, %v", made, days, err)
	}
	t.Run("late", p.some)
	if _, err := p.analytics().RollUp(t.Context(), 100); err != nil {
		t.Fatal(err)
	}
	if days, made, err := p.analytics().RolledUp(t.Context()); err != nil || made != days {
		t.Fatalf("%d of %d days are rolled up, %v", made, days, err)
	}
	t.Run("rolled up again", p.some)
}

func fixesEnd(p *past, tag schema.TagID) (end int64) {
	for _, f := range p.fixes {
		if f.tag == tag {
			end = max(end, f.at+f.validMs)
		}
	}
	return end
}

// strangers are the same rows of others: another organisation, another location.
func strangers(fixes []fix, visits []visit) ([]fix, []visit) {
	fixes, visits = slices.Clone(fixes), slices.Clone(visits)
	for i := range fixes {
		fixes[i].org = theirs
	}
	for i := range visits {
		visits[i].org = theirs
	}
	return fixes, visits
}

// takeBack takes fixes back, as a re-derivation does.
func (p *past) takeBack(first, end int) {
	p.tb.Helper()
	gone := p.fixes[first:end]
	for i := range gone {
		gone[i].gone = true
	}
	p.storeFixes(gone, 2)
}

func (p *past) each(t *testing.T, compare func(*testing.T, *analytics.Query)) {
	for name, q := range questions(t) {
		t.Run(name, func(t *testing.T) { compare(t, &q) })
	}
}

// some asks a few of the questions: where the rows are read from does not depend on
// the others.
func (p *past) some(t *testing.T) {
	all := questions(t)
	for _, name := range []string{"tags", "zones", "the day of 23 hours"} {
		q := all[name]
		t.Run(name, func(t *testing.T) { p.compareFixes(t, &q) })
	}
}

// compareFixes looks at what is read from fixes or their roll-ups.
func (p *past) compareFixes(t *testing.T, q *analytics.Query) {
	o, a := oracleOf(p, q), p.analytics()
	compareDwell(t, a, q, o, analytics.ByTagZone, analytics.ByHourWeekday, analytics.ByDay)
	compareHeat(t, a, q, o)
}

func (p *past) compare(t *testing.T, q *analytics.Query) {
	o, a := oracleOf(p, q), p.analytics()
	ways := allWays()
	if q.Zones != nil || q.Chosen || !q.Plan.IsZero() || q.To.Sub(q.From) < time.Hour { // narrower: the same sums of fewer rows
		ways = []analytics.By{analytics.ByTagZone, analytics.ByHourWeekday}
	}
	compareDwell(t, a, q, o, ways...)
	for _, step := range []time.Duration{analytics.Quarter, analytics.Day} {
		got, err := a.Occupancy(t.Context(), q, step)
		slices.SortFunc(got, comparePoints)
		same(t, "occupancy "+step.String(), o.occupancy(step), got, err)
	}
	got, err := a.Summary(t.Context(), q)
	same(t, "summary", o.summary(), got, err)
	p.comparePages(t, a, q, o)
	compareHeat(t, a, q, o)
	compareWays(t, a, q, o)
}

// same reports a difference; floats may differ in their last digits.
func same[T any](t *testing.T, what string, want, got T, err error) {
	t.Helper()
	close := gocmp.Comparer(func(x, y float64) bool { return math.Abs(x-y) <= 1e-9*math.Max(1, math.Abs(x)) })
	if diff := gocmp.Diff(want, got, close); diff != "" || err != nil {
		t.Errorf("%s: %v\n%.3000s", what, err, diff)
	}
}

// Each way of adding up is right, and all ways add up to the same.
func compareDwell(t *testing.T, a *analytics.Analytics, q *analytics.Query, o *oracle, ways ...analytics.By) {
	t.Helper()
	var sums []string
	for _, by := range ways {
		rows, err := a.Dwell(t.Context(), q, by)
		got := map[analytics.DwellKey]analytics.Dwell{}
		zones, outside := int64(0), int64(0)
		for _, d := range rows {
			got[d.DwellKey] = d
			counted := (by != analytics.ByZone && by != analytics.ByTagZone) || d.Zone != zoneOf(5) || len(q.Zones) == 1
			if counted {
				zones += d.ZonesMs
			}
			outside += d.OutsideMs
		}
		same(t, "dwell by "+string(by), o.dwell(by), got, err)
		sums = append(sums, fmt.Sprint(zones, " ", outside))
	}
	if len(slices.Compact(sums)) != 1 {
		t.Errorf("the ways add up to different times in zones and outside: %v", sums)
	}
	presences, err := a.Presences(t.Context(), q, nil, 100_000)
	same(t, "presence", o.presences(), sortedPresences(presences), err)
	zones, outside := int64(0), int64(0)
	for _, p := range presences {
		zones, outside = zones+p.ZonesMs, outside+p.OutMs
	}
	if sum := fmt.Sprint(zones, " ", outside); sum != sums[0] {
		t.Errorf("presence adds up to %s, dwell to %s", sum, sums[0])
	}
}

func sortedPresences(in []analytics.Presence) []analytics.Presence {
	out := slices.Clone(in)
	slices.SortFunc(out, func(x, y analytics.Presence) int {
		if x.Day == y.Day {
			return compareText(x.Tag.String(), y.Tag.String())
		}
		return compareText(x.Day, y.Day)
	})
	return out
}

func compareText(x, y string) int {
	switch {
	case x < y:
		return -1
	case x > y:
		return 1
	}
	return 0
}

// Pages of visits, events and presences hold each row once and all of them.
func (p *past) comparePages(t *testing.T, a *analytics.Analytics, q *analytics.Query, o *oracle) {
	t.Helper()
	want := map[schema.VisitID]int64{}
	for _, v := range o.touching() {
		from, to := o.cut(v.from, o.until(&v))
		want[v.id()] = to - from
	}
	for _, newest := range []bool{false, true} {
		got := map[schema.VisitID]int64{}
		var mark *analytics.VisitMark
		var before []schema.EventTime
		for {
			page, err := a.Visits(t.Context(), q, analytics.VisitFilter{Newest: newest}, mark, 57)
			if err != nil {
				t.Fatal(err)
			}
			for i := range page {
				if _, twice := got[page[i].ID]; twice {
					t.Fatalf("visit %+v comes twice", page[i])
				}
				got[page[i].ID] = page[i].Within
				before = append(before, page[i].Entered)
			}
			if len(page) < 57 {
				break
			}
			at := page[56].Mark()
			mark = &at
		}
		same(t, "visits", want, got, nil)
		if newest {
			slices.Reverse(before)
		}
		if !slices.IsSorted(before) {
			t.Error("visits are not by their beginning")
		}
	}
	events := 0
	for _, v := range o.touching() {
		if v.from >= o.from() {
			events++
		}
		if v.to != 0 && v.to >= o.from() && v.to < o.to() {
			events++
		}
	}
	got := 0
	var after *analytics.Event
	for {
		page, err := a.Events(t.Context(), q, analytics.EventKinds{Enter: true, Leave: true}, after, 41)
		if err != nil {
			t.Fatal(err)
		}
		if got += len(page); len(page) < 41 {
			break
		}
		after = &page[40]
	}
	if got != events {
		t.Errorf("%d events, want %d", got, events)
	}
}

func compareHeat(t *testing.T, a *analytics.Analytics, q *analytics.Query, o *oracle) {
	t.Helper()
	for _, cell := range []float64{0.5, 2.5} {
		h, err := a.HeatMap(t.Context(), q, schema.Rect{Max: schema.Point{X: 20, Y: 10}}, cell)
		if err != nil {
			t.Fatal(err)
		}
		got := map[[2]int]int64{}
		for i, ms := range h.Ms {
			if ms != 0 {
				got[[2]int{int(math.Round(h.MinX/cell)) + i%h.Columns, int(math.Round(h.MinY/cell)) + i/h.Columns}] = ms
			}
		}
		want, total := o.heat(cell)
		same(t, "heat map", want, got, err)
		if h.TotalMs != total {
			t.Errorf("the heat map adds up to %d ms, want %d", h.TotalMs, total)
		}
	}
}

func compareWays(t *testing.T, a *analytics.Analytics, q *analytics.Query, o *oracle) {
	t.Helper()
	for _, through := range []time.Duration{time.Minute, 2 * time.Hour} {
		links, err := a.Links(t.Context(), q, through)
		got := map[[2]schema.ZoneID]uint64{}
		for _, l := range links {
			got[[2]schema.ZoneID{l.From, l.To}] = l.Count
		}
		same(t, "links through "+through.String(), o.links(through), got, err)
		for _, depth := range []int{3} {
			paths, err := a.Paths(t.Context(), q, through, depth)
			got := map[string]uint64{}
			for _, p := range paths {
				got[nameOf(p.Zones)] = p.Count
			}
			same(t, fmt.Sprintf("paths of %d", depth), o.paths(through, depth), got, err)
		}
	}
}

// The steps of two times that meet are those of both together.
func TestLinksAddUp(t *testing.T) {
	p := open(t)
	p.now = time.Now()
	from := time.Date(2026, 3, 26, 0, 0, 0, 0, time.UTC)
	fixes, visits := live(rand.New(rand.NewPCG(5, 6)), 6, from, from.Add(72*time.Hour))
	p.store(fixes, visits)
	count := func(from, to time.Time) map[[2]schema.ZoneID]uint64 {
		links, err := p.analytics().Links(t.Context(), &analytics.Query{Organisation: ours, Location: hall, From: from, To: to}, 20*time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		out := map[[2]schema.ZoneID]uint64{}
		for _, l := range links {
			out[[2]schema.ZoneID{l.From, l.To}] = l.Count
		}
		return out
	}
	whole, sum := count(from, from.Add(60*time.Hour)), map[[2]schema.ZoneID]uint64{}
	for _, cut := range []time.Duration{0, 7 * time.Hour, 31*time.Hour + time.Second} {
		next := map[time.Duration]time.Duration{0: 7 * time.Hour, 7 * time.Hour: 31*time.Hour + time.Second, 31*time.Hour + time.Second: 60 * time.Hour}[cut]
		for k, n := range count(from.Add(cut), from.Add(next)) {
			sum[k] += n
		}
	}
	if !maps.Equal(whole, sum) || len(whole) < 8 {
		t.Errorf("three times add up to %v, all of it is %v", sum, whole)
	}
}
