package fence_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/golang/geo/r3"
	"github.com/golang/geo/s1"
	"github.com/golang/geo/s2"
	"pgregory.net/rapid"

	"mybeacon/geometry/fence"
)

// ring reads latitudes and longitudes.
func ring(latLng ...float64) []fence.LatLng {
	var out []fence.LatLng
	for i := 0; i+1 < len(latLng); i += 2 {
		out = append(out, fence.LatLng{Lat: latLng[i], Lng: latLng[i+1]})
	}
	return out
}

func TestValidateSphere(t *testing.T) {
	nan := math.NaN()
	for name, good := range map[string][]fence.LatLng{
		"triangle":                  ring(0, 0, 0, 1, 1, 0),
		"clockwise":                 ring(0, 0, 1, 0, 0, 1),
		"of a metre":                ring(55, 37, 55.00001, 37, 55, 37.00001),
		"across the antimeridian":   ring(-1, 179, -1, -179, 1, -179, 1, 179),
		"written as it is drawn":    ring(-1, 179, -1, 181, 1, 181, 1, 179),
		"around a pole":             ring(80, 0, 80, 120, 80, 240),
		"with a pole as its corner": ring(90, 5, 80, 0, 80, 60),
		"half of the Earth":         ring(0, 0, 0, 120, 0, -120),
	} {
		if err := fence.ValidateSphere(good); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, bad := range map[string]struct {
		ring []fence.LatLng
		says string
	}{
		"two corners":       {ring(0, 0, 1, 1), "3 to 1000 corners"},
		"too many":          {make([]fence.LatLng, fence.MaxCorners+1), "3 to 1000 corners"},
		"beyond a pole":     {ring(0, 0, 91, 0, 0, 1), "corner 2"},
		"once around":       {ring(0, 0, 1, 0, 0, 361), "corner 3"},
		"not a number":      {ring(0, nan, 1, 0, 0, 1), "corner 1"},
		"infinite":          {ring(0, 0, 1, math.Inf(1), 0, 1), "corner 2"},
		"a corner twice":    {ring(0, 0, 0, 1, 0, 1, 1, 0), "corner 3 repeats"},
		"in other words":    {ring(0, 180, 0, -180, 1, 179), "corner 2 repeats"},
		"a pole twice":      {ring(90, 0, 90, 50, 80, 0), "corner 2 repeats"},
		"the last repeated": {ring(0, 0, 0, 1, 1, 0, 0, 0), "corner 1 repeats"},
		"antipodes":         {ring(10, 20, -10, -160, 0, 0), "other end of the Earth"},
		"over the pole":     {ring(90, 0, -90, 0, 0, 90), "other end of the Earth"},
	} {
		if err := fence.ValidateSphere(bad.ring); err == nil || !strings.Contains(err.Error(), bad.says) {
			t.Errorf("%s: got %v, want something about %q", name, err, bad.says)
		}
	}
}

func TestSphereNamesTheCrossing(t *testing.T) {
	f := func(name string, a, b int, at fence.LatLng, ring []fence.LatLng) {
		t.Helper()
		err := fence.ValidateSphere(ring)
		var crossed *fence.SphereCrossingError
		if !errors.As(err, &crossed) {
			t.Errorf("%s: got %v, want a crossing", name, err)
			return
		}
		if crossed.A != a || crossed.B != b || pointOf(crossed.At).Distance(pointOf(at)) > 1e-9 {
			t.Errorf("%s: %+v, want edges %d and %d at %v", name, crossed, a, b, at)
		}
		if !strings.Contains(err.Error(), "crosses itself") || !strings.Contains(err.Error(), "°") {
			t.Errorf("%s: %v", name, err)
		}
	}
	f("a bow tie", 0, 2, fence.LatLng{}, ring(0, -1, 0, 1, 1, 0, -1, 0))
	f("a bow tie on the antimeridian", 0, 2, fence.LatLng{Lng: 180}, ring(0, 179, 0, -179, 1, 180, -1, 180))
	f("a bow tie over the pole", 0, 2, fence.LatLng{Lat: 90}, ring(89, 0, 89, 180, 89, 90, 89, -90)[:4])
	f("a corner on an edge", 0, 2, fence.LatLng{Lng: 1}, ring(0, 0, 0, 2, 1, 1, 0, 1, 1, 0))
	f("a corner met again", 0, 2, fence.LatLng{Lng: 1}, ring(0, 0, 0, 1, 1, 2, 0, 1, 1, 0)[:5])
	f("back over itself", 0, 1, fence.LatLng{Lng: 1}, ring(0, 0, 0, 2, 0, 1, 1, 1))
	f("a needle", 0, 2, fence.LatLng{Lng: 10}, ring(0, 0, 0, 10, 0, 20))
}

func TestNewSphereNamesTheBadZone(t *testing.T) {
	_, err := fence.NewSphere([]fence.SphereZone{{Index: 1, Ring: ring(0, 0, 0, 1, 1, 0)}, {Index: 12, Ring: ring(0, -1, 0, 1, 1, 0, -1, 0)}})
	var crossed *fence.SphereCrossingError
	if !errors.As(err, &crossed) || !strings.HasPrefix(err.Error(), "zone 12:") {
		t.Errorf("got %v, want a crossing of zone 12", err)
	}
	if _, err := fence.NewSphere(make([]fence.SphereZone, fence.MaxZones+1)); err == nil {
		t.Error("more than MaxZones zones were accepted")
	}
	if zone, ok := mustSphere(t, nil).Find(fence.LatLng{}); ok {
		t.Errorf("found zone %d where there is none", zone)
	}
}

func TestSphereFindsLargeZones(t *testing.T) {
	x := mustSphere(t, []fence.SphereZone{
		{Index: 1, Ring: ring(-10, 170, -10, -170, 10, -170, 10, 170)}, // across the antimeridian
		{Index: 2, Ring: ring(80, 0, 80, 90, 80, 180, 80, -90)},        // around the north pole
		{Index: 3, Ring: ring(-80, 0, -80, 90, -80, 180, -80, -90)},
		{Index: 4, Ring: ring(50, 0, 50, 60, 40, 60, 40, 0)}, // wide: its upper edge bends north
		{Index: 5, Ring: ring(90, 0, 60, -40, 60, -20)},      // a corner at the pole
	})
	f := func(lat, lng float64, want int) {
		t.Helper()
		zone, ok := x.Find(fence.LatLng{Lat: lat, Lng: lng})
		if !ok {
			zone = fence.Outside
		}
		if zone != want {
			t.Errorf("(%g, %g) is in zone %d, want %d", lat, lng, zone, want)
		}
	}
	f(0, 180, 1)
	f(0, -180, 1)
	f(5, 175, 1)
	f(5, 185, 1)
	f(5, -175, 1)
	f(0, 165, -1)
	f(0, 0, -1)
	f(90, 77, 2)
	f(89, -123, 2)
	f(84, 45, 2)
	f(80.1, 45, -1) // the arc between two corners passes closer to the pole
	f(-90, 0, 3)
	f(-85, 10, 3)
	f(51, 30, 4) // north of both corners, south of the arc
	f(49, 1, 4)
	f(54, 30, -1)
	f(41, 30, -1) // the lower edge bends too
	f(70, -30, 5)
	f(89.99, -30, 5) // smaller than 2, which holds it too
	f(91, 0, -1)
	f(math.NaN(), 0, -1)
	f(0, math.Inf(1), -1)
}

// Both directions of a ring, and any first corner, mean the same region.
func TestRingsHaveNoDirection(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		r := someRing(rng)
		k := rng.IntN(len(r))
		turned := append(slices.Clone(r[k:]), r[:k]...)
		reversed := slices.Clone(r)
		slices.Reverse(reversed)
		var all []*fence.Sphere
		for _, same := range [][]fence.LatLng{r, turned, reversed} {
			x, err := fence.NewSphere([]fence.SphereZone{{Ring: same}})
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, x)
		}
		for range 20 {
			p := near(rng, []fence.SphereZone{{Ring: r}})
			_, want := all[0].Find(p)
			for _, x := range all[1:] {
				if _, got := x.Find(p); got != want {
					t.Fatalf("%v in %v is %t, but not when started elsewhere or reversed", p, r, want)
				}
			}
		}
	})
}

