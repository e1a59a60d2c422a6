package fence_test

import (
	"encoding/binary"
	"errors"
	"math"
	"testing"

	"github.com/golang/geo/r2"

	"mybeacon/geometry/fence"
)

// pointsOf reads coordinates from bytes: eight at a time as they come, so that
// infinities and denormals are met too.
func pointsOf(raw []byte) []r2.Point {
	var p []r2.Point
	for ; len(raw) >= 16 && len(p) < 64; raw = raw[16:] {
		p = append(p, r2.Point{
			X: math.Float64frombits(binary.LittleEndian.Uint64(raw)),
			Y: math.Float64frombits(binary.LittleEndian.Uint64(raw[8:])),
		})
	}
	return p
}

func bytesOf(points []r2.Point) []byte {
	var raw []byte
	for _, p := range points {
		raw = binary.LittleEndian.AppendUint64(raw, math.Float64bits(p.X))
		raw = binary.LittleEndian.AppendUint64(raw, math.Float64bits(p.Y))
	}
	return raw
}

// FuzzPolygon feeds arbitrary polygons. What Validate accepts must be indexable,
// must contain its own corners, and must be found nowhere beyond its extent;
// what it refuses as crossing must name two of its edges.
func FuzzPolygon(f *testing.F) {
	for _, seed := range [][]r2.Point{
		rectangle(0, 0, 1, 1),
		poly(0, 0, 2, 2, 2, 0, 0, 2),
		poly(0, 0, 1, 0, 2, 0),
		poly(0, 0, 100, 0, 100, 1e-300),
		poly(0, 0, 5e-324, 0, 0, 5e-324),
		poly(1e7, 1e7, -1e7, 1e7, 0, -1e7),
		poly(math.NaN(), 0, 1, 0, 0, math.Inf(-1)),
	} {
		f.Add(bytesOf(seed), 0.25, 0.25)
	}
	f.Fuzz(func(t *testing.T, raw []byte, x, y float64) {
		polygon := pointsOf(raw)
		err := fence.Validate(polygon)
		var crossed *fence.CrossingError
		if errors.As(err, &crossed) && !(0 <= crossed.A && crossed.A < crossed.B && crossed.B < len(polygon)) {
			t.Fatalf("%v: edges %d and %d do not exist", polygon, crossed.A, crossed.B)
		}
		index, indexErr := fence.NewIndex([]fence.Zone{{Index: 5, Polygon: polygon}})
		if (err == nil) != (indexErr == nil) {
			t.Fatalf("Validate says %v, NewIndex %v", err, indexErr)
		}
		if err != nil {
			return
		}
		for _, p := range polygon {
			if zone, ok := index.Find(p); !ok || zone != 5 {
				t.Fatalf("%v does not contain its corner %v", polygon, p)
			}
		}
		p := r2.Point{X: x, Y: y}
		if _, ok := index.Find(p); ok && !r2.RectFromPoints(polygon...).ContainsPoint(p) {
			t.Fatalf("%v contains %v, which is beyond its extent", polygon, p)
		}
	})
}
