package locate

// chart is what receivers hear on a lattice of places: the grid's cells, or
// every third of them.
type chart struct {
	cols int
	gain [][]float32 // per receiver and place: expected power relative to one metre, dB
	open []float32   // per place: 0 in a no-go area, else 1; nil for a plan without
}

// blockSide is how many cells a block has along each axis.
const blockSide = 3

// coarser returns the chart of the blocks' middle cells.
func (c *chart) coarser(rows int) chart {
	cols := c.cols
	out := chart{cols: blocksIn(cols), gain: make([][]float32, len(c.gain))}
	pick := func(from []float32) []float32 {
		to := make([]float32, 0, blocksIn(cols)*blocksIn(rows))
		for row := range blocksIn(rows) {
			for col := range blocksIn(cols) {
				to = append(to, from[middle(row, rows)*cols+middle(col, cols)])
			}
		}
		return to
	}
	for r, gain := range c.gain {
		out.gain[r] = pick(gain)
	}
	return out
}

func blocksIn(cells int) int { return (cells + blockSide - 1) / blockSide }

// middle returns the cell that stands for a block; the last block may be narrow.
func middle(block, cells int) int { return min(block*blockSide+blockSide/2, cells-1) }

// focusFrom is the number of cells from which it pays to look for where the mass
// is before weighing them all.
const focusFrom = 500

// faint is the share of the mass, on the whole plan together, that blocks may be
// left out for at most.
const faint = 0.01

// focus returns the part of the window in which there will be mass. It weighs
// the blocks, by their middle cells, a ninth of the work; a block with less than
// its part of faint is left out, if it is not between others.
//
// The likelihood alone would not do: in decibels it is flat over half of a plan.
// What was believed before narrows it; and the floor, which is in every block,
// makes a block count again as soon as the readings speak for it strongly.
func (f *filter) focus(readings []reading, s *scratch) window {
	s.single = 0
	if f.win.cells() < focusFrom {
		return f.win
	}
	blocks := blocksOf(f.win)
	f.likelihood(&f.loc.coarse, blocks, readings, s)
	odds := s.odds[:blocks.cells()]
	s.single = spread(odds, blocks, f.loc.grid.cell.Mul(blockSide))
	mass := s.num[:len(odds)] // free again
	fill(mass, f.floor()*blockSide*blockSide)
	addBlocks(mass, blocks, s.prior, s.near)
	total := float32(0)
	for i := range mass {
		mass[i] *= odds[i]
		total += mass[i]
	}
	least := total * faint / float32(len(mass))
	return cellsOf(bounding(mass, blocks, least)).within(f.win)
}

// blocksOf returns the blocks that a window of cells touches.
func blocksOf(w window) window {
	b := window{col: w.col / blockSide, row: w.row / blockSide}
	b.cols = blocksIn(w.col+w.cols) - b.col
	b.rows = blocksIn(w.row+w.rows) - b.row
	return b
}

// cellsOf returns the cells of a window of blocks.
func cellsOf(b window) window {
	return window{b.col * blockSide, b.row * blockSide, b.cols * blockSide, b.rows * blockSide}
}

// addBlocks adds to each block the mass of its cells.
func addBlocks(mass []float32, blocks window, cells []float32, win window) {
	for row := range win.rows {
		to := mass[((win.row+row)/blockSide-blocks.row)*blocks.cols:]
		for col, m := range cells[row*win.cols : (row+1)*win.cols] {
			to[(win.col+col)/blockSide-blocks.col] += m
		}
	}
}

// bounding returns the smallest window around all places that have at least that
// mass; all of it when none has.
func bounding(mass []float32, w window, least float32) window {
	left, right, lower, upper := w.cols, -1, w.rows, -1
	for row := range w.rows {
		for col, m := range mass[row*w.cols : (row+1)*w.cols] {
			if m >= least && m > 0 {
				left, right = min(left, col), max(right, col)
				lower, upper = min(lower, row), max(upper, row)
			}
		}
	}
	if right < 0 {
		return w
	}
	return window{w.col + left, w.row + lower, right - left + 1, upper - lower + 1}
}
