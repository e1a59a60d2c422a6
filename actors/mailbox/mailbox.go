package mailbox

import (
	"runtime/debug"
	"sync"

	"github.com/asynkron/protoactor-go/actor"
)

// DefaultLimit is how many live messages may wait. At one frame a second and
// device it is a quarter of an hour of a device's frames, or a minute of a tag
// that 16 receivers hear: by then the oldest are of no use to a live map.
const DefaultLimit = 1000

// controlFactor bounds control messages, as a multiple of the limit.
const controlFactor = 4

// Mailbox is the queue of one actor. Its zero value is not usable; see [New].
type Mailbox struct {
	limit      int
	counters   *Counters
	invoker    actor.MessageInvoker
	dispatcher actor.Dispatcher
	process    func() // bound once: a method value made per wake-up would be an allocation per message

	mu        sync.Mutex // guards all below; never held while the actor runs
	user      ring
	keys      map[Key]uint64 // position of the waiting message of each key; nil until the first
	live      int
	control   int
	system    []any
	scheduled bool // on the dispatcher's queue, or running
	suspended bool
}

var _ actor.Mailbox = (*Mailbox)(nil)

// New returns a mailbox that holds up to limit live messages (<= 0 means
// [DefaultLimit]) and counts in counters, which must not be nil.
func New(limit int, counters *Counters) *Mailbox {
	if limit <= 0 {
		limit = DefaultLimit
	}
	m := &Mailbox{limit: limit, counters: counters}
	m.process = m.run
	return m
}

// RegisterHandlers implements actor.Mailbox; the actor system calls it once
// before the first message.
func (m *Mailbox) RegisterHandlers(invoker actor.MessageInvoker, dispatcher actor.Dispatcher) {
	m.invoker, m.dispatcher = invoker, dispatcher
}

// Start implements actor.Mailbox.
func (m *Mailbox) Start() {}

// UserMessageCount returns how many user messages wait.
func (m *Mailbox) UserMessageCount() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.user.len()
}

// PostSystemMessage implements actor.Mailbox.
func (m *Mailbox) PostSystemMessage(msg any) {
	m.mu.Lock()
	m.system = append(m.system, msg)
	m.unlockAndWake()
}

// PostUserMessage queues a message by the policy of the package. It never
// blocks.
func (m *Mailbox) PostUserMessage(msg any) {
	m.counters.Posted.Add(1)
	m.mu.Lock()
	switch v := msg.(type) {
	case Keyed:
		m.pushKeyed(v.MailboxKey(), msg)
	case Droppable:
		if m.live >= m.limit {
			m.dropOldest(live, &m.live)
			m.counters.Dropped.Add(1)
		}
		m.live++
		m.push(slot{msg, live})
	default:
		if m.control >= m.limit*controlFactor {
			m.dropOldest(control, &m.control)
			m.counters.Refused.Add(1)
		}
		m.control++
		m.push(slot{msg, control})
	}
	m.unlockAndWake()
}

func (m *Mailbox) pushKeyed(k Key, msg any) {
	if m.keys == nil {
		m.keys = make(map[Key]uint64)
	}
	if old, waiting := m.keys[k]; waiting {
		m.user.remove(old)
		m.counters.Conflated.Add(1)
	}
	m.keys[k] = m.push(slot{msg, keyed})
}

// push appends and keeps the positions in m.keys right when the ring renumbers.
func (m *Mailbox) push(s slot) uint64 {
	pos, moved := m.user.push(s)
	if moved && len(m.keys) > 0 {
		for p := m.user.head; p < pos; p++ {
			if e := m.user.at(p); e.class == keyed {
				m.keys[e.msg.(Keyed).MailboxKey()] = p
			}
		}
	}
	return pos
}

func (m *Mailbox) dropOldest(c class, count *int) {
	pos, ok := m.user.oldest(c)
	if !ok {
		panic("BUG: mailbox counts messages that it does not hold")
	}
	// A dropped barrier must not leave its sender waiting for ever.
	if b, isBarrier := m.user.at(pos).msg.(*Barrier); isBarrier {
		defer b.Done()
	}
	m.user.remove(pos)
	*count--
}

// unlockAndWake releases the mutex and puts the mailbox on the dispatcher's
// queue unless it is there already. It must hold the mutex when called.
func (m *Mailbox) unlockAndWake() {
	wake := !m.scheduled && m.hasWork()
	if wake {
		m.scheduled = true
	}
	m.mu.Unlock()
	if wake {
		m.dispatcher.Schedule(m.process)
	}
}

func (m *Mailbox) hasWork() bool {
	return len(m.system) > 0 || !m.suspended && m.user.len() > 0
}

// next returns the next message to handle. When there is none, the mailbox is no
// longer scheduled, decided under the same lock as posting, so that no message
// can slip between.
func (m *Mailbox) next() (msg any, system, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.system) > 0 {
		msg = m.system[0]
		m.system[0] = nil
		if m.system = m.system[1:]; len(m.system) == 0 {
			m.system = nil
		}
		return msg, true, true
	}
	if m.suspended {
		m.scheduled = false
		return nil, false, false
	}
	s, ok := m.user.pop()
	switch {
	case !ok:
		m.scheduled = false
	case s.class == live:
		m.live--
	case s.class == control:
		m.control--
	case s.class == keyed:
		delete(m.keys, s.msg.(Keyed).MailboxKey())
	}
	return s.msg, false, ok
}

// run handles messages until none is left or the turn is over.
func (m *Mailbox) run() {
	var msg any
	defer func() {
		if r := recover(); r != nil {
			m.counters.Panics.Add(1)
			m.invoker.EscalateFailure(&Panic{Value: r, Stack: debug.Stack()}, msg)
			m.dispatcher.Schedule(m.process) // still marked as scheduled
		}
	}()
	for range m.dispatcher.Throughput() {
		var system, ok bool
		if msg, system, ok = m.next(); !ok {
			return
		}
		m.handle(msg, system)
	}
	m.dispatcher.Schedule(m.process)
}

func (m *Mailbox) handle(msg any, system bool) {
	if !system {
		if b, ok := msg.(*Barrier); ok {
			b.Done()
			return
		}
		m.invoker.InvokeUserMessage(msg)
		return
	}
	switch msg.(type) {
	case *actor.SuspendMailbox:
		m.setSuspended(true)
	case *actor.ResumeMailbox:
		m.setSuspended(false)
	default:
		m.invoker.InvokeSystemMessage(msg)
	}
}

func (m *Mailbox) setSuspended(v bool) {
	m.mu.Lock()
	m.suspended = v
	m.mu.Unlock()
}
