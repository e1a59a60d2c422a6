package device

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"mybeacon/actors/plan"
	"mybeacon/actors/tag"
	"mybeacon/schema"
)

// Frame is a frame for the device. It is live: storage has its own copy.
type Frame struct{ schema.FrameAdmitted }

// Droppable lets an over-full mailbox drop the oldest frame.
func (*Frame) Droppable() {}

// Connected says that the device opened a connection.
type Connected struct {
	Source schema.Source
	At     time.Time
}

// Disconnected says that the device's connection ended.
type Disconnected struct{ At time.Time }

// Sweep tells the device the server's time, about every few seconds.
type Sweep struct{ Now time.Time }

// Host is what a device needs of the system. Its methods must not block.
type Host interface {
	Tell(tag.Key, any)
	Delivered(*plan.Delivered)
	Health(schema.DeviceHealth)
	// RetireDevice asks that the actor be stopped, and reports false when messages
	// wait for it.
	RetireDevice(schema.DeviceID) bool
	Repeated(Verdict)
	Unknown(msg any)
}

// retireAfter is how long a device must be silent and unconnected before its
// actor goes. It stays while a tag waits for its progress: only the device can
// say that the tag is gone.
const retireAfter = 30 * time.Minute

// Actor is the shell around a [State].
type Actor struct {
	host  Host
	state *State
	out   []Delivery // reused
}

// NewActor returns an actor around a state. A restarted actor gets the same
// state: forgetting which tags the device hears would keep them present for ever.
func NewActor(host Host, state *State) *Actor { return &Actor{host: host, state: state} }

// Receive implements actor.Actor.
func (a *Actor) Receive(c actor.Context) {
	switch m := c.Message().(type) {
	case *Frame:
		a.frame(&m.FrameAdmitted)
		a.tell(m.ArrivedAt)
	case *Connected:
		a.state.Connected(m.Source, m.At)
		a.tell(m.At)
	case *Disconnected:
		a.state.Disconnected()
		a.tell(m.At)
	case *Restore:
		a.host.Delivered(a.state.Restore(m))
	case *Sweep:
		a.tell(m.Now)
		if a.state.Idle(m.Now, retireAfter) {
			a.host.RetireDevice(a.state.id)
		}
	case *actor.Started, *actor.Stopping, *actor.Stopped, *actor.Restarting:
	default:
		a.host.Unknown(m)
	}
}

func (a *Actor) frame(f *schema.FrameAdmitted) {
	var v Verdict
	if a.out, v = a.state.Frame(f, a.out[:0]); v != Fresh {
		a.host.Repeated(v)
	}
	org := a.state.Organisation()
	for _, d := range a.out {
		a.host.Tell(tag.Key{Organisation: org, Tag: d.Tag}, d.Msg)
	}
	clear(a.out) // the buffer outlives the frame and must not keep it
	if w := a.state.Word(); w != nil {
		a.host.Delivered(w)
	}
}

func (a *Actor) tell(now time.Time) {
	if h, due := a.state.Health(now); due {
		a.host.Health(h)
	}
}
