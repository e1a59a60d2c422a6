package track

// Field is a mass distribution, such as the belief about a tag's place, over a rectangle of equal cells, row by row from
// the lower edge. len(Mass) is Cols·Rows.
type Field struct {
	Cols, Rows int
	Mass       []float32
}

// Diffuse blurs the field in place, by kx along the rows and ky along the
// columns. Mass that would cross the border is reflected, because a tag cannot
// leave its plan by walking into the outer wall, so the total stays the same up
// to rounding (relative 1e-5 for 4,096 cells).
//
// A two-dimensional Gaussian is the product of two one-dimensional ones, so
// rows and columns are blurred one after the other: 2·(2r+1) multiplications per
// cell instead of (2r+1)².
//
// scratch must be at least as long as f.Mass; its contents are destroyed.
func Diffuse(f Field, kx, ky *Kernel, scratch []float32) {
	if len(f.Mass) != f.Cols*f.Rows || len(scratch) < len(f.Mass) {
		panic("BUG: track: field or scratch of the wrong size")
	}
	scratch = scratch[:len(f.Mass)]
	if ky.radius > 0 {
		for range ky.passes {
			blurColumns(f, ky, scratch)
			copy(f.Mass, scratch)
		}
	}
	if kx.radius > 0 {
		for range kx.passes {
			blurRows(f, kx, scratch)
			copy(f.Mass, scratch)
		}
	}
}

// blurColumns writes the vertical blur of f to out. It adds whole rows to each
// other, so that memory is walked in order.
func blurColumns(f Field, k *Kernel, out []float32) {
	n := f.Cols
	for j := range f.Rows {
		dst := out[j*n : (j+1)*n]
		scaled(dst, f.Mass[j*n:(j+1)*n], k.tap[0])
		for r := 1; r <= k.radius; r++ {
			lo, hi := mirror(j-r, f.Rows)*n, mirror(j+r, f.Rows)*n
			addPair(dst, f.Mass[lo:lo+n], f.Mass[hi:hi+n], k.tap[r])
		}
	}
}

// blurRows writes the horizontal blur of f to out. A row is shifted against
// itself tap by tap, which is the same contiguous addition as for columns; only
// the ends need folding.
func blurRows(f Field, k *Kernel, out []float32) {
	n := f.Cols
	for base := 0; base < len(out); base += n {
		src, dst := f.Mass[base:base+n], out[base:base+n]
		scaled(dst, src, k.tap[0])
		for r := 1; r <= k.radius; r++ {
			if n > 2*r {
				addPair(dst[r:n-r], src[:n-2*r], src[2*r:], k.tap[r])
			}
			reflectEnds(dst, src, r, k.tap[r])
		}
	}
}

// reflectEnds adds tap r to those cells of a row whose neighbour at distance r
// lies beyond one of its ends; only they pay for the folding.
func reflectEnds(dst, src []float32, r int, w float32) {
	n := len(dst)
	left, right := min(r, n), max(n-r, min(r, n))
	for i := range left {
		dst[i] += w * (src[mirror(i-r, n)] + src[mirror(i+r, n)])
	}
	for i := right; i < n; i++ {
		dst[i] += w * (src[mirror(i-r, n)] + src[mirror(i+r, n)])
	}
}

// scaled sets dst to w·src.
func scaled(dst, src []float32, w float32) {
	src = src[:len(dst)]
	for i := range dst {
		dst[i] = w * src[i]
	}
}

// addPair adds w·(a+b) to dst. The two neighbours share one multiplication,
// and re-slicing to one length lets the compiler drop the bounds checks.
func addPair(dst, a, b []float32, w float32) {
	a, b = a[:len(dst)], b[:len(dst)]
	for i := range dst {
		dst[i] += w * (a[i] + b[i])
	}
}

// mirror folds an index that left [0, n) back into it: … 1 0 | 0 1 … n−1 | n−1 …
// Folding at the cell's outer edge, not at its centre, is what conserves mass.
func mirror(i, n int) int {
	for i < 0 || i >= n {
		if i < 0 {
			i = -1 - i
		} else {
			i = 2*n - 1 - i
		}
	}
	return i
}
