package live_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"mybeacon/engine/live"
	"mybeacon/schema"
)

const benchTags = 2000

func benchHub(b testing.TB) (*live.Hub, []schema.TagMoved) {
	names := newDirectory()
	h := newHub(b, names)
	moves := make([]schema.TagMoved, benchTags)
	for i := range moves {
		moves[i] = move(shop, names.tag(i, fmt.Sprintf("Сотрудник %d", i)), float64(i), 1)
		h.TagMoved(moves[i])
	}
	return h, moves
}

// BenchmarkTagMoved is the engine's side.
func BenchmarkTagMoved(b *testing.B) {
	h, moves := benchHub(b)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		h.TagMoved(moves[i%benchTags])
	}
}

// BenchmarkFanOut is one round of the watchers' side: 1,000 watchers take a
// delta of 100 tags each, 24 KB.
func BenchmarkFanOut(b *testing.B) {
	const watchers, changed = 1000, 100
	h, moves := benchHub(b)
	subs := make([]*live.Subscription, watchers)
	var buf []byte
	for i := range subs {
		s, err := h.Subscribe(shop, live.Options{Rate: live.MinRate})
		if err != nil {
			b.Fatal(err)
		}
		defer s.Close()
		subs[i] = s
		for rest := benchTags; rest > 0; rest -= 1000 { // the snapshot and its rest
			if buf, err = s.Next(b.Context(), buf); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportAllocs()
	var size int
	for b.Loop() {
		for _, m := range moves[:changed] {
			h.TagMoved(m)
		}
		for _, s := range subs {
			buf = s.Collect(buf)
			size = len(buf)
		}
	}
	b.ReportMetric(float64(size), "bytes/message")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/watchers, "ns/message")
}

// BenchmarkMoveWhileWatched moves tags as fast as it goes while 1,000 watchers
// take what they can at the default rate.
func BenchmarkMoveWhileWatched(b *testing.B) {
	h, moves := benchHub(b)
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	var told atomic.Int64
	done := make(chan struct{})
	for range 1000 {
		s, err := h.Subscribe(shop, live.Options{})
		if err != nil {
			b.Fatal(err)
		}
		go func() {
			defer func() { s.Close(); done <- struct{}{} }()
			var buf []byte
			for {
				if buf, err = s.Next(ctx, buf); err != nil {
					return
				}
				told.Add(1)
			}
		}()
	}
	for i := 0; b.Loop(); i++ {
		h.TagMoved(moves[i%benchTags])
	}
	b.ReportMetric(float64(told.Load())/b.Elapsed().Seconds(), "messages/s")
	cancel()
	for range 1000 {
		<-done
	}
}

func TestMoveAndCollectDoNotAllocate(t *testing.T) {
	h, moves := benchHub(t)
	s := subscribe(t, h, shop, live.Options{})
	buf := make([]byte, 0, live.MaxMessage+1024)
	for range 3 {
		buf = s.Collect(buf)
	}
	allocs := testing.AllocsPerRun(100, func() {
		for _, m := range moves[:10] {
			h.TagMoved(m)
		}
		buf = s.Collect(buf)
	})
	if allocs != 0 {
		t.Errorf("%v allocations for 10 moves and one delta, want none", allocs)
	}
}
