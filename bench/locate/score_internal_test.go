package locate

import (
	"errors"
	"math"
	"slices"
	"testing"
	"time"

	"mybeacon/bench/recording"
	"mybeacon/schema"
)

// The expectations of this file are worked out by hand from the definitions in
// [Figures]: trails and truths are given, no engine runs.

const s = time.Second

func square(x0, x1 float64) []schema.Point {
	return []schema.Point{{X: x0}, {X: x1}, {X: x1, Y: 10}, {X: x0, Y: 10}}
}

var halves = &recording.Site{
	Name: "halves", Bounds: schema.Rect{Max: schema.Point{X: 20, Y: 10}},
	Zones: []recording.Zone{{Name: "west", Polygon: square(0, 10)}, {Name: "east", Polygon: square(10, 20)}},
}

const west, east = 0, 1

type given struct {
	places []recording.Truth
	zones  []recording.ZoneTruth
	err    error
}

func (g given) Truth() ([]recording.Truth, error)         { return g.places, g.err }
func (g given) ZoneTruth() ([]recording.ZoneTruth, error) { return g.zones, nil }

func learned(t *testing.T, g given) *truth {
	t.Helper()
	known, err := learn(halves, g)
	if err != nil {
		t.Fatal(err)
	}
	return known
}

// walk is a trail with one epoch a second from 1 s, in these zones.
func walk(zones ...int) trail {
	tr := trail{part: part{track: "a"}}
	for i, z := range zones {
		at := time.Duration(i+1) * s
		tr.epochs = append(tr.epochs, epoch{at: at, x: 5, y: 5, zone: z, accuracy: 1, accuracy95: 2})
		tr.events = append(tr.events, recording.Event{At: at})
	}
	return tr
}

func same(t *testing.T, name string, got, want float64) {
	t.Helper()
	if !(math.Abs(got-want) < 1e-9 || math.IsNaN(got) && math.IsNaN(want)) {
		t.Errorf("%s is %v, want %v", name, got, want)
	}
}

func TestErrorsAndCoverage(t *testing.T) {
	tr := walk(west, west, west, west, west)
	var g given
	for i, d := range []float64{0.5, 1, 1.5, 2, 8} { // metres off; the radii are 1 and 2
		g.places = append(g.places, recording.Truth{Track: "a", At: tr.epochs[i].at, X: 5 + d, Y: 5})
	}
	tr.outside, tr.spent = 1, []time.Duration{20 * time.Microsecond, 8 * time.Microsecond, 10 * time.Microsecond}
	f := score(learned(t, g), []trail{tr})
	same(t, "tracks", float64(f.Tracks), 1)
	same(t, "epochs", float64(f.Epochs), 5)
	same(t, "median", f.MedianM, 1.5)
	same(t, "mean", f.MeanM, 2.6)
	same(t, "p90", f.P90M, 2+0.6*6) // rank 3.6 of 0…4
	same(t, "68 %", f.Coverage68, 0.4)
	same(t, "95 %", f.Coverage95, 0.8)
	same(t, "zone accuracy", f.ZoneAccuracy, 0.8) // the last truth is at 13 m, in the east
	same(t, "fixes outside", f.FixesOutsidePlan, 1)
	same(t, "time per fix", f.USPerFix, 10)
}

func TestTheCourseOfZones(t *testing.T) {
	// epoch                 1     2     3     4     5     6     7     8     9     10
	tr := walk(west, west, west, west, west, east, west, east, outside, east)
	g := given{zones: []recording.ZoneTruth{
		{Track: "a", From: 0, Label: "1", Zone: "west"},
		{Track: "a", From: 2500 * time.Millisecond, Label: "2", Zone: "west"}, // no change of zone
		{Track: "a", From: 4500 * time.Millisecond, Zone: "east"},
	}}
	tr.visits = []visit{{zone: west, from: 0, to: 6 * s}, {zone: east, from: 6 * s, to: math.MaxInt64}}
	f := score(learned(t, g), []trail{tr})
	same(t, "epochs", float64(f.Epochs), 10)
	same(t, "zone accuracy", f.ZoneAccuracy, 0.7) // wrong: 5, 7, 9
	same(t, "switches", f.ZoneSwitches, 5)
	same(t, "true switches", f.TrueSwitches, 1)
	same(t, "accuracy outside 2 s", f.AccuracyOutside2s, 4.0/6) // 3…6 are near; of 1 2 7 8 9 10 wrong are 7, 9
	same(t, "latency", f.LatencyS, 1.5)                         // shown at 6
	same(t, "dwell", f.DwellMisallocated, 0.2)                  // west 6 s for 4, east 4 s for 6
	same(t, "median without places", f.MedianM, math.NaN())
	same(t, "coverage without places", f.Coverage68, math.NaN())
}

func TestAStayThatIsNeverShownIsLateThroughout(t *testing.T) {
	tr := walk(west, west, west, west, west, west, west)
	g := given{zones: []recording.ZoneTruth{
		{Track: "a", Zone: "west"}, {Track: "a", From: 2 * s, Zone: "east"}, {Track: "a", From: 5 * s, Zone: "west"},
	}}
	f := score(learned(t, g), []trail{tr})
	same(t, "latency", f.LatencyS, 1.5) // 3 s never shown, 0 s at once
	same(t, "switches", f.ZoneSwitches, 0)
	same(t, "true switches", f.TrueSwitches, 2)
	same(t, "dwell without visits", f.DwellMisallocated, 1)
}

