package ranging

import (
	"fmt"
	"math"
)

// Noise is a Student-t distribution of RSSI errors in dB. Measured indoor
// errors have a core of 5…7 dB and tails far heavier than Gaussian (bodies,
// metal, multipath), and a tail that falls like a power keeps one absurd
// receiver from vetoing the truth.
type Noise struct {
	ScaleDB float64 // σ of the core, > 0
	Freedom float64 // ν degrees of freedom, > 0; 5 is heavy-tailed, 100 is Gaussian
}

// Validate reports the first field that is out of range.
func (n Noise) Validate() error {
	if !(n.ScaleDB > 0) || math.IsInf(n.ScaleDB, 0) {
		return fmt.Errorf("ranging: noise scale %g dB is not a positive number", n.ScaleDB)
	}
	if !(n.Freedom > 0) || math.IsInf(n.Freedom, 0) {
		return fmt.Errorf("ranging: noise freedom %g is not a positive number", n.Freedom)
	}
	return nil
}

// LogLikelihood returns the natural logarithm of the density of an error of e
// dB, without the constant that all errors share: 0 at e = 0, falling as
// −(ν+1)/2 · ln(1 + e²/(ν·σ²)).
func (n Noise) LogLikelihood(e float64) float64 {
	u := e / n.ScaleDB
	return -(n.Freedom + 1) / 2 * math.Log1p(u*u/n.Freedom)
}

// Weight returns how much an error of e dB counts in an iteratively reweighted
// mean, relative to a Gaussian observation of the same scale: (ν+1)/(ν+e²/σ²),
// the weight of the EM algorithm for the location of a t distribution (Lange,
// Little and Taylor, Robust Statistical Modeling Using the t Distribution, 1989).
func (n Noise) Weight(e float64) float64 {
	u := e / n.ScaleDB
	return (n.Freedom + 1) / (n.Freedom + u*u)
}
