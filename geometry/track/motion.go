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
	Carry     float64       // share of its velocity with which a travelling tag is expected to go on, 0…1
	FastMPS   float64       // no velocity is believed beyond this, metres per second; > 0 when Carry is
}

// DefaultMotion returns the motion of people and of what they carry.
//
// The radio's noise alone moves the estimate of a tag that lies still by half a
// metre, an apparent 0.1 m/s; a tag carried at walking pace shows 0.5 m/s and
// more. Between the two the step is interpolated, because a hard switch would
// make the accuracy radius jump.
func DefaultMotion() Motion {
	return Motion{
		StepM: 2, StillM: 0.45, TravelMPS: 0.5, Smoothing: 3 * time.Second,
		Carry: 0.5, FastMPS: 1.8,
	}
}

// Validate reports the first field that is out of range.
func (m Motion) Validate() error {
	if !(m.StillM > 0) || !(m.StepM >= m.StillM) || math.IsInf(m.StepM, 0) {
		return fmt.Errorf("track: need 0 < still %g <= step %g metres", m.StillM, m.StepM)
	}
	if !(m.TravelMPS > 0) || math.IsInf(m.TravelMPS, 0) || m.Smoothing <= 0 {
		return fmt.Errorf("track: travel speed %g and smoothing %s must be positive", m.TravelMPS, m.Smoothing)
	}
	if !(m.Carry >= 0 && m.Carry <= 1) || m.Carry > 0 && !(m.FastMPS > 0 && m.FastMPS < 100) {
		return fmt.Errorf("track: carry %g may be 0 to 1, and with it fast %g above 0 and below 100", m.Carry, m.FastMPS)
	}
	return nil
}

// Pace follows how fast a tag's estimate travels. It compares the estimate with
// its own slow average, so that jitter around one place does not count as
// travel. The zero value is a tag of which nothing is known: it may travel.
type Pace struct {
	slow  r2.Point
	last  r2.Point
	v     r2.Point // smoothed velocity, metres per second
	speed float64  // metres per second
	known bool
}

// Observe takes the estimate at a time dt after the previous one.
func (p *Pace) Observe(m Motion, at r2.Point, dt time.Duration) {
	if !p.known {
		*p = Pace{slow: at, last: at, speed: m.TravelMPS, known: true}
		return
	}
	gain := 1 - math.Exp(-dt.Seconds()/m.Smoothing.Seconds())
	p.slow = p.slow.Add(at.Sub(p.slow).Mul(gain))
	// An average with time constant τ trails a target of constant speed v by v·τ.
	p.speed = at.Sub(p.slow).Norm() / m.Smoothing.Seconds()
	p.turn(m, at, dt)
}

// turn follows the velocity, by the estimate's displacement: it may lag behind the
// tag and still goes as fast.
func (p *Pace) turn(m Motion, at r2.Point, dt time.Duration) {
	if dt <= 0 {
		return
	}
	moved := at.Sub(p.last).Mul(1 / dt.Seconds())
	p.v = p.v.Add(moved.Sub(p.v).Mul(1 - math.Exp(-dt.Seconds()/m.Smoothing.Seconds())))
	if fast := p.v.Norm(); fast > m.FastMPS {
		p.v = p.v.Mul(m.FastMPS / fast)
	}
	p.last = at
}

// longestDrift bounds for how long a tag is expected to go on as it went.
const longestDrift = 3 * time.Second

// Drift returns how far, in metres, a tag is expected to have gone dt after its
// last estimate. A random walk alone follows a steady walker from behind, by the
// farther the less the radio says each second; the whole of the velocity would
// overshoot every corner. A tag at rest does not drift, whatever its jitter.
func (p *Pace) Drift(m Motion, dt time.Duration) r2.Point {
	if !p.known || dt <= 0 {
		return r2.Point{}
	}
	travel := p.Travel(m)
	return p.v.Mul(m.Carry * travel * travel * min(dt, longestDrift).Seconds())
}

// Travel returns how surely the tag travels: 0 at rest, 1 from TravelMPS on and for
// a tag of which nothing is known.
func (p *Pace) Travel(m Motion) float64 {
	if !p.known {
		return 1
	}
	return math.Min(p.speed/m.TravelMPS, 1)
}

// Spread returns the standard deviation in metres, along each axis, of where
// the tag may be dt after its last estimate.
func (p *Pace) Spread(m Motion, dt time.Duration) float64 {
	if dt <= 0 {
		return 0
	}
	travel := p.Travel(m)
	return (m.StillM + (m.StepM-m.StillM)*travel*travel) * math.Sqrt(dt.Seconds())
}
