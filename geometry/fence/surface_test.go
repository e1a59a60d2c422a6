package fence_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/golang/geo/r2"
	"github.com/golang/geo/s2"
	"pgregory.net/rapid"

	"mybeacon/geometry/anchor"
	"mybeacon/geometry/fence"
)

// finder is what zones lie on. The suite below holds for both: a plan, and a small
// part of the Earth onto which the plan is laid.
type finder interface {
	find(r2.Point) (int, bool)
	shares(p r2.Point, accuracyM float64) []fence.Share
}

type flat struct{ *fence.Index }

func (f flat) find(p r2.Point) (int, bool) { return f.Find(p) }
func (f flat) shares(p r2.Point, accuracyM float64) []fence.Share {
	return f.Shares(p, accuracyM, nil)
}

type round struct {
	*fence.Sphere
	anchor.Anchor
}

func (r round) find(p r2.Point) (int, bool) { return r.Find(r.LatLng(p)) }
func (r round) shares(p r2.Point, accuracyM float64) []fence.Share {
	return r.Shares(r.LatLng(p), accuracyM, nil)
}

// laid lays the zones of a plan onto the Earth.
func laid(t testing.TB, a anchor.Anchor, zones []fence.Zone) round {
	t.Helper()
	out := make([]fence.SphereZone, len(zones))
	for i, z := range zones {
		out[i].Index = z.Index
		for _, p := range z.Polygon {
			out[i].Ring = append(out[i].Ring, a.LatLng(p))
		}
	}
	return round{mustSphere(t, out), a}
}

