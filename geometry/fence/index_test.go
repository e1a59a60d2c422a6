package fence_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/golang/geo/r2"
	"pgregory.net/rapid"

	"mybeacon/geometry/fence"
)

func mustIndex(t testing.TB, zones []fence.Zone) *fence.Index {
	t.Helper()
	x, err := fence.NewIndex(zones)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// rooms returns n·n rooms of 4 by 3 metres side by side, numbered by row.
func rooms(n int) []fence.Zone {
	var zones []fence.Zone
	for row := range n {
		for col := range n {
			x, y := 4*float64(col), 3*float64(row)
			zones = append(zones, fence.Zone{Index: row*n + col, Polygon: rectangle(x, y, x+4, y+3)})
		}
	}
	return zones
}

func TestFind(t *testing.T) {
	x := mustIndex(t, []fence.Zone{
		{Index: 7, Polygon: rectangle(0, 0, 20, 10)},
		{Index: 8, Polygon: rectangle(2, 2, 6, 6)},
		{Index: 9, Polygon: rectangle(3, 3, 4, 4)},
		{Index: 3, Polygon: poly(20, 0, 30, 0, 25, 8)},
		{Index: 5, Polygon: rectangle(40, 0, 44, 4)},
		{Index: 4, Polygon: rectangle(40, 0, 44, 4)},
	})
	f := func(px, py float64, want int) {
		t.Helper()
		got, ok := x.Find(r2.Point{X: px, Y: py})
		if !ok {
			got = fence.Outside
		}
		if got != want {
			t.Errorf("(%g, %g) is in zone %d, want %d", px, py, got, want)
		}
	}
	f(1, 1, 7)
	f(5, 5, 8)
	f(3.5, 3.5, 9)   // the smallest of three
	f(4, 3.5, 8)     // on the border of 9, inside 8 and 7
	f(3, 3.5, 9)     // a left border is its own zone's
	f(25, 2, 3)      // in the triangle
	f(21, 7, -1)     // in the triangle's rectangle only
	f(20, 0, 3)      // shared corner
	f(20, 5, 7)      // the outer border of 7: nobody else's
	f(30, 0, 3)      // the outermost corner
	f(20, 10, 7)     // the outermost upper right corner
	f(42, 2, 4)      // equal zones: the lower index
	f(-0.001, 5, -1) // just outside
	f(35, 2, -1)     // between zones
	f(1e300, 0, -1)  // far beyond
	f(math.NaN(), 1, -1)
	f(1, math.Inf(1), -1)
}

func TestIndexWithoutZones(t *testing.T) {
	if zone, ok := mustIndex(t, nil).Find(r2.Point{}); ok {
		t.Errorf("found zone %d where there is none", zone)
	}
}

func TestNewIndexNamesTheBadZone(t *testing.T) {
	_, err := fence.NewIndex([]fence.Zone{{Index: 1, Polygon: rectangle(0, 0, 1, 1)}, {Index: 12, Polygon: poly(0, 0, 2, 2, 2, 0, 0, 2)}})
	var crossed *fence.CrossingError
	if !errors.As(err, &crossed) || err.Error()[:8] != "zone 12:" {
		t.Errorf("got %v, want a crossing of zone 12", err)
	}
	if _, err := fence.NewIndex(make([]fence.Zone, fence.MaxZones+1)); err == nil {
		t.Error("more than MaxZones zones were accepted")
	}
}

func TestIndexCopiesPolygons(t *testing.T) {
	polygon := rectangle(0, 0, 4, 4)
	x := mustIndex(t, []fence.Zone{{Index: 1, Polygon: polygon}})
	polygon[0], polygon[1] = r2.Point{X: 100}, r2.Point{X: 200}
	if _, ok := x.Find(r2.Point{X: 2, Y: 2}); !ok {
		t.Error("changing the caller's polygon changed the index")
	}
}

// Within the outline of rooms that touch, walls and corners included, every
// point is in exactly one room: that whose rectangle, closed below and on the
// left, contains it.
func TestRoomsShareTheirWalls(t *testing.T) {
	const n = 10
	x := mustIndex(t, rooms(n))
	for row := range 2 * n * 3 {
		for col := range 2 * n * 4 {
			p := r2.Point{X: float64(col) / 2, Y: float64(row) / 2}
			want := int(p.Y/3)*n + int(p.X/4)
			if got, ok := x.Find(p); !ok || got != want {
				t.Fatalf("%v is in room %d (%t), want %d", p, got, ok, want)
			}
		}
	}
}

// The grid is only a shortcut: it must agree with asking every zone.
func TestIndexAgreesWithAskingEveryZone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		var zones []fence.Zone
		for i := range rapid.IntRange(1, 30).Draw(t, "zones") {
			polygon := star(rng, 3+rng.IntN(9))
			move := r2.Point{X: 60 * rng.Float64(), Y: 30 * rng.Float64()}
			for j := range polygon {
				polygon[j] = polygon[j].Mul(0.1 + rng.Float64()).Add(move)
			}
			if fence.Validate(polygon) == nil { // a triangle's angles may exceed a half turn and still be fine
				zones = append(zones, fence.Zone{Index: i, Polygon: polygon})
			}
		}
		all, err := fence.NewIndex(zones)
		if err != nil {
			t.Fatal(err)
		}
		for range 50 {
			p := r2.Point{X: 80*rng.Float64() - 10, Y: 50*rng.Float64() - 10}
			want, smallest := fence.Outside, math.Inf(1)
			for _, z := range zones {
				one, err := fence.NewIndex([]fence.Zone{z})
				if err != nil {
					t.Fatal(err)
				}
				if _, in := one.Find(p); in && size(z.Polygon) < smallest {
					want, smallest = z.Index, size(z.Polygon)
				}
			}
			got, ok := all.Find(p)
			if !ok {
				got = fence.Outside
			}
			if got != want {
				t.Fatalf("%v is in zone %d, asking each gives %d", p, got, want)
			}
		}
	})
}

func size(p []r2.Point) float64 {
	twice := 0.0
	for i := range p {
		twice += p[i].Cross(p[(i+1)%len(p)])
	}
	return math.Abs(twice) / 2
}

// Moving a whole plan by a distance that binary fractions hold moves the zones
// with it.
func TestIndexMovesWithThePlan(t *testing.T) {
	move := r2.Point{X: 4096, Y: -8192}
	zones, moved := rooms(6), rooms(6)
	for i := range moved {
		for j := range moved[i].Polygon {
			moved[i].Polygon[j] = moved[i].Polygon[j].Add(move)
		}
	}
	a, b := mustIndex(t, zones), mustIndex(t, moved)
	for i := range 500 {
		p := r2.Point{X: float64(i%31) - 1, Y: float64(i%23) - 1}
		wantZone, wantOK := a.Find(p)
		if zone, ok := b.Find(p.Add(move)); zone != wantZone || ok != wantOK {
			t.Fatalf("%v is in %d %t, moved in %d %t", p, wantZone, wantOK, zone, ok)
		}
	}
}

func TestFindDoesNotAllocate(t *testing.T) {
	x := mustIndex(t, rooms(10))
	i := 0
	if n := testing.AllocsPerRun(1000, func() {
		i++
		x.Find(r2.Point{X: 0.1 + float64(i%39), Y: 0.1 + float64(i%29)})
	}); n != 0 {
		t.Errorf("Find allocates %g times", n)
	}
}
