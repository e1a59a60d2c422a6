package fence

import (
	"fmt"
	"math"

	"github.com/golang/geo/r2"
)

// The bounds of a polygon. Checking it costs the square of its corners: 1,000
// take about 10 ms. Coordinates are metres on a plan; the bound keeps every
// product far from overflow and is beyond any site, also in projected metres.
const (
	MaxCorners     = 1000
	MaxCoordinateM = 1e7
)

// CrossingError says that the border of a polygon crosses or touches itself.
// Edge i runs from corner i to corner i+1, the last one back to corner 0.
type CrossingError struct {
	A, B int      // the two edges, A < B
	At   r2.Point // where; of edges that overlap, one of the points they share
}

// Error implements error. Corners are counted from 1, as people do.
func (e *CrossingError) Error() string {
	return fmt.Sprintf("the border crosses itself at (%.2f, %.2f): the edge from corner %d meets the edge from corner %d",
		e.At.X, e.At.Y, e.A+1, e.B+1)
}

// Validate reports why a polygon is not a region: fewer than three corners or
// more than [MaxCorners], a coordinate that is not finite or beyond
// [MaxCoordinateM], a corner that repeats the one before it, a border that
// crosses or touches itself (a [*CrossingError]), or no area. The polygon is
// closed implicitly, and either direction will do.
func Validate(polygon []r2.Point) error {
	n := len(polygon)
	if n < 3 || n > MaxCorners {
		return fmt.Errorf("a polygon has 3 to %d corners, this one has %d", MaxCorners, n)
	}
	for i, p := range polygon {
		// Written so that NaN fails.
		if !(math.Abs(p.X) <= MaxCoordinateM && math.Abs(p.Y) <= MaxCoordinateM) {
			return fmt.Errorf("corner %d at (%g, %g) is not within %g metres of the origin", i+1, p.X, p.Y, float64(MaxCoordinateM))
		}
		if p == polygon[(i+n-1)%n] {
			return fmt.Errorf("corner %d repeats the corner before it", i+1)
		}
	}
	if err := crossing(polygon); err != nil {
		return err
	}
	if !(area(polygon) > 0) { // below 1e-308 m² a product underflows
		return fmt.Errorf("the polygon has no area")
	}
	return nil
}

// crossing returns where the polygon's edges meet and must not.
func crossing(polygon []r2.Point) error {
	i, j, at, ok := firstCrossing(polygon, folded, intersection)
	if !ok {
		return nil
	}
	return &CrossingError{A: i, B: j, At: at}
}

// firstCrossing returns the first pair of edges that meet where they must not, in
// the order in which the corners were drawn: that is the one to show. Every pair
// is asked. A sweep would be faster for thousands of corners and is notorious
// for its degenerate cases, which are what this is here to find.
func firstCrossing[P any](corners []P, folded func(a, b, c P) (P, bool), meet func(a, b, c, d P) (P, bool)) (i, j int, at P, found bool) {
	n := len(corners)
	for i := range n {
		a, b := corners[i], corners[(i+1)%n]
		for j := i + 1; j < n; j++ {
			c, d := corners[j], corners[(j+1)%n]
			switch {
			case j == i+1:
				at, found = folded(a, b, d)
			case i == 0 && j == n-1:
				at, found = folded(c, a, b)
			default:
				at, found = meet(a, b, c, d)
			}
			if found {
				return i, j, at, true
			}
		}
	}
	return 0, 0, at, false
}

// folded reports whether the edges a→b and b→c, which share b as they should,
// run back over each other.
func folded(a, b, c r2.Point) (r2.Point, bool) {
	switch {
	case onSegment(b, c, a):
		return a, true
	case onSegment(a, b, c):
		return c, true
	default:
		return r2.Point{}, false
	}
}

// intersection returns a point that the closed segments ab and cd share. Whether
// there is one is exact; where it is, is rounded.
func intersection(a, b, c, d r2.Point) (r2.Point, bool) {
	if math.Max(a.X, b.X) < math.Min(c.X, d.X) || math.Max(c.X, d.X) < math.Min(a.X, b.X) ||
		math.Max(a.Y, b.Y) < math.Min(c.Y, d.Y) || math.Max(c.Y, d.Y) < math.Min(a.Y, b.Y) {
		return r2.Point{}, false // most pairs
	}
	for _, touch := range [...]struct{ from, to, p r2.Point }{{a, b, c}, {a, b, d}, {c, d, a}, {c, d, b}} {
		if onSegment(touch.from, touch.to, touch.p) {
			return touch.p, true
		}
	}
	if orient(a, b, c) == orient(a, b, d) || orient(c, d, a) == orient(c, d, b) {
		return r2.Point{}, false
	}
	ab, cd := b.Sub(a), d.Sub(c)
	t := c.Sub(a).Cross(cd) / ab.Cross(cd)
	return a.Add(ab.Mul(math.Max(0, math.Min(t, 1)))), true // NaN becomes an end: nearly parallel
}

// area returns the area that a simple polygon encloses, in square metres. Coordinates are taken
// relative to a corner, else a plan far from its origin would lose its digits:
// the relative error is about n·2⁻⁵³ times the square of width over thickness.
func area(polygon []r2.Point) float64 {
	twice, o := 0.0, polygon[0]
	for i := 1; i+1 < len(polygon); i++ {
		twice += polygon[i].Sub(o).Cross(polygon[i+1].Sub(o))
	}
	return math.Abs(twice) / 2
}

// contains reports whether p is within the polygon, by how many edges a ray from
// p to the right crosses. An edge counts its lower end and not its upper one,
// and a point on an edge is left of nothing; so of two polygons on both sides of
// an edge exactly one contains each of its points: the one to its right, or
// above it.
func contains(polygon []r2.Point, p r2.Point) bool {
	in := false
	a := polygon[len(polygon)-1]
	for _, b := range polygon {
		if (a.Y > p.Y) != (b.Y > p.Y) && leftOf(a, b, p) {
			in = !in
		}
		a = b
	}
	return in
}

// leftOf reports whether p is strictly left of the line through a and b at p's
// height, which is between theirs.
func leftOf(a, b, p r2.Point) bool {
	if a.Y > b.Y {
		a, b = b, a
	}
	if p.X < math.Min(a.X, b.X) {
		return true
	}
	return p.X <= math.Max(a.X, b.X) && orient(a, b, p) > 0
}

// onBorder reports whether p is a point of the polygon's border, exactly.
func onBorder(polygon []r2.Point, p r2.Point) bool {
	a := polygon[len(polygon)-1]
	for _, b := range polygon {
		if onSegment(a, b, p) {
			return true
		}
		a = b
	}
	return false
}
