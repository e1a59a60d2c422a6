package http

import (
	"container/list"
	"sync"
	"time"

	"mybeacon/schema"
)

// Log-in failures allowed per account and per address.
const (
	maxFailures   = 10
	failureWindow = 15 * time.Minute
	// maxOpens is how often links to live maps are opened from one address in the same
	// time: each leaves a session and an entry in the log.
	maxOpens = 100
	// maxTracked bounds the memory of the limiter, some 2 MB. The oldest window
	// is forgotten first; to push one out on purpose takes as many different
	// addresses, each with failures of its own.
	maxTracked = 10_000
	// Mails that one e-mail gets because somebody asked who is not logged in.
	maxMails   = 5
	mailWindow = time.Hour
)

// limiter counts attempts per key in windows that begin with the first attempt.
// It is safe for concurrent use.
type limiter struct {
	max     int
	window  time.Duration
	tracked int

	mu    sync.Mutex
	keys  map[string]*list.Element
	order *list.List // of *attempts, oldest window first
}

type attempts struct {
	key   string
	count int
	since time.Time
}

func newLimiter(maxAttempts int, window time.Duration, tracked int) *limiter {
	return &limiter{max: maxAttempts, window: window, tracked: tracked, keys: map[string]*list.Element{}, order: list.New()}
}

// tooSoon is the cause of a refusal that knows when to try again.
type tooSoon time.Duration

// Error implements error.
func (t tooSoon) Error() string { return "wait " + time.Duration(t).String() }

// RetryAfter implements [RetryAfter].
func (t tooSoon) RetryAfter() time.Duration { return time.Duration(t) }

// take counts one attempt against every key, or refuses with TooMany and counts
// none. Attempts are counted before their outcome is known, so that many at once
// are not more than many in turn.
func (l *limiter) take(now time.Time, keys ...string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.expire(now)
	for _, key := range keys {
		if e, ok := l.keys[key]; ok && e.Value.(*attempts).count >= l.max {
			wait := e.Value.(*attempts).since.Add(l.window).Sub(now)
			return &schema.Error{Kind: schema.TooMany, Message: "too many attempts, try again later", Err: tooSoon(wait)}
		}
	}
	for _, key := range keys {
		l.count(now, key)
	}
	return nil
}

func (l *limiter) count(now time.Time, key string) {
	if e, ok := l.keys[key]; ok {
		e.Value.(*attempts).count++
		return
	}
	if l.order.Len() >= l.tracked {
		l.remove(l.order.Front())
	}
	l.keys[key] = l.order.PushBack(&attempts{key: key, count: 1, since: now})
}

// refund takes an attempt back that came to no outcome, such as one while the
// database was away.
func (l *limiter) refund(keys ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, key := range keys {
		l.takeBack(key)
	}
}

// succeed forgets the account's failures and takes the attempt back from the
// address; the address keeps its failures against other accounts.
func (l *limiter) succeed(account, address string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e, ok := l.keys[account]; ok {
		l.remove(e)
	}
	l.takeBack(address)
}

func (l *limiter) takeBack(key string) {
	e, ok := l.keys[key]
	if !ok {
		return
	}
	if a := e.Value.(*attempts); a.count > 1 {
		a.count--
		return
	}
	l.remove(e)
}

func (l *limiter) expire(now time.Time) {
	for e := l.order.Front(); e != nil && now.Sub(e.Value.(*attempts).since) >= l.window; e = l.order.Front() {
		l.remove(e)
	}
}

func (l *limiter) remove(e *list.Element) {
	delete(l.keys, e.Value.(*attempts).key)
	l.order.Remove(e)
}
