package load

import (
	"context"
	"sync"
	"time"

	"mybeacon/schema"
)

// sightings is what a live map has shown: of each tag the newest second. It is safe
// for concurrent use.
type sightings struct {
	mu       sync.Mutex
	newest   map[schema.TagID]schema.EventTime
	seconds  int                            // that tags were fixed in, over all tags
	complete map[schema.EventTime]time.Time // when the last frame of a second went
	times    *histogram
	err      error
	changed  chan struct{}
}

func newSightings() *sightings {
	return &sightings{newest: map[schema.TagID]schema.EventTime{}, complete: map[schema.EventTime]time.Time{}, changed: make(chan struct{}, 1)}
}

// completes notes that the frame which goes now is the last one of a second.
func (s *sightings) completes(second schema.EventTime) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.complete[second] = time.Now()
	delete(s.complete, second.Add(-time.Minute))
}

// measure counts in h how long after their last frame seconds are shown; nil: no
// longer.
func (s *sightings) measure(h *histogram) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.times = h
}

// take takes in a live message.
func (s *sightings) take(message []byte) error {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	err := eachTag(message, func(e *entry) error {
		at, err := e.event()
		if err == nil {
			s.see(e.id, at, now)
		}
		return err
	})
	s.wake()
	return err
}

// see notes one tag. Every tag is heard in every second and fixed once in each, so
// a second that is skipped was overtaken on its way here; the caller holds mu.
func (s *sightings) see(id schema.TagID, at schema.EventTime, now time.Time) {
	before, known := s.newest[id]
	switch {
	case !known:
		s.seconds++
	case at > before:
		s.seconds += int(at.Sub(before) / time.Second)
	default:
		return
	}
	s.newest[id] = at
	if sent, known := s.complete[at]; known && s.times != nil {
		s.times.add(now.Sub(sent))
	}
}

func (s *sightings) wake() {
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

// fail ends all waiting.
func (s *sightings) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
	s.wake()
}

// seen returns in how many seconds the tags were fixed, over all tags.
func (s *sightings) seen() (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seconds, s.err
}

// await waits until at least so many seconds were seen.
func (s *sightings) await(ctx context.Context, seconds int) error {
	quiet := time.NewTimer(patience)
	defer quiet.Stop()
	for {
		if n, err := s.seen(); err != nil || n >= seconds {
			return err
		}
		select {
		case <-s.changed:
			quiet.Reset(patience)
		case <-quiet.C:
			return schema.Errorf(schema.Unavailable, "", "the live map showed nothing for %v", patience)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
