package fence

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/golang/geo/r2"
	"pgregory.net/rapid"
)

// The filter must never claim a sign that exact arithmetic denies. Points are
// drawn almost on the line, where rounding decides.
func TestOrientIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		coordinate := rapid.Float64Range(-MaxCoordinateM, MaxCoordinateM)
		point := func(name string) r2.Point {
			return r2.Point{X: coordinate.Draw(t, name+".x"), Y: coordinate.Draw(t, name+".y")}
		}
		a, b := point("a"), point("b")
		share := rapid.Float64Range(-1, 2).Draw(t, "share")
		c := a.Add(b.Sub(a).Mul(share))
		for range rapid.IntRange(0, 3).Draw(t, "ulps") {
			c.Y = math.Nextafter(c.Y, math.Inf(1))
		}
		want := orientExactly(a, b, c)
		if got := orient(a, b, c); got != want {
			t.Fatalf("orient(%v, %v, %v) = %d, exactly %d", a, b, c, got, want)
		}
		if got := orient(b, a, c); got != -want {
			t.Fatalf("orient(%v, %v, %v) = %d, but with the first two exchanged %d", b, a, c, got, want)
		}
	})
}

func TestOrientOfTinyTriangles(t *testing.T) {
	// Both products underflow to zero; the area is positive all the same.
	a, b, c := r2.Point{}, r2.Point{X: 1e-200}, r2.Point{Y: 1e-200}
	if got := orient(a, b, c); got != 1 {
		t.Errorf("orient = %d, want 1", got)
	}
}

// lattice cuts a square into triangles whose corners are shared exactly and
// whose edges run in all directions.
func lattice(n int, jitter *rand.Rand) [][]r2.Point {
	at := func(i, j int) r2.Point { return r2.Point{X: float64(i), Y: float64(j)} }
	corners := make([][]r2.Point, n+1)
	for i := range corners {
		for j := range n + 1 {
			p := at(i, j)
			if i > 0 && i < n && j > 0 && j < n {
				p = p.Add(r2.Point{X: jitter.Float64() - 0.5, Y: jitter.Float64() - 0.5}.Mul(0.5))
			}
			corners[i] = append(corners[i], p)
		}
	}
	var out [][]r2.Point
	for i := range n {
		for j := range n {
			a, b, c, d := corners[i][j], corners[i+1][j], corners[i+1][j+1], corners[i][j+1]
			out = append(out, []r2.Point{a, b, c}, []r2.Point{c, d, a})
		}
	}
	return out
}

// Every point strictly within a partition is in exactly one part, also the
// corners, the points of edges and their neighbours in floating point.
func TestPartitionIsExact(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	const n = 6
	parts := lattice(n, rng)
	probe := func(p r2.Point) {
		t.Helper()
		if p.X <= 0 || p.Y <= 0 || p.X >= n || p.Y >= n {
			return
		}
		in := 0
		for _, part := range parts {
			if contains(part, p) {
				in++
			}
		}
		if in != 1 {
			t.Fatalf("%v is in %d of the parts", p, in)
		}
	}
	for _, part := range parts {
		for i, a := range part {
			probe(a)
			b := part[(i+1)%3]
			for range 20 {
				p := a.Add(b.Sub(a).Mul(rng.Float64()))
				probe(p)
				probe(r2.Point{X: math.Nextafter(p.X, 0), Y: p.Y})
				probe(r2.Point{X: p.X, Y: math.Nextafter(p.Y, n)})
			}
		}
	}
	for range 2000 {
		probe(r2.Point{X: rng.Float64() * n, Y: rng.Float64() * n})
	}
}

func TestContainsDoesNotDependOnDirectionOrStart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		n := rapid.IntRange(3, 12).Draw(t, "corners")
		var polygon []r2.Point
		for i := range n {
			sin, cos := math.Sincos(2 * math.Pi * float64(i) / float64(n))
			polygon = append(polygon, r2.Point{X: cos, Y: sin}.Mul(0.2+rng.Float64()))
		}
		p := r2.Point{X: 3*rng.Float64() - 1.5, Y: 3*rng.Float64() - 1.5}
		want := contains(polygon, p)
		var turned, reversed []r2.Point
		k := rng.IntN(n)
		for i := range n {
			turned = append(turned, polygon[(i+k)%n])
			reversed = append(reversed, polygon[n-1-i])
		}
		if contains(turned, p) != want || contains(reversed, p) != want {
			t.Fatalf("%v in %v is %t, but not when started elsewhere or reversed", p, polygon, want)
		}
	})
}
