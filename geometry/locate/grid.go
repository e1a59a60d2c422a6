package locate

import (
	"math"

	"github.com/golang/geo/r2"
)

// maxTable bounds cells times receivers of a plan: 32 MiB of float32. Only
// sites such as 60 receivers on two hectares reach it; their cells grow.
const maxTable = 8 << 20

// maxPlanCells bounds the cells of a plan, however few its receivers.
const maxPlanCells = 1 << 18

// grid divides the plan's bounds into equal cells, row by row from the lower
// left corner. Cells are as nearly square as whole numbers of them allow and
// tile the bounds exactly, so that no centre, and no mean of centres, is outside.
type grid struct {
	bounds     r2.Rect
	cols, rows int
	cell       r2.Point // width and height of a cell, metres
}

// newGrid chooses the cells: as fine as wanted, coarser on a plan that would
// need more than one window, up to MaxCellM, and coarser still where the tables
// would outgrow memory. Coarse cells on large plans lose little: receivers stand
// farther apart there, and a cell of 0.85 m adds 0.25 m in quadrature to errors
// of metres.
func newGrid(site Site, cfg Config) grid {
	size := site.Bounds.Size()
	area := size.X * size.Y
	side := math.Sqrt(area / float64(cfg.MaxCells))
	side = math.Min(math.Max(side, cfg.CellM), cfg.MaxCellM)
	limit := min(maxTable/len(site.Receivers), maxPlanCells)
	side = math.Max(side, math.Sqrt(area/float64(limit)))
	// A plan like a corridor has fewer cells across than one: rounding up then
	// doubles the number at most, and capping each axis keeps even a 1 km × 1 mm
	// "plan" within the limit.
	g := grid{bounds: site.Bounds, cols: count(size.X, side, limit), rows: count(size.Y, side, limit)}
	g.cell = r2.Point{X: size.X / float64(g.cols), Y: size.Y / float64(g.rows)}
	return g
}

// count returns how many cells of about side metres cover length, 1 to limit.
func count(length, side float64, limit int) int {
	return int(math.Max(1, math.Min(math.Round(length/side), float64(limit))))
}

// centre returns the middle of the cell in that column and row.
func (g *grid) centre(col, row int) r2.Point {
	lo := g.bounds.Lo()
	return r2.Point{X: lo.X + (float64(col)+0.5)*g.cell.X, Y: lo.Y + (float64(row)+0.5)*g.cell.Y}
}

// cellAt returns the cell that holds p, which is within the bounds.
func (g *grid) cellAt(p r2.Point) int {
	at := p.Sub(g.bounds.Lo())
	col := min(int(at.X/g.cell.X), g.cols-1)
	row := min(int(at.Y/g.cell.Y), g.rows-1)
	return row*g.cols + col
}

// window is a rectangle of cells.
type window struct {
	col, row   int // of the lower left cell
	cols, rows int // 0 for none
}

func (w window) cells() int { return w.cols * w.rows }

// grown returns the window and so many cells around it.
func (w window) grown(cols, rows int) window {
	return window{w.col - cols, w.row - rows, w.cols + 2*cols, w.rows + 2*rows}
}

// within returns what the window has in common with another.
func (w window) within(o window) window {
	col, row := max(w.col, o.col), max(w.row, o.row)
	cols := min(w.col+w.cols, o.col+o.cols) - col
	rows := min(w.row+w.rows, o.row+o.rows) - row
	if cols <= 0 || rows <= 0 {
		return window{}
	}
	return window{col, row, cols, rows}
}

// transfer copies a mass over one window to another. What the other does not
// cover is lost, and the rest of it zero.
func transfer(dst []float32, to window, src []float32, from window) {
	if to == from {
		copy(dst, src)
		return
	}
	clear(dst)
	both := to.within(from)
	for row := both.row; row < both.row+both.rows; row++ {
		out := (row-to.row)*to.cols + both.col - to.col
		in := (row-from.row)*from.cols + both.col - from.col
		copy(dst[out:out+both.cols], src[in:in+both.cols])
	}
}

// windowSize returns the largest window of at most limit cells: the whole grid
// when it fits, else as square as the grid allows.
func (g *grid) windowSize(limit int) (cols, rows int) {
	if g.cols*g.rows <= limit {
		return g.cols, g.rows
	}
	side := int(math.Sqrt(float64(limit)))
	cols = min(side, g.cols)
	rows = min(limit/cols, g.rows)
	return min(limit/rows, g.cols), rows
}

// around returns the window of that size whose centre is as near to p as the
// borders of the grid allow.
func (g *grid) around(p r2.Point, cols, rows int) window {
	at := p.Sub(g.bounds.Lo())
	return window{
		col: place(at.X/g.cell.X, cols, g.cols), row: place(at.Y/g.cell.Y, rows, g.rows),
		cols: cols, rows: rows,
	}
}

// place returns where an interval of n cells starts that has the coordinate at,
// in cells, in its middle and lies within [0, total).
func place(at float64, n, total int) int {
	start := math.Round(at - float64(n)/2)
	return int(math.Max(0, math.Min(start, float64(total-n))))
}
