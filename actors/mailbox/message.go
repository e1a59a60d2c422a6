package mailbox

import (
	"fmt"
	"sync/atomic"
)

// Droppable marks a live message, which is worth less the older it is.
type Droppable interface{ Droppable() }

// Keyed marks a message of which only the newest per key matters.
type Keyed interface{ MailboxKey() Key }

// Key names what a [Keyed] message is about. Kind separates message types that
// use the same identifiers.
type Key struct {
	Kind uint8
	ID   [16]byte
}

// Barrier is a user message that the mailbox handles itself: Done is called, on
// the actor's worker, once all messages posted before it were handled. It must
// not block. On an actor that stopped it is called all the same.
type Barrier struct{ Done func() }

// Counters count what mailboxes did; those of one kind of actor share them.
type Counters struct {
	Posted    atomic.Uint64 // user messages taken in
	Dropped   atomic.Uint64 // live messages lost to newer ones
	Conflated atomic.Uint64 // keyed messages replaced by newer ones
	Refused   atomic.Uint64 // control messages lost: a defect, or an actor that hangs
	Panics    atomic.Uint64 // messages lost because handling them panicked
}

// Panic is the reason that a supervisor is given for a failed actor.
type Panic struct {
	Value any
	Stack []byte
}

// String returns the value that was panicked with.
func (p *Panic) String() string { return fmt.Sprint(p.Value) }
