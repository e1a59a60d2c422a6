package locate_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/golang/geo/r2"
	"github.com/golang/geo/r3"
	"pgregory.net/rapid"

	"mybeacon/geometry/fence"
	"mybeacon/geometry/locate"
)

func corners(x0, y0, x1, y1 float64) []r2.Point {
	return []r2.Point{{X: x0, Y: y0}, {X: x1, Y: y0}, {X: x1, Y: y1}, {X: x0, Y: y1}}
}

func mustZones(t testing.TB, loc locate.Locator, zones ...fence.Zone) *locate.Zones {
	t.Helper()
	z, err := loc.Zones(zones)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func total(shares []fence.Share) float64 {
	sum := 0.0
	for _, s := range shares {
		sum += s.P
	}
	return sum
}

// A tag in the left room is in the left room, rather surely; the corridor that
// belongs to no zone has its own share.
func TestZoneProbabilities(t *testing.T) {
	site := hall(12, 9, 8)
	loc := mustNew(t, site)
	zones := mustZones(t, loc,
		fence.Zone{Index: 7, Polygon: corners(0, 0, 5, 9)},
		fence.Zone{Index: 3, Polygon: corners(7, 0, 12, 9)})
	track := loc.NewTrack()
	if got := track.Zones(zones, nil); got != nil {
		t.Errorf("before the first fix: %v", got)
	}
	for _, c := range []struct {
		at   r2.Point
		want int
	}{{r2.Point{X: 2, Y: 4}, 7}, {r2.Point{X: 10.5, Y: 5}, 3}} {
		track.Reset()
		still(t, track, newRadio(1, site), c.at, 15)
		shares := track.Zones(zones, nil)
		if len(shares) != 3 || shares[0].Zone != 7 || shares[1].Zone != 3 || shares[2].Zone != fence.Outside {
			t.Fatalf("shares %v are not those of zones 7 and 3 and the outside", shares)
		}
		if math.Abs(total(shares)-1) > 1e-4 {
			t.Errorf("shares %v do not sum to one", shares)
		}
		for _, s := range shares {
			if (s.Zone == c.want) != (s.P > 0.8) {
				t.Errorf("tag at %v: %v", c.at, shares)
			}
		}
	}
}

// One cell is divided by area, to a sixteenth; overlaps belong to the smaller.
func TestZonesDivideCells(t *testing.T) {
	site := hall(0.4, 0.4, 1)
	loc := mustNew(t, site)
	track := loc.NewTrack()
	track.Update(0, []locate.Sample{{RSSIdBm: -60}})
	for _, c := range []struct {
		zones []fence.Zone
		want  []float64
	}{
		{nil, []float64{1}},
		{[]fence.Zone{{Index: 0, Polygon: corners(0, 0, 1, 1)}}, []float64{1, 0}},
		{[]fence.Zone{{Index: 0, Polygon: corners(0, 0, 0.1, 1)}}, []float64{0.25, 0.75}},
		{[]fence.Zone{{Index: 0, Polygon: corners(-1, -1, 1, 1)}, {Index: 1, Polygon: corners(0, 0, 0.2, 0.2)}}, []float64{0.75, 0.25, 0}},
	} {
		shares := track.Zones(mustZones(t, loc, c.zones...), nil)
		for i, s := range shares {
			if math.Abs(s.P-c.want[i]) > 1e-6 {
				t.Errorf("%v: got %v, want %v", c.zones, shares, c.want)
				break
			}
		}
	}
}

func TestZonesRefusesWhatIsNoRegion(t *testing.T) {
	loc := mustNew(t, hall(10, 10, 4))
	bow := []r2.Point{{X: 0, Y: 0}, {X: 4, Y: 4}, {X: 4, Y: 0}, {X: 0, Y: 4}}
	if _, err := loc.Zones([]fence.Zone{{Index: 5, Polygon: bow}}); err == nil || !strings.Contains(err.Error(), "zone 5") {
		t.Errorf("got %v, want an error that names zone 5", err)
	}
}

// Zones of another plan say nothing; those of an equal grid do, so that a plan
// whose receivers changed need not lay its zones anew at that very moment.
func TestZonesOfAnotherPlan(t *testing.T) {
	site := hall(10, 10, 4)
	track := mustNew(t, site).NewTrack()
	track.Update(0, []locate.Sample{{RSSIdBm: -60}})
	if got := track.Zones(mustZones(t, mustNew(t, hall(20, 10, 4))), nil); got != nil {
		t.Errorf("zones of a larger plan: %v", got)
	}
	if got := track.Zones(mustZones(t, mustNew(t, hall(10, 10, 9))), nil); len(got) != 1 {
		t.Errorf("zones of an equal grid: %v", got)
	}
	if got := track.Zones(nil, nil); got != nil {
		t.Errorf("no zones: %v", got)
	}
}

// The window of a large plan looks up the right cells.
func TestZonesOnLargePlan(t *testing.T) {
	site := hall(160, 100, 40)
	loc := mustNew(t, site)
	var zones []fence.Zone
	for i := range 16 {
		zones = append(zones, fence.Zone{Index: i, Polygon: corners(float64(10*i), 0, float64(10*i+10), 100)})
	}
	laid := mustZones(t, loc, zones...)
	r := newRadio(3, site)
	r.noise = 1
	for _, x := range []float64{15, 85, 145} {
		track := loc.NewTrack()
		est := still(t, track, r, r2.Point{X: x, Y: 50}, 20)
		shares := track.Zones(laid, nil)
		near := shares[int(est.Pos.X/10)].P
		if near < 0.2 || math.Abs(total(shares)-1) > 1e-4 {
			t.Errorf("tag at x = %g, estimate %v: its strip has %.2f of %.4f", x, est.Pos, near, total(shares))
		}
	}
}

func TestZonesDoNotAllocate(t *testing.T) {
	site := hall(12, 9, 8)
	loc := mustNew(t, site)
	zones := mustZones(t, loc, fence.Zone{Polygon: corners(0, 0, 5.1, 9)})
	track := loc.NewTrack()
	track.Update(0, newRadio(1, site).hear(r2.Point{X: 3, Y: 3}))
	shares := track.Zones(zones, nil)
	if n := testing.AllocsPerRun(100, func() { shares = track.Zones(zones, shares) }); n != 0 {
		t.Errorf("Zones allocates %g times", n)
	}
}

// No estimate lies in a no-go area, wherever the areas are and whatever is
// heard, and none of the mass does.
func TestNoGo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		site := hall(12, 9, 6)
		for range rapid.IntRange(1, 3).Draw(t, "areas") {
			x, y := rapid.Float64Range(0, 9).Draw(t, "x"), rapid.Float64Range(0, 6).Draw(t, "y")
			site.NoGo = append(site.NoGo, corners(x, y, x+rapid.Float64Range(0.1, 5).Draw(t, "width"), y+rapid.Float64Range(0.1, 5).Draw(t, "depth")))
		}
		var zones []fence.Zone
		for i, area := range site.NoGo {
			zones = append(zones, fence.Zone{Index: i, Polygon: area})
		}
		index, err := fence.NewIndex(zones)
		if err != nil {
			t.Fatal(err)
		}
		loc, err := locate.New(site, locate.DefaultConfig())
		if err != nil {
			t.Fatal(err)
		}
		track := loc.NewTrack()
		for i := range rapid.IntRange(1, 5).Draw(t, "fixes") {
			var samples []locate.Sample
			for r := range site.Receivers {
				samples = append(samples, locate.Sample{Receiver: r, RSSIdBm: rapid.Float64Range(-95, -40).Draw(t, "rssi")})
			}
			est, ok := track.Update(time.Duration(i)*time.Second, samples)
			if !ok || !site.Bounds.ContainsPoint(est.Pos) {
				t.Fatalf("fix %t at %v", ok, est.Pos)
			}
			if area, in := index.Find(est.Pos); in {
				t.Fatalf("%v is in no-go area %d", est.Pos, area)
			}
		}
	})
}

