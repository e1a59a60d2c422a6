package locate

import (
	"fmt"
	"time"

	"mybeacon/geometry/ranging"
	"mybeacon/geometry/track"
)

// Config holds the constants of the method. One configuration serves all
// sites: nothing here is meant to be tuned per installation.
type Config struct {
	CellM    float64 // wanted side of a cell, metres
	MaxCellM float64 // cells of a large plan grow to this before a track falls back to a window

	MaxCells     int // cells per track: bounds time and memory of a fix
	MaxReceivers int // the loudest so many take part in a fix

	Exponent   float64       // path loss exponent n
	Noise      ranging.Noise // of the loudest receiver, at age zero
	WeakDB     float64       // noise scale gained per dB that a receiver is below the loudest
	StaleDB2PS float64       // variance gained per second of a receiver's newest sample's age, dB²/s
	Tempering  float64       // share of the log-likelihood that counts, (0, 1]
	ScaleWorth float64       // how many readings the noise above is worth as prior knowledge of a site's noise
	Systematic float64       // share of a single fix's variance that the next ones repeat, [0, 1)
	Floor      float64       // share of the mass that is spread evenly before each update, [0, 1)

	Level  Level         // what is known of a tag's level beforehand
	Motion track.Motion  // how tags wander between fixes
	Window time.Duration // samples older than this are ignored
	Memory time.Duration // samples count by exp(−age/Memory)
	MaxGap time.Duration // after so long without a fix the posterior starts afresh
}

// Level is the prior of a tag's power at one metre, and how it may change.
type Level struct {
	MeanDBm  float64 // of an unknown tag
	SpreadDB float64 // standard deviation of an unknown tag
	DriftDB  float64 // standard deviation gained per √s: batteries and pockets
	KnownDB  float64 // a level is never held for surer than this
}

// DefaultConfig returns the configuration that positions are measured with.
//
// The values are centres of plateaus found on three recorded sites of different
// kinds together (a flat, a library, a vehicle chamber); none of them is at its
// best for any one site, and a test holds them to it.
func DefaultConfig() Config {
	return Config{
		CellM: 0.55, MaxCellM: 0.85, // 0.3 is no more accurate than 0.6: the radio is the limit
		MaxCells:     1000, // a window of 27 m at the coarsest
		MaxReceivers: 16,   // with the 8 loudest only, errors grow by a half: who hears faintly tells where a tag is not

		Exponent:   2,
		Noise:      ranging.Noise{ScaleDB: 5.25, Freedom: 4},
		WeakDB:     0.25,
		StaleDB2PS: 10,
		Tempering:  0.9,
		ScaleWorth: 10,
		Systematic: 0.18,
		Floor:      0.05,

		// Most tags are calibrated to −59 dBm at one metre and worn on bodies.
		Level:  Level{MeanDBm: -60, SpreadDB: 10, DriftDB: 0.3, KnownDB: 1},
		Motion: track.DefaultMotion(),
		Window: 5 * time.Second,
		Memory: 500 * time.Millisecond,
		MaxGap: 20 * time.Second,
	}
}

// The widest bounds that make sense; they keep float32 arithmetic exact enough
// and the memory of a plan within tens of megabytes.
const (
	maxCells     = 1 << 14
	maxReceivers = 24
)

// Validate reports the first field that is out of range and what it may be.
func (c Config) Validate() error {
	for _, f := range []struct {
		name          string
		value, lo, hi float64
	}{
		{"CellM", c.CellM, 0.05, 10},
		{"MaxCellM", c.MaxCellM, c.CellM, 10},
		{"MaxCells", float64(c.MaxCells), 16, maxCells},
		{"MaxReceivers", float64(c.MaxReceivers), 1, maxReceivers},
		{"Exponent", c.Exponent, 0.5, 8},
		{"Noise.ScaleDB", c.Noise.ScaleDB, 1, 30},
		{"Noise.Freedom", c.Noise.Freedom, 1, 1000},
		{"WeakDB", c.WeakDB, 0, 2},
		{"StaleDB2PS", c.StaleDB2PS, 0, 1000},
		{"Tempering", c.Tempering, 0.01, 1},
		{"ScaleWorth", c.ScaleWorth, 1, 1e6},
		{"Systematic", c.Systematic, 0, 0.9},
		{"Floor", c.Floor, 0, 0.5},
		{"Level.MeanDBm", c.Level.MeanDBm, -127, 20},
		{"Level.SpreadDB", c.Level.SpreadDB, 0.1, 100},
		{"Level.DriftDB", c.Level.DriftDB, 0, 100},
		{"Level.KnownDB", c.Level.KnownDB, 0.1, c.Level.SpreadDB},
		{"Window", c.Window.Seconds(), 0.001, 600},
		{"Memory", c.Memory.Seconds(), 0.001, 600},
		{"MaxGap", c.MaxGap.Seconds(), 1, 3600},
	} {
		if !(f.value >= f.lo && f.value <= f.hi) {
			return fmt.Errorf("locate: %s is %g; it may be %g to %g", f.name, f.value, f.lo, f.hi)
		}
	}
	return c.Motion.Validate()
}
