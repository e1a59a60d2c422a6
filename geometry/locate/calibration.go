package locate

import (
	"fmt"
	"math"
	"sync"
	"sync/atomic"

	"github.com/golang/geo/r2"
)

// Calibration is what the unlabelled traffic of a plan teaches about its
// receivers: by how many dB each hears louder or fainter than its siblings. It
// is shared by the tags of a plan and safe for concurrent use.
//
//	locator, err := locate.New(site, cfg)
//	calibration := locator.NewCalibration()
//	err = calibration.Restore(saved)               // optional, after a restart
//	tags := locator.Calibrated(calibration)        // use this for NewTrack
//	saved = calibration.Snapshot()                 // now and then
//
// # Method
//
// A fix with enough receivers and a fair accuracy says what each receiver near
// the tag should have heard; what it heard beyond that is kept as a mean per
// receiver and part of the plan. A receiver's offset is the mean over the parts
// in which it was heard, drawn towards zero as if it had been right in four more
// parts. Parts count and not fixes, because a shadow that falls on one place
// falls on it all day: a tag that lies on a shelf for a week teaches as much as
// one that passes by twice.
//
// Only receivers that hear almost as loudly as the loudest learn. A far one is
// heard when it hears well and silent when not, and would seem to be sensitive.
//
// Only differences between receivers are learned; what they have in common is
// the tag's level, and absolute levels per receiver diverge.
type Calibration struct {
	bounds     r2.Rect
	cols, rows int             // parts of the plan
	offset     []atomic.Uint32 // per receiver: bits of a float32, dB; 0 while nothing is known
	mean       atomic.Uint32   // of those that are not 0

	mu    sync.Mutex
	parts []tally   // per receiver and part; guarded by mu
	sums  []float64 // per receiver: its offset before the mean is taken off; guarded by mu
	total float64   // of sums; guarded by mu
	known int       // receivers that have one; guarded by mu
}

// tally is a weighted mean in the making.
type tally struct{ weight, mean float64 }

// The parts of a plan: as large as shadows are, and so many that offsets of a
// hall are learned from all of it.
const (
	partM    = 3
	maxParts = 8 // along each axis
)

// The strength of a fix's lesson.
const (
	partShrink  = 4   // parts that are held to have been right before anything was heard
	partWorth   = 5   // readings that make a part count by half
	partMemory  = 200 // readings over which a part's mean is taken at most
	teachNearDB = 15  // below the loudest, readings teach nothing
	teachLeast  = 4   // receivers in a fix, below which it teaches nothing
	teachWithin = 4   // accuracy in metres, above which it teaches nothing
)

// NewCalibration implements [Locator].
func (l *locator) NewCalibration() *Calibration {
	size := l.grid.bounds.Size()
	c := &Calibration{bounds: l.grid.bounds, cols: count(size.X, partM, maxParts), rows: count(size.Y, partM, maxParts)}
	c.offset = make([]atomic.Uint32, len(l.gain))
	c.sums = make([]float64, len(l.gain))
	c.parts = make([]tally, len(l.gain)*c.cols*c.rows)
	return c
}

// Calibrated implements [Locator].
func (l *locator) Calibrated(c *Calibration) Locator {
	if c != nil && (len(c.offset) != len(l.gain) || c.bounds != l.grid.bounds) {
		panic("BUG: locate: a calibration of another site")
	}
	with := *l
	with.calibration = c
	return &with
}

// Offset returns how many dB the receiver hears more than its siblings, 0 while
// that is not known.
func (c *Calibration) Offset(receiver int) float64 { return float64(c.load(receiver)) }

func (c *Calibration) load(receiver int) float32 {
	bits := c.offset[receiver].Load()
	if bits == 0 {
		return 0
	}
	return math.Float32frombits(bits) - math.Float32frombits(c.mean.Load())
}

// correct takes the receivers' offsets off what they heard.
func (f *filter) correct(readings []reading) {
	c := f.loc.calibration
	if c == nil {
		return
	}
	for i := range readings {
		readings[i].rssi -= c.load(readings[i].receiver)
	}
}

