package fence

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/golang/geo/s2"
)

// Sphere finds the zone of a place on the Earth by the rules of [Index]: the smallest
// zone wins, and a place on a border that zones share belongs to exactly one.
//
// Each zone is covered by a few cells of the S2 curve, which runs through every
// place of the sphere. The ends of all cells part the curve into intervals, each with
// the zones whose cells hold it, so that one search along the curve finds the
// candidates. Neither the antimeridian nor a pole is anything special.
type Sphere struct {
	zones   []sphereRegion // ordered by area, so that the first hit is the smallest
	from    []s2.CellID    // where interval i begins; it ends where the next begins
	start   []int32        // interval i holds entries start[i] to start[i+1]
	entries []int32        // positions in zones, ascending within an interval
}

type sphereRegion struct {
	index int
	area  float64 // of the unit sphere
	loop  *s2.Loop
}

// coverCells is how many cells cover a zone. More fit closer and cost memory; with
// eight, a room's cells are some twice as large as the room.
const coverCells = 8

// NewSphere returns an index of the zones, or an error that names the first one
// which is not a region (see [ValidateSphere]; the cause is wrapped). The rings are
// copied. It takes some 60 µs for each room.
func NewSphere(zones []SphereZone) (*Sphere, error) {
	if len(zones) > MaxZones {
		return nil, fmt.Errorf("there are at most %d zones, these are %d", MaxZones, len(zones))
	}
	x := &Sphere{}
	for _, z := range zones {
		loop, err := loopOf(z.Ring)
		if err != nil {
			return nil, fmt.Errorf("zone %d: %w", z.Index, err)
		}
		loop.ContainsPoint(s2.OriginPoint()) // of a large ring this builds its own index, which later calls share
		x.zones = append(x.zones, sphereRegion{z.Index, loop.Area(), loop})
	}
	slices.SortStableFunc(x.zones, func(a, b sphereRegion) int {
		return cmp.Or(cmp.Compare(a.area, b.area), cmp.Compare(a.index, b.index))
	})
	for cells := coverCells; ; cells /= 2 {
		covers := x.covers(cells)
		if x.cut(covers); x.count(covers) <= maxBuckets*MaxZones || cells == 0 {
			x.fill(covers)
			return x, nil
		}
	}
}

// covers returns the cells of each zone, with zero cells the whole sphere.
func (x *Sphere) covers(cells int) []s2.CellUnion {
	out := make([]s2.CellUnion, len(x.zones))
	coverer := s2.RegionCoverer{MaxLevel: s2.MaxLevel, MaxCells: cells}
	for i := range x.zones {
		if cells > 0 {
			out[i] = coverer.Covering(x.zones[i].loop)
			continue
		}
		for face := range 6 {
			out[i] = append(out[i], s2.CellIDFromFace(face))
		}
	}
	return out
}

// after returns the first leaf behind a cell.
func after(c s2.CellID) s2.CellID { return c.RangeMax() + 2 } // leaves are the odd numbers

// cut parts the curve at the ends of all cells.
func (x *Sphere) cut(covers []s2.CellUnion) {
	x.from = x.from[:0]
	for _, cells := range covers {
		for _, c := range cells {
			x.from = append(x.from, c.RangeMin(), after(c))
		}
	}
	slices.Sort(x.from)
	x.from = slices.Compact(x.from)
}

// count returns how many entries there will be and leaves in start where those of
// each interval begin.
func (x *Sphere) count(covers []s2.CellUnion) int {
	x.start = make([]int32, len(x.from)+1)
	total := 0
	x.eachInterval(covers, func(_ int32, i int) { x.start[i+1]++; total++ })
	for i := 1; i < len(x.start); i++ {
		x.start[i] += x.start[i-1]
	}
	return total
}

// fill places the zones in order, so that an interval's entries are ordered too.
func (x *Sphere) fill(covers []s2.CellUnion) {
	x.entries = make([]int32, x.start[len(x.start)-1])
	next := slices.Clone(x.start)
	x.eachInterval(covers, func(zone int32, i int) {
		x.entries[next[i]] = zone
		next[i]++
	})
}

func (x *Sphere) eachInterval(covers []s2.CellUnion, do func(zone int32, interval int)) {
	for z, cells := range covers {
		for _, c := range cells {
			first, _ := slices.BinarySearch(x.from, c.RangeMin())
			for end := after(c); x.from[first] < end; first++ {
				do(int32(z), first)
			}
		}
	}
}

// Find returns the Index of the smallest zone that holds the place; of equally large
// ones that with the lowest Index, then the first given. A place on a border between
// zones belongs to exactly one of them, and a place on a border that no other zone's
// inside covers belongs to that zone. ok is false outside all zones and for a place
// that is none. Asking one of a hundred rooms takes half a microsecond.
func (x *Sphere) Find(p LatLng) (zone int, ok bool) {
	if !p.valid() {
		return 0, false
	}
	return x.find(p.point())
}

func (x *Sphere) find(p s2.Point) (zone int, ok bool) {
	i, exact := slices.BinarySearch(x.from, s2.CellFromPoint(p).ID())
	if !exact {
		i--
	}
	if i < 0 {
		return 0, false
	}
	candidates := x.entries[x.start[i]:x.start[i+1]]
	for _, z := range candidates {
		if r := &x.zones[z]; r.loop.ContainsPoint(p) {
			return r.index, true
		}
	}
	for _, z := range candidates {
		if r := &x.zones[z]; onRing(r.loop, p) {
			return r.index, true
		}
	}
	return 0, false
}

// onRing reports whether p is a point of the loop's border.
func onRing(loop *s2.Loop, p s2.Point) bool {
	for i := range loop.NumVertices() {
		if onArc(loop.Vertex(i), loop.Vertex(i+1), p) {
			return true
		}
	}
	return false
}
