package locate

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/golang/geo/r2"

	"mybeacon/geometry/ranging"
)

// Labelled is one reading of a transmitter whose place was known: from a survey,
// or from a reference tag that hangs at a known point.
type Labelled struct {
	At       r2.Point // metres on the plan
	Receiver int      // index into Site.Receivers
	RSSIdBm  float64  // −127…20
	Source   int      // which transmitter; those of one source have one level
}

// MaxSurvey bounds the readings of a survey. [New] takes some 0.1 s for 4,000 points
// and 6 receivers, and some seconds for the largest survey on half a hectare.
const MaxSurvey = 1 << 20

// validate reports the first reading that cannot be one of the site's.
func (l Labelled) validate(bounds r2.Rect, receivers int) error {
	if l.Receiver < 0 || l.Receiver >= receivers {
		return fmt.Errorf("receiver %d; the site has 0 to %d", l.Receiver, receivers-1)
	}
	if !bounds.ContainsPoint(l.At) { // nor is what is not finite
		return fmt.Errorf("place %v is outside the bounds", l.At)
	}
	if !(l.RSSIdBm >= -127 && l.RSSIdBm <= 20) {
		return fmt.Errorf("%g dBm; it may be −127 to 20", l.RSSIdBm)
	}
	return nil
}

// spot is what one receiver heard of one source in one cell: readings of one spot
// share its shadows, so a thousand of them tell no more than a few.
type spot struct {
	receiver, source int
	at               r2.Point // mean of the readings' places
	rssi             float64  // mean, dBm
	loss             float64  // log10 of the distance in metres, times ten
	weight           float64  // how much the spot counts, below 1
	left             float64  // what the model does not explain, dB
}

// radioMap is what is known of a site's radio: expected power relative to one
// metre is offset − exponent·10·log10(distance) + what the survey left over.
type radioMap struct {
	exponent float64
	known    []float64 // per receiver: its offset as it is known beforehand, dB
	offset   []float64 // per receiver, dB; beyond what is known its mean is zero
	spots    [][]spot  // per receiver, from left to right
	reach    float64   // kernel width of the map of what is left, metres
	scale    float64   // of the readings' noise around the map, relative to Config.Noise
	left     float64   // share of the shadows' variance that the map does not know
}

// What is believed before any survey: the readings of one spot are off by some
// 5.5 dB for good, receivers differ by 2 dB, exponents by 0.5. Were receivers held to
// differ by more, the first surveyed point would tear at them.
const (
	spotVariance     = 30.0
	offsetVariance   = 2 * 2
	exponentVariance = 0.5 * 0.5
)

// newRadioMap learns from a survey of any size; from none it is the bare model.
func newRadioMap(site Site, cfg *Config, g *grid) *radioMap {
	m := &radioMap{exponent: cfg.Exponent, known: make([]float64, len(site.Receivers)), scale: 1, left: 1}
	for r := range m.known {
		m.known[r] = site.gain(r)
	}
	m.offset = slices.Clone(m.known)
	spots := gather(site, g)
	if len(spots) == 0 {
		return m
	}
	m.fit(cfg, spots)
	m.spots = make([][]spot, len(site.Receivers))
	for _, s := range spots {
		m.spots[s.receiver] = append(m.spots[s.receiver], s)
	}
	for _, spots := range m.spots {
		slices.SortStableFunc(spots, func(a, b spot) int { return cmp.Compare(a.at.X, b.at.X) })
	}
	m.smooth(cfg)
	return m
}

// maxSpots bounds the spots of one receiver and source within the plan, and allSpots
// those of all together, and with them the time of New: on a plan that is larger than
// 200 m² spots are larger than cells, up to 2 m on half a hectare; and larger still
// where many sources were carried everywhere.
const (
	maxSpots = 1024
	allSpots = 1 << 16
)

// gather condenses the survey into spots, ordered, so that the order of the
// survey does not matter.
func gather(site Site, g *grid) []spot {
	size := g.bounds.Size()
	side := math.Max(math.Sqrt(g.cell.X*g.cell.Y), math.Sqrt(size.X*size.Y/maxSpots))
	for {
		spots := gatherBy(side, site, g)
		if len(spots) <= allSpots || side > math.Max(size.X, size.Y) {
			return spots
		}
		side *= math.Max(1.25, math.Sqrt(float64(len(spots))/allSpots))
	}
}

