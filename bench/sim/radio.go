package sim

import (
	"math"
	"math/rand/v2"

	"mybeacon/schema"
)

const (
	pathLoss    = 2.2 // exponent; 2 is free space, offices measure 1.8 to 3
	shadowSigma = 3.0 // dB
	shadowScale = 2.0 // metres over which shadowing is alike
	shadowWaves = 16  // of which the field is made; more look no different
	bodyLoss    = 8.0 // dB with the wearer's body right in between
	ricianK     = 4.0 // power of the direct path over the scattered ones
	// sensitivity is the level at which half of the packets are lost, missed the
	// share that is lost to collisions and to the receiver changing channels.
	sensitivity = -92.0
	missed      = 0.04
)

// receiver hears.
type receiver struct {
	at     schema.Point
	offset float64 // dB
	waves  [shadowWaves]wave
	rng    *rand.Rand
}

// wave is one plane wave of the shadowing field.
type wave struct{ kx, ky, phase float64 }

func newReceiver(at schema.Point, rng *rand.Rand) *receiver {
	r := &receiver{at: at, offset: 2 * rng.NormFloat64(), rng: rng}
	for i := range r.waves {
		// Wave numbers from a Gaussian give a field whose correlation is one too.
		r.waves[i] = wave{rng.NormFloat64() / shadowScale, rng.NormFloat64() / shadowScale, 2 * math.Pi * rng.Float64()}
	}
	return r
}

// hear returns with which level one packet of the tag arrives, if it does.
func (r *receiver) hear(w *World, m *mover) (schema.CentiDBm, bool) {
	level := r.mean(w, m) + r.fading()
	// A logistic edge about 2 dB wide, as measured packet loss has.
	lost := 1 / (1 + math.Exp((level-sensitivity)/1.2))
	if u := r.rng.Float64(); u < lost || r.rng.Float64() < missed {
		return 0, false
	}
	whole := math.Round(level)
	return schema.CentiDBmOf(min(max(whole, schema.MinRSSI.DBm()), schema.MaxRSSI.DBm())), true
}

// mean returns the level without fading, in dBm.
func (r *receiver) mean(w *World, m *mover) float64 {
	dx, dy := r.at.X-m.at.X, r.at.Y-m.at.Y
	d := math.Sqrt(dx*dx + dy*dy + (mountHeight-TagHeightM)*(mountHeight-TagHeightM))
	level := m.level + r.offset - 10*pathLoss*math.Log10(max(d, 0.3)) + r.shadow(m.at)
	for i := range w.walls {
		if w.walls[i].crosses(m.at, r.at) {
			level -= w.walls[i].loss
		}
	}
	if m.kind == person {
		behind := (1 - math.Cos(math.Atan2(dy, dx)-m.heading)) / 2
		level -= bodyLoss * behind
	}
	return level
}

func (r *receiver) shadow(at schema.Point) float64 {
	sum := 0.0
	for _, k := range r.waves {
		sum += math.Cos(k.kx*at.X + k.ky*at.Y + k.phase)
	}
	return shadowSigma * math.Sqrt(2.0/shadowWaves) * sum
}

// fading returns the gain of Rician fading in dB; its mean power is 1.
func (r *receiver) fading() float64 {
	direct, scatter := math.Sqrt(ricianK/(ricianK+1)), math.Sqrt(1/(2*(ricianK+1)))
	re, im := direct+scatter*r.rng.NormFloat64(), scatter*r.rng.NormFloat64()
	return 10 * math.Log10(max(re*re+im*im, 1e-6))
}