func mustSphere(t testing.TB, zones []fence.SphereZone) *fence.Sphere {
	t.Helper()
	x, err := fence.NewSphere(zones)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// places are anchors at which coordinates do strange things.
var places = map[string]anchor.Anchor{
	"town":         {At: fence.LatLng{Lat: 55.75, Lng: 37.62}, YBearingDeg: 31},
	"south":        {At: fence.LatLng{Lat: -33.9, Lng: 151.2}, YBearingDeg: 200},
	"zero":         {},
	"antimeridian": {At: fence.LatLng{Lat: -16.8, Lng: 179.9999}},
	"pole":         {At: fence.LatLng{Lat: 89.9999, Lng: 12}},
	"south pole":   {At: fence.LatLng{Lat: -89.9999, Lng: -100}, YBearingDeg: 77},
}

func eachSurface(t *testing.T, zones []fence.Zone, do func(*testing.T, finder)) {
	t.Run("plan", func(t *testing.T) { do(t, flat{mustIndex(t, zones)}) })
	for name, a := range places {
		t.Run(name, func(t *testing.T) { do(t, laid(t, a, zones)) })
	}
}

func TestSurfacesFind(t *testing.T) {
	zones := []fence.Zone{
		{Index: 7, Polygon: rectangle(0, 0, 20, 10)},
		{Index: 8, Polygon: rectangle(2, 2, 6, 6)},
		{Index: 9, Polygon: rectangle(3, 3, 4, 4)},
		{Index: 3, Polygon: poly(20, 0, 30, 0, 25, 8)},
		{Index: 5, Polygon: rectangle(40, 0, 44, 4)},
		{Index: 4, Polygon: rectangle(40, 0, 44, 4)},
		{Index: 6, Polygon: poly(60, 0, 70, 0, 70, 10, 65, 1, 60, 10)}, // concave
	}
	eachSurface(t, zones, func(t *testing.T, x finder) {
		f := func(px, py float64, want int) {
			t.Helper()
			if got, ok := x.find(r2.Point{X: px, Y: py}); ok != (want >= 0) || ok && got != want {
				t.Errorf("(%g, %g) is in zone %d (%t), want %d", px, py, got, ok, want)
			}
		}
		f(1, 1, 7)
		f(5, 5, 8)
		f(3.5, 3.5, 9) // the smallest of three
		f(25, 2, 3)
		f(21, 7, -1)     // in the triangle's rectangle only
		f(42, 2, 4)      // equal zones: the lower index
		f(-0.001, 5, -1) // a millimetre outside
		f(0.001, 5, 7)   // and inside
		f(65, 0.999, 6)  // below the notch
		f(65, 1.001, -1) // in it
		f(61, 5, 6)      // in the horns
		f(69, 5, 6)      //
		f(35, 2, -1)     // between zones
		f(5000, 0, -1)   // far away
		f(30, 0, 3)      // a corner that is nobody else's
		f(20, 10, 7)     //
		f(0, 0, 7)       //
		f(44.001, 4, -1) // beyond one
		f(math.NaN(), 1, -1)
	})
}

// Walls and corners that rooms share belong to exactly one room, and the inside of
// each is its own, on any surface.
func TestSurfacesShareWalls(t *testing.T) {
	const n = 5
	eachSurface(t, rooms(n), func(t *testing.T, x finder) {
		for i := range 2*4*n + 1 {
			for j := range 2*3*n + 1 {
				p := r2.Point{X: float64(i) / 2, Y: float64(j) / 2}
				got, ok := x.find(p)
				outline := p.X == 0 || p.Y == 0 || p.X == 4*n || p.Y == 3*n
				if !ok {
					if !outline {
						t.Fatalf("%v is in no room", p)
					}
					continue // the Earth's rounding puts some points of the outline outside
				}
				col, row := float64(got%n), float64(got/n)
				if p.X < 4*col-1e-6 || p.X > 4*col+4+1e-6 || p.Y < 3*row-1e-6 || p.Y > 3*row+3+1e-6 {
					t.Fatalf("%v is in room %d", p, got)
				}
			}
		}
	})
}

// Shares on any surface: what they are where it is known, and that they sum to one.
func TestSurfacesShares(t *testing.T) {
	zones := []fence.Zone{{Index: 1, Polygon: rectangle(0, 0, 50, 100)}, {Index: 2, Polygon: rectangle(50, 0, 100, 100)}}
	eachSurface(t, zones, func(t *testing.T, x finder) {
		f := func(name string, px, py, accuracy float64, one, two, tolerance float64) {
			t.Helper()
			got, sum := map[int]float64{}, 0.0
			for _, s := range x.shares(r2.Point{X: px, Y: py}, accuracy) {
				if _, twice := got[s.Zone]; twice {
					t.Errorf("%s: zone %d is there twice", name, s.Zone)
				}
				got[s.Zone] = s.P
				sum += s.P
			}
			if math.Abs(sum-1) > 1e-12 || math.Abs(got[1]-one) > tolerance || math.Abs(got[2]-two) > tolerance {
				t.Errorf("%s: %v, want %g and %g", name, got, one, two)
			}
		}
		f("certain", 25, 50, 0, 1, 0, 0)
		f("outside", -10, 50, 0, 0, 0, 0)
		f("on the wall", 50, 50, 5, 0.5, 0.5, 0.02)
		f("at a corner of both", 50, 100, 5, 0.25, 0.25, 0.02)
		// One standard deviation, accuracy/1.5096, from the wall: Φ(1) = 0.8413.
		f("a deviation off", 40, 50, 15.095921, 0.8413, 0.1587, 0.02)
		f("deep inside", 25, 50, 1, 1, 0, 0)
		f("beyond", -10, 50, 15.095921, 0.1587, 0, 0.02)
		if s := x.shares(r2.Point{X: math.NaN()}, 1); len(s) > 0 {
			t.Errorf("no point has the shares %v", s)
		}
		for _, accuracy := range []float64{-1, math.NaN(), math.Inf(1), 2 * fence.MaxAccuracyM} {
			if s := x.shares(r2.Point{}, accuracy); len(s) > 0 {
				t.Errorf("an accuracy of %g gives the shares %v", accuracy, s)
			}
		}
	})
}

// The shares go through the same decision and the same state as everything else.
func TestSharesDecide(t *testing.T) {
	eachSurface(t, rooms(2), func(t *testing.T, x finder) {
		var d fence.Decision
		var s fence.State
		var got []fence.Transition
		for second := range 20 {
			at := r2.Point{X: 1 + 0.3*float64(second), Y: 1} // from room 0 into room 1
			zone := d.Decide(fence.DefaultDecisionConfig(), x.shares(at, 1))
			got = append(got, s.Observe(fence.DefaultConfig(), time.Duration(second)*time.Second, zone)...)
		}
		if len(got) != 3 || got[0].Zone != 0 || got[1].Enter || got[2].Zone != 1 || s.Zone() != 1 {
			t.Errorf("confirmed %+v", got)
		}
	})
}

// Wherever it lies and however it is turned, a plan on the Earth has the zones that
// the plan has, but within a millimetre of a border.
func TestSphereAgreesWithThePlan(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		a := anchor.Anchor{
			At:          fence.LatLng{Lat: rapid.Float64Range(-89.999, 89.999).Draw(t, "lat"), Lng: rapid.Float64Range(-180, 180).Draw(t, "lng")},
			YBearingDeg: rapid.Float64Range(-180, 180).Draw(t, "bearing"),
		}
		var zones []fence.Zone
		var onEarth []fence.SphereZone
		for i := range rapid.IntRange(1, 20).Draw(t, "zones") {
			polygon := star(rng, 3+rng.IntN(40))
			move := r2.Point{X: 60 * rng.Float64(), Y: 30 * rng.Float64()}
			for j := range polygon {
				polygon[j] = polygon[j].Mul(0.1 + rng.Float64()).Add(move)
			}
			if fence.Validate(polygon) != nil {
				continue
			}
			ring := make([]fence.LatLng, len(polygon))
			for j, p := range polygon {
				ring[j] = a.LatLng(p)
			}
			zones, onEarth = append(zones, fence.Zone{Index: i, Polygon: polygon}), append(onEarth, fence.SphereZone{Index: i, Ring: ring})
		}
		flat, err := fence.NewIndex(zones)
		if err != nil {
			t.Fatal(err)
		}
		sphere, err := fence.NewSphere(onEarth)
		if err != nil {
			t.Fatal(err)
		}
		for range 50 {
			p := r2.Point{X: 80*rng.Float64() - 10, Y: 50*rng.Float64() - 10}
			if nearBorder(zones, p, 1e-3) {
				continue
			}
			wantZone, want := flat.Find(p)
			if zone, ok := sphere.Find(a.LatLng(p)); zone != wantZone || ok != want {
				t.Fatalf("%v is in %d %t on the plan, in %d %t on the Earth", p, wantZone, want, zone, ok)
			}
		}
	})
}

func nearBorder(zones []fence.Zone, p r2.Point, d float64) bool {
	for _, z := range zones {
		for i, a := range z.Polygon {
			b := z.Polygon[(i+1)%len(z.Polygon)]
			along := b.Sub(a)
			share := math.Max(0, math.Min(1, p.Sub(a).Dot(along)/along.Dot(along)))
			if p.Sub(a.Add(along.Mul(share))).Norm() < d {
				return true
			}
		}
	}
	return false
}

// degrees of a point of the unit sphere.
func degreesOf(p s2.Point) fence.LatLng {
	ll := s2.LatLngFromPoint(p)
	return fence.LatLng{Lat: ll.Lat.Degrees(), Lng: ll.Lng.Degrees()}
}
