package http

import (
	"container/list"
	"net/http"
	"strings"
	"sync"
	"time"

	"mybeacon/schema"
)

// Rate is how many requests are answered. The zero Rate is no bound.
type Rate struct {
	PerSecond float64
	Burst     int // at once, after a while of silence
}

// Rates bound the requests of the REST API. Sockets, and what devices send, have
// quotas of their own.
type Rates struct {
	User         Rate // of one person or API key
	Organisation Rate // of all its people and keys together
	Address      Rate // of one address, an IPv6 network of 64 bits counting as one; known callers and others
}

// DefaultRates returns bounds that no console and no sensible program meets.
func DefaultRates() Rates {
	return Rates{User: Rate{PerSecond: 50, Burst: 200}, Organisation: Rate{PerSecond: 200, Burst: 1000}, Address: Rate{PerSecond: 200, Burst: 1000}}
}

// maxBuckets bounds the memory of one kind of bounds, some 10 MB. Beyond it the
// callers who asked longest ago are forgotten, as if they had been silent.
const maxBuckets = 50_000

// buckets count requests per key by the generic cell rate algorithm: one time per
// key, at which all its burst will be back. They are safe for concurrent use.
type buckets struct {
	rate Rate

	mu    sync.Mutex
	keys  map[string]*list.Element
	order *list.List // of *bucket, the one asked longest ago first
}

type bucket struct {
	key  string
	full time.Time // when all of the burst is back
}

func newBuckets(rate Rate) *buckets {
	if rate.PerSecond <= 0 || rate.Burst <= 0 {
		return nil
	}
	return &buckets{rate: rate, keys: map[string]*list.Element{}, order: list.New()}
}

// quota is what is left of a bound. It implements [RateLimit] and [RetryAfter].
type quota struct {
	limit, remaining int
	reset, wait      time.Duration
}

// Error implements error.
func (quota) Error() string { return "too many requests" }

// RateLimit implements [RateLimit].
func (q quota) RateLimit() (limit, remaining int, reset time.Duration) {
	return q.limit, q.remaining, q.reset
}

// RetryAfter implements [RetryAfter].
func (q quota) RetryAfter() time.Duration { return q.wait }

// take counts one request of the key; ok is false when it is one too many, which
// counts as none.
func (b *buckets) take(now time.Time, key string) (q quota, ok bool) { return b.takeMany(now, key, 1) }

// takeMany counts so many at once, all or none.
func (b *buckets) takeMany(now time.Time, key string, n int) (q quota, ok bool) {
	each := time.Duration(float64(time.Second) / b.rate.PerSecond)
	whole := each * time.Duration(b.rate.Burst)
	b.mu.Lock()
	defer b.mu.Unlock()
	one := b.find(key)
	full := one.full
	if full.Before(now) {
		full = now
	}
	cost := each * time.Duration(n)
	if over := full.Add(cost).Sub(now) - whole; over > 0 {
		return quota{limit: b.rate.Burst, reset: full.Sub(now), wait: over}, false
	}
	one.full = full.Add(cost)
	reset := one.full.Sub(now)
	return quota{limit: b.rate.Burst, remaining: int((whole - reset) / each), reset: reset}, true
}

// forget takes all back that was counted of the key.
func (b *buckets) forget(key string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if e, ok := b.keys[key]; ok {
		b.order.Remove(e)
		delete(b.keys, key)
	}
}

func (b *buckets) find(key string) *bucket {
	if e, ok := b.keys[key]; ok {
		b.order.MoveToBack(e)
		return e.Value.(*bucket)
	}
	if b.order.Len() >= maxBuckets {
		oldest := b.order.Front()
		delete(b.keys, oldest.Value.(*bucket).key)
		b.order.Remove(oldest)
	}
	one := &bucket{key: key}
	b.keys[key] = b.order.PushBack(one)
	return one
}

// Allowance bounds how much of one thing each person may do, beside the bounds on
// requests. It is safe for concurrent use.
type Allowance struct {
	buckets *buckets
	what    string
}

// NewAllowance bounds what the text names in the plural, such as "page views".
func NewAllowance(rate Rate, what string) *Allowance {
	return &Allowance{newBuckets(rate), what}
}

// Take counts so many of who asks, all or none. The error is of the kind
// schema.TooMany and knows when to try again.
func (a *Allowance) Take(who schema.UserID, n int) error {
	if q, ok := a.buckets.takeMany(time.Now(), who.String(), n); !ok {
		return &schema.Error{Kind: schema.TooMany, Message: "too many " + a.what + "; wait as long as Retry-After says", Err: q}
	}
	return nil
}

// rates are the bounds of one server.
type rates struct{ user, organisation, address *buckets }

func newRates(r Rates) rates {
	return rates{newBuckets(r.User), newBuckets(r.Organisation), newBuckets(r.Address)}
}

// spend counts a request against the bound, notes in the headers what is left of the
// tightest, and refuses one too many.
func spend(h http.Header, b *buckets, key, whose string) error {
	if b == nil {
		return nil
	}
	q, ok := b.take(time.Now(), key)
	if !ok {
		return &schema.Error{Kind: schema.TooMany, Message: "too many requests of " + whose + "; wait as long as Retry-After says", Err: q}
	}
	if left := h.Get("RateLimit-Remaining"); left == "" || q.remaining < number(left) {
		setRateLimit(h, q)
	}
	return nil
}

// number reads what setRateLimit wrote.
func number(text string) (n int) {
	for _, c := range text {
		n = n*10 + int(c-'0')
	}
	return n
}

// spendAddress counts a request before anybody is known. Sockets count at their
// opening; devices have quotas.
func (s *Server) spendAddress(w http.ResponseWriter, r *http.Request) error {
	if !strings.HasPrefix(r.URL.Path, "/api/") || strings.HasPrefix(r.URL.Path, "/api/v1/device/") {
		return nil
	}
	return spend(w.Header(), s.rates.address, limitKey(s.clientAddress(r)), "this address")
}

// spendCaller counts a request of somebody who is known. Who came by a link counts for
// himself: a link that went round must not take the requests of the organisation.
func (s *Server) spendCaller(h http.Header, p Principal) error {
	if !p.Share.IsZero() {
		return spend(h, s.rates.user, "guest "+p.Visit.String(), "this browser")
	}
	if err := spend(h, s.rates.user, p.Caller(), "this account"); err != nil {
		return err
	}
	if p.Organisation.IsZero() {
		return nil
	}
	return spend(h, s.rates.organisation, p.Organisation.String(), "this organisation")
}
