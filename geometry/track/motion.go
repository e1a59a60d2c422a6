package track

import (
	"fmt"
	"math"
	"time"

	"github.com/golang/geo/r2"
)

// Motion says how far a tag may wander while it is not fixed. The wandering is
// a random walk: its standard deviation grows with the square root of the time.
// Indoors people turn every few metres, so a walk without memory of direction is
// the honest model between fixes a second apart; it overstates how far somebody
// gets in ten seconds less than a constant velocity would.
type Motion struct {
	StepM     float64       // standard deviation of one second's step along each axis of a travelling tag, metres
	StillM    float64       // the same of a tag that stays in place; > 0, else it could never set off
	TravelMPS float64       // apparent speed from which a tag counts as travelling, metres per second
	Smoothing time.Duration // time constant of the apparent speed
}

// DefaultMotion returns the motion of people and of what they carry.
//
// The radio's noise alone moves the estimate of a tag that lies still by half a
// metre, an apparent 0.1 m/s; a tag carried at walking pace shows 0.5 m/s and
// more. Between the two the step is interpolated, because a hard switch would
// make the accuracy radius jump.
func DefaultMotion() Motion {
	return Motion{StepM: 1.5, StillM: 0.45, TravelMPS: 0.5, Smoothing: 3 * time.Second}
}

// Validate reports the first field that is out of range.
func (m Motion) Validate() error {
	if !(m.StillM > 0) || !(m.StepM >= m.StillM) || math.IsInf(m.StepM, 0) {
		return fmt.Errorf("track: need 0 < still %g <= step %g metres", m.StillM, m.StepM)
	}
	if !(m.TravelMPS > 0) || math.IsInf(m.TravelMPS, 0) || m.Smoothing <= 0 {
		return fmt.Errorf("track: travel speed %g and smoothing %s must be positive", m.TravelMPS, m.Smoothing)
	}
	return nil
}

// Pace follows how fast a tag's estimate travels. It compares the estimate with
// its own slow average, so that jitter around one place does not count as
// travel. The zero value is a tag of which nothing is known: it may travel.
type Pace struct {
	slow  r2.Point
	speed float64 // metres per second
	known bool
}

// Observe takes the estimate at a time dt after the previous one.
func (p *Pace) Observe(m Motion, at r2.Point, dt time.Duration) {
	if !p.known {
		*p = Pace{slow: at, speed: m.TravelMPS, known: true}
		return
	}
	gain := 1 - math.Exp(-dt.Seconds()/m.Smoothing.Seconds())
	p.slow = p.slow.Add(at.Sub(p.slow).Mul(gain))
	// An average with time constant τ trails a target of constant speed v by v·τ.
	p.speed = at.Sub(p.slow).Norm() / m.Smoothing.Seconds()
}

// Spread returns the standard deviation in metres, along each axis, of where
// the tag may be dt after its last estimate.
func (p *Pace) Spread(m Motion, dt time.Duration) float64 {
	if dt <= 0 {
		return 0
	}
	share := 1.0
	if p.known {
		share = math.Min(p.speed/m.TravelMPS, 1)
	}
	return (m.StillM + (m.StepM-m.StillM)*share) * math.Sqrt(dt.Seconds())
}
