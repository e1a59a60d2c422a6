package fence

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/golang/geo/r2"
)

// Zone is a region of a plan. Index is the caller's name for it; two zones may
// have the same.
type Zone struct {
	Index   int
	Polygon []r2.Point // metres, closed implicitly
}

// MaxZones bounds the zones of one index, and with maxBuckets its memory: at
// worst, when all overlap everywhere, 32 MiB.
const (
	MaxZones   = 2000
	maxBuckets = 4096
)

// Index finds the zone of a point. It is a grid of equal buckets over the
// zones, each with the zones whose bounding rectangle touches it.
//
// A grid and not a tree, because zones are rooms: of similar size and side by
// side, so that a bucket holds one to four. Finding one of a hundred rooms takes
// some 50 ns. Where zones lie all over each other a bucket holds them all, and
// finding degrades to asking each rectangle: 1 us for a hundred.
type Index struct {
	zones      []region // ordered by area, so that the first hit is the smallest
	bounds     r2.Rect
	cols, rows int
	scale      r2.Point // buckets per metre
	start      []int32  // bucket i holds entries start[i] to start[i+1]
	entries    []int32  // positions in zones, ascending within a bucket
}

type region struct {
	index   int
	area    float64
	bounds  r2.Rect
	polygon []r2.Point
}

// NewIndex returns an index of the zones, or an error that names the first one
// which is not a region (see [Validate]; the cause is wrapped). The polygons
// are copied.
func NewIndex(zones []Zone) (*Index, error) {
	if len(zones) > MaxZones {
		return nil, fmt.Errorf("a plan has at most %d zones, this one has %d", MaxZones, len(zones))
	}
	x := &Index{bounds: r2.EmptyRect()}
	for _, z := range zones {
		if err := Validate(z.Polygon); err != nil {
			return nil, fmt.Errorf("zone %d: %w", z.Index, err)
		}
		r := region{index: z.Index, area: area(z.Polygon), bounds: r2.RectFromPoints(z.Polygon...), polygon: slices.Clone(z.Polygon)}
		x.zones = append(x.zones, r)
		x.bounds = x.bounds.AddRect(r.bounds)
	}
	slices.SortStableFunc(x.zones, func(a, b region) int {
		return cmp.Or(cmp.Compare(a.area, b.area), cmp.Compare(a.index, b.index))
	})
	if len(zones) > 0 {
		x.layBuckets()
		x.fillBuckets()
	}
	return x, nil
}

// layBuckets divides the bounds into about four buckets per zone, as square as
// may be: rooms then share a bucket with their neighbours only.
func (x *Index) layBuckets() {
	size := x.bounds.Size()
	want := float64(min(4*len(x.zones), maxBuckets))
	across := math.Sqrt(want * (size.X / size.Y)) // of square buckets
	x.cols = int(math.Max(1, math.Min(math.Round(across), want)))
	x.rows = int(want) / x.cols
	x.scale = r2.Point{X: float64(x.cols) / size.X, Y: float64(x.rows) / size.Y}
}

// fillBuckets counts, sums up, then places: two allocations for any number of
// buckets. Zones are placed in order, so a bucket's entries are ordered too.
func (x *Index) fillBuckets() {
	x.start = make([]int32, x.cols*x.rows+1)
	x.eachBucket(func(_ int32, bucket int) { x.start[bucket+1]++ })
	for i := 1; i < len(x.start); i++ {
		x.start[i] += x.start[i-1]
	}
	x.entries = make([]int32, x.start[len(x.start)-1])
	next := slices.Clone(x.start)
	x.eachBucket(func(zone int32, bucket int) {
		x.entries[next[bucket]] = zone
		next[bucket]++
	})
}

func (x *Index) eachBucket(do func(zone int32, bucket int)) {
	for i, z := range x.zones {
		left, low := x.bucket(z.bounds.Lo())
		right, high := x.bucket(z.bounds.Hi())
		for row := low; row <= high; row++ {
			for col := left; col <= right; col++ {
				do(int32(i), row*x.cols+col)
			}
		}
	}
}

// bucket returns the column and row of a point within the bounds. It is
// monotone in each coordinate, also after rounding, so that a point of a
// rectangle is never in a bucket that the rectangle's corners exclude.
func (x *Index) bucket(p r2.Point) (col, row int) {
	at := p.Sub(x.bounds.Lo())
	return floorWithin(at.X*x.scale.X, x.cols), floorWithin(at.Y*x.scale.Y, x.rows)
}

// floorWithin rounds v down into [0, n). NaN gives 0: it arises as 0·∞ in an
// index thinner than 1e−300 m, which is silly but must not panic.
func floorWithin(v float64, n int) int {
	if !(v > 0) {
		return 0
	}
	return int(math.Min(v, float64(n-1)))
}

// Find returns the Index of the smallest zone that holds the point; of equally
// large ones that with the lowest Index, then the first given. A point on a
// border between zones belongs to exactly one of them, and a point on a border
// that no other zone's inside covers belongs to that zone. ok is false outside
// all zones and for a point that is not finite. It does not allocate, except
// where a point is on a border or within rounding of it.
func (x *Index) Find(p r2.Point) (zone int, ok bool) {
	if !x.bounds.ContainsPoint(p) {
		return 0, false
	}
	col, row := x.bucket(p)
	b := row*x.cols + col
	candidates := x.entries[x.start[b]:x.start[b+1]]
	for _, i := range candidates {
		if z := &x.zones[i]; z.bounds.ContainsPoint(p) && contains(z.polygon, p) {
			return z.index, true
		}
	}
	for _, i := range candidates {
		if z := &x.zones[i]; z.bounds.ContainsPoint(p) && onBorder(z.polygon, p) {
			return z.index, true
		}
	}
	return 0, false
}
