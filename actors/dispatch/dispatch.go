// Package dispatch runs mailboxes on a fixed number of goroutines.
//
// protoactor's default dispatcher starts a goroutine each time a mailbox gets
// its first message; with thousands of actors that receive one message at a
// time, starting goroutines costs more than the messages do. A [Pool] keeps its
// workers and hands them the mailboxes in the order in which they became ready.
//
// Concurrency: Schedule may be called from any goroutine, also from a worker; it
// never blocks and never runs the function itself. A function runs once, on one
// worker. There is no order between functions on different workers, so a caller
// that must not run twice at the same time schedules itself only when it is
// idle, as a mailbox does. The queue is bounded by the number of such callers.
package dispatch

import (
	"errors"
	"runtime"
	"sync"
)

// DefaultThroughput is how many messages a mailbox may handle before it goes to
// the back of the queue: enough to pay for the switch (about 0.2 µs against
// 0.2…50 µs per message), few enough that a flood to one actor holds a worker for
// some milliseconds only.
const DefaultThroughput = 64

// Pool is a fixed set of workers. It implements protoactor's actor.Dispatcher.
type Pool struct {
	throughput int
	workers    sync.WaitGroup

	mu     sync.Mutex // guards all below
	ready  sync.Cond
	queue  []func() // ring
	head   int
	length int
	idle   int
	closed bool
}

// New starts a pool. workers <= 0 means one per processor, throughput <= 0 means
// [DefaultThroughput]. Close releases the workers.
func New(workers, throughput int) *Pool {
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	if throughput <= 0 {
		throughput = DefaultThroughput
	}
	p := &Pool{throughput: throughput, queue: make([]func(), 64)}
	p.ready.L = &p.mu
	for range workers {
		p.workers.Go(p.work)
	}
	return p
}

// Throughput returns how many messages a mailbox may handle in one go.
func (p *Pool) Throughput() int { return p.throughput }

// Schedule queues fn. After Close it is dropped: by then no actor lives.
func (p *Pool) Schedule(fn func()) {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return
	}
	if p.length == len(p.queue) {
		p.grow()
	}
	p.queue[(p.head+p.length)&(len(p.queue)-1)] = fn
	p.length++
	wake := p.idle > 0
	p.mu.Unlock()
	// Waking costs a system call, so it is spared while all workers are busy:
	// each of them looks at the queue again before it sleeps.
	if wake {
		p.ready.Signal()
	}
}

// Queued returns how many functions wait for a worker.
func (p *Pool) Queued() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.length
}

// Close lets the workers finish what is queued, then ends them and waits. It
// must not be called from a worker. A second call is an error.
func (p *Pool) Close() error {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return errors.New("dispatch: pool closed twice")
	}
	p.closed = true
	p.mu.Unlock()
	p.ready.Broadcast()
	p.workers.Wait()
	return nil
}

func (p *Pool) work() {
	for {
		fn, ok := p.take()
		if !ok {
			return
		}
		fn()
	}
}

func (p *Pool) take() (func(), bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.length == 0 {
		if p.closed {
			return nil, false
		}
		p.idle++
		p.ready.Wait()
		p.idle--
	}
	fn := p.queue[p.head]
	p.queue[p.head] = nil
	p.head = (p.head + 1) & (len(p.queue) - 1)
	p.length--
	return fn, true
}

// grow doubles the ring. Its length stays a power of two, so that an index wraps
// with a mask.
func (p *Pool) grow() {
	bigger := make([]func(), 2*len(p.queue))
	n := copy(bigger, p.queue[p.head:])
	copy(bigger[n:], p.queue[:p.head])
	p.queue, p.head = bigger, 0
}