// someRing returns a star of some size somewhere.
func someRing(rng *rand.Rand) []fence.LatLng {
	centre := s2.Point{Vector: r3.Vector{X: rng.NormFloat64(), Y: rng.NormFloat64(), Z: rng.NormFloat64()}.Normalize()}
	size := math.Pow(10, -6+6*rng.Float64()) // radians: 6 m to a sixth of the way around
	var out []fence.LatLng
	for _, c := range star(rng, 3+rng.IntN(50)) {
		d := s1.Angle(c.Norm() / 10 * size)
		direction := s2.Rotate(s2.Ortho(centre), centre, s1.Angle(math.Atan2(c.Y, c.X)))
		out = append(out, degreesOf(s2.InterpolateAtDistance(d, centre, direction)))
	}
	return out
}

// Turning the whole sphere turns the zones with it: no place and no direction is
// special, but within a nanometre's share of a border.
func TestZonesTurnWithTheSphere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		axis := s2.Point{Vector: r3.Vector{X: rng.NormFloat64(), Y: rng.NormFloat64(), Z: rng.NormFloat64()}.Normalize()}
		angle := s1.Angle(2 * math.Pi * rng.Float64())
		turn := func(p fence.LatLng) fence.LatLng { return degreesOf(s2.Rotate(pointOf(p), axis, angle)) }
		var zones, turned []fence.SphereZone
		for i := range rapid.IntRange(1, 12).Draw(t, "zones") {
			r := someRing(rng)
			if fence.ValidateSphere(r) != nil {
				continue
			}
			moved := make([]fence.LatLng, len(r))
			for j := range r {
				moved[j] = turn(r[j])
			}
			zones, turned = append(zones, fence.SphereZone{Index: i, Ring: r}), append(turned, fence.SphereZone{Index: i, Ring: moved})
		}
		a, err := fence.NewSphere(zones)
		if err != nil {
			t.Fatal(err)
		}
		b, err := fence.NewSphere(turned)
		if err != nil {
			t.Fatal(err)
		}
		for range 60 {
			p := near(rng, zones)
			if onBorderWithin(zones, p, 1e-12) {
				continue
			}
			wantZone, want := a.Find(p)
			if zone, ok := b.Find(turn(p)); zone != wantZone || ok != want {
				t.Fatalf("%v is in %d %t, turned in %d %t", p, wantZone, want, zone, ok)
			}
		}
	})
}

