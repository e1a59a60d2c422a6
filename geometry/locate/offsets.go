package locate

import (
	"fmt"
	"math"
	"slices"

	"github.com/golang/geo/r2"
)

// Offsets are by how many dB each receiver of a site hears louder than its
// siblings. They are immutable and safe for concurrent use.
type Offsets struct {
	bounds r2.Rect
	db     []float32
}

func newOffsets(l *locator) *Offsets {
	return &Offsets{bounds: l.grid.bounds, db: make([]float32, len(l.fine.gain))}
}

// Offsets implements [Locator].
func (l *locator) Offsets(dB []float64) (*Offsets, error) {
	if len(dB) != len(l.fine.gain) {
		return nil, fmt.Errorf("locate: %d offsets for %d receivers", len(dB), len(l.fine.gain))
	}
	if err := checkOffsets(dB); err != nil {
		return nil, err
	}
	o := newOffsets(l)
	for r, v := range dB {
		o.db[r] = float32(v)
	}
	return o, nil
}

func checkOffsets(dB []float64) error {
	for r, v := range dB {
		if !(math.Abs(v) <= maxExcessDB) {
			return fmt.Errorf("locate: receiver %d has an offset of %g dB; it may be −%d to %d", r, v, maxExcessDB, maxExcessDB)
		}
	}
	return nil
}

// DB returns how many dB the receiver hears more than its siblings, 0 while that
// is not known. No offsets at all (nil) are zero.
func (o *Offsets) DB(receiver int) float64 {
	if o == nil {
		return 0
	}
	return float64(o.db[receiver])
}

// Equal reports whether both say the same of every receiver. None is not equal to
// offsets of zero, although fixes are.
func (o *Offsets) Equal(p *Offsets) bool {
	if o == nil || p == nil {
		return o == p
	}
	return o.bounds == p.bounds && slices.Equal(o.db, p.db)
}

// Calibrate implements [Track].
func (f *filter) Calibrate(o *Offsets) {
	if o != nil && (len(o.db) != len(f.loc.fine.gain) || o.bounds != f.loc.grid.bounds) {
		panic("BUG: locate: offsets of another site")
	}
	f.offsets = o
}

// correct takes the receivers' offsets off what they heard.
func (f *filter) correct(readings []reading) {
	if f.offsets == nil {
		return
	}
	for i := range readings {
		readings[i].rssi -= f.offsets.db[readings[i].receiver]
	}
}

// Lesson is what one fix teaches about one receiver, for [Calibration.Learn].
type Lesson struct {
	Receiver int32   // index into Site.Receivers
	Part     int32   // of the plan, as the calibration divides it
	Weight   float32 // 1 for a reading of which all is believed, above 0
	ExcessDB float32 // heard beyond what was expected; relative to no offset at all
}

// sane reports whether there is anything to be learned.
func (l Lesson) sane() bool {
	return l.Weight > 0 && l.Weight <= 1 && math.Abs(float64(l.ExcessDB)) <= maxExcessDB
}

// Which fixes teach.
const (
	teachNearDB = 15 // below the loudest, readings teach nothing
	teachLeast  = 4  // receivers in a fix, below which it teaches nothing
	teachWithin = 4  // accuracy in metres, above which it teaches nothing
)

// Lessons implements [Track].
func (f *filter) Lessons(into []Lesson) []Lesson { return append(into, f.lessons...) }

// teach notes what the fix leaves unexplained.
func (f *filter) teach(est *Estimate, readings []reading, s *scratch) {
	f.lessons = f.lessons[:0]
	if len(readings) < teachLeast || est.AccuracyM > teachWithin {
		return
	}
	g := &f.loc.grid
	cell := g.cellAt(est.Pos)
	col, row := cell%g.cols-f.box.col, cell/g.cols-f.box.row
	if col < 0 || col >= f.box.cols || row < 0 || row >= f.box.rows {
		return // an estimate that had to leave a no-go area may be outside the mass
	}
	level := s.level[row*f.box.cols+col]
	part := partAt(g.bounds, est.Pos)
	for i := range readings {
		r := &readings[i]
		if readings[0].rssi-r.rssi > teachNearDB {
			continue
		}
		e := r.rssi - f.loc.fine.gain[r.receiver][cell] - level
		f.lessons = append(f.lessons, Lesson{
			Receiver: int32(r.receiver), Part: part,
			// Of a reading that is far off little is believed, as in weigh.
			Weight:   min(r.weight/(readings[0].weight*(1+r.tail*e*e)), 1),
			ExcessDB: e + float32(f.offsets.DB(r.receiver)),
		})
	}
}

// partAt returns the part of the plan that p is in.
func partAt(bounds r2.Rect, p r2.Point) int32 {
	cols, rows := partsOf(bounds)
	at, size := p.Sub(bounds.Lo()), bounds.Size()
	col := min(int(at.X/size.X*float64(cols)), cols-1)
	row := min(int(at.Y/size.Y*float64(rows)), rows-1)
	return int32(row*cols + col)
}
