package locate

import (
	"fmt"

	"github.com/golang/geo/r2"

	"mybeacon/geometry/fence"
)

// Zones are the zones of a plan laid over the cells of its locator: which share
// of each cell belongs to which zone. It is immutable, shared by all tags of the
// plan and safe for concurrent use. Make one with [Locator.Zones] whenever the
// zones of a plan change; tracks go on.
type Zones struct {
	owner  *locator
	blank  []fence.Share // one per zone in the order given, P zero; the last is the outside
	cell   []int32       // per cell of the grid: index into blank, or −1−i for start[i]
	start  []int32       // the shares of divided cell i are parts[start[i]:start[i+1]]
	parts  []part
	lookup map[int]int32 // from a zone's Index to its place in blank
}

// part is a zone's share of a cell that a border divides.
type part struct {
	zone  int32
	share float32
}

// probes is how many points along each axis decide how a cell is divided: 16
// points give shares to 1/16, which for a cell of 0.45 m is 11 cm of border.
const probes = 4

// Zones implements [Locator].
func (l *locator) Zones(zones []fence.Zone) (*Zones, error) {
	index, err := fence.NewIndex(zones)
	if err != nil {
		return nil, fmt.Errorf("locate: %w", err)
	}
	z := &Zones{owner: l, lookup: make(map[int]int32, len(zones)), cell: make([]int32, 0, l.grid.cols*l.grid.rows), start: []int32{0}}
	for _, zone := range zones {
		if _, twice := z.lookup[zone.Index]; !twice {
			z.lookup[zone.Index] = int32(len(z.blank))
			z.blank = append(z.blank, fence.Share{Zone: zone.Index})
		}
	}
	z.lookup[fence.Outside] = int32(len(z.blank))
	z.blank = append(z.blank, fence.Share{Zone: fence.Outside})
	for row := range l.grid.rows {
		for col := range l.grid.cols {
			z.cell = append(z.cell, z.divide(index, col, row))
		}
	}
	return z, nil
}

// divide asks the index for points spread evenly over a cell, so that cells obey
// the same rules of overlap and border as points do.
func (z *Zones) divide(index *fence.Index, col, row int) int32 {
	g := &z.owner.grid
	centre := g.centre(col, row)
	from := len(z.parts)
	for i := range probes * probes {
		x := (float64(i%probes)+0.5)/probes - 0.5
		y := (float64(i/probes)+0.5)/probes - 0.5
		zone, ok := index.Find(centre.Add(r2.Point{X: x * g.cell.X, Y: y * g.cell.Y}))
		if !ok {
			zone = fence.Outside
		}
		z.count(from, z.lookup[zone])
	}
	if len(z.parts) == from+1 {
		whole := z.parts[from].zone
		z.parts = z.parts[:from]
		return whole
	}
	z.start = append(z.start, int32(len(z.parts)))
	return int32(1 - len(z.start)) // −1 for the first divided cell
}

// count adds one probe to the zone among the parts from there on.
func (z *Zones) count(from int, zone int32) {
	for i := from; i < len(z.parts); i++ {
		if z.parts[i].zone == zone {
			z.parts[i].share += 1.0 / (probes * probes)
			return
		}
	}
	z.parts = append(z.parts, part{zone, 1.0 / (probes * probes)})
}

// Zones implements [Track]. What is asked is the posterior as wide as the radii
// say it is: of a Gaussian, a power of 1/w² is one that is w times as wide.
func (f *filter) Zones(z *Zones, into []fence.Share) []fence.Share {
	if f.mass == nil || z == nil || z.owner.grid != f.loc.grid {
		return nil
	}
	into = append(into[:0], z.blank...)
	total := 0.0
	for row := range f.box.rows {
		start := (f.box.row+row)*f.loc.grid.cols + f.box.col
		cells := z.cell[start : start+f.box.cols]
		sum := float32(0)
		for col, m := range f.mass[row*f.box.cols : (row+1)*f.box.cols] {
			if m < least32 {
				continue
			}
			if f.trust < 1 {
				m = exp32(f.trust * log32(m))
			}
			sum += m
			if zone := cells[col]; zone >= 0 {
				into[zone].P += float64(m)
			} else {
				z.share(into, -1-zone, m)
			}
		}
		total += float64(sum)
	}
	for i := range into {
		into[i].P /= total
	}
	return into
}

// least32 is less than any mass that counts, and still a normal float32.
const least32 = 1e-30

// share divides the mass of a cell among its zones.
func (z *Zones) share(into []fence.Share, divided int32, mass float32) {
	for _, p := range z.parts[z.start[divided]:z.start[divided+1]] {
		into[p.zone].P += float64(p.share * mass)
	}
}
