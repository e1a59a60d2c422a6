package locate

import (
	"math"
	"time"
)

// level is the belief about one tag's power at one metre: a Gaussian in dB.
// It begins wide, so that the first fixes are ruled by differences between
// receivers alone, and narrows within seconds to what they agree on.
type level struct {
	mean, variance float64
}

func newLevel(cfg Level) level {
	return level{mean: cfg.MeanDBm, variance: cfg.SpreadDB * cfg.SpreadDB}
}

// predict lets the belief fade towards "unknown" as time passes.
func (l *level) predict(cfg Level, dt time.Duration) {
	l.variance = math.Min(l.variance+cfg.DriftDB*cfg.DriftDB*dt.Seconds(), cfg.SpreadDB*cfg.SpreadDB)
}

// learn takes the posterior mean of the level over all cells, its variance
// between the cells, and the weight of the readings that each cell's level was
// derived from. The mean contains the prior already: every cell's level is a
// compromise between prior and readings.
func (l *level) learn(cfg Level, mean, between, weight float64) {
	l.mean = mean
	within := 1 / (1/l.variance + weight)
	l.variance = math.Min(math.Max(within+between, cfg.KnownDB*cfg.KnownDB), cfg.SpreadDB*cfg.SpreadDB)
}