// gatherBy condenses the survey into spots of that side, metres.
func gatherBy(side float64, site Site, g *grid) []spot {
	type key struct{ receiver, source, col, row int }
	sums := make(map[key]spot)
	for _, l := range site.Survey {
		at := l.At.Sub(g.bounds.Lo()).Mul(1 / side)
		k := key{l.Receiver, l.Source, int(math.Floor(at.X)), int(math.Floor(at.Y))}
		s := sums[k]
		s.at = s.at.Add(l.At)
		s.rssi += l.RSSIdBm
		s.weight++
		sums[k] = s
	}
	spots := make([]spot, 0, len(sums))
	for k, s := range sums {
		n := s.weight
		r := site.Receivers[k.receiver]
		s.receiver, s.source = k.receiver, k.source
		s.at, s.rssi = s.at.Mul(1/n), s.rssi/n
		s.loss = ranging.LossDB(math.Hypot(math.Hypot(s.at.X-r.X, s.at.Y-r.Y), site.TagHeightM-r.Z), 1)
		s.weight = n / (n + 0.5)
		spots = append(spots, s)
	}
	slices.SortFunc(spots, func(a, b spot) int {
		return cmp.Or(cmp.Compare(a.receiver, b.receiver), cmp.Compare(a.source, b.source),
			cmp.Compare(a.at.X, b.at.X), cmp.Compare(a.at.Y, b.at.Y))
	})
	return spots
}

// fitRounds suffices for the fit to come within 0.01 dB of where it ends.
const fitRounds = 100

// fit finds the sources' levels, the receivers' offsets and the exponent, by
// least squares reweighted for heavy tails, each in turn with the others held.
// It leaves in every spot what is left.
func (m *radioMap) fit(cfg *Config, spots []spot) {
	levels := make(map[int]float64)
	for range fitRounds {
		m.fitLevels(cfg, spots, levels)
		noise := math.Max(spotVariance, m.meanSquare(cfg, spots, levels))
		m.fitOffsets(cfg, spots, levels, noise/offsetVariance)
		m.fitExponent(cfg, spots, levels, noise/exponentVariance)
	}
	for i := range spots {
		spots[i].left = m.error(&spots[i], levels)
	}
}

// error returns what the model does not explain of a spot, dB.
func (m *radioMap) error(s *spot, levels map[int]float64) float64 {
	return s.rssi - levels[s.source] - m.offset[s.receiver] + m.exponent*s.loss
}

// vote returns a spot's weight and its error.
func (m *radioMap) vote(cfg *Config, s *spot, levels map[int]float64) (w, e float64) {
	e = m.error(s, levels)
	return s.weight * cfg.Noise.Weight(e), e
}

func (m *radioMap) fitLevels(cfg *Config, spots []spot, levels map[int]float64) {
	type tally struct{ w, e float64 }
	sums := make(map[int]tally)
	for i := range spots {
		w, e := m.vote(cfg, &spots[i], levels)
		t := sums[spots[i].source]
		sums[spots[i].source] = tally{t.w + w, t.e + w*e}
	}
	for source, t := range sums {
		levels[source] += t.e / t.w
	}
}

// meanSquare returns how far the spots are from the model, dB²: a survey that
// contradicts itself moves nothing far.
func (m *radioMap) meanSquare(cfg *Config, spots []spot, levels map[int]float64) float64 {
	var total, square float64
	for i := range spots {
		w, e := m.vote(cfg, &spots[i], levels)
		total += w
		square += w * e * e
	}
	return square / total
}

// fitOffsets and fitExponent hold on to what was believed before as if it were
// shrink further spots.
func (m *radioMap) fitOffsets(cfg *Config, spots []spot, levels map[int]float64, shrink float64) {
	w, e := make([]float64, len(m.offset)), make([]float64, len(m.offset))
	for i := range spots {
		vote, left := m.vote(cfg, &spots[i], levels)
		w[spots[i].receiver] += vote
		e[spots[i].receiver] += vote * left
	}
	mean := 0.0
	for r := range m.offset {
		m.offset[r] = (w[r]*m.offset[r] + e[r] + shrink*m.known[r]) / (w[r] + shrink)
		mean += (m.offset[r] - m.known[r]) / float64(len(m.offset))
	}
	for r := range m.offset {
		m.offset[r] -= mean
	}
}

func (m *radioMap) fitExponent(cfg *Config, spots []spot, levels map[int]float64, shrink float64) {
	w, e := shrink, shrink*(cfg.Exponent-m.exponent)
	for i := range spots {
		vote, left := m.vote(cfg, &spots[i], levels)
		w += vote * spots[i].loss * spots[i].loss
		e -= vote * left * spots[i].loss
	}
	m.exponent = math.Max(1, math.Min(m.exponent+e/w, 6))
}
