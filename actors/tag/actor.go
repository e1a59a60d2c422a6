package tag

import (
	"github.com/asynkron/protoactor-go/actor"
)

// Host is what a tag needs of the system. Its methods must not block.
type Host interface {
	// Emit sends effects on. It does not keep e.
	Emit(e *Effects)
	// RetireTag asks that the actor be stopped, and reports false when messages
	// wait for it.
	RetireTag(Key) bool
	Unknown(msg any)
}

// clearAfter is how many failures on end show that not a message but the memory
// of the tag is at fault.
const clearAfter = 3

// Cell is what outlives a failure of a tag's actor.
type Cell struct {
	state    *State
	strikes  int // failures since the last message that went well
	restarts int
}

// NewCell returns the cell of a tag.
func NewCell(s *State) *Cell { return &Cell{state: s, restarts: -1} }

// Actor is the shell around a [State].
type Actor struct {
	host    Host
	cell    *Cell
	effects Effects
}

// NewActor returns an actor around a cell. Each restart makes a new one around
// the same cell.
func NewActor(host Host, cell *Cell) *Actor { return &Actor{host: host, cell: cell} }

// Receive implements actor.Actor.
func (a *Actor) Receive(c actor.Context) {
	s, e := a.cell.state, &a.effects
	fixed := s.mem.fixed
	switch m := c.Message().(type) {
	case *Heard:
		s.Heard(m, e)
	case *Progress:
		s.Progress(m, e)
	case *Tide:
		s.Tide(m, e)
	case *Restore:
		s.Restore(m.Visit, e)
	case *Adopt:
		s.Adopt(m.State, e)
	case *Amend:
		m.Done(s.Amend(m.Instead, m.Visit))
	case *Recheck:
		s.Recheck(m.Plan, e)
	case *Sweep:
		if s.Sweep(m.Now) {
			a.host.RetireTag(s.key)
		}
	case *actor.Started:
		a.started()
	case *actor.Stopping, *actor.Stopped, *actor.Restarting:
		return
	default:
		a.host.Unknown(m)
		return
	}
	if _, heard := c.Message().(*Heard); !heard || s.mem.fixed != fixed || !e.none() {
		a.settle()
	}
	if _, lifecycle := c.Message().(*actor.Started); !lifecycle {
		a.cell.strikes = 0
	}
}

// settle sends on what a message caused. Most of those that hear the tag cause
// nothing.
func (a *Actor) settle() {
	s, e := a.cell.state, &a.effects
	a.host.Emit(e)
	if e.Reset(); !s.mem.present {
		*e = Effects{} // who is away may stay away for long
	}
	s.Commit()
}

// started runs once per incarnation: the first, and one after each failure.
func (a *Actor) started() {
	if a.cell.restarts++; a.cell.restarts == 0 {
		return
	}
	if a.cell.strikes++; a.cell.strikes < clearAfter {
		a.cell.state.Recover()
		return
	}
	a.cell.strikes = 0
	a.cell.state.Recover()
	a.cell.state.Clear(&a.effects)
}
