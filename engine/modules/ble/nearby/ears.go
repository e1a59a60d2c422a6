package nearby

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"mybeacon/engine/ingest"
	"mybeacon/schema"
)

// The bounds of what is remembered.
const (
	maxQueue = 1_024     // frames that wait for Run
	maxTags  = 1_000_000 // as many as ingest follows
	maxAreas = 10_000    // organisations with strangers
	// MaxStrangers is of one organisation.
	MaxStrangers = 1_000
	// maxAll is of all organisations together; one that has some may still exchange them.
	maxAll = 200_000
)

// Ears listens. Make it with [New].
type Ears struct {
	queue   chan ingest.Notice
	dropped atomic.Uint64

	mu    sync.RWMutex
	tags  map[schema.TagID]*tag
	areas map[schema.OrganisationID]*area
	all   int // strangers of all areas
}

// New returns ears that have heard nothing.
func New() *Ears {
	return &Ears{queue: make(chan ingest.Notice, maxQueue), tags: map[schema.TagID]*tag{}, areas: map[schema.OrganisationID]*area{}}
}

// Notice implements [ingest.Notices].
func (e *Ears) Notice(n ingest.Notice) {
	select {
	case e.queue <- n:
	default:
		e.dropped.Add(1)
	}
}

// Dropped returns how many frames were passed over.
func (e *Ears) Dropped() uint64 { return e.dropped.Load() }

// Run hears what was noticed until the context ends.
func (e *Ears) Run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case n := <-e.queue:
			e.Hear(n)
		}
	}
}

// Hear takes one frame in at once.
func (e *Ears) Hear(n ingest.Notice) {
	e.mu.Lock()
	defer e.mu.Unlock()
	details := n.Details
	for i := range n.Observations {
		o, index := &n.Observations[i], n.Indexes[i]
		for len(details) > 0 && details[0].Index < index {
			details = details[1:]
		}
		h := hearing{Heard: o, Source: &n.Source, at: timeOf(&n, o), battery: schema.NoBattery}
		if len(details) > 0 && details[0].Index == index {
			h.battery, h.address = details[0].Battery, details[0].Address
		}
		if o.Tag.IsZero() {
			e.stranger(h, n.ArrivedAt)
		} else {
			e.tag(h)
		}
	}
}

// hearing is one observation with what it said beside.
type hearing struct {
	*schema.Heard
	*schema.Source
	at      time.Time
	battery int8
	address schema.Address
}

// timeOf returns when it was heard. A clock that is ahead does not make it later, and
// the times of a recording are not now.
func timeOf(n *ingest.Notice, o *schema.Heard) time.Time {
	if at := o.At.Time(); !n.Recorded && at.Before(n.ArrivedAt) {
		return at
	}
	return n.ArrivedAt
}

// Tag is what is known of a registered tag.
type Tag struct {
	ID           schema.TagID
	Organisation schema.OrganisationID
	At           time.Time // last heard
	Battery      int8      // percent, or [schema.NoBattery]
	BatteryAt    time.Time
	Addresses    []From // the newest first
	SharedAt     time.Time
}

// Tag returns what is known of the tag; false when it was not heard since the start.
func (e *Ears) Tag(id schema.TagID) (Tag, bool) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	t := e.tags[id]
	if t == nil {
		return Tag{}, false
	}
	return t.told(id), true
}

// Active returns the tags that were heard at since or later: the organisation's, or
// those of all when it is zero.
func (e *Ears) Active(organisation schema.OrganisationID, since time.Time) []schema.TagID {
	e.mu.RLock()
	defer e.mu.RUnlock()
	found := []schema.TagID{}
	for id, t := range e.tags {
		if !t.at.Before(since) && (organisation.IsZero() || t.organisation == organisation) {
			found = append(found, id)
		}
	}
	return found
}

// News returns what is worth storing and was not returned yet, at most so many. A tag
// is news when it is heard for the first time, when its battery or addresses change, and
// every refresh while it is heard.
func (e *Ears) News(refresh time.Duration, most int) []Tag {
	e.mu.Lock()
	defer e.mu.Unlock()
	var news []Tag
	for id, t := range e.tags {
		if !t.isNews(refresh) {
			continue
		}
		if news = append(news, t.told(id)); len(news) == most {
			break
		}
	}
	for _, n := range news {
		e.tags[n.ID].fresh, e.tags[n.ID].toldAt = false, n.At
	}
	return news
}

// Forget lets go of tags that were heard before the time last. They are as they are
// stored; what was never told as news stays.
func (e *Ears) Forget(before time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for id, t := range e.tags {
		if t.at.Before(before) && !t.isNews(0) {
			delete(e.tags, id)
		}
	}
	for organisation, a := range e.areas {
		e.all -= a.forget(before)
		if len(a.strangers) == 0 {
			delete(e.areas, organisation)
		}
	}
}

// Again makes the tags news once more, after they could not be stored.
func (e *Ears) Again(news []Tag) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, n := range news {
		if t := e.tags[n.ID]; t != nil {
			t.fresh = true
		}
	}
}

// Strangers returns the unregistered transmitters of the organisation that were heard
// at the locations that sees admits, the loudest first.
func (e *Ears) Strangers(organisation schema.OrganisationID, sees func(schema.LocationID) bool) []Stranger {
	e.mu.RLock()
	defer e.mu.RUnlock()
	a := e.areas[organisation]
	if a == nil {
		return nil
	}
	found := a.told(sees)
	slices.SortStableFunc(found, func(x, y Stranger) int { return int(y.RSSI) - int(x.RSSI) })
	return found
}

// Registered forgets the identity as a stranger: it is a tag now.
func (e *Ears) Registered(organisation schema.OrganisationID, transmitter schema.Transmitter) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if a := e.areas[organisation]; a != nil {
		e.all -= a.remove(transmitter)
	}
}
