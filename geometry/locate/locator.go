package locate

import (
	"math"
	"runtime"
	"time"

	"github.com/golang/geo/r2"

	"mybeacon/geometry/fence"
	"mybeacon/geometry/ranging"
)

// Sample is one reading of a tag by one receiver.
type Sample struct {
	Receiver int           // index into Site.Receivers
	RSSIdBm  float64       // −127…20; others are ignored
	Age      time.Duration // before the end of the second being fixed; a negative age counts as zero
}

// Estimate is where a tag was at the end of one second.
type Estimate struct {
	Pos         r2.Point // metres on the plan, always within its bounds and in no no-go area
	AccuracyM   float64  // radius around Pos that holds 68 % of the posterior
	Accuracy95M float64  // the same for 95 %
	Receivers   int      // that took part
	Residual    float64  // root mean square of what Pos leaves unexplained, dB
	LevelDBm    float64  // learned power of the tag at one metre
	Travel      float64  // how surely the tag is on its way: 0 at rest, 1 when it walks or nothing is known
}

// Locator knows a plan. It is immutable, shared by all tags of the plan and
// safe for concurrent use.
type Locator interface {
	// NewTrack returns the state of a tag of which nothing is known. It is small
	// until its first Update.
	NewTrack() Track
	// NewCalibration returns what is to be learned of the site's receivers, blank.
	NewCalibration() *Calibration
	// Offsets makes offsets of what was learned earlier, in dB, one per receiver
	// of the site, or says what is wrong with them.
	Offsets(dB []float64) (*Offsets, error)
	// Zones lays zones over the plan for [Track.Zones], or names the first zone
	// that is not a region (see [fence.Validate]; the cause is wrapped). It takes
	// some microseconds per cell.
	Zones(zones []fence.Zone) (*Zones, error)
}

// Track estimates the positions of one tag. It belongs to one goroutine at a
// time.
type Track interface {
	// Update returns where the tag was at event time at, given what was heard up
	// to then. at counts from any fixed origin; an at that is not later than the
	// previous one counts as no time having passed. It returns false when no
	// sample is usable: then nothing can be said, and the track is as before.
	// samples is not retained.
	Update(at time.Duration, samples []Sample) (Estimate, bool)
	// Zones returns how probable it is after the last Update that the tag is in
	// each zone, in the order of the zones, and last outside them all. It writes
	// to into, which it grows if need be, and returns it; nil while nothing is
	// known, or when z is of a plan with another site.
	Zones(z *Zones, into []fence.Share) []fence.Share
	// Lessons appends to into what the last Update teaches about the receivers,
	// which is often nothing, and returns it.
	Lessons(into []Lesson) []Lesson
	// Calibrate lets the next Updates take o off what the receivers hear; nil is
	// no offsets. Offsets of another site panic.
	Calibrate(o *Offsets)
	// Reset forgets everything about the tag and frees the memory of the posterior.
	// Offsets, which are the plan's, stay.
	Reset()
}

// New returns a locator of the site, or an error that names what is wrong with
// the site or the configuration. It computes the tables: some 10 ns per cell
// and receiver.
func New(site Site, cfg Config) (Locator, error) {
	if err := site.Validate(); err != nil {
		return nil, err
	}
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	l := &locator{cfg: cfg, grid: newGrid(site, cfg), pool: make(chan *scratch, runtime.GOMAXPROCS(0))}
	var err error
	if l.closed, err = newClosed(&l.grid, site.NoGo); err != nil {
		return nil, err
	}
	l.cols, l.rows = l.grid.windowSize(cfg.MaxCells)
	l.tables(site)
	return l, nil
}

// locator is [Locator]. Nothing in it changes after New but the free list.
type locator struct {
	cfg        Config
	grid       grid
	cols, rows int        // size of every track's window
	fine       chart      // of the grid's cells
	coarse     chart      // of blocks of them
	at         []r2.Point // per receiver: its place, moved into the bounds
	surveyed   []float64  // per receiver: spots of the survey
	neighbours [][]int32  // per receiver: the nearest others
	closed     *closed    // nil for a plan without no-go areas
	pool       chan *scratch
}

// tables computes the expected power of every receiver in every cell, for a tag
// of 0 dBm at one metre. Heights differ by the same for all cells, so distances
// are three-dimensional at no extra cost per fix. A cell stands for its centre:
// within one metre of a receiver the field varies by more than that, which is
// why [ranging.MinDistanceM] and the heavy tails are needed.
func (l *locator) tables(site Site) {
	m := newRadioMap(site, &l.cfg, &l.grid)
	l.cfg.Noise.ScaleDB *= m.scale
	l.cfg.WeakDB *= m.scale
	l.cfg.Systematic *= m.left // walls that are on the map are not wrong again
	l.fine = chart{cols: l.grid.cols, gain: make([][]float32, len(site.Receivers))}
	l.at = make([]r2.Point, len(site.Receivers))
	l.surveyed = make([]float64, len(site.Receivers))
	l.neighbours = neighboursOf(site)
	for i, spots := range m.spots {
		l.surveyed[i] = float64(len(spots))
	}
	for i, r := range site.Receivers {
		l.at[i] = l.grid.bounds.ClampPoint(r2.Point{X: r.X, Y: r.Y})
		gain := make([]float32, 0, l.grid.cols*l.grid.rows)
		for row := range l.grid.rows {
			for col := range l.grid.cols {
				c := l.grid.centre(col, row)
				d := math.Hypot(math.Hypot(c.X-r.X, c.Y-r.Y), site.TagHeightM-r.Z)
				gain = append(gain, float32(m.gain(i, c, ranging.LossDB(d, 1))))
			}
		}
		l.fine.gain[i] = gain
	}
	l.coarse = l.fine.coarser(l.grid.rows)
	if l.closed != nil {
		l.fine.open = l.closed.open
		l.coarse.open = l.closed.blocks(&l.grid)
	}
}

// NewTrack implements [Locator].
func (l *locator) NewTrack() Track { return &filter{loc: l} }

// scratch is the working memory of one Update. A locator keeps as many as may
// run at once: a track that rests holds none. A channel and not a sync.Pool,
// because the collector empties a pool and the allocation ceiling is a promise.
type scratch struct {
	heard           heard
	silent          []reading
	level, num, den []float32
	odds, blur      []float32
	prior           []float32 // the belief before the readings, over near
	near            window
	single          float64 // variance of what this fix alone says, m²; 0 when odds tell
}

func (l *locator) borrow() *scratch {
	select {
	case s := <-l.pool:
		return s
	default:
	}
	n := l.cols * l.rows
	buf := make([]float32, 6*n)
	cut := func(i int) []float32 { return buf[i*n : (i+1)*n : (i+1)*n] }
	return &scratch{
		heard: newHeard(len(l.fine.gain), l.cfg.MaxReceivers), silent: make([]reading, 0, neighbours),
		level: cut(0), num: cut(1), den: cut(2), odds: cut(3), blur: cut(4), prior: cut(5),
	}
}

func (l *locator) giveBack(s *scratch) {
	select {
	case l.pool <- s:
	default:
	}
}
