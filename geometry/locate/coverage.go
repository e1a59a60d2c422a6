package locate

import (
	"errors"
	"fmt"
	"math"

	"github.com/golang/geo/r2"
	"github.com/golang/geo/r3"

	"mybeacon/geometry/ranging"
)

// Coverage foretells how well an unknown tag will be heard and placed over a plan.
// Its cells stand row by row from the lower left corner.
type Coverage struct {
	Min       r2.Point // the lower left corner, metres
	CellM     float64
	Columns   int
	Rows      int
	Heard     []int     // how many receivers would hear the tag
	AccuracyM []float64 // the radius that holds 68 % of the estimates
}

// A tag of the usual power is taken for heard where this much of it arrives.
// Receivers hear fainter ones, but only now and then. Where no survey tells what walls
// take, they take marginDB.
const (
	heardDBm = -90
	marginDB = 10
)

// MaxCoverage bounds the cells of a [Coverage].
const MaxCoverage = 20_000

// Cover foretells the coverage of the site by the same model that places tags there.
// Cells are cellM on a side, or larger where [MaxCoverage] would be exceeded; 0 is as
// fine as that allows, from half a metre on. A site may have no receivers: then nothing
// is heard.
//
// The accuracy is that of the best unbiased estimate (the Cramér-Rao bound) from one
// second's readings with the locator's noise, for a tag of unknown power that is
// somewhere on the plan; what filters gain over time and lose to walls is not in it.
func Cover(site Site, cfg Config, cellM float64) (*Coverage, error) {
	if len(site.Receivers) == 0 {
		bare := site
		bare.Receivers = []r3.Vector{{}}
		if err := errors.Join(bare.Validate(), cfg.Validate()); err != nil {
			return nil, err
		}
	} else if err := errors.Join(site.Validate(), cfg.Validate()); err != nil {
		return nil, err
	}
	if cellM != 0 && !(cellM >= 0.1 && cellM <= 1000) {
		return nil, fmt.Errorf("locate: cells of %g m; they may be 0.1 to 1000 m", cellM)
	}
	c := newCoverage(site, cellM)
	if len(site.Receivers) == 0 {
		for i := range c.AccuracyM {
			c.AccuracyM[i] = unknownWithin(site.Bounds)
		}
		return c, nil
	}
	g := newGrid(site, cfg)
	m := newRadioMap(site, &cfg, &g)
	cfg.Noise.ScaleDB *= m.scale
	cfg.WeakDB *= m.scale
	f := foreteller{site: site, cfg: &cfg, radio: m, least: heardDBm + marginDB*m.left}
	for i := range c.Heard {
		c.Heard[i], c.AccuracyM[i] = f.at(c.centre(i))
	}
	return c, nil
}

func newCoverage(site Site, cellM float64) *Coverage {
	size := site.Bounds.Size()
	least := math.Sqrt(size.X * size.Y / MaxCoverage)
	cellM = math.Max(math.Max(cellM, least), 0.5)
	// A corridor has more cells than its area says.
	var cols, rows int
	for {
		cols, rows = int(math.Ceil(size.X/cellM)), int(math.Ceil(size.Y/cellM))
		if cols*rows <= MaxCoverage {
			break
		}
		cellM *= 1.05
	}
	return &Coverage{
		Min: site.Bounds.Lo(), CellM: cellM, Columns: cols, Rows: rows,
		Heard: make([]int, cols*rows), AccuracyM: make([]float64, cols*rows),
	}
}

func (c *Coverage) centre(i int) r2.Point {
	return c.Min.Add(r2.Point{X: (float64(i%c.Columns) + 0.5) * c.CellM, Y: (float64(i/c.Columns) + 0.5) * c.CellM})
}

// foreteller looks at one place after another.
type foreteller struct {
	site  Site
	cfg   *Config
	radio *radioMap
	least float64 // dBm
	heard []echo
}

// echo is what one receiver would hear.
type echo struct {
	dbm      float64
	gradient r2.Point // of it over the plan, dB per metre
}

func (f *foreteller) at(p r2.Point) (heard int, accuracy float64) {
	f.heard = f.heard[:0]
	loudest := math.Inf(-1)
	for r := range f.site.Receivers {
		if e := f.echo(r, p); e.dbm >= f.least {
			f.heard = append(f.heard, e)
			loudest = math.Max(loudest, e.dbm)
		}
	}
	return len(f.heard), f.accuracy(loudest)
}

// farM is beyond what any receiver hears.
const farM = 200

func (f *foreteller) echo(receiver int, p r2.Point) echo {
	r := f.site.Receivers[receiver]
	d := p.Sub(r2.Point{X: r.X, Y: r.Y})
	if math.Abs(d.X) > farM || math.Abs(d.Y) > farM {
		return echo{dbm: math.Inf(-1)}
	}
	h := f.site.TagHeightM - r.Z
	distance := math.Max(math.Sqrt(d.X*d.X+d.Y*d.Y+h*h), ranging.MinDistanceM)
	slope := -10 * f.radio.exponent / math.Ln10 / (distance * distance)
	return echo{
		dbm:      f.cfg.Level.MeanDBm + f.radio.gain(receiver, p, ranging.LossDB(distance, 1)),
		gradient: d.Mul(slope),
	}
}

// accuracy returns the radius from the information that the readings hold about place
// and level together, and from the plan's bounds and the usual levels as knowledge
// beforehand.
func (f *foreteller) accuracy(loudest float64) float64 {
	size := f.site.Bounds.Size()
	// Information about x and y, their product, and each with the level.
	xx, yy, xy := 12/(size.X*size.X), 12/(size.Y*size.Y), 0.0
	xl, yl, ll := 0.0, 0.0, 1/(f.cfg.Level.SpreadDB*f.cfg.Level.SpreadDB)
	nu := f.cfg.Noise.Freedom
	for _, e := range f.heard {
		weak := f.cfg.WeakDB * (loudest - e.dbm)
		// Fisher's information of a Student-t about its middle.
		w := f.cfg.Tempering * (nu + 1) / (nu + 3) / (f.cfg.Noise.ScaleDB*f.cfg.Noise.ScaleDB + weak*weak)
		g := e.gradient
		xx, yy, xy = xx+w*g.X*g.X, yy+w*g.Y*g.Y, xy+w*g.X*g.Y
		xl, yl, ll = xl+w*g.X, yl+w*g.Y, ll+w
	}
	xx, yy, xy = xx-xl*xl/ll, yy-yl*yl/ll, xy-xl*yl/ll
	return math.Min(radius(xx, yy, xy), unknownWithin(f.site.Bounds))
}

// radius68 is how much wider than the root mean square a circle with 68 % of a
// Gaussian is: between 1.00 for one that is a line and 1.07 for a round one.
const radius68 = 1.05

// radius returns the radius of 68 % for an inverse covariance.
func radius(xx, yy, xy float64) float64 {
	return radius68 * math.Sqrt((xx+yy)/(xx*yy-xy*xy))
}

// unknownWithin is the radius for a tag of which only its plan is known.
func unknownWithin(b r2.Rect) float64 {
	size := b.Size()
	return radius(12/(size.X*size.X), 12/(size.Y*size.Y), 0)
}
