package zone

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"mybeacon/actors/mailbox"
	"mybeacon/schema"
)

// presenceKind is the mailbox key of a [Presence].
const presenceKind = 3

// MailboxKey lets a newer presence of a tag replace an older one.
func (p *Presence) MailboxKey() mailbox.Key {
	return mailbox.Key{Kind: presenceKind, ID: p.Tag}
}

// Host is what a zone needs of the system. Its methods must not block.
type Host interface {
	Occupancy(schema.Occupancy)
	// RetireZone asks that the actor be stopped, and reports false when messages
	// wait for it.
	RetireZone(schema.ZoneID) bool
	Unknown(msg any)
}

// retireAfter is how long a zone must be empty before its actor goes. The next
// tag to enter makes a new one.
const retireAfter = 10 * time.Minute

// publish is the zone's message to itself, behind all that waits.
type publish struct{}

// Actor is the shell around a [State].
type Actor struct {
	host    Host
	state   *State
	pending bool // a publish is on its way
}

// NewActor returns an actor around a state. A restarted actor gets the same
// state: who is inside cannot be asked again, and a set cannot be half changed.
func NewActor(host Host, state *State) *Actor { return &Actor{host: host, state: state} }

// Receive implements actor.Actor.
func (a *Actor) Receive(c actor.Context) {
	switch m := c.Message().(type) {
	case *Presence:
		if a.state.Set(m) && !a.pending {
			a.pending = true
			c.Send(c.Self(), publish{})
		}
	case publish:
		a.pending = false
		if o, changed := a.state.Take(); changed {
			a.host.Occupancy(o)
		}
	case *Sweep:
		if a.state.Idle(m.Now, retireAfter) {
			a.host.RetireZone(a.state.place.Zone)
		}
	case *actor.Started:
		// A restart may have lost the publish that was on its way.
		if a.state.dirty {
			a.pending = true
			c.Send(c.Self(), publish{})
		}
	case *actor.Stopping, *actor.Stopped, *actor.Restarting:
	default:
		a.host.Unknown(m)
	}
}
