package fence

import "fmt"

// Share is how probable it is that a tag is in a zone, or [Outside] of all.
type Share struct {
	Zone int     // the Index of a [Zone], or Outside
	P    float64 // 0 to 1; the shares of one fix sum to one
}

// DecisionConfig says how much surer a new zone must be than the old one.
type DecisionConfig struct {
	SwitchP float64 // the new zone's share of what both have together, (0.5, 1)
	LeastP  float64 // and at least so much of everything, [0, 1): less is no evidence of any zone
}

// DefaultDecisionConfig returns the values that zones are measured with. At a
// border both zones have a half and the fixes flicker; two to one is some way
// beyond it. Below, single fixes flicker; above 0.7, each change waits longer.
func DefaultDecisionConfig() DecisionConfig { return DecisionConfig{SwitchP: 0.66, LeastP: 0.2} }

// Validate reports the first field that is out of range.
func (c DecisionConfig) Validate() error {
	if !(c.SwitchP > 0.5 && c.SwitchP < 1) {
		return fmt.Errorf("fence: SwitchP is %g; it may be above 0.5 and below 1", c.SwitchP)
	}
	if !(c.LeastP >= 0 && c.LeastP < 1) {
		return fmt.Errorf("fence: LeastP is %g; it may be 0 to below 1", c.LeastP)
	}
	return nil
}

// Decision is the zone that is shown for a tag: the likeliest one, with
// hysteresis. It comes before [State], which turns what is decided into entries
// and exits after their delays:
//
//	shares := track.Zones(zones, shares)       // package locate
//	zone := decision.Decide(cfg, shares)       // show it with the fix
//	transitions := state.Observe(fenceCfg, at, zone)
//
// The zero value has decided nothing. It is a plain value; one goroutine at a
// time.
type Decision struct {
	zone    int
	decided bool
}

// Zone returns the zone decided last, or [Outside].
func (d *Decision) Zone() int {
	if !d.decided {
		return Outside
	}
	return d.zone
}

// Decide takes the shares of one fix and returns the zone to show. The first fix
// decides for the likeliest. Later another zone must have SwitchP of what it and
// the present zone have together. They are compared with each other and not with
// everything, so that a tag whose mass is spread over four small rooms does not
// stay in a fifth which it has left. A present zone that is no more has no mass.
// No shares decide nothing.
func (d *Decision) Decide(cfg DecisionConfig, shares []Share) int {
	best, present := Share{Zone: Outside}, 0.0
	for _, s := range shares {
		if s.P > best.P {
			best = s
		}
		if d.decided && s.Zone == d.zone {
			present = s.P
		}
	}
	switch {
	case !(best.P > 0):
	case !d.decided:
		d.zone, d.decided = best.Zone, true
	case best.P >= cfg.LeastP && best.P > cfg.SwitchP*(best.P+present):
		d.zone = best.Zone
	}
	return d.Zone()
}
