package anchor_test

import (
	"math"
	"testing"

	"github.com/golang/geo/r2"
	"github.com/golang/geo/s2"
	"pgregory.net/rapid"

	"mybeacon/geometry/anchor"
	"mybeacon/geometry/fence"
)

// A degree is so many metres by the radii of curvature of WGS 84, as tables give
// them: 110,574.3 m of latitude and 111,319.5 m of longitude at the equator.
func TestKnownLengths(t *testing.T) {
	f := func(at fence.LatLng, bearing float64, p r2.Point, want fence.LatLng) {
		t.Helper()
		got := anchor.Anchor{At: at, YBearingDeg: bearing}.LatLng(p)
		if math.Abs(got.Lat-want.Lat) > 2e-8 || math.Abs(got.Lng-want.Lng) > 2e-8 { // 2 mm
			t.Errorf("%v of the plan at %v turned by %g is at %v, want %v", p, at, bearing, got, want)
		}
	}
	f(fence.LatLng{}, 0, r2.Point{}, fence.LatLng{})
	f(fence.LatLng{}, 0, r2.Point{Y: 1105.743}, fence.LatLng{Lat: 0.01})
	f(fence.LatLng{}, 0, r2.Point{X: 1113.195}, fence.LatLng{Lng: 0.01})
	f(fence.LatLng{}, 90, r2.Point{Y: 1113.195}, fence.LatLng{Lng: 0.01})  // y points east
	f(fence.LatLng{}, 90, r2.Point{X: 1105.743}, fence.LatLng{Lat: -0.01}) // x then south
	f(fence.LatLng{}, -90, r2.Point{X: 1105.743}, fence.LatLng{Lat: 0.01}) // and north
	f(fence.LatLng{Lng: 180}, 0, r2.Point{X: 1113.195}, fence.LatLng{Lng: -179.99})
	// At 60° north a degree of latitude is 111,412.6 m and one of longitude 55,800.3 m.
	f(fence.LatLng{Lat: 60, Lng: 30}, 0, r2.Point{Y: 111.4126}, fence.LatLng{Lat: 60.001, Lng: 30})
	f(fence.LatLng{Lat: 60, Lng: 30}, 0, r2.Point{X: 55.8003}, fence.LatLng{Lat: 60, Lng: 30.001})
}

var anchors = rapid.Custom(func(t *rapid.T) anchor.Anchor {
	return anchor.Anchor{
		At:          fence.LatLng{Lat: rapid.Float64Range(-89.99, 89.99).Draw(t, "lat"), Lng: rapid.Float64Range(-180, 180).Draw(t, "lng")},
		YBearingDeg: rapid.Float64Range(-360, 360).Draw(t, "bearing"),
	}
})

var points = rapid.Custom(func(t *rapid.T) r2.Point {
	reach := rapid.Float64Range(-7000, 7000)
	return r2.Point{X: reach.Draw(t, "x"), Y: reach.Draw(t, "y")}
})

func TestThereAndBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, p := anchors.Draw(t, "anchor"), points.Draw(t, "point")
		if err := a.Validate(); err != nil {
			t.Fatal(err)
		}
		back, ok := a.Point(a.LatLng(p))
		if !ok || back.Sub(p).Norm() > 1e-6 {
			t.Fatalf("%v came back as %v, %t", p, back, ok)
		}
	})
}

// Distances on the Earth are those of the plan; the sphere of fences, which is round,
// is at most 0.6 % off the ellipsoid.
func TestDistancesAreKept(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, p, q := anchors.Draw(t, "anchor"), points.Draw(t, "p"), points.Draw(t, "q")
		on := func(p r2.Point) s2.LatLng {
			at := a.LatLng(p)
			return s2.LatLngFromDegrees(at.Lat, at.Lng)
		}
		plan := p.Sub(q).Norm()
		earth := on(p).Distance(on(q)).Radians() * fence.EarthRadiusM
		if math.Abs(plan-earth) > 0.006*plan+1e-3 {
			t.Fatalf("%v and %v are %g m apart on the plan and %g m on the Earth", p, q, plan, earth)
		}
	})
}

// Turning the plan about its anchor turns the places with it.
func TestTurning(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, p := anchors.Draw(t, "anchor"), points.Draw(t, "point")
		turned := a
		turned.YBearingDeg = a.YBearingDeg / 2
		sin, cos := math.Sincos((a.YBearingDeg - turned.YBearingDeg) * math.Pi / 180)
		q := r2.Point{X: p.X*cos + p.Y*sin, Y: p.Y*cos - p.X*sin}
		back, ok := turned.Point(a.LatLng(p))
		if !ok || back.Sub(q).Norm() > 1e-6 {
			t.Fatalf("%v is %v on the turned plan, want %v", p, back, q)
		}
	})
}

func TestWhatIsRefused(t *testing.T) {
	nan := math.NaN()
	for _, a := range []anchor.Anchor{
		{At: fence.LatLng{Lat: 90}}, {At: fence.LatLng{Lat: -90}}, {At: fence.LatLng{Lat: nan}}, {At: fence.LatLng{Lng: nan}},
		{At: fence.LatLng{Lng: 361}}, {YBearingDeg: nan}, {YBearingDeg: 361}, {YBearingDeg: math.Inf(1)},
	} {
		if a.Validate() == nil {
			t.Errorf("%+v was accepted", a)
		}
	}
	a := anchor.Anchor{At: fence.LatLng{Lat: 55, Lng: 37}}
	for _, at := range []fence.LatLng{{Lat: 57, Lng: 37}, {Lat: -55, Lng: -143}, {Lat: nan}, {Lat: 55, Lng: math.Inf(1)}, {Lat: 91}} {
		if p, ok := a.Point(at); ok {
			t.Errorf("%v is at %v of the plan", at, p)
		}
	}
}
