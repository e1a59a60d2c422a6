package corehttp

import (
	"net/netip"
	"sync"
	"time"

	"mybeacon/schema"
)

// How often one address may knock: a site whose boxes all start at once has one
// address, and somebody who guesses has one too.
const (
	knocksAtOnce  = 300
	knocksASecond = 2
	maxKnockers   = 10_000
)

// door bounds how often each address may try routes that are open to anybody. It is
// safe for concurrent use.
type door struct {
	mu       sync.Mutex
	knockers map[netip.Prefix]*knocker
}

type knocker struct {
	left float64 // tries
	at   time.Time
}

func newDoor() *door { return &door{knockers: map[netip.Prefix]*knocker{}} }

// full reports whether the knocker has all its tries again.
func (k *knocker) full(now time.Time) bool {
	return k.left+now.Sub(k.at).Seconds()*knocksASecond >= knocksAtOnce
}

// network is what counts as one address: of IPv6 whoever has one has a network.
func network(a netip.Addr) netip.Prefix {
	bits := 32
	if a = a.Unmap(); a.Is6() {
		bits = 64
	}
	p, err := a.Prefix(bits)
	if err != nil { // of the zero address, as in a test without a connection
		return netip.Prefix{}
	}
	return p
}

// admit takes one try, or refuses with TooMany.
func (d *door) admit(from netip.Addr, now time.Time) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	at := network(from)
	k, known := d.knockers[at]
	if !known {
		if len(d.knockers) >= maxKnockers {
			d.forget(now)
		}
		k = &knocker{left: knocksAtOnce, at: now}
		d.knockers[at] = k
	}
	k.left = min(knocksAtOnce, k.left+now.Sub(k.at).Seconds()*knocksASecond)
	k.at = now
	if k.left < 1 {
		wait := time.Duration((1 - k.left) / knocksASecond * float64(time.Second))
		return &schema.Error{Kind: schema.TooMany, Message: "too many tries from this address; wait", Err: waitError(wait)}
	}
	k.left--
	return nil
}

// forget makes room: of those that have all their tries again, else of any one.
func (d *door) forget(now time.Time) {
	for at, k := range d.knockers {
		if k.full(now) {
			delete(d.knockers, at)
		}
	}
	for at := range d.knockers {
		if len(d.knockers) < maxKnockers {
			return
		}
		delete(d.knockers, at)
	}
}

// waitError is the cause of a refusal that knows when to come again.
type waitError time.Duration

// Error implements error.
func (w waitError) Error() string { return "wait " + time.Duration(w).String() }

// RetryAfter tells whoever answers the request.
func (w waitError) RetryAfter() time.Duration { return time.Duration(w) }
