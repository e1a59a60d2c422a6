package tag

import (
	"bytes"
	"math"

	"mybeacon/schema"
)

// hearingFloor is the power below which a sample says nothing for a plan, dBm, and
// what a receiver counts for that lives and does not hear the tag.
const hearingFloor = -105

// fade is what a sample's power counts less per second of its age, dB: the window
// is long so that positions have receivers enough, and who has gone upstairs would
// stay below for as long.
const fade = 6

// speakers is how many receivers speak for a plan at most, the loudest. One alone may
// be loud through a hole in the ceiling; and plans are compared by as many of each as
// the one with fewer has, or the floor with more receivers would win.
const speakers = 3

// choice is which plan a tag is on.
type choice struct {
	plan       schema.PlanID
	challenger schema.PlanID
	ahead      int // fixes on end in which the challenger led
}

// maxScored bounds the receivers that speak for plans; Config.MaxReceivers may
// not be more.
const maxScored = 64

// choose updates the choice with the samples before end and returns the plan. The
// first one is the best; another must lead for some fixes, also when the present one
// does not hear the tag at all: it may have missed it.
func (c *choice) choose(cfg *Config, w *window, plans *Plans, end schema.EventTime) schema.PlanID {
	lead, several, found := w.heardOn()
	if several {
		var buf [maxScored]standing
		best, present := compare(w.standings(plans, end, buf[:0]), c.plan)
		switch {
		case best == nil:
			found = false
		case present != nil && best.score <= present.score*cfg.PlanLead:
			lead = c.plan
		default:
			lead = best.plan
		}
	}
	if !found || lead == c.plan {
		c.ahead = 0
		return c.plan
	}
	if c.challenger != lead {
		c.challenger, c.ahead = lead, 0
	}
	if c.ahead++; c.plan.IsZero() || c.ahead >= cfg.PlanSeconds {
		*c = choice{plan: lead}
	}
	return c.plan
}

// heardOn returns a plan that heard the tag, and whether there are more.
// Almost always there is one, and nothing to compare.
func (w *window) heardOn() (plan schema.PlanID, several, found bool) {
	for i := range w.receivers {
		r := &w.receivers[i]
		if r.seen == 0 {
			continue
		}
		several = several || found && r.source.Plan != plan
		plan, found = r.source.Plan, true
	}
	return plan, several, found
}

// standing is what speaks for one plan.
type standing struct {
	plan    schema.PlanID
	living  int               // receivers, whether they hear the tag or not
	loudest [speakers]float64 // dB above the floor, the greatest first
	score   float64
}

// standings returns the plans that have positions and heard the tag before end.
func (w *window) standings(plans *Plans, end schema.EventTime, all []standing) []standing {
	for i := range w.receivers[:min(len(w.receivers), maxScored)] {
		r := &w.receivers[i]
		if r.seen == 0 {
			continue
		}
		loud := 0.0
		for _, s := range r.samples[:r.seen] {
			loud = math.Max(loud, s.rssi.DBm()-fade*end.Sub(s.at).Seconds()-hearingFloor)
		}
		at := 0
		for at < len(all) && all[at].plan != r.source.Plan {
			at++
		}
		if at == len(all) {
			all = append(all, standing{plan: r.source.Plan, living: w.living(plans, r.source.Plan)})
		}
		all[at].hear(loud)
	}
	return all
}

func (s *standing) hear(loud float64) {
	for i := range s.loudest {
		if loud > s.loudest[i] {
			loud, s.loudest[i] = s.loudest[i], loud
		}
	}
}

// living returns how many receivers of a plan are there to hear the tag, 0 when the
// plan has no positions. The plan says so with its tide; before, all are.
func (w *window) living(plans *Plans, id schema.PlanID) int {
	p := plans.Plan(id)
	if p == nil || p.locator == nil {
		return 0
	}
	for i := range w.tides {
		if w.tides[i].Plan == id && w.tides[i].Living > 0 {
			return w.tides[i].Living
		}
	}
	return len(p.Layout.Receivers)
}

// compare scores the plans and returns the best and the present one, nil where there
// is none. Equal scores go by the plan's id.
func compare(all []standing, now schema.PlanID) (best, present *standing) {
	voices := speakers
	for i := range all {
		if all[i].living > 0 {
			voices = min(voices, all[i].living)
		}
	}
	for i := range all {
		s := &all[i]
		if s.living == 0 {
			continue
		}
		for _, loud := range s.loudest[:voices] {
			s.score += loud
		}
		if best == nil || s.score > best.score || s.score == best.score && bytes.Compare(s.plan[:], best.plan[:]) < 0 {
			best = s
		}
		if s.plan == now {
			present = s
		}
	}
	return best, present
}
