package locate

import (
	"cmp"
	"math"
	"slices"

	"github.com/golang/geo/r2"
)

// reaches are the kernel widths to choose from, metres: shadows of walls and
// furniture reach one to three. Nothing finer than 0.6 m, though a survey made in
// one go foretells itself best with less: the tag is worn otherwise next time.
var reaches = [...]float64{0.6, 0.9, 1.3, 1.9, 2.8}

// smooth chooses the reach that foretells best the spots that are left out, and
// learns from how well it does how far readings are to be trusted.
func (m *radioMap) smooth(cfg *Config) {
	plain := m.leaveOneOut(cfg, 0)
	least := plain * (1 - luck)
	for _, reach := range reaches {
		if e := m.leaveOneOut(cfg, reach); e < least {
			least, m.reach = e, reach
		}
	}
	if m.reach > 0 {
		m.left = least / plain
		m.scale = math.Sqrt(math.Min(1, m.left+agedShare))
	}
}

// luck is the improvement that no reach at all must be beaten by: a survey whose
// spots have nothing to do with each other is not smoothed into a map.
const luck = 0.05

// agedShare is the part of the noise's variance that no map explains: bodies,
// batteries and everything moved since the survey.
const agedShare = 0.5

// asked bounds the spots per receiver that are left out to choose the reach.
const asked = 100

// leaveOneOut returns the mean square of what is left of spots that the map was
// not told of, dB². An error counts for no more than three times the noise: the
// reach is chosen for the core, the tails are the likelihood's.
func (m *radioMap) leaveOneOut(cfg *Config, reach float64) float64 {
	sum, n := 0.0, 0.0
	most := 9 * cfg.Noise.ScaleDB * cfg.Noise.ScaleDB
	for _, spots := range m.spots {
		step := max(1, len(spots)/asked)
		for i := 0; i < len(spots); i += step {
			e := spots[i].left - surface(spots, spots[i].at, reach, i)
			sum += math.Min(e*e, most)
			n++
		}
	}
	return sum / n
}

// mapShrink is how many spots' worth of zero the map contains: where spots are
// few or far it tends to zero, and the bare model speaks.
const mapShrink = 2

// kernelEnd is where the kernel is cut, in reaches.
const kernelEnd = 3.5

// surface returns what the spots say is left at p, dB: a mean weighted by a
// Gaussian of their distance, drawn towards zero. They go from left to right. The spot with index without is
// not asked.
func surface(spots []spot, p r2.Point, reach float64, without int) float64 {
	if !(reach > 0) {
		return 0
	}
	w, e := float64(mapShrink), 0.0
	sharp, far := -1/(2*reach*reach), kernelEnd*reach
	first, _ := slices.BinarySearchFunc(spots, p.X-far, func(s spot, x float64) int { return cmp.Compare(s.at.X, x) })
	for i := first; i < len(spots) && spots[i].at.X <= p.X+far; i++ {
		d := spots[i].at.Sub(p)
		if i == without || math.Abs(d.Y) > far {
			continue
		}
		k := spots[i].weight * math.Exp(sharp*d.Dot(d))
		w += k
		e += k * spots[i].left
	}
	return e / w
}

// gain returns the expected power at p by a receiver at that distance, relative
// to one metre, dB.
func (m *radioMap) gain(receiver int, p r2.Point, loss float64) float64 {
	g := m.offset[receiver] - m.exponent*loss
	if m.spots != nil {
		g += surface(m.spots[receiver], p, m.reach, -1)
	}
	return g
}
