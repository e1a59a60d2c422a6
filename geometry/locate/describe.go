package locate

import (
	"math"

	"github.com/golang/geo/r2"
)

// describe normalises the posterior and says what it means. It reports false
// when there is no mass to normalise.
//
// Everything said is of the posterior and not of the readings: two loud
// readings that contradict each other make it wide, and the accuracy with it.
func (f *filter) describe(readings []reading, s *scratch) (Estimate, bool) {
	total := 0.0
	for _, m := range f.mass {
		total += float64(m)
	}
	if !(total > 0) || math.IsInf(total, 0) {
		return Estimate{}, false
	}
	scale := float32(1 / total)
	for i := range f.mass {
		f.mass[i] *= scale
	}
	f.learnLevel(readings, s)
	est := Estimate{Pos: f.loc.leave(f.mean()), Receivers: len(readings), LevelDBm: f.level.mean}
	est.AccuracyM, est.Accuracy95M = f.radii(est.Pos)
	wider := f.doubt(s)
	f.trust = float32(1 / (wider * wider))
	est.AccuracyM *= wider
	est.Accuracy95M *= wider
	est.Residual = f.residual(readings, est.Pos)
	return est, true
}

// mean returns the posterior mean. Of all single points it has the least
// expected squared error, it moves smoothly, and as a mean of points within a
// rectangle it stays within the rectangle.
func (f *filter) mean() r2.Point {
	var x, y float64
	for row := range f.box.rows {
		var across, along float32
		for col, m := range f.mass[row*f.box.cols : (row+1)*f.box.cols] {
			across += m
			along += m * float32(col)
		}
		x += float64(along)
		y += float64(across) * float64(row)
	}
	g := &f.loc.grid
	first := g.centre(f.box.col, f.box.row)
	// Sums of a row in float32 are exact to 1e-5 of a cell, rows are added in
	// float64: the estimate is the posterior's mean to a tenth of a millimetre.
	p := r2.Point{X: first.X + x*g.cell.X, Y: first.Y + y*g.cell.Y}
	return g.bounds.ClampPoint(p) // rounding of the sums could pass the border by 1e-6
}

// doubt returns by how much the radii are to be widened, 1 or more. A filter takes
// the errors of successive seconds for independent and grows surer with each; but
// a wall is as wrong the next second, and part of the error of a single fix
// (Config.Systematic of its variance) never averages out. The first fix of a track
// is widened by nothing: there its belief is what that fix says.
func (f *filter) doubt(s *scratch) float64 {
	cell := f.loc.grid.cell
	extent := cell.Dot(cell) / 12 // a cell's own, so that no variance is zero
	single := s.single
	if single == 0 {
		single = spread(s.odds[:len(f.mass)], f.box, cell)
	}
	share := f.loc.cfg.Systematic
	gained := math.Max((single+extent)/(spread(f.mass, f.box, cell)+extent), 1)
	return math.Sqrt(1 - share + share*math.Min(gained, maxGained))
}

// maxGained bounds the variance of a single fix relative to the belief's. With
// one receiver in reach a single fix says next to nothing, and is no measure.
const maxGained = 16

// spread returns the variance of a distribution over a window, which need not be
// normalised, along both axes together, in square metres.
func spread(mass []float32, win window, cell r2.Point) float64 {
	var n, x, y, xx, yy float64
	for row := range win.rows {
		var sum, along, square float32
		for col, m := range mass[row*win.cols : (row+1)*win.cols] {
			c := float32(col)
			sum += m
			along += m * c
			square += m * c * c
		}
		r := float64(row)
		n += float64(sum)
		x += float64(along)
		xx += float64(square)
		y += float64(sum) * r
		yy += float64(sum) * r * r
	}
	x, y = x/n, y/n
	return math.Max((xx/n-x*x)*cell.X*cell.X+(yy/n-y*y)*cell.Y*cell.Y, 0)
}

// learnLevel hands the track's level what the posterior says about it: the mean
// over the cells, and how far the cells disagree. As long as the position is
// open, so is the level (a loud tag far off or a faint one near), and the
// disagreement keeps the belief as wide as it must be. Deviations are taken from
// the old mean, so that the variance is not a small difference of large squares.
func (f *filter) learnLevel(readings []reading, s *scratch) {
	var mean, square float64
	for i, m := range f.mass {
		d := float64(s.level[i]) - f.level.mean
		mean += float64(m) * d
		square += float64(m) * d * d
	}
	weight := 0.0
	for _, r := range readings {
		weight += float64(r.weight)
	}
	f.level.learn(f.loc.cfg.Level, f.level.mean+mean, math.Max(square-mean*mean, 0), weight)
}

// believed95 is the share of the mass within the radius of 95 %. A little less,
// because the floor keeps mass in places only so that it can grow there, and what
// is farthest off is that.
const believed95 = 0.944

// bins of the distance histogram: 1.5 % of the window's diagonal each.
const bins = 128

// radii returns the radii around p that hold 68 % and 95 % of the posterior.
// Mass is counted by distance in bins and interpolated within one, so the
// error is below a bin; the extent of a cell, 0.41 of its side, is added in
// quadrature, because mass within a cell is spread over it.
func (f *filter) radii(p r2.Point) (r68, r95 float64) {
	g := &f.loc.grid
	var at [bins]float32
	first := g.centre(f.box.col, f.box.row).Sub(p)
	width, height := float64(f.box.cols)*g.cell.X, float64(f.box.rows)*g.cell.Y
	step := math.Hypot(width, height) / (bins - 1)
	for row := range f.box.rows {
		dy := first.Y + float64(row)*g.cell.Y
		for col, m := range f.mass[row*f.box.cols : (row+1)*f.box.cols] {
			if m < 1e-9 { // all such cells together hold less than 2e-5
				continue
			}
			dx := first.X + float64(col)*g.cell.X
			at[min(int(math.Sqrt(dx*dx+dy*dy)/step), bins-1)] += m
		}
	}
	extent := 0.41 * math.Sqrt(g.cell.X*g.cell.Y)
	return math.Hypot(quantile(&at, 0.68)*step, extent), math.Hypot(quantile(&at, believed95)*step, extent)
}

// quantile returns the place in the histogram, in bins, below which the share
// of the mass lies. Within a bin the mass is taken to be spread evenly. A sum
// that rounding keeps below the share ends at the last bin's far side.
func quantile(at *[bins]float32, share float32) float64 {
	below := float32(0)
	for i, m := range at {
		if below+m >= share {
			return float64(i) + float64((share-below)/m)
		}
		below += m
	}
	return bins
}

// residual returns how far the readings are from what a tag at p with the
// learned level would give: root mean square in dB. Two readings or fewer always
// fit somewhere, so it says little then.
func (f *filter) residual(readings []reading, p r2.Point) float64 {
	cell := f.loc.grid.cellAt(p)
	sum := 0.0
	for _, r := range readings {
		e := float64(r.rssi) - float64(f.loc.fine.gain[r.receiver][cell]) - f.level.mean
		sum += e * e
	}
	return math.Sqrt(sum / float64(len(readings)))
}