// teach hands the calibration what the fix leaves unexplained.
func (f *filter) teach(est *Estimate, readings []reading, s *scratch) {
	c := f.loc.calibration
	if c == nil || len(readings) < teachLeast || est.AccuracyM > teachWithin {
		return
	}
	g := &f.loc.grid
	cell := g.cellAt(est.Pos)
	col, row := cell%g.cols-f.win.col, cell/g.cols-f.win.row
	if col < 0 || col >= f.win.cols || row < 0 || row >= f.win.rows {
		return // an estimate that had to leave a no-go area may be outside the window
	}
	level := s.level[row*f.win.cols+col]
	part := c.part(est.Pos)
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range readings {
		r := &readings[i]
		if readings[0].rssi-r.rssi > teachNearDB {
			continue
		}
		e := r.rssi - f.loc.gain[r.receiver][cell] - level
		// Of a reading that is far off little is believed, as in weigh.
		w := r.weight / (readings[0].weight * (1 + r.tail*e*e))
		c.learn(r.receiver, part, float64(w), float64(e+c.load(r.receiver)))
	}
}

func (c *Calibration) part(p r2.Point) int {
	at, size := p.Sub(c.bounds.Lo()), c.bounds.Size()
	col := min(int(at.X/size.X*float64(c.cols)), c.cols-1)
	row := min(int(at.Y/size.Y*float64(c.rows)), c.rows-1)
	return row*c.cols + col
}

// learn adds what a receiver heard too much, in dB, and renews its offset.
func (c *Calibration) learn(receiver, part int, weight, excess float64) {
	n := c.cols * c.rows
	parts := c.parts[receiver*n : (receiver+1)*n]
	t := &parts[part]
	t.weight = math.Min(t.weight+weight, partMemory)
	t.mean += (excess - t.mean) * math.Min(weight/t.weight, 1)
	c.renew(receiver, parts)
}

// renew computes the offset of a receiver from its parts and publishes it.
func (c *Calibration) renew(receiver int, parts []tally) {
	sum, weight := 0.0, 0.0
	for _, t := range parts {
		w := t.weight / (t.weight + partWorth)
		sum += w * t.mean
		weight += w
	}
	if weight == 0 {
		return
	}
	if c.offset[receiver].Load() == 0 {
		c.known++
	}
	offset := sum / (weight + partShrink)
	c.total += offset - c.sums[receiver]
	c.sums[receiver] = offset
	published := float32(offset)
	if published == 0 {
		published = math.SmallestNonzeroFloat32 // 0 is kept for "not known"
	}
	c.offset[receiver].Store(math.Float32bits(published))
	c.mean.Store(math.Float32bits(float32(c.total / float64(c.known))))
}

// CalibrationSnapshot is a [Calibration] to be stored, as JSON or otherwise. Its
// receivers are in the site's order; whoever restores it into a site whose
// receivers have changed re-orders them, and leaves empty what is new or moved.
type CalibrationSnapshot struct {
	Cols      int            `json:"cols"`
	Rows      int            `json:"rows"`
	Receivers [][][2]float64 `json:"receivers"` // per receiver and part: weight, mean in dB
}

// Snapshot returns all that was learned. Receivers that learned nothing are empty.
func (c *Calibration) Snapshot() CalibrationSnapshot {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := CalibrationSnapshot{Cols: c.cols, Rows: c.rows, Receivers: make([][][2]float64, len(c.offset))}
	n := c.cols * c.rows
	for r := range s.Receivers {
		if c.offset[r].Load() == 0 {
			continue
		}
		for _, t := range c.parts[r*n : (r+1)*n] {
			s.Receivers[r] = append(s.Receivers[r], [2]float64{t.weight, t.mean})
		}
	}
	return s
}

// Restore replaces all that was learned, or reports why the snapshot is not of
// such a site and changes nothing.
func (c *Calibration) Restore(s CalibrationSnapshot) error {
	n := c.cols * c.rows
	if s.Cols != c.cols || s.Rows != c.rows || len(s.Receivers) != len(c.offset) {
		return fmt.Errorf("locate: a calibration of %d by %d parts and %d receivers does not fit %d by %d and %d",
			s.Cols, s.Rows, len(s.Receivers), c.cols, c.rows, len(c.offset))
	}
	for r, parts := range s.Receivers {
		if len(parts) != 0 && len(parts) != n {
			return fmt.Errorf("locate: receiver %d has %d parts of %d", r, len(parts), n)
		}
		for _, t := range parts {
			if !(t[0] >= 0 && t[0] <= partMemory) || !(math.Abs(t[1]) <= 200) {
				return fmt.Errorf("locate: receiver %d has learned %g dB by %g readings", r, t[1], t[0])
			}
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.total, c.known = 0, 0
	clear(c.parts)
	clear(c.sums)
	for r, parts := range s.Receivers {
		c.offset[r].Store(0)
		for i, t := range parts {
			c.parts[r*n+i] = tally{t[0], t[1]}
		}
		c.renew(r, c.parts[r*n:(r+1)*n])
	}
	return nil
}
