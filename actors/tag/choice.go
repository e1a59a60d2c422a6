package tag

import (
	"bytes"

	"mybeacon/schema"
)

// hearingFloor is the power below which a sample says nothing for a plan, dBm.
// What is above it is added up over a plan's receivers: so both a loud receiver
// and many receivers speak for their plan, and no sum of negative numbers
// punishes a plan for having more of them.
const hearingFloor = -105

// fade is what a sample's power counts less per second of its age, dB: the window
// is long so that positions have receivers enough, and who has gone upstairs would
// stay below for as long.
const fade = 6

// choice is which plan a tag is on.
type choice struct {
	plan       schema.PlanID
	challenger schema.PlanID
	ahead      int // fixes on end in which the challenger led
}

// maxScored bounds the receivers that speak for plans; Config.MaxReceivers may
// not be more.
const maxScored = 64

// choose updates the choice with the samples before end and returns the plan.
func (c *choice) choose(cfg *Config, w *window, end schema.EventTime) schema.PlanID {
	best, current, found := w.scores(c.plan, end)
	switch {
	case !found:
		return c.plan
	case best.plan == c.plan:
		c.ahead = 0
	case c.plan.IsZero() || current == 0:
		*c = choice{plan: best.plan}
	case best.sum > current*cfg.PlanLead:
		if c.challenger != best.plan {
			c.challenger, c.ahead = best.plan, 0
		}
		if c.ahead++; c.ahead >= cfg.PlanSeconds {
			*c = choice{plan: best.plan}
		}
	default:
		c.ahead = 0
	}
	return c.plan
}

// leader is the plan that is heard loudest.
type leader struct {
	plan schema.PlanID
	sum  float64
}

// scores adds up each plan's receivers' loudest samples before end. Almost
// always there is one plan, and nothing to add up.
func (w *window) scores(current schema.PlanID, end schema.EventTime) (best leader, own float64, found bool) {
	var loudest [maxScored]float64
	several := false
	for i := range w.receivers[:min(len(w.receivers), maxScored)] {
		r := &w.receivers[i]
		before := r.samples[:r.from(end)]
		if len(before) == 0 {
			continue
		}
		for _, s := range before {
			heard := s.rssi.DBm() - fade*end.Sub(s.at).Seconds()
			loudest[i] = max(loudest[i], heard-hearingFloor, 1)
		}
		plan := r.source.Plan
		several = several || found && plan != best.plan
		best.plan, found = plan, true
	}
	if !several {
		if found && best.plan == current {
			own = 1
		}
		return best, own, found
	}
	sums := make(map[schema.PlanID]float64)
	for i := range w.receivers[:min(len(w.receivers), maxScored)] {
		if loudest[i] > 0 {
			sums[w.receivers[i].source.Plan] += loudest[i]
		}
	}
	best = leader{}
	for plan, sum := range sums {
		if sum > best.sum || sum == best.sum && bytes.Compare(plan[:], best.plan[:]) < 0 {
			best = leader{plan, sum}
		}
	}
	return best, sums[current], true
}
