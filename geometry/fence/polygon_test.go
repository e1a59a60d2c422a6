package fence_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/golang/geo/r2"
	"pgregory.net/rapid"

	"mybeacon/geometry/fence"
)

// poly makes a polygon of x, y, x, y, …
func poly(xy ...float64) []r2.Point {
	var p []r2.Point
	for i := 0; i+1 < len(xy); i += 2 {
		p = append(p, r2.Point{X: xy[i], Y: xy[i+1]})
	}
	return p
}

func rectangle(x0, y0, x1, y1 float64) []r2.Point { return poly(x0, y0, x1, y0, x1, y1, x0, y1) }

// star returns a polygon around the origin that never crosses itself: its
// corners are ordered by angle.
func star(rng *rand.Rand, corners int) []r2.Point {
	var p []r2.Point
	for i := range corners {
		sin, cos := math.Sincos(2 * math.Pi * (float64(i) + 0.8*rng.Float64()) / float64(corners))
		p = append(p, r2.Point{X: cos, Y: sin}.Mul(1+9*rng.Float64()))
	}
	return p
}

func TestValidateAccepts(t *testing.T) {
	for name, polygon := range map[string][]r2.Point{
		"triangle":        poly(0, 0, 1, 0, 0, 1),
		"clockwise":       poly(0, 0, 0, 1, 1, 0),
		"straight corner": poly(0, 0, 1, 0, 2, 0, 2, 1, 0, 1),
		"L":               poly(0, 0, 3, 0, 3, 1, 1, 1, 1, 3, 0, 3),
		"far away":        rectangle(9e6, 9e6, 9e6+1, 9e6+1),
		"splinter":        poly(0, 0, 100, 0, 100, 1e-9),
	} {
		if err := fence.Validate(polygon); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestValidateRefuses(t *testing.T) {
	f := func(polygon []r2.Point, want string) {
		t.Helper()
		err := fence.Validate(polygon)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Validate(%v) = %v, want something about %q", polygon, err, want)
		}
		var crossed *fence.CrossingError
		if errors.As(err, &crossed) {
			t.Errorf("Validate(%v) blames a crossing: %v", polygon, err)
		}
	}
	f(nil, "3 to 1000 corners, this one has 0")
	f(poly(0, 0, 1, 1), "has 2")
	f(star(rand.New(rand.NewPCG(1, 1)), fence.MaxCorners+1), "has 1001")
	f(poly(0, 0, math.NaN(), 0, 0, 1), "corner 2")
	f(poly(0, 0, 1, 0, 0, math.Inf(1)), "corner 3")
	f(poly(0, 0, 1, 0, 0, 2e7), "within 1e+07 metres")
	f(poly(0, 0, 1, 0, 1, 0, 0, 1), "corner 3 repeats")
	f(poly(0, 0, 1, 0, 0, 1, 0, 0), "corner 1 repeats")
}

func TestValidateNamesTheCrossing(t *testing.T) {
	f := func(polygon []r2.Point, want fence.CrossingError) {
		t.Helper()
		var got *fence.CrossingError
		if err := fence.Validate(polygon); !errors.As(err, &got) {
			t.Errorf("Validate(%v) = %v, want a crossing", polygon, err)
			return
		}
		if got.A != want.A || got.B != want.B || got.At.Sub(want.At).Norm() > 1e-9 {
			t.Errorf("Validate(%v) = %+v, want %+v", polygon, *got, want)
		}
	}
	// A bow tie, whose signed area is zero: the crossing is what helps its author.
	f(poly(0, 0, 2, 2, 2, 0, 0, 2), fence.CrossingError{A: 0, B: 2, At: r2.Point{X: 1, Y: 1}})
	f(poly(0, 0, 4, 0, 4, 4, 1, -1), fence.CrossingError{A: 0, B: 2, At: r2.Point{X: 1.6, Y: 0}})
	// A corner that touches another edge.
	f(poly(0, 0, 4, 0, 4, 4, 2, 0, 0, 4), fence.CrossingError{A: 0, B: 2, At: r2.Point{X: 2, Y: 0}})
	// Two corners in one place, not one after the other.
	f(poly(0, 0, 2, 0, 1, 1, 2, 2, 0, 2, 1, 1), fence.CrossingError{A: 1, B: 4, At: r2.Point{X: 1, Y: 1}})
	// A spike, and a polygon that is only a line.
	f(poly(0, 0, 2, 0, 2, 2, 2, 1, 0, 1), fence.CrossingError{A: 1, B: 2, At: r2.Point{X: 2, Y: 1}})
	f(poly(0, 0, 1, 0, 2, 0), fence.CrossingError{A: 0, B: 2, At: r2.Point{X: 1, Y: 0}})
	// Edges on one line that overlap without being neighbours.
	f(poly(0, 0, 4, 0, 4, 2, 3, 0, 1, 0, 0, 2), fence.CrossingError{A: 0, B: 2, At: r2.Point{X: 3, Y: 0}})
}

func TestCrossingErrorSpeaksToTheAuthor(t *testing.T) {
	err := fence.Validate(poly(0, 0, 2, 2, 2, 0, 0, 2))
	const want = "the border crosses itself at (1.00, 1.00): the edge from corner 1 meets the edge from corner 3"
	if err == nil || err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
}

// A simple polygon stays valid however it is turned around; exchanging two
// neighbours of four or more convex corners makes it cross.
func TestValidateInvariants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		n := rapid.IntRange(5, 40).Draw(t, "corners")
		polygon := star(rng, n)
		if err := fence.Validate(polygon); err != nil {
			t.Fatalf("star %v: %v", polygon, err)
		}
		var convex []r2.Point
		for i := range n {
			sin, cos := math.Sincos(2 * math.Pi * float64(i) / float64(n))
			convex = append(convex, r2.Point{X: 5 * cos, Y: 3 * sin})
		}
		i := rng.IntN(n)
		j := (i + 1) % n
		convex[i], convex[j] = convex[j], convex[i]
		var crossed *fence.CrossingError
		if err := fence.Validate(convex); !errors.As(err, &crossed) {
			t.Fatalf("convex polygon with corners %d and %d exchanged: %v", i, j, err)
		}
	})
}
