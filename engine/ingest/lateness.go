package ingest

import (
	"sync"
	"time"

	"mybeacon/schema"
)

// lateLimit is how much older than a tag's newest second an observation may be
// to join its live window; what is older is stored only, until it is worked in.
// Frames may be 5 s on their way and tell of up to a second.
const lateLimit = 6 * time.Second

// lateness knows each tag's newest second. It is sharded because every
// observation of every device asks it.
type lateness struct {
	shards [64]latenessShard
	limit  int // tags per shard
}

type latenessShard struct {
	mu     sync.Mutex
	newest map[schema.TagID]schema.EventTime
}

func newLateness(maxTags int) *lateness {
	l := &lateness{limit: maxTags/64 + 1}
	for i := range l.shards {
		l.shards[i].newest = map[schema.TagID]schema.EventTime{}
	}
	return l
}

// observe notes that the tag was heard at at and reports whether that is late.
// Times beyond ceiling do not move the tag's newest second: a clock that is
// minutes ahead must not make everybody else late.
func (l *lateness) observe(tag schema.TagID, at, ceiling schema.EventTime) bool {
	s := &l.shards[tag[15]%64]
	s.mu.Lock()
	defer s.mu.Unlock()
	newest, known := s.newest[tag]
	if second := min(at, ceiling).Second(); !known || second > newest {
		if !known && len(s.newest) >= l.limit {
			s.evict()
		}
		s.newest[tag] = second
	}
	return known && at < newest.Add(-lateLimit)
}

// evict forgets the longest unheard of a few tags; the caller holds mu.
func (s *latenessShard) evict() {
	var oldest schema.TagID
	var at schema.EventTime
	n := 0
	for tag, t := range s.newest {
		if n == 0 || t < at {
			oldest, at = tag, t
		}
		if n++; n == 8 {
			break
		}
	}
	delete(s.newest, oldest)
}