func TestDwellOfTracksDoesNotCancel(t *testing.T) {
	a, b := walk(west, west), walk(east, east)
	b.track = "b"
	a.visits = []visit{{zone: east, from: 0, to: 2 * s}}
	b.visits = []visit{{zone: west, from: 0, to: 2 * s}}
	f := score(learned(t, given{zones: []recording.ZoneTruth{{Track: "a", Zone: "west"}, {Track: "b", Zone: "east"}}}), []trail{a, b})
	same(t, "dwell", f.DwellMisallocated, 1)
	same(t, "tracks", float64(f.Tracks), 2)
	same(t, "zone accuracy", f.ZoneAccuracy, 1)
	same(t, "latency without changes", f.LatencyS, math.NaN())
	same(t, "switches between tracks", f.ZoneSwitches, 0)
}

func TestSnapshotsHaveNoCourse(t *testing.T) {
	one, two := walk(west), walk(east)
	one.snapshot, two.snapshot = true, true
	two.epochs[0].at, two.epochs[0].x = 2*s, 15
	g := given{places: []recording.Truth{{Track: "a", At: s, X: 4, Y: 5}, {Track: "a", At: 2 * s, X: 9, Y: 5}, {Track: "a", At: 3 * s}}}
	f := score(learned(t, g), []trail{one, two})
	same(t, "tracks", float64(f.Tracks), 1)
	same(t, "epochs", float64(f.Epochs), 2)
	same(t, "zone accuracy", f.ZoneAccuracy, 0.5) // both are in the west
	for name, v := range map[string]float64{
		"switches": f.ZoneSwitches, "true switches": f.TrueSwitches, "latency": f.LatencyS,
		"accuracy outside 2 s": f.AccuracyOutside2s, "dwell": f.DwellMisallocated,
	} {
		same(t, name, v, math.NaN())
	}
}

func TestTracksWithoutTruthAreNotPooled(t *testing.T) {
	tr := walk(west)
	tr.outside = 1
	f := score(learned(t, given{places: []recording.Truth{{Track: "other"}}}), []trail{tr})
	if f.Tracks != 0 || f.Epochs != 0 {
		t.Errorf("%d tracks, %d epochs", f.Tracks, f.Epochs)
	}
	for _, r := range f.rows()[2:] {
		same(t, r.name, r.value, math.NaN())
	}
}

func TestPlace(t *testing.T) {
	c := &course{places: []recording.Truth{{At: s, X: 1}, {At: 3 * s, X: 2, Y: 4}, {At: 7 * s, X: 9}, {At: 10 * s, X: 12}}}
	f := func(at time.Duration, snapshot, ok bool, x, y float64) {
		t.Helper()
		p, got := c.place(at, snapshot)
		if got != ok {
			t.Errorf("at %v: known is %v", at, got)
		}
		same(t, "x", p.X, x)
		same(t, "y", p.Y, y)
	}
	f(s, false, true, 1, 0)
	f(1500*time.Millisecond, false, true, 1.25, 1)
	f(3*s, true, true, 2, 4)
	f(8500*time.Millisecond, false, true, 10.5, 0) // 3 s apart
	f(2*s, true, false, 0, 0)                      // a snapshot is nowhere between
	f(5*s, false, false, 0, 0)                     // 4 s apart
	f(999*time.Millisecond, false, false, 0, 0)    // before
	f(10*s+time.Millisecond, false, false, 0, 0)   // after
	f(10*s, false, true, 12, 0)                    // the last
	if _, ok := (&course{}).place(s, false); ok {
		t.Error("a place without rows")
	}
}

func TestZone(t *testing.T) {
	c := &course{stays: []stay{{s, west}, {3 * s, west}, {5 * s, outside}, {8 * s, east}, {9500 * time.Millisecond, outside}}}
	f := func(at, lastHeard time.Duration, zone int, since time.Duration, ok bool) {
		t.Helper()
		if z, from, got := c.zone(at, lastHeard); z != zone || from != since || got != ok {
			t.Errorf("at %v: zone %d since %v, %v; want %d since %v, %v", at, z, from, got, zone, since, ok)
		}
	}
	f(0, 9600*time.Millisecond, 0, 0, false)
	f(s, 9600*time.Millisecond, west, s, true)
	f(4*s, 9600*time.Millisecond, west, s, true)
	f(6*s, 9600*time.Millisecond, outside, 5*s, true)
	f(9*s, 9600*time.Millisecond, east, 8*s, true)
	f(10*s, 9600*time.Millisecond, 0, 0, false)         // the recording's end, not a walk out
	f(10*s, 20*s, outside, 9500*time.Millisecond, true) // heard on: a walk out
}

func TestLearnRefusesAnUnknownZone(t *testing.T) {
	_, err := learn(halves, given{zones: []recording.ZoneTruth{{Track: "a", Zone: "north"}}})
	if schema.KindOf(err) != schema.Invalid {
		t.Errorf("got %v", err)
	}
	crossed := *halves
	crossed.Zones = []recording.Zone{{Name: "bow", Polygon: []schema.Point{{}, {X: 1, Y: 1}, {X: 1}, {Y: 1}}}}
	if _, err := learn(&crossed, given{}); schema.KindOf(err) != schema.Invalid {
		t.Errorf("a zone that crosses itself: %v", err)
	}
	broken := errors.New("disk")
	if _, err := learn(halves, given{err: broken}); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

func TestQuantile(t *testing.T) {
	values := []float64{1, 2, 4, 8}
	for q, want := range map[float64]float64{0: 1, 0.5: 3, 0.75: 5, 1: 8} {
		same(t, "quantile", quantile(values, q), want)
	}
	same(t, "of one", quantile(values[:1], 0.9), 1)
	same(t, "of none", quantile(nil, 0.5), math.NaN())
	if !slices.IsSorted(values) {
		t.Error("the values were moved")
	}
}
