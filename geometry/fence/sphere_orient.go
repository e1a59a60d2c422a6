package fence

import (
	"github.com/golang/geo/r3"
	"github.com/golang/geo/s2"
)

// arcError bounds the rounding error of onArc's determinant, relative to the
// product of the two distances in it: 3.2321·2⁻⁵² by the analysis of stableSign in
// golang/geo/s2/predicates.go, and twice that to be beyond the rounding of the
// distances themselves.
const arcError = 2 * 3.2321 * 0x1p-52

// onArc reports whether p lies on the shorter arc from a to b, ends included. That
// it is on the great circle is decided exactly, for the points as they are in
// floating point: those of an arc along the equator or the zero meridian are, those
// that somebody computed along another are mostly off it by rounding, some nanometres.
func onArc(a, b, p s2.Point) bool {
	if p == a || p == b {
		return true
	}
	toA, toB := a.Sub(p.Vector), b.Sub(p.Vector)
	// Beyond a or b, which most points are, or around the back.
	if toA.Dot(a.Sub(b.Vector)) < 0 || toB.Dot(b.Sub(a.Vector)) < 0 || p.Dot(a.Add(b.Vector)) < 0 {
		return false
	}
	det := toA.Cross(toB).Dot(p.Vector)
	if det*det > arcError*arcError*toA.Norm2()*toB.Norm2() {
		return false
	}
	return coplanar(a, b, p)
}

// coplanar reports whether the three are on one great circle, in arithmetic without
// rounding.
func coplanar(a, b, c s2.Point) bool {
	cross := r3.PreciseVectorFromVector(a.Vector).Cross(r3.PreciseVectorFromVector(b.Vector))
	return cross.Dot(r3.PreciseVectorFromVector(c.Vector)).Sign() == 0
}
