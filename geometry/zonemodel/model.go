package zonemodel

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"mybeacon/geometry/fence"
	"mybeacon/geometry/ranging"
)

// Bounds of one model. A fix compares with all prototypes, some 5 ns for each and
// receiver: 20 µs with a dozen receivers.
const (
	MaxReceivers  = 64
	MaxZones      = 64
	MaxExamples   = 1 << 17
	maxPrototypes = 256 // of all zones together
	maxOfZone     = 64  // finer is no better
)

// Example is what was heard of a tag at one moment whose zone is known.
type Example struct {
	Zone    int       // the Index of a fence.Zone, or fence.Outside
	RSSIdBm []float64 // one per receiver; NaN or below Config.SilenceDBm for not heard
}

// Config holds the constants of the method; nothing is meant to be tuned per site.
type Config struct {
	SilenceDBm float64       // what a receiver that heard nothing is taken to have heard
	LeastDB    float64       // the noise of a receiver is never held for less, dB
	Freedom    float64       // degrees of freedom of the noise, as in ranging.Noise
	Tempering  float64       // share of the log-likelihood that counts: seconds are correlated
	LevelDB    float64       // standard deviation of a tag's level from the learned one's
	Stay       float64       // probability of staying in a zone for a second
	Window     time.Duration // samples older than this are ignored
	Memory     time.Duration // samples count by exp(−age/Memory)
}

// DefaultConfig returns the configuration that zones are measured with. It
// forgets quickly: doors are passed within a second or two, and the decision on
// the shares has the hysteresis. The window is shorter than that of positions,
// because here a receiver that hears nothing any more is news.
func DefaultConfig() Config {
	return Config{
		SilenceDBm: -100, LeastDB: 3, Freedom: 4, Tempering: 1, LevelDB: 3,
		Stay: 0.5, Window: 2 * time.Second, Memory: 250 * time.Millisecond,
	}
}

// Validate reports the first field that is out of range and what it may be.
func (c Config) Validate() error {
	for _, f := range []struct {
		name          string
		value, lo, hi float64
	}{
		{"SilenceDBm", c.SilenceDBm, -127, -60},
		{"LeastDB", c.LeastDB, 0.5, 30},
		{"Freedom", c.Freedom, 1, 1000},
		{"Tempering", c.Tempering, 0.01, 1},
		{"LevelDB", c.LevelDB, 0.01, 30},
		{"Stay", c.Stay, 0.5, 0.9999},
		{"Window", c.Window.Seconds(), 0.001, 600},
		{"Memory", c.Memory.Seconds(), 0.001, 600},
	} {
		if !(f.value >= f.lo && f.value <= f.hi) {
			return fmt.Errorf("zonemodel: %s is %g; it may be %g to %g", f.name, f.value, f.lo, f.hi)
		}
	}
	return nil
}

// Model is what zones sound like. It is immutable.
type Model struct {
	cfg       Config
	receivers int
	scale     []float64 // per receiver: noise around a prototype, dB
	zones     []zone    // ordered by id
	blank     []fence.Share
}

type zone struct {
	id         int
	prototypes []prototype
}

type prototype struct {
	share float64 // of the zone's examples
	rssi  []float64
}

// Learn makes a model from examples of at least one zone, or says what is wrong
// with them. It takes some 10 µs per example. The examples are not retained.
func Learn(receivers int, examples []Example, cfg Config) (*Model, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if receivers < 1 || receivers > MaxReceivers {
		return nil, fmt.Errorf("zonemodel: %d receivers; there may be 1 to %d", receivers, MaxReceivers)
	}
	if len(examples) == 0 || len(examples) > MaxExamples {
		return nil, fmt.Errorf("zonemodel: %d examples; there may be 1 to %d", len(examples), MaxExamples)
	}
	byZone := make(map[int][][]float64)
	for i, e := range examples {
		if len(e.RSSIdBm) != receivers {
			return nil, fmt.Errorf("zonemodel: example %d has %d readings for %d receivers", i, len(e.RSSIdBm), receivers)
		}
		byZone[e.Zone] = append(byZone[e.Zone], cfg.fill(e.RSSIdBm))
	}
	if len(byZone) > MaxZones {
		return nil, fmt.Errorf("zonemodel: %d zones; there may be 1 to %d", len(byZone), MaxZones)
	}
	m := &Model{cfg: cfg, receivers: receivers}
	spread := make([]float64, receivers)
	for _, id := range slices.Sorted(maps.Keys(byZone)) {
		n := min(maxOfZone, maxPrototypes/len(byZone))
		m.zones = append(m.zones, zone{id, condense(byZone[id], n, spread)})
		m.blank = append(m.blank, fence.Share{Zone: id})
	}
	for _, s := range spread {
		m.scale = append(m.scale, math.Max(math.Sqrt(s/float64(len(examples))), cfg.LeastDB))
	}
	return m, nil
}

// fill returns the readings with silence in place of what was not heard.
func (c *Config) fill(rssi []float64) []float64 {
	out := make([]float64, len(rssi))
	for i, v := range rssi {
		out[i] = c.SilenceDBm
		if v > c.SilenceDBm && v <= 20 { // not NaN either
			out[i] = v
		}
	}
	return out
}

// logLikelihood returns how well the zone explains what was heard.
func (m *Model) logLikelihood(z *zone, heard []float64) float64 {
	noise := ranging.Noise{ScaleDB: 1, Freedom: m.cfg.Freedom}
	best, sum := math.Inf(-1), 0.0
	for i := range z.prototypes {
		p := &z.prototypes[i]
		l := math.Log(p.share) + m.cfg.Tempering*m.compare(noise, p.rssi, heard)
		if l > best {
			sum = sum*math.Exp(best-l) + 1
			best = l
		} else {
			sum += math.Exp(l - best)
		}
	}
	return best + math.Log(sum)
}

// compare returns the log-likelihood of what was heard at a prototype, with the
// level that suits best. One logarithm of a product spares one per receiver; a
// receiver says no more than maxTail.
func (m *Model) compare(noise ranging.Noise, prototype, heard []float64) float64 {
	w, sum := 1/(m.cfg.LevelDB*m.cfg.LevelDB), 0.0
	for r, v := range heard {
		if v > m.cfg.SilenceDBm {
			e := (v - prototype[r]) / m.scale[r]
			vote := noise.Weight(e) / m.scale[r]
			w += vote / m.scale[r]
			sum += vote * e
		}
	}
	shift, odds := sum/w, 1.0
	for r, v := range heard {
		e := v - prototype[r]
		if v > m.cfg.SilenceDBm {
			e -= shift
		}
		e /= m.scale[r]
		odds *= 1 + math.Min(e*e/m.cfg.Freedom, maxTail)
	}
	prior := shift / m.cfg.LevelDB
	return -(m.cfg.Freedom+1)/2*math.Log(odds) - prior*prior/2
}

// maxTail bounds what one receiver may say against a prototype, so that the
// product of 64 stays below 1e135.
const maxTail = 127
