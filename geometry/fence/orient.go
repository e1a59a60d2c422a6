package fence

import (
	"math"
	"math/big"

	"github.com/golang/geo/r2"
)

// orientError bounds the rounding error of orient's determinant, relative to
// the sum of the absolute values of its two products: (3 + 16ε)·ε with ε = 2⁻⁵³
// (J. R. Shewchuk, Adaptive Precision Floating-Point Arithmetic and Fast Robust
// Geometric Predicates, 1997, the A bound of ORIENT2D).
const orientError = (3 + 16*0x1p-53) * 0x1p-53

// orientTiny is where that bound ceases to hold, because products underflow.
const orientTiny = 1e-280

// orient returns +1 if a, b, c turn to the left, −1 if to the right, and 0 if
// they lie on one line. It is exact for finite coordinates whose products do
// not overflow, as [MaxCoordinateM] guarantees. One call in millions of random
// ones takes the exact way; points on a border take it often.
func orient(a, b, c r2.Point) int {
	l := (b.X - a.X) * (c.Y - a.Y)
	r := (b.Y - a.Y) * (c.X - a.X)
	det, size := l-r, math.Abs(l)+math.Abs(r)
	if size > orientTiny && math.Abs(det) > orientError*size {
		if det > 0 {
			return 1
		}
		return -1
	}
	return orientExactly(a, b, c)
}

// orientExactly is orient in rational arithmetic.
func orientExactly(a, b, c r2.Point) int {
	l := new(big.Rat).Mul(difference(b.X, a.X), difference(c.Y, a.Y))
	r := new(big.Rat).Mul(difference(b.Y, a.Y), difference(c.X, a.X))
	return l.Cmp(r)
}

func difference(a, b float64) *big.Rat {
	x, y := new(big.Rat).SetFloat64(a), new(big.Rat).SetFloat64(b)
	return x.Sub(x, y)
}

// onSegment reports whether p lies on the closed segment from a to b, exactly.
func onSegment(a, b, p r2.Point) bool {
	return between(a.X, b.X, p.X) && between(a.Y, b.Y, p.Y) && orient(a, b, p) == 0
}

func between(a, b, v float64) bool { return math.Min(a, b) <= v && v <= math.Max(a, b) }
