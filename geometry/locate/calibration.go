package locate

import (
	"fmt"
	"math"

	"github.com/golang/geo/r2"
)

// Calibration is what the unlabelled traffic of a plan teaches about its
// receivers: by how many dB each hears louder or fainter than its siblings. It
// belongs to one goroutine at a time.
//
//	calibration := locator.NewCalibration()
//	err = calibration.Restore(saved)               // optional, after a restart
//	lessons = track.Lessons(lessons)               // after an Update, of any tag of the plan
//	calibration.Learn(lessons)
//	track.Calibrate(calibration.Offsets())         // before an Update, of any tag of the plan
//	saved = calibration.Snapshot()                 // now and then
//
// What a track uses and what the calibration knows are apart on purpose: whoever
// wants equal input to give equal fixes, whatever the order in which tags get to
// run, decides which lessons count by then, and sorts them.
//
// # Method
//
// A fix with enough receivers and a fair accuracy says what each receiver near
// the tag should have heard; what it heard beyond that is kept as a mean per
// receiver and part of the plan. A receiver's offset is the mean over the parts
// in which it was heard, drawn towards zero as if it had been right in six more
// parts, and in one for each spot of a survey: the survey's map has found out
// already. Parts count and not fixes, because a shadow that falls on one place
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
	cols, rows int       // parts of the plan
	parts      []tally   // per receiver and part
	sums       []float64 // per receiver: its offset before the mean is taken off
	known      []bool    // per receiver: it was heard
	surveyed   []float64 // per receiver: spots that a survey has; shared with the locator
	offsets    *Offsets  // the last ones given out
	stale      bool      // something was learned since
}

// tally is a weighted mean in the making.
type tally struct{ weight, mean float64 }

// The parts of a plan: as large as shadows are, and so many that offsets of a
// hall are learned from all of it.
const (
	partM    = 3
	maxParts = 8 // along each axis
)

// How lessons are weighed against each other.
const (
	partShrink = 6   // parts that are held to have been right before anything was heard
	partWorth  = 2   // readings that make a part count by half
	partMemory = 200 // readings over which a part's mean is taken at most
	mostOffDB  = 15  // a receiver that is off by more is not calibrated but broken
)

// partsOf returns into how many parts a plan is divided.
func partsOf(bounds r2.Rect) (cols, rows int) {
	size := bounds.Size()
	return count(size.X, partM, maxParts), count(size.Y, partM, maxParts)
}

// NewCalibration implements [Locator].
func (l *locator) NewCalibration() *Calibration {
	c := &Calibration{bounds: l.grid.bounds, offsets: newOffsets(l), surveyed: l.surveyed}
	c.cols, c.rows = partsOf(c.bounds)
	c.sums = make([]float64, len(l.fine.gain))
	c.known = make([]bool, len(l.fine.gain))
	c.parts = make([]tally, len(l.fine.gain)*c.cols*c.rows)
	return c
}

// Learn takes in what fixes of the plan's tags teach. Equal lessons in equal
// order teach exactly the same. Lessons that cannot be of this site are ignored,
// but not all of another site's can be told.
func (c *Calibration) Learn(lessons []Lesson) {
	n := int32(c.cols * c.rows)
	for _, l := range lessons {
		if l.Receiver < 0 || int(l.Receiver) >= len(c.known) || l.Part < 0 || l.Part >= n || !l.sane() {
			continue
		}
		c.learn(int(l.Receiver), int(l.Part), float64(l.Weight), float64(l.ExcessDB))
	}
}

// learn adds what a receiver heard too much, in dB, and renews its offset.
func (c *Calibration) learn(receiver, part int, weight, excess float64) {
	parts := c.partsOf(receiver)
	t := &parts[part]
	t.weight = math.Min(t.weight+weight, partMemory)
	t.mean += (excess - t.mean) * math.Min(weight/t.weight, 1)
	c.renew(receiver)
}

func (c *Calibration) partsOf(receiver int) []tally {
	n := c.cols * c.rows
	return c.parts[receiver*n : (receiver+1)*n]
}

// renew computes the offset of a receiver from its parts.
func (c *Calibration) renew(receiver int) {
	sum, weight := 0.0, 0.0
	for _, t := range c.partsOf(receiver) {
		w := t.weight / (t.weight + partWorth)
		sum += w * t.mean
		weight += w
	}
	c.known[receiver] = weight > 0
	c.sums[receiver] = sum / (weight + partShrink + c.surveyed[receiver])
	c.stale = true
}

