package ranging

import (
	"fmt"
	"math"
)

// MinDistanceM is the distance below which the model is held constant: the
// far-field law does not hold within a few wavelengths (12.5 cm at 2.4 GHz) of
// the antenna, and its pole at zero would let one cell next to a receiver
// outshine every other receiver.
const MinDistanceM = 0.3

// Model is a log-distance path loss law.
type Model struct {
	LevelDBm float64 // power expected at one metre
	Exponent float64 // path loss exponent n, > 0
}

// Validate reports the first field that makes the model useless.
func (m Model) Validate() error {
	if math.IsNaN(m.LevelDBm) || math.IsInf(m.LevelDBm, 0) {
		return fmt.Errorf("ranging: level %g dBm is not finite", m.LevelDBm)
	}
	if !(m.Exponent > 0) || math.IsInf(m.Exponent, 0) {
		return fmt.Errorf("ranging: path loss exponent %g is not a positive number; free space is 2", m.Exponent)
	}
	return nil
}

// LossDB returns how much weaker a signal is at distance d metres than at one
// metre, in dB: 10·n·log10(d). It is negative nearer than one metre and constant
// nearer than [MinDistanceM].
func LossDB(distanceM, exponent float64) float64 {
	return 10 * exponent * math.Log10(math.Max(distanceM, MinDistanceM))
}

// RSSI returns the power in dBm expected at a distance in metres.
func (m Model) RSSI(distanceM float64) float64 {
	return m.LevelDBm - LossDB(distanceM, m.Exponent)
}

// Distance returns the distance in metres at which the power is expected. It
// is the inverse of [Model.RSSI] for distances of at least [MinDistanceM],
// which it never undercuts.
//
// It is the median of the distance under symmetric noise in dB, not its mean:
// with σ dB of noise the mean is larger by exp((σ·ln10/(10n))²/2), a third at
// σ = 6, n = 2.
func (m Model) Distance(rssiDBm float64) float64 {
	d := math.Pow(10, (m.LevelDBm-rssiDBm)/(10*m.Exponent))
	return math.Max(d, MinDistanceM)
}
