package plan

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"mybeacon/actors/tag"
	"mybeacon/schema"
)

// Sweep tells the plan the server's time, about every few seconds.
type Sweep struct{ Now time.Time }

// Host is what a plan needs of the system. Its methods must not block.
type Host interface {
	Tell(tag.Key, any)
	// Tide says how far the plan has been heard, when that has changed.
	Tide(plan schema.PlanID, through schema.EventTime)
	// Learned says what is in force from now on.
	Learned(schema.Offsets)
	// Calibrated keeps what was learned so far.
	Calibrated(Calibration)
	// LostLessons counts lessons that came too late or were too many.
	LostLessons(n uint64)
	// RetirePlan asks that the actor be stopped, and reports false when messages
	// wait for it.
	RetirePlan(schema.PlanID) bool
	Unknown(msg any)
}

// retireAfter is how long no device of a plan must have spoken before its actor
// goes.
const retireAfter = 30 * time.Minute

// Actor is the shell around a [State].
type Actor struct {
	host  Host
	state *State
	out   []Delivery // reused
}

// NewActor returns an actor around a state. A restarted actor gets the same
// state: which tags wait cannot be asked again.
func NewActor(host Host, state *State) *Actor { return &Actor{host: host, state: state} }

// Receive implements actor.Actor.
func (a *Actor) Receive(c actor.Context) {
	switch m := c.Message().(type) {
	case *Delivered:
		before := a.state.tide
		a.out = a.state.Delivered(m, a.out[:0])
		for _, d := range a.out {
			a.host.Tell(d.Tag, d.Msg)
		}
		clear(a.out)
		if a.state.tide != before {
			a.host.Tide(a.state.id, a.state.tide)
		}
		a.learned()
	case *tag.Lessons:
		a.state.Lessons(m)
	case *Taught:
		for _, l := range m.Lessons {
			a.state.Lessons(l)
		}
	case *Sweep:
		if a.state.Idle(m.Now, retireAfter) {
			a.host.RetirePlan(a.state.id)
		}
	case *actor.Started, *actor.Stopping, *actor.Stopped, *actor.Restarting:
	default:
		a.host.Unknown(m)
	}
}

// learned tells what has come of lessons.
func (a *Actor) learned() {
	news, lost := a.state.Learned()
	for _, o := range news {
		a.host.Learned(o)
	}
	if lost > 0 {
		a.host.LostLessons(lost)
	}
	if c, changed := a.state.Calibration(); changed {
		a.host.Calibrated(c)
	}
}
