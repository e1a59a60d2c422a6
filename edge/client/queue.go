package client

import (
	"context"
	"sync"

	"mybeacon/schema"
	"mybeacon/schema/wire"
)

// entry is one frame that is not acknowledged yet.
type entry struct {
	boot         string
	seq          uint64
	raw          []byte
	observations int
	rejected     int
}

// queue holds the unacknowledged frames in the order they were handed over. The
// first next of them were sent on the current connection.
type queue struct {
	maxFrames, maxBytes int

	mu        sync.Mutex
	entries   []entry
	next      int
	bytes     int // of all entries
	sentBytes int // of the first next
	changed   chan struct{}
	counts    counts
}

// counts is the queue's part of [Stats]; it changes together with the entries,
// so that who was woken by an ack sees it counted.
type counts struct{ framesAcked, observationsAcked, observationsRejected int }

func newQueue(maxFrames, maxBytes int) *queue {
	return &queue{maxFrames: maxFrames, maxBytes: maxBytes, changed: make(chan struct{})}
}

// broadcast wakes everybody who waits; the caller holds mu.
func (q *queue) broadcast() {
	close(q.changed)
	q.changed = make(chan struct{})
}

func (q *queue) wake() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.broadcast()
}

// wait returns a channel that is closed at the next change.
func (q *queue) wait() <-chan struct{} {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.changed
}

func (q *queue) state() (queued int, c counts) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.entries), q.counts
}

// until waits for ready, which is asked under mu; refused ends the wait too.
func (q *queue) until(ctx context.Context, refused func() error, ready func() bool) error {
	for {
		q.mu.Lock()
		ok, changed := ready(), q.changed
		q.mu.Unlock()
		if ok {
			return nil
		}
		if err := refused(); err != nil {
			return err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// push waits for room. A frame larger than all room is taken when it is alone.
func (q *queue) push(ctx context.Context, e entry, refused func() error) error {
	return q.until(ctx, refused, func() bool {
		if len(q.entries) > 0 && (len(q.entries) >= q.maxFrames || q.bytes+len(e.raw) > q.maxBytes) {
			return false
		}
		q.entries = append(q.entries, e)
		q.bytes += len(e.raw)
		q.broadcast()
		return true
	})
}

func (q *queue) drained(ctx context.Context, refused func() error) error {
	return q.until(ctx, refused, func() bool { return len(q.entries) == 0 })
}

// rewind makes everything unsent: the connection is a new one.
func (q *queue) rewind() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.next, q.sentBytes = 0, 0
}

// Bounds of one message: enough to make the overhead small, little enough that
// a slow line shows progress.
const (
	messageFrames = 100
	messageBytes  = 256 << 10
)

// credit is what the engine lets be on its way.
type credit struct{ frames, bytes int }

// take returns the next frames to send in one message, as the credit allows.
// One frame may always be on its way, else a large one would wait for ever.
func (q *queue) take(c credit) [][]byte {
	q.mu.Lock()
	defer q.mu.Unlock()
	var out [][]byte
	size := 0
	for q.next < len(q.entries) && len(out) < messageFrames {
		n := len(q.entries[q.next].raw)
		if q.next > 0 && (q.next >= c.frames || q.sentBytes+n > c.bytes) {
			break
		}
		if len(out) > 0 && size+n > messageBytes {
			break
		}
		out = append(out, q.entries[q.next].raw)
		size += n
		q.sentBytes += n
		q.next++
	}
	return out
}

// ack lets the frames of the range go as stored.
func (q *queue) ack(boot string, r wire.SeqRange) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.remove(boot, r, func(e entry) {
		q.counts.framesAcked++
		q.counts.observationsAcked += e.observations - e.rejected
	})
}

// drop lets them go as lost.
func (q *queue) drop(boot string, r wire.SeqRange) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.remove(boot, r, func(entry) {})
}

// remove takes the frames of the range out; the caller holds mu.
func (q *queue) remove(boot string, r wire.SeqRange, removed func(entry)) {
	kept := q.entries[:0]
	next := q.next
	for i, e := range q.entries {
		if e.boot != boot || e.seq < r.From || e.seq > r.To {
			kept = append(kept, e)
			continue
		}
		removed(e)
		q.bytes -= len(e.raw)
		if i < next {
			q.next--
			q.sentBytes -= len(e.raw)
		}
	}
	if len(kept) == len(q.entries) {
		return
	}
	clear(q.entries[len(kept):]) // let the bytes be collected
	q.entries = kept
	q.broadcast()
}

// reject notes a refusal at its frame.
func (q *queue) reject(r wire.Rejection) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i := range q.entries {
		e := &q.entries[i]
		if e.seq != r.Seq || e.boot != r.BootID {
			continue
		}
		cost := min(1, e.observations-e.rejected)
		if r.Index == wire.WholeFrame {
			cost = e.observations - e.rejected
		}
		e.rejected += cost
		q.counts.observationsRejected += cost
		return
	}
}

// errRefused is what Send and Flush return while the token is refused.
func errRefused(status string) error {
	return schema.Errorf(schema.Unauthorized, "token", "the engine refused the device (%s): issue a new token in the console", status)
}
