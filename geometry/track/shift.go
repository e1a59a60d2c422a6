package track

import "math"

// Shift moves the field in place by dx columns and dy rows, which need not be
// whole: a fraction is divided between the two nearest cells. Mass that would
// leave gathers at the border, because a tag that walks against the outer wall
// stops there, so the total stays the same up to rounding.
//
// scratch must be at least as long as f.Mass; its contents are destroyed.
func Shift(f Field, dx, dy float64, scratch []float32) {
	if len(f.Mass) != f.Cols*f.Rows || len(scratch) < len(f.Mass) {
		panic("BUG: track: field or scratch of the wrong size")
	}
	col, fx := split(dx, f.Cols)
	row, fy := split(dy, f.Rows)
	if col == 0 && row == 0 && fx == 0 && fy == 0 {
		return
	}
	scratch = scratch[:len(f.Mass)]
	clear(scratch)
	for j := range f.Rows {
		src := f.Mass[j*f.Cols : (j+1)*f.Cols]
		near, far := clampTo(j+row, f.Rows), clampTo(j+row+1, f.Rows)
		shiftRow(scratch[near*f.Cols:(near+1)*f.Cols], src, col, fx, 1-fy)
		if fy > 0 {
			shiftRow(scratch[far*f.Cols:(far+1)*f.Cols], src, col, fx, fy)
		}
	}
	copy(f.Mass, scratch)
}

// shiftRow adds w times a row to dst, moved by col and a fraction.
func shiftRow(dst, src []float32, col int, fraction, w float32) {
	near, far := w*(1-fraction), w*fraction
	for i, m := range src {
		dst[clampTo(i+col, len(dst))] += near * m
		dst[clampTo(i+col+1, len(dst))] += far * m
	}
}

// split returns the whole cells of a shift, at most n to either side, and the
// fraction beyond, 0 to 1.
func split(d float64, n int) (whole int, fraction float32) {
	d = math.Max(-float64(n), math.Min(d, float64(n)))
	floor := math.Floor(d)
	return int(floor), float32(d - floor)
}

func clampTo(i, n int) int { return max(0, min(i, n-1)) }