// near returns a place near a corner of one of the zones, or anywhere.
func near(rng *rand.Rand, zones []fence.SphereZone) fence.LatLng {
	if len(zones) == 0 || rng.IntN(4) == 0 {
		return fence.LatLng{Lat: 180*rng.Float64() - 90, Lng: 360*rng.Float64() - 180}
	}
	z := zones[rng.IntN(len(zones))]
	a, b := pointOf(z.Ring[0]), pointOf(z.Ring[rng.IntN(len(z.Ring))])
	spread := 0.3 * float64(a.Distance(b))
	v := s2.Interpolate(rng.Float64(), a, b).Add(r3.Vector{X: rng.NormFloat64(), Y: rng.NormFloat64(), Z: rng.NormFloat64()}.Mul(spread))
	return degreesOf(s2.Point{Vector: v.Normalize()})
}

func pointOf(p fence.LatLng) s2.Point { return s2.PointFromLatLng(s2.LatLngFromDegrees(p.Lat, p.Lng)) }

func onBorderWithin(zones []fence.SphereZone, p fence.LatLng, d s1.Angle) bool {
	for _, z := range zones {
		for i, a := range z.Ring {
			if s2.DistanceFromSegment(pointOf(p), pointOf(a), pointOf(z.Ring[(i+1)%len(z.Ring)])) < d {
				return true
			}
		}
	}
	return false
}

// The cells are only a shortcut: they must agree with asking every zone.
func TestSphereAgreesWithAskingEveryZone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		var zones []fence.SphereZone
		for i := range rapid.IntRange(1, 30).Draw(t, "zones") {
			if r := someRing(rng); fence.ValidateSphere(r) == nil {
				zones = append(zones, fence.SphereZone{Index: i, Ring: r})
			}
		}
		all, err := fence.NewSphere(zones)
		if err != nil {
			t.Fatal(err)
		}
		alone := make([]*fence.Sphere, len(zones))
		for i, z := range zones {
			if alone[i], err = fence.NewSphere([]fence.SphereZone{z}); err != nil {
				t.Fatal(err)
			}
		}
		for range 30 {
			p := near(rng, zones)
			inAny := false
			got, ok := all.Find(p)
			for i, z := range zones {
				if _, in := alone[i].Find(p); in {
					inAny = true
				} else if ok && got == z.Index {
					t.Fatalf("%v is in zone %d, which alone does not hold it", p, got)
				}
			}
			if inAny != ok {
				t.Fatalf("%v: in any %t, found %t", p, inAny, ok)
			}
		}
	})
}

// A candidate costs the crosser that walks along its border, and nothing else.
func TestSphereFindHardlyAllocates(t *testing.T) {
	x := laid(t, places["town"], rooms(10))
	inside := make([]fence.LatLng, 100)
	for i := range inside {
		inside[i] = x.LatLng(points[i])
	}
	i := 0
	if n := testing.AllocsPerRun(1000, func() {
		i++
		x.Find(inside[i%len(inside)])
	}); n > 2 {
		t.Errorf("Find allocates %g times", n)
	}
}

// Several goroutines may ask at once, also of rings that have an index of their own.
func TestSphereIsSafeForConcurrentUse(t *testing.T) {
	var r []fence.LatLng
	for i := range 100 {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / 100)
		r = append(r, fence.LatLng{Lat: sin, Lng: cos})
	}
	x := mustSphere(t, []fence.SphereZone{{Index: 3, Ring: r}})
	done := make(chan bool)
	for range 4 {
		go func() {
			ok := true
			for i := range 200 {
				_, in := x.Find(fence.LatLng{Lat: float64(i) / 100})
				ok = ok && in == (i < 100)
			}
			done <- ok
		}()
	}
	for range 4 {
		if !<-done {
			t.Error("a goroutine found something else")
		}
	}
}
