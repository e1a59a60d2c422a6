package locate

import "math"

// exp32 returns e^x for x ≤ 0 within 6e-6, relatively; below −87 it returns 0. A
// fix takes one per cell, and the library's, exact to the last bit of a float64,
// costs five times as much as anything else per cell.
//
// x/ln 2 is split into a whole number, which becomes the exponent, and a rest in
// [−½, ½], for which six terms of the series suffice: the seventh is 2e-6
// (and x in float32 is known to 4e-6 at the far end).
func exp32(x float32) float32 {
	if x < -87 {
		return 0
	}
	y := x * math.Log2E
	n := int32(y - 0.5) // rounds to nearest, as y ≤ 0 and the conversion cuts
	f := y - float32(n)
	p := 1 + f*(0.69314718+f*(0.24022651+f*(0.05550411+f*(0.00961813+f*0.00133336))))
	return p * math.Float32frombits(uint32(n+127)<<23)
}

// log32 returns the natural logarithm of a positive, normal x within 2e-7 of its
// value plus 2e-7. The mantissa is brought into [√½, √2), where the series of the
// area tangent to its fourth term is exact to 1e-8.
func log32(x float32) float32 {
	bits := math.Float32bits(x)
	n := int32(bits-rootHalf) >> 23
	m := math.Float32frombits(bits - uint32(n)<<23)
	s := (m - 1) / (m + 1)
	z := s * s
	return float32(n)*math.Ln2 + 2*s*(1+z*(1.0/3+z*(1.0/5+z*(1.0/7))))
}

// rootHalf is √½ as float32 bits.
const rootHalf = 0x3f3504f3
