package locate

import (
	"fmt"

	"github.com/golang/geo/r2"

	"mybeacon/geometry/fence"
)

// closed are the areas of a plan where no tag can be: a lift shaft, a machine,
// a courtyard. Cells whose centre is in one never hold mass.
type closed struct {
	index *fence.Index
	open  []float32 // per cell: 1, or 0 within an area
	exit  []int32   // per cell: the nearest open cell, itself if open
}

// newClosed returns nil for a plan without such areas.
func newClosed(g *grid, areas [][]r2.Point) (*closed, error) {
	if len(areas) == 0 {
		return nil, nil
	}
	zones := make([]fence.Zone, len(areas))
	for i, polygon := range areas {
		zones[i] = fence.Zone{Index: i, Polygon: polygon}
	}
	index, err := fence.NewIndex(zones)
	if err != nil {
		return nil, fmt.Errorf("locate: no-go area: %w", err)
	}
	c := &closed{index: index}
	n := 0
	for row := range g.rows {
		for col := range g.cols {
			if _, in := index.Find(g.centre(col, row)); in {
				c.open = append(c.open, 0)
			} else {
				c.open = append(c.open, 1)
				n++
			}
		}
	}
	if n == 0 {
		return nil, fmt.Errorf("locate: no-go areas cover the whole plan")
	}
	c.findExits(g)
	return c, nil
}

// blocks returns per block whether any of its cells is open.
func (c *closed) blocks(g *grid) []float32 {
	cols := blocksIn(g.cols)
	out := make([]float32, cols*blocksIn(g.rows))
	for i, open := range c.open {
		b := i/g.cols/blockSide*cols + i%g.cols/blockSide
		out[b] = max(out[b], open)
	}
	return out
}

// findExits searches from all open cells at once, ring by ring: the nearest in
// steps from cell to cell, which is near enough for a way out.
func (c *closed) findExits(g *grid) {
	c.exit = make([]int32, len(c.open))
	queue := make([]int32, 0, len(c.open))
	for i, open := range c.open {
		c.exit[i] = -1
		if open > 0 {
			c.exit[i] = int32(i)
			queue = append(queue, int32(i))
		}
	}
	for len(queue) > 0 {
		i := int(queue[0])
		queue = queue[1:]
		col, row := i%g.cols, i/g.cols
		for _, n := range [4][2]int{{col - 1, row}, {col + 1, row}, {col, row - 1}, {col, row + 1}} {
			if n[0] < 0 || n[0] >= g.cols || n[1] < 0 || n[1] >= g.rows {
				continue
			}
			if j := n[1]*g.cols + n[0]; c.exit[j] < 0 {
				c.exit[j] = c.exit[i]
				queue = append(queue, int32(j))
			}
		}
	}
}

// leave returns p, or when p is in a closed area the centre of an open cell
// near it: the mean of two open places may lie between them.
func (l *locator) leave(p r2.Point) r2.Point {
	if l.closed == nil {
		return p
	}
	if _, in := l.closed.index.Find(p); !in {
		return p
	}
	exit := int(l.closed.exit[l.grid.cellAt(p)])
	return l.grid.centre(exit%l.grid.cols, exit/l.grid.cols)
}
