package locate

import (
	"math"
	"time"

	"github.com/golang/geo/r2"

	"mybeacon/geometry/track"
)

// filter is the state of one tag: [Track]. Its only memory beyond the struct is
// mass, at most 4 bytes for each of [Config.MaxCells].
type filter struct {
	loc   *locator
	mass  []float32     // posterior over box, sums to one; nil while nothing is known
	box   window        // outside it there is no mass that counts
	win   window        // where the tag is looked for
	last  time.Duration // event time of the posterior
	level level         // survives a restart of the posterior, not a Reset
	trust float32       // the power of mass that is believed, (0, 1]: see doubt
	pace  track.Pace

	offsets *Offsets // nil for none; survives a Reset
	lessons []Lesson // of the last Update
}

// Reset implements [Track].
func (f *filter) Reset() { *f = filter{loc: f.loc, offsets: f.offsets} }

// Update implements [Track]. It is one step of a Bayes filter: predict by the
// motion, weigh by the readings, describe what has become of the belief.
func (f *filter) Update(at time.Duration, samples []Sample) (Estimate, bool) {
	s := f.loc.borrow()
	defer f.loc.giveBack(s)
	readings := s.heard.condense(&f.loc.cfg, samples)
	if len(readings) == 0 {
		f.lessons = f.lessons[:0]
		return Estimate{}, false
	}
	f.correct(readings)
	dt := f.predict(at, readings, s)
	f.weigh(readings, s)
	est, ok := f.describe(readings, s)
	if !ok {
		// Rounding left no mass anywhere, which the bounds on Config exclude for
		// sane readings. A fresh start with the next fix beats a wrong belief.
		f.Reset()
		return Estimate{}, false
	}
	f.teach(&est, readings, s)
	f.pace.Observe(f.loc.cfg.Motion, est.Pos, dt)
	est.Travel = f.pace.Travel(f.loc.cfg.Motion)
	return est, true
}

// predict moves the belief to the time of the fix, leaves it in s.prior and
// returns how much time that is. After a long gap the position is as good as
// unknown, but the tag is still the same tag: its level stays.
func (f *filter) predict(at time.Duration, readings []reading, s *scratch) time.Duration {
	cfg := &f.loc.cfg
	if f.mass == nil {
		f.mass = make([]float32, f.loc.cols*f.loc.rows)
		f.lessons = make([]Lesson, 0, min(f.loc.cfg.MaxReceivers, len(f.loc.fine.gain)))
		f.level = newLevel(cfg.Level)
		f.restart(at, readings, s)
		return 0
	}
	dt := max(at-f.last, 0)
	f.level.predict(cfg.Level, dt)
	if dt > cfg.MaxGap {
		f.pace = track.Pace{}
		f.restart(at, readings, s)
		return 0
	}
	f.last = max(at, f.last)
	f.follow(readings)
	f.wander(dt, s)
	return dt
}

// wander moves the belief on with the tag and spreads it by what is not known of
// where the tag went. It works on as much of the window as the mass can reach.
func (f *filter) wander(dt time.Duration, s *scratch) {
	motion, cell := f.loc.cfg.Motion, f.loc.grid.cell
	on := f.pace.Drift(motion, dt)
	x, y := on.X/cell.X, on.Y/cell.Y
	spread := f.pace.Spread(motion, dt)
	kx, ky := track.NewKernel(spread/cell.X), track.NewKernel(spread/cell.Y)
	s.near = f.box.grown(kx.Reach()+int(math.Abs(x))+1, ky.Reach()+int(math.Abs(y))+1).within(f.win)
	prior := s.prior[:s.near.cells()]
	if len(prior) == 0 {
		return // the window has left the mass behind
	}
	transfer(prior, s.near, f.mass, f.box)
	field := track.Field{Cols: s.near.cols, Rows: s.near.rows, Mass: prior}
	track.Shift(field, x, y, s.blur)
	track.Diffuse(field, &kx, &ky, s.blur)
}

// restart spreads the mass evenly over the window around where the tag is loud.
// On a plan that fits one window that is the whole plan, and no place is
// preferred to another.
func (f *filter) restart(at time.Duration, readings []reading, s *scratch) {
	f.last = at
	f.win = f.loc.grid.around(f.loc.loudestPlace(readings), f.loc.cols, f.loc.rows)
	s.near = f.win
	fill(s.prior[:f.win.cells()], 1/float32(f.win.cells()))
}

// loudestPlace returns the mean of the receivers' places weighted by amplitude.
// It only has to be right within a quarter of a window. Where that is a place that no
// tag can be, such as the courtyard between them, it is that of the loudest: a window
// without an open cell would tell nothing.
func (l *locator) loudestPlace(readings []reading) r2.Point {
	var sum r2.Point
	total := 0.0
	for _, r := range readings {
		w := math.Pow(10, float64(r.rssi-readings[0].rssi)/20)
		sum = sum.Add(l.at[r.receiver].Mul(w))
		total += w
	}
	p := sum.Mul(1 / total)
	if l.leave(p) != p {
		return l.leave(l.at[readings[0].receiver])
	}
	return p
}

// follow moves the window of a large plan when the tag has left its middle
// half. The slack keeps it from sliding with every fix, and
// still leaves a quarter of the window, some 8 m by default, between where the
// tag is loud and the window's border.
//
// It goes by the readings and not by the estimate, because an estimate cannot
// leave the window that confines it. Mass that the window leaves behind is lost,
// and the floor fills what is new.
func (f *filter) follow(readings []reading) {
	g := &f.loc.grid
	if f.win.cols == g.cols && f.win.rows == g.rows {
		return
	}
	to := g.around(f.loc.loudestPlace(readings), f.win.cols, f.win.rows)
	if 4*abs(to.col-f.win.col) > f.win.cols || 4*abs(to.row-f.win.row) > f.win.rows {
		f.win = to
	}
}

func abs(i int) int { return max(i, -i) }
