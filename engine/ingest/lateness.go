package ingest

import (
	"sync"
	"sync/atomic"
	"time"

	"mybeacon/schema"
)

// lateLimit is how much older than a tag's newest second an observation may be
// to join its live window; what is older is stored only, until it is worked in.
// Frames may be 5 s on their way and tell of up to a second.
const lateLimit = 6 * time.Second

// lateness knows each tag's newest second and who heard it then. It is sharded
// because every observation of every device asks it.
type lateness struct {
	shards  [64]latenessShard
	limit   int           // tags per shard
	silence time.Duration // that makes a tag absent
	since   schema.EventTime

	mu        sync.Mutex // guards listeners
	listeners map[schema.DeviceID]*listener
	devices   int // listeners at most
}

type latenessShard struct {
	mu   sync.Mutex
	tags map[schema.TagID]hearing
}

// hearing is the newest second of a tag, and who heard it first in that second.
type hearing struct {
	second schema.EventTime
	by     *listener
}

// listener is how far a device has told what it heard. It is kept for as long as a
// tag refers to it, also when the device is forgotten.
type listener struct{ through atomic.Int64 }

func (l *listener) reach(at schema.EventTime) {
	for {
		old := l.through.Load()
		if int64(at) <= old || l.through.CompareAndSwap(old, int64(at)) {
			return
		}
	}
}

// newLateness makes one for a server that starts now.
func newLateness(cfg *Config) *lateness {
	l := &lateness{
		limit: cfg.MaxTags/64 + 1, silence: cfg.Silence, since: schema.EventTimeOf(cfg.Now()).Add(-cfg.Silence - lateLimit),
		listeners: map[schema.DeviceID]*listener{}, devices: cfg.MaxDevices,
	}
	for i := range l.shards {
		l.shards[i].tags = map[schema.TagID]hearing{}
	}
	return l
}

// listener returns the device's, making room by forgetting another: the tags that it
// heard last then seem to have been heard without a break.
func (l *lateness) listener(id schema.DeviceID) *listener {
	l.mu.Lock()
	defer l.mu.Unlock()
	known := l.listeners[id]
	if known == nil {
		if len(l.listeners) >= l.devices {
			for other := range l.listeners {
				delete(l.listeners, other)
				break
			}
		}
		known = &listener{}
		l.listeners[id] = known
	}
	return known
}

// ear is who tells of observations, and by which clocks.
type ear struct {
	by *listener
	// ceiling is up to when times are believed: a clock that is minutes ahead must not
	// make everybody else late.
	ceiling schema.EventTime
	// since: what is older is late when nothing is known of its tag.
	since schema.EventTime
}

// observe notes that the tag was heard at at and reports whether that is late:
//
//   - when it is older than the tag's newest second allows;
//   - when the tag may have been declared absent since, and would not have been, had
//     this come in time: the live tag has closed its visit, and only who lives through
//     that time again can make it whole;
//   - when nothing is known of the tag, and an earlier process may have known it.
func (l *lateness) observe(tag schema.TagID, at schema.EventTime, e ear) bool {
	s := &l.shards[tag[15]%64]
	s.mu.Lock()
	defer s.mu.Unlock()
	h, known := s.tags[tag]
	if second := min(at, e.ceiling).Second(); !known || second > h.second {
		if !known && len(s.tags) >= l.limit {
			s.evict()
		}
		s.tags[tag] = hearing{second, e.by}
	}
	if !known {
		return at < e.since
	}
	return at < h.second.Add(-lateLimit) || h.gone(at, l.silence)
}

// gone reports whether the tag may have been declared absent before it was known that
// it was heard at at. That needs the word of whoever heard it last. One that is behind
// by no more than frames may be is waited for.
func (h hearing) gone(at schema.EventTime, silence time.Duration) bool {
	through := schema.EventTime(h.by.through.Load())
	return at < h.second.Add(silence+time.Second) && h.second.Add(silence) <= through && at < through.Add(-lateLimit)
}

// evict forgets the longest unheard of a few tags; the caller holds mu.
func (s *latenessShard) evict() {
	var oldest schema.TagID
	var at schema.EventTime
	n := 0
	for tag, h := range s.tags {
		if n == 0 || h.second < at {
			oldest, at = tag, h.second
		}
		if n++; n == 8 {
			break
		}
	}
	delete(s.tags, oldest)
}
