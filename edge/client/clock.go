package client

import (
	"math/rand/v2"
	"time"
)

// clockOffset learns the engine's clock minus ours. The engine read its clock
// somewhere between our sending and our receiving: half a round trip is the
// error at worst, so the shortest of the last round trips is believed.
type clockOffset struct {
	samples [8]offsetSample
	n       int
}

type offsetSample struct{ offset, roundTrip time.Duration }

// learn adds a measurement: we sent at sent, the engine answered engine, we
// received at received.
func (c *clockOffset) learn(sent, engine, received time.Time) {
	trip := received.Sub(sent)
	if trip < 0 {
		return // our clock was set meanwhile
	}
	c.samples[c.n%len(c.samples)] = offsetSample{engine.Sub(sent.Add(trip / 2)), trip}
	c.n++
}

func (c *clockOffset) value() (time.Duration, bool) {
	n := min(c.n, len(c.samples))
	if n == 0 {
		return 0, false
	}
	best := c.samples[0]
	for _, s := range c.samples[1:n] {
		if s.roundTrip < best.roundTrip {
			best = s
		}
	}
	return best.offset, true
}

// backoff is the wait before the next attempt: exponential with full jitter, as
// it spreads a crowd best.
type backoff struct {
	min, max time.Duration
	current  time.Duration
}

// next returns how long to wait now, and doubles.
func (b *backoff) next() time.Duration {
	if b.current == 0 {
		b.current = b.min
	}
	wait := jitter(b.current)
	b.current = min(2*b.current, b.max)
	return wait
}

// slow makes the next waits the longest.
func (b *backoff) slow() { b.current = b.max }

// reset begins anew when the connection lasted longer than what was waited for
// it: one that is closed at once must not be made again at once.
func (b *backoff) reset(lasted time.Duration) {
	if lasted > b.current {
		b.current = 0
	}
}

// jitter returns a random time in (0, d].
func jitter(d time.Duration) time.Duration {
	if d <= 0 {
		return 0
	}
	return rand.N(d) + 1
}