// Offsets returns what has been learned so far. It is the same as before, to the
// pointer, until some receiver's offset has changed by a fair part of a quarter
// of a decibel: less changes no fix that one could tell, and every change is
// stored for good.
func (c *Calibration) Offsets() *Offsets {
	if !c.stale {
		return c.offsets
	}
	c.stale = false
	total, n := 0.0, 0.0
	for r, known := range c.known {
		if known {
			total += c.sums[r]
			n++
		}
	}
	next := Offsets{bounds: c.bounds, db: make([]float32, len(c.known))}
	for r, known := range c.known {
		if known {
			next.db[r] = quantise(c.offsets.db[r], c.sums[r]-total/n)
		}
	}
	if !next.Equal(c.offsets) {
		c.offsets = &next
	}
	return c.offsets
}

// The steps in which offsets are given out, and how far what was learned may be
// from the step given out before another is.
const (
	stepDB   = 0.25
	stickyDB = 0.75 * stepDB
)

func quantise(before float32, learned float64) float32 {
	learned = math.Max(-mostOffDB, math.Min(learned, mostOffDB))
	if math.Abs(learned-float64(before)) <= stickyDB {
		return before
	}
	return float32(math.Round(learned/stepDB) * stepDB)
}

// CalibrationSnapshot is a [Calibration] to be stored, as JSON or otherwise. Its
// receivers are in the site's order; whoever restores it into a site whose
// receivers have changed re-orders them, and leaves empty what is new or moved.
type CalibrationSnapshot struct {
	Cols      int            `json:"cols"`
	Rows      int            `json:"rows"`
	Receivers [][][2]float64 `json:"receivers"` // per receiver and part: weight, mean in dB
	Offsets   []float64      `json:"offsets"`   // per receiver: dB, as last given out
}

// Snapshot returns all that was learned. Receivers that learned nothing are empty.
func (c *Calibration) Snapshot() CalibrationSnapshot {
	s := CalibrationSnapshot{Cols: c.cols, Rows: c.rows, Receivers: make([][][2]float64, len(c.known)), Offsets: make([]float64, len(c.known))}
	for r := range s.Receivers {
		s.Offsets[r] = c.offsets.DB(r)
		if !c.known[r] {
			continue
		}
		for _, t := range c.partsOf(r) {
			s.Receivers[r] = append(s.Receivers[r], [2]float64{t.weight, t.mean})
		}
	}
	return s
}

// Restore replaces all that was learned, or reports why the snapshot is not of
// such a site and changes nothing. A calibration that was restored goes on exactly
// as the one that the snapshot is of.
func (c *Calibration) Restore(s CalibrationSnapshot) error {
	if err := c.check(s); err != nil {
		return err
	}
	clear(c.parts)
	for r, parts := range s.Receivers {
		for i, t := range parts {
			c.partsOf(r)[i] = tally{t[0], t[1]}
		}
		c.renew(r)
	}
	c.offsets = &Offsets{bounds: c.bounds, db: make([]float32, len(c.known))}
	for r, db := range s.Offsets {
		c.offsets.db[r] = float32(db)
	}
	return nil
}

// maxExcessDB bounds what a receiver can possibly hear too much.
const maxExcessDB = 200

func (c *Calibration) check(s CalibrationSnapshot) error {
	n := c.cols * c.rows
	if s.Cols != c.cols || s.Rows != c.rows || len(s.Receivers) != len(c.known) {
		return fmt.Errorf("locate: a calibration of %d by %d parts and %d receivers does not fit %d by %d and %d",
			s.Cols, s.Rows, len(s.Receivers), c.cols, c.rows, len(c.known))
	}
	if len(s.Offsets) != 0 && len(s.Offsets) != len(c.known) {
		return fmt.Errorf("locate: a calibration has %d offsets of %d", len(s.Offsets), len(c.known))
	}
	for r, parts := range s.Receivers {
		if len(parts) != 0 && len(parts) != n {
			return fmt.Errorf("locate: receiver %d has %d parts of %d", r, len(parts), n)
		}
		for _, t := range parts {
			if !(t[0] >= 0 && t[0] <= partMemory) || !(math.Abs(t[1]) <= maxExcessDB) {
				return fmt.Errorf("locate: receiver %d has learned %g dB by %g readings", r, t[1], t[0])
			}
		}
	}
	return checkOffsets(s.Offsets)
}
