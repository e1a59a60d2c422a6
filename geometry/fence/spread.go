package fence

import (
	"math"

	"github.com/golang/geo/r2"
	"github.com/golang/geo/r3"
	"github.com/golang/geo/s2"
)

const (
	// EarthRadiusM is the Earth's mean radius (IUGG, 2a+b thirds of WGS 84).
	EarthRadiusM = 6_371_008.8
	// MaxAccuracyM is the largest radius that says anything: a thousand kilometres.
	MaxAccuracyM = 1e6

	// spreadPoints is how many places stand for a position that is uncertain: the
	// shares are right to about a hundredth.
	spreadPoints = 256
	// sigmas68 is the radius in standard deviations within which a round normal
	// distribution has 68 % of its mass: √(−2·ln 0.32).
	sigmas68 = 1.5095921854516636
	// goldenAngle turns each seed of a sunflower away from all before it: π·(3−√5).
	goldenAngle = 2.399963229728653
)

// spread calls do with the i-th of spreadPoints offsets in metres, which together are
// a round normal distribution whose 68 % lie within the radius: equal masses, in the
// pattern of a sunflower's seeds, which has neither rings nor rays that a zone's edge
// could run along.
func spread(accuracyM float64, do func(offset r2.Point)) {
	sigma := accuracyM / sigmas68
	for i := range spreadPoints {
		r := sigma * math.Sqrt(-2*math.Log(1-(float64(i)+0.5)/spreadPoints))
		sin, cos := math.Sincos(float64(i) * goldenAngle)
		do(r2.Point{X: r * cos, Y: r * sin})
	}
}

// Shares appends to into how probable each zone is for a position that is known to
// accuracyM: 68 % of the truths are within that radius, normally distributed. Zones
// follow in no order, [Outside] among them, and sum to one: take them to a
// [Decision]. The zone of each place is that which Find says. A radius of zero is the
// position itself. A position that is not finite, or a radius that is negative or
// above [MaxAccuracyM], has no shares, which decide nothing.
func (x *Index) Shares(p r2.Point, accuracyM float64, into []Share) []Share {
	if !(math.Abs(p.X) <= MaxCoordinateM && math.Abs(p.Y) <= MaxCoordinateM) {
		return into
	}
	return shares(accuracyM, into, func(offset r2.Point) (int, bool) { return x.Find(p.Add(offset)) })
}

// Shares is [Index.Shares] for a place on the Earth.
func (x *Sphere) Shares(p LatLng, accuracyM float64, into []Share) []Share {
	if !p.valid() {
		return into
	}
	at := p.point()
	east := s2.Ortho(at) // any direction will do: the distribution is round
	north := at.Cross(east.Vector)
	return shares(accuracyM, into, func(offset r2.Point) (int, bool) {
		return x.find(away(at, east.Vector, north, offset.Mul(1/EarthRadiusM)))
	})
}

// away returns the point that is as far from p, along a great circle, as the offset is
// long, in the offset's direction.
func away(p s2.Point, east, north r3.Vector, offset r2.Point) s2.Point {
	d := offset.Norm()
	if d == 0 {
		return p
	}
	sin, cos := math.Sincos(d)
	to := east.Mul(offset.X / d).Add(north.Mul(offset.Y / d))
	return s2.Point{Vector: p.Mul(cos).Add(to.Mul(sin)).Normalize()}
}

func shares(accuracyM float64, into []Share, find func(offset r2.Point) (int, bool)) []Share {
	if !(accuracyM >= 0 && accuracyM <= MaxAccuracyM) {
		return into
	}
	first := len(into)
	add := func(offset r2.Point, p float64) {
		zone, ok := find(offset)
		if !ok {
			zone = Outside
		}
		for i := first; i < len(into); i++ {
			if into[i].Zone == zone {
				into[i].P += p
				return
			}
		}
		into = append(into, Share{Zone: zone, P: p})
	}
	if accuracyM == 0 {
		add(r2.Point{}, 1)
		return into
	}
	spread(accuracyM, func(offset r2.Point) { add(offset, 1.0/spreadPoints) })
	return into
}
