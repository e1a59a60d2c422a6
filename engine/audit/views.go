package audit

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"

	"mybeacon/schema"
)

// The bounds of what is kept in memory of what was looked at.
const (
	viewsDelay  = time.Second // until it is stored
	viewsBatch  = 500
	viewsQueue  = 4000
	viewsAgain  = time.Minute // for how long looking at the same again is the same view
	viewsRecent = 20_000
	viewsGrace  = 5 * time.Second // of a stop, for the last batch
	maxBackoff  = 5 * time.Second
)

// Act is an entry with who did it.
type Act struct {
	Entry
	By Actor
}

// Views writes down what people look at, many at once: reading is far more frequent
// than changing, and a person must not wait for the log to read. A view that was taken
// is stored within about a second, unless the process is killed meanwhile. Its methods
// are safe for concurrent use; Run is for one goroutine.
type Views struct {
	log   *slog.Logger
	keep  func(context.Context, []Act) error
	queue chan Act

	mu     sync.Mutex
	recent map[string]time.Time
}

// NewViews returns Views that store by keep: all of a batch or nothing.
func NewViews(log *slog.Logger, keep func(context.Context, []Act) error) *Views {
	return &Views{log: log, keep: keep, queue: make(chan Act, viewsQueue), recent: map[string]time.Time{}}
}

// Viewed takes a view by who acts in the context. Looking at the same again within a
// minute is one view. While nothing can be stored and the queue is full it waits, and
// is Unavailable when the context ends: what cannot be written down is not shown.
func (v *Views) Viewed(ctx context.Context, e Entry) error {
	act := Act{e, ActorOf(ctx)}
	if !v.fresh(act) {
		return nil
	}
	select {
	case v.queue <- act:
		return nil
	case <-ctx.Done():
		v.forget(act)
		return &schema.Error{Kind: schema.Unavailable, Message: "what is looked at cannot be written down now, try again later", Err: ctx.Err()}
	}
}

// key is equal for views that are the same.
func (a Act) key() string {
	parts := []string{a.By.User.String(), a.By.Key, a.Organisation.String(), string(a.Action), a.Object.Kind, a.Object.ID, a.Object.Name}
	for _, f := range a.Fields {
		parts = append(parts, f.Name, f.New)
	}
	return strings.Join(parts, "\x00")
}

// fresh reports whether the view is new, and remembers it.
func (v *Views) fresh(a Act) bool {
	key, now := a.key(), time.Now()
	v.mu.Lock()
	defer v.mu.Unlock()
	if at, ok := v.recent[key]; ok && now.Sub(at) < viewsAgain {
		return false
	}
	if len(v.recent) < viewsRecent {
		v.recent[key] = now
	}
	return true
}

func (v *Views) forget(a Act) {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.recent, a.key())
}

func (v *Views) forgetOld() {
	v.mu.Lock()
	defer v.mu.Unlock()
	for key, at := range v.recent {
		if time.Since(at) >= viewsAgain {
			delete(v.recent, key)
		}
	}
}

// Run stores what is taken until the context ends, and then what is left.
func (v *Views) Run(ctx context.Context) error {
	for {
		batch := v.collect(ctx)
		if len(batch) > 0 {
			v.store(ctx, batch)
			v.forgetOld()
		}
		if ctx.Err() != nil && len(v.queue) == 0 {
			return nil
		}
	}
}

// collect waits for a view, and then for more until the batch is full or a second has
// passed. When the context ends it takes what there is.
func (v *Views) collect(ctx context.Context) []Act {
	var batch []Act
	var full <-chan time.Time
	ended := ctx.Done()
	for len(batch) < viewsBatch {
		if ctx.Err() != nil && len(v.queue) == 0 {
			return batch
		}
		select {
		case a := <-v.queue:
			if batch = append(batch, a); full == nil {
				full = time.After(viewsDelay)
			}
		case <-full:
			return batch
		case <-ended:
			ended = nil // what is queued is still taken
		}
	}
	return batch
}

// store tries until the batch is stored or there is no more time.
func (v *Views) store(ctx context.Context, batch []Act) {
	pause := 100 * time.Millisecond
	for {
		err := v.keep(ctx, batch)
		if err == nil {
			return
		}
		if ctx.Err() != nil {
			v.last(ctx, batch)
			return
		}
		v.log.WarnContext(ctx, "what was looked at could not be written down yet", "entries", len(batch), "error", err)
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
		pause = min(2*pause, maxBackoff)
	}
}

// last stores a batch although the server stops.
func (v *Views) last(ctx context.Context, batch []Act) {
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), viewsGrace)
	defer cancel()
	if err := v.keep(grace, batch); err != nil {
		v.log.ErrorContext(grace, "what was looked at is lost to the audit log", "entries", len(batch), "error", err)
	}
}
