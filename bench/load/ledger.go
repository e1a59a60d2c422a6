package load

import (
	"context"
	"sync"
	"time"

	"mybeacon/schema"
	"mybeacon/schema/wire"
)

// ledger knows which frames were sent, when, and which of them are acknowledged. It
// is safe for concurrent use.
type ledger struct {
	mu           sync.Mutex
	devices      []account
	observations int        // acknowledged
	times        *histogram // of acknowledgements; nil while they do not count
	changed      chan struct{}
}

type account struct {
	pending []pending // oldest first
	acked   wire.SeqSet
}

type pending struct {
	seq          uint64
	observations int
	event        schema.EventTime
	at           time.Time
}

func newLedger(devices int) *ledger {
	return &ledger{devices: make([]account, devices), changed: make(chan struct{}, 1)}
}

// sent notes a frame before it goes: its acknowledgement may come at once.
func (l *ledger) sent(device int, seq uint64, observations int, event schema.EventTime) {
	l.mu.Lock()
	defer l.mu.Unlock()
	a := &l.devices[device]
	a.pending = append(a.pending, pending{seq, observations, event, time.Now()})
}

// acked notes that the frames from…to are stored; ranges may repeat.
func (l *ledger) acked(device int, from, to uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	a := &l.devices[device]
	kept := a.pending[:0]
	for _, p := range a.pending {
		if p.seq < from || p.seq > to {
			kept = append(kept, p)
			continue
		}
		a.acked.Add(wire.SeqRange{From: p.seq, To: p.seq})
		l.observations += p.observations
		if l.times != nil {
			l.times.add(now.Sub(p.at))
		}
	}
	a.pending = kept
	select {
	case l.changed <- struct{}{}:
	default:
	}
}

// measure counts the times of acknowledgements in h from now on; nil: no longer.
func (l *ledger) measure(h *histogram) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.times = h
}

// stored returns how many observations are acknowledged.
func (l *ledger) stored() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.observations
}

// behind reports whether a frame of before event is not acknowledged.
func (l *ledger) behind(event schema.EventTime) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.devices {
		if p := l.devices[i].pending; len(p) > 0 && p[0].event < event {
			return true
		}
	}
	return false
}

// await waits until all frames of before event are acknowledged. One goroutine may
// wait at a time. It gives up when nothing happens for patience.
func (l *ledger) await(ctx context.Context, event schema.EventTime) error {
	quiet := time.NewTimer(patience)
	defer quiet.Stop()
	for l.behind(event) {
		select {
		case <-l.changed:
			quiet.Reset(patience)
		case <-quiet.C:
			return schema.Errorf(schema.Unavailable, "", "the server acknowledged nothing for %v", patience)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// patience is how long the server may take nothing or show nothing.
const patience = 2 * time.Minute

// ackedSet returns the numbers of the device's acknowledged frames.
func (l *ledger) ackedSet(device int) []wire.SeqRange {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]wire.SeqRange(nil), l.devices[device].acked.Ranges()...)
}
