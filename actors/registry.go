package actors

import (
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/asynkron/protoactor-go/actor"

	"mybeacon/actors/mailbox"
)

// shards spreads the locks of a registry; a power of two.
const shards = 32

// registry is the actors of one kind by key. Sending holds the key's shard for
// reading and retiring holds it for writing, so an actor is never stopped while
// a message is on its way to it: sending is a push and never waits.
type registry[K comparable] struct {
	kind     string
	root     *actor.RootContext
	limit    int64
	box      func() *mailbox.Mailbox
	dispatch actor.Dispatcher
	guardian actor.SupervisorStrategy
	shard    func(K) byte                    // any well-spread byte of the key
	create   func(K, any) func() actor.Actor // what makes each incarnation, from the first message
	parts    [shards]part[K]
	count    atomic.Int64
	born     atomic.Uint64
	refused  atomic.Uint64 // messages for actors beyond the limit
}

type part[K comparable] struct {
	mu    sync.RWMutex // guards byKey; held while sending
	byKey map[K]*member
}

type member struct {
	pid *actor.PID
	box *mailbox.Mailbox
}

func (r *registry[K]) part(key K) *part[K] { return &r.parts[r.shard(key)&(shards-1)] }

// tell sends to an actor that is there already, and reports whether it is.
func (r *registry[K]) tell(key K, msg any) bool {
	p := r.part(key)
	p.mu.RLock()
	defer p.mu.RUnlock()
	m := p.byKey[key]
	if m == nil {
		return false
	}
	r.root.Send(m.pid, msg)
	return true
}

// summon sends to the actor and makes it first if it is not there.
func (r *registry[K]) summon(key K, msg any) {
	if r.tell(key, msg) {
		return
	}
	p := r.part(key)
	p.mu.Lock()
	defer p.mu.Unlock()
	m := p.byKey[key]
	if m == nil {
		if r.count.Load() >= r.limit {
			r.refused.Add(1)
			return
		}
		m = r.spawn(r.create(key, msg))
		if p.byKey == nil {
			p.byKey = make(map[K]*member)
		}
		p.byKey[key] = m
		r.count.Add(1)
	}
	r.root.Send(m.pid, msg)
}

func (r *registry[K]) spawn(incarnate func() actor.Actor) *member {
	m := &member{box: r.box()}
	props := actor.PropsFromProducer(incarnate,
		actor.WithMailbox(func() actor.Mailbox { return m.box }),
		actor.WithDispatcher(r.dispatch),
		actor.WithGuardian(r.guardian))
	// The number keeps the name of a successor apart from that of an actor that is
	// still stopping.
	name := r.kind + "/" + strconv.FormatUint(r.born.Add(1), 10)
	pid, err := r.root.SpawnNamed(props, name)
	if err != nil {
		panic("BUG: spawn " + name + ": " + err.Error())
	}
	m.pid = pid
	return m
}

// retire stops an actor, unless messages wait for it.
func (r *registry[K]) retire(key K) bool {
	p := r.part(key)
	p.mu.Lock()
	defer p.mu.Unlock()
	m := p.byKey[key]
	if m == nil || m.box.UserMessageCount() > 0 {
		return false
	}
	delete(p.byKey, key)
	r.count.Add(-1)
	r.root.Stop(m.pid)
	return true
}

// each calls do for every actor. Actors that come meanwhile may be left out.
func (r *registry[K]) each(do func(*member)) {
	for i := range r.parts {
		p := &r.parts[i]
		p.mu.RLock()
		for _, m := range p.byKey {
			do(m)
		}
		p.mu.RUnlock()
	}
}

func (r *registry[K]) broadcast(msg any) {
	r.each(func(m *member) { r.root.Send(m.pid, msg) })
}

// settle returns a channel that is closed when every actor has handled what was
// sent to it before.
func (r *registry[K]) settle() <-chan struct{} {
	done := make(chan struct{})
	var left atomic.Int64
	left.Store(1)
	release := func() {
		if left.Add(-1) == 0 {
			close(done)
		}
	}
	r.each(func(m *member) {
		left.Add(1)
		r.root.Send(m.pid, &mailbox.Barrier{Done: release})
	})
	release()
	return done
}

func (r *registry[K]) queued() (n int) {
	r.each(func(m *member) { n += m.box.UserMessageCount() })
	return n
}
