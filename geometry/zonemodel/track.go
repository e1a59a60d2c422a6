package zonemodel

import (
	"math"
	"time"

	"mybeacon/geometry/fence"
	"mybeacon/geometry/locate"
)

// Track is the belief about one tag's zone. It belongs to one goroutine at a time.
type Track struct {
	model *Model
	p     []float64 // per zone of the model; nil while nothing is known
	last  time.Duration
	heard []float64
	sums  []float64 // weights of heard
}

// NewTrack returns the state of a tag of which nothing is known.
func (m *Model) NewTrack() *Track { return &Track{model: m} }

// Reset forgets everything and frees what it took.
func (t *Track) Reset() { *t = Track{model: t.model} }

// Update returns how probable it is that the tag is in each zone of the model, by
// their ids in ascending order, given what was heard up to event time at. The
// rules for at and samples are those of [locate.Track]. It writes to into, which
// it grows if need be, and returns it; nil when no sample is usable.
func (t *Track) Update(at time.Duration, samples []locate.Sample, into []fence.Share) []fence.Share {
	if !t.listen(samples) {
		return nil
	}
	m := t.model
	t.predict(at)
	best := math.Inf(-1)
	into = append(into[:0], m.blank...)
	for i := range m.zones {
		into[i].P = m.logLikelihood(&m.zones[i], t.heard)
		best = math.Max(best, into[i].P)
	}
	total := 0.0
	for i := range into {
		t.p[i] *= math.Exp(math.Max(into[i].P-best, surest))
		total += t.p[i]
	}
	for i := range into {
		t.p[i] /= total
		into[i].P = t.p[i]
	}
	return into
}

// surest bounds what a single fix may say against a zone, as a logarithm.
const surest = -12

// predict lets the belief fade towards even by the time that has passed.
func (t *Track) predict(at time.Duration) {
	n := float64(len(t.model.zones))
	if t.p == nil {
		t.p = make([]float64, len(t.model.zones))
		for i := range t.p {
			t.p[i] = 1 / n
		}
		t.last = at
		return
	}
	stay := math.Pow(t.model.cfg.Stay, max(at-t.last, 0).Seconds())
	t.last = max(at, t.last)
	for i, p := range t.p {
		t.p[i] = stay*p + (1-stay)/n
	}
}

// listen condenses samples into one reading per receiver, as [Observe] does.
func (t *Track) listen(samples []locate.Sample) bool {
	if t.heard == nil {
		t.heard, t.sums = make([]float64, t.model.receivers), make([]float64, t.model.receivers)
	}
	return t.model.cfg.listen(samples, t.heard, t.sums)
}

// Observe returns what samples make of an [Example]'s readings: an age-weighted
// mean per receiver, silence where there is none, and nil when none is usable.
// Examples must be made with it, so that like is compared with like.
func (c Config) Observe(receivers int, samples []locate.Sample) []float64 {
	heard := make([]float64, receivers)
	if !c.listen(samples, heard, make([]float64, receivers)) {
		return nil
	}
	return heard
}

func (c *Config) listen(samples []locate.Sample, heard, sums []float64) bool {
	clear(heard)
	clear(sums)
	some := false
	for _, s := range samples {
		if s.Receiver < 0 || s.Receiver >= len(heard) || s.Age > c.Window || !(s.RSSIdBm > c.SilenceDBm && s.RSSIdBm <= 20) {
			continue
		}
		w := math.Exp(-math.Min(max(s.Age, 0).Seconds()/c.Memory.Seconds(), 50))
		heard[s.Receiver] += w * s.RSSIdBm
		sums[s.Receiver] += w
		some = true
	}
	for r, w := range sums {
		if w > 0 {
			heard[r] /= w
		} else {
			heard[r] = c.SilenceDBm
		}
	}
	return some
}
