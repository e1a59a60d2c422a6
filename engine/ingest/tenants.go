package ingest

import (
	"context"
	"sync"
	"time"

	"mybeacon/schema"
)

// Quota bounds what the devices of one organisation send together, so that a
// noisy tenant slows itself down and nobody else. Zero rates are no bound.
type Quota struct {
	FramesPerSecond       int
	ObservationsPerSecond int
	// Burst is how long the organisation may send twice the rates, or how many
	// seconds' worth at once after a silence: what scanners saved up while they
	// were cut off.
	Burst time.Duration
}

func (q Quota) valid() bool {
	if q.FramesPerSecond < 0 || q.ObservationsPerSecond < 0 {
		return false
	}
	return q.FramesPerSecond == 0 && q.ObservationsPerSecond == 0 || q.Burst >= 100*time.Millisecond
}

// tenants share the room for what waits for storage. An organisation may fill
// twice what is free: alone that is two thirds of all room, and however many
// fill their part, there is always some left for one that comes anew.
type tenants struct {
	quota   Quota
	limit   int
	metrics *Metrics

	mu      sync.Mutex
	flying  int // observations of all organisations
	byOrg   map[schema.OrganisationID]*tenant
	waiting map[*tenant]struct{} // those whose changed somebody waits on
}

// shareOfFree is how many times the free room one organisation may fill.
const shareOfFree = 2

// tenant is what one organisation uses.
type tenant struct {
	all          *tenants
	org          schema.OrganisationID
	frames       bucket
	observations bucket

	// Guarded by tenants.mu.
	holds   int // sessions
	flying  int // observations that wait for storage
	changed chan struct{}
}

func newTenants(cfg Config) *tenants {
	return &tenants{
		quota: cfg.Quota, limit: cfg.MaxInFlight, metrics: cfg.Metrics,
		byOrg: map[schema.OrganisationID]*tenant{}, waiting: map[*tenant]struct{}{},
	}
}

// hold returns the organisation's tenant and keeps it until release.
func (ts *tenants) hold(org schema.OrganisationID) *tenant {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	t := ts.of(org)
	t.holds++
	return t
}

// of returns the organisation's tenant, making it if need be; the caller holds
// mu.
func (ts *tenants) of(org schema.OrganisationID) *tenant {
	t, known := ts.byOrg[org]
	if !known {
		t = &tenant{
			all: ts, org: org, changed: make(chan struct{}),
			frames: newBucket(ts.quota.FramesPerSecond, ts.quota.Burst), observations: newBucket(ts.quota.ObservationsPerSecond, ts.quota.Burst),
		}
		ts.byOrg[org] = t
	}
	return t
}

// release forgets a tenant that nobody holds and that owes nothing: closing a
// connection must not give a full bucket.
func (t *tenant) release() {
	ts := t.all
	ts.mu.Lock()
	defer ts.mu.Unlock()
	t.holds--
	t.forget()
}

// forget drops the tenant when nothing of it matters any more; the caller holds
// tenants.mu. One that still owes is kept until its next release or settlement.
func (t *tenant) forget() {
	if t.holds == 0 && t.flying == 0 && t.frames.full() && t.observations.full() {
		delete(t.all.byOrg, t.org)
	}
}

// add counts observations of the organisation that wait for storage, fewer when
// n is negative.
func (ts *tenants) add(org schema.OrganisationID, n int) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	t := ts.of(org)
	t.flying += n
	ts.flying += n
	ts.metrics.flying(ts.flying)
	if n >= 0 {
		return
	}
	for w := range ts.waiting {
		if !w.full() {
			close(w.changed)
			w.changed = make(chan struct{})
			delete(ts.waiting, w)
		}
	}
	t.forget()
}

// full reports whether the organisation has filled its share; the caller holds
// tenants.mu.
func (t *tenant) full() bool {
	free := t.all.limit - t.all.flying
	return free <= 0 || t.flying >= shareOfFree*free
}

// shut returns a channel that is closed when there is room again, or nil when
// there is.
func (t *tenant) shut() <-chan struct{} {
	t.all.mu.Lock()
	defer t.all.mu.Unlock()
	if !t.full() {
		return nil
	}
	t.all.waiting[t] = struct{}{}
	return t.changed
}

