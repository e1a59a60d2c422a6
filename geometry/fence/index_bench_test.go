package fence_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/golang/geo/r2"

	"mybeacon/geometry/fence"
)

var points = func() []r2.Point {
	rng := rand.New(rand.NewPCG(1, 1))
	p := make([]r2.Point, 4096)
	for i := range p {
		p[i] = r2.Point{X: 44*rng.Float64() - 2, Y: 34*rng.Float64() - 2}
	}
	return p
}()

func BenchmarkFind100Rooms(b *testing.B) {
	x := mustIndex(b, rooms(10))
	for i := 0; b.Loop(); i++ {
		x.Find(points[i%len(points)])
	}
}

// A hundred zones of a hundred corners each, all over each other: what a plan
// drawn by hand is at worst.
func BenchmarkFind100Outlines(b *testing.B) {
	var zones []fence.Zone
	for i := range 100 {
		z := fence.Zone{Index: i}
		for c := range 100 {
			sin, cos := math.Sincos(2 * math.Pi * float64(c) / 100)
			z.Polygon = append(z.Polygon, r2.Point{X: 20 + float64(i%10) + 15*cos, Y: 15 + float64(i/10) + 12*sin})
		}
		zones = append(zones, z)
	}
	x := mustIndex(b, zones)
	for i := 0; b.Loop(); i++ {
		x.Find(points[i%len(points)])
	}
}

func BenchmarkNewIndex100Rooms(b *testing.B) {
	zones := rooms(10)
	for b.Loop() {
		mustIndex(b, zones)
	}
}