// A tag that is heard across a courtyard larger than a window is on either side of
// it, and not on a third.
func TestAcrossACourtyard(t *testing.T) {
	site := locate.Site{Bounds: rect(0, 0, 100, 100), TagHeightM: 1.2}
	for i := range 10 {
		site.Receivers = append(site.Receivers, r3.Vector{X: float64(i)*10 + 5, Y: 10, Z: 2.8}, r3.Vector{X: float64(i)*10 + 5, Y: 90, Z: 2.8})
	}
	site.NoGo = [][]r2.Point{corners(20, 20, 80, 80)}
	loc := mustNew(t, site)
	yard := mustZones(t, loc, fence.Zone{Index: 0, Polygon: corners(21, 21, 79, 79)})
	track := loc.NewTrack()
	for i := range 5 {
		est, ok := track.Update(time.Duration(i)*time.Second, []locate.Sample{{Receiver: 10, RSSIdBm: -80}, {Receiver: 11, RSSIdBm: -80}})
		if !ok || est.Pos.Y > 20 && est.Pos.Y < 80 || math.Abs(est.Pos.X-55) > 10 {
			t.Fatalf("fix %t at %v", ok, est.Pos)
		}
		if p := track.Zones(yard, nil)[0].P; p > 0 {
			t.Fatalf("%.2f of the mass is in the courtyard", p)
		}
	}
}

func TestNewRefusesNoGo(t *testing.T) {
	f := func(want string, areas ...[]r2.Point) {
		t.Helper()
		site := hall(10, 10, 4)
		site.NoGo = areas
		if _, err := locate.New(site, locate.DefaultConfig()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want something about %q", err, want)
		}
	}
	f("no-go area", corners(0, 0, 0, 4))
	f("whole plan", corners(-1, -1, 11, 11))
}

// From samples to what is shown and what is stored.
func ExampleTrack() {
	site := hall(12, 9, 8)
	locator, err := locate.New(site, locate.DefaultConfig())
	if err != nil {
		panic(err)
	}
	zones, err := locator.Zones([]fence.Zone{
		{Index: 1, Polygon: corners(0, 0, 6, 9)},
		{Index: 2, Polygon: corners(6, 0, 12, 9)},
	})
	if err != nil {
		panic(err)
	}
	var ( // per tag
		track    = locator.NewTrack()
		shares   []fence.Share
		decision fence.Decision
		state    fence.State
	)
	radio := newRadio(1, site)
	for second := range 10 {
		at := time.Duration(second) * time.Second
		if _, ok := track.Update(at, radio.hear(r2.Point{X: 2 + float64(second), Y: 4})); !ok {
			continue
		}
		shares = track.Zones(zones, shares)
		shown := decision.Decide(fence.DefaultDecisionConfig(), shares)
		for _, t := range state.Observe(fence.DefaultConfig(), at, shown) {
			fmt.Printf("zone %d, enter %t\n", t.Zone, t.Enter)
		}
	}
	fmt.Println("shown in zone", decision.Zone())
	// Output:
	// zone 1, enter true
	// zone 1, enter false
	// zone 2, enter true
	// shown in zone 2
}