// charge takes what was sent from the buckets. They may go into debt: what has
// arrived is taken, and the next message waits.
func (t *tenant) charge(frames, observations int) {
	now := time.Now()
	t.frames.take(now, float64(frames))
	t.observations.take(now, float64(observations))
}

// pace waits for one frame's place and reports whether it was taken, or the
// context or done came first. Places are given in the order of the calls, so that
// a thousand waiting devices wake one by one.
func (t *tenant) pace(ctx context.Context, done <-chan struct{}) bool {
	wait := max(t.frames.take(time.Now(), 1), t.observations.take(time.Now(), 0))
	if wait <= 0 {
		return true
	}
	t.all.metrics.throttled(doorStream)
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-done:
	case <-ctx.Done():
	}
	t.frames.give(1)
	return false
}

// admit takes one frame's place now, or refuses and says when to come again.
func (t *tenant) admit() error {
	now := time.Now()
	wait := max(t.frames.owed(now, 1), t.observations.owed(now, 0))
	if wait <= 0 {
		t.frames.take(now, 1)
		return nil
	}
	t.all.metrics.throttled(doorPost)
	return &schema.Error{Kind: schema.TooMany, Message: "the organisation's devices send more than its quota", Err: throttle{t.rate(now), wait}}
}

// RateLimit is how much of the quota is left. Limit 0 means that there is none.
type RateLimit struct {
	Limit     int           // frames a second
	Remaining int           // frames that would be taken at once
	Reset     time.Duration // until the whole burst may be sent
}

func (t *tenant) rate(now time.Time) RateLimit {
	left, reset := t.frames.left(now)
	return RateLimit{Limit: t.all.quota.FramesPerSecond, Remaining: left, Reset: reset}
}

// throttle is the cause of a refusal for the quota: who answers the request can
// tell when to come again.
type throttle struct {
	rate RateLimit
	wait time.Duration
}

// Error implements error.
func (t throttle) Error() string { return "wait " + t.wait.String() }

// RetryAfter returns when the next request has a chance.
func (t throttle) RetryAfter() time.Duration { return t.wait }

// RateLimit returns what is left of the quota.
func (t throttle) RateLimit() (limit, remaining int, reset time.Duration) {
	return t.rate.Limit, t.rate.Remaining, t.rate.Reset
}

// bucket is a token bucket that may go into debt. Rate 0 is never empty.
type bucket struct {
	rate, size float64 // tokens a second, and at most

	mu     sync.Mutex
	tokens float64
	at     time.Time
}

func newBucket(rate int, burst time.Duration) bucket {
	size := float64(rate) * burst.Seconds()
	return bucket{rate: float64(rate), size: size, tokens: size, at: time.Now()}
}

// refill brings the tokens up to now; the caller holds mu.
func (b *bucket) refill(now time.Time) {
	if passed := now.Sub(b.at).Seconds(); passed > 0 {
		b.tokens = min(b.size, b.tokens+passed*b.rate)
		b.at = now
	}
}

// take takes n tokens, which need not be there, and returns how long to wait
// until they are.
func (b *bucket) take(now time.Time, n float64) time.Duration {
	if b.rate == 0 {
		return 0
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refill(now)
	b.tokens -= n
	return b.until(0)
}

// owed returns how long to wait until n tokens are there.
func (b *bucket) owed(now time.Time, n float64) time.Duration {
	if b.rate == 0 {
		return 0
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refill(now)
	return b.until(n)
}

// until returns how long the refill to n tokens takes; the caller holds mu.
func (b *bucket) until(n float64) time.Duration {
	return time.Duration(max(0, n-b.tokens) / b.rate * float64(time.Second))
}

func (b *bucket) give(n float64) {
	if b.rate == 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tokens = min(b.size, b.tokens+n)
}

// left returns the whole tokens that are there and how long the refill takes.
func (b *bucket) left(now time.Time) (int, time.Duration) {
	if b.rate == 0 {
		return 0, 0
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refill(now)
	return int(max(0, b.tokens)), b.until(b.size)
}

func (b *bucket) full() bool {
	_, reset := b.left(time.Now())
	return reset == 0
}
