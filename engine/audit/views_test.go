package audit_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"mybeacon/engine/audit"
	"mybeacon/schema"
)

// store keeps batches, or refuses them.
type store struct {
	mu      sync.Mutex
	refuse  error
	batches [][]audit.Act
}

func (s *store) keep(ctx context.Context, batch []audit.Act) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refuse != nil || ctx.Err() != nil {
		return errors.Join(s.refuse, ctx.Err())
	}
	s.batches = append(s.batches, append([]audit.Act{}, batch...))
	return nil
}

func (s *store) sizes() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var sizes []int
	for _, b := range s.batches {
		sizes = append(sizes, len(b))
	}
	return fmt.Sprint(sizes)
}

func view(n int) audit.Entry {
	return audit.Entry{Action: audit.View, Object: audit.Object{Kind: "location", ID: fmt.Sprint(n)}}
}

// watch runs a test with Views over the store in virtual time; stop ends them.
func watch(t *testing.T, test func(t *testing.T, v *audit.Views, s *store, stop func())) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &store{}
		v := audit.NewViews(slog.New(slog.DiscardHandler), s.keep)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- v.Run(ctx) }()
		stop := sync.OnceFunc(func() {
			cancel()
			if err := <-ended; err != nil {
				t.Error(err)
			}
		})
		test(t, v, s, stop)
		stop()
	})
}

func look(t *testing.T, v *audit.Views, from, to int) {
	t.Helper()
	for n := from; n < to; n++ {
		if err := v.Viewed(t.Context(), view(n)); err != nil {
			t.Fatal(err)
		}
	}
}

// TestViewsAreStoredInBatches runs in a bubble of virtual time.
func TestViewsAreStoredInBatches(t *testing.T) {
	watch(t, func(t *testing.T, v *audit.Views, s *store, _ func()) {
		began := time.Now()
		look(t, v, 0, 3)
		time.Sleep(999 * time.Millisecond)
		synctest.Wait()
		if got := s.sizes(); got != "[]" {
			t.Errorf("after %s: %s", time.Since(began), got)
		}
		time.Sleep(2 * time.Millisecond)
		synctest.Wait()
		if got := s.sizes(); got != "[3]" {
			t.Errorf("after a second: %s", got)
		}
		look(t, v, 3, 1203)
		synctest.Wait()
		if got := s.sizes(); got != "[3 500 500]" {
			t.Errorf("of many: %s", got)
		}
	})
}

// TestTheSameAgainIsOneView runs in a bubble of virtual time.
func TestTheSameAgainIsOneView(t *testing.T) {
	watch(t, func(t *testing.T, v *audit.Views, s *store, stop func()) {
		look(t, v, 0, 1)
		look(t, v, 0, 1)
		other := audit.By(t.Context(), audit.Actor{User: schema.NewID[schema.UserID]()})
		if err := v.Viewed(other, view(0)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		look(t, v, 0, 1)
		stop()
		if got := s.sizes(); got != "[2 1]" {
			t.Error(got)
		}
	})
}

// A stop stores what is left; a store that is away for a while loses nothing. In a bubble of virtual time.
func TestViewsOutliveAnOutage(t *testing.T) {
	watch(t, func(t *testing.T, v *audit.Views, s *store, stop func()) {
		s.refuse = errors.New("away")
		look(t, v, 0, 10)
		time.Sleep(20 * time.Second)
		s.mu.Lock()
		s.refuse = nil
		s.mu.Unlock()
		look(t, v, 10, 15)
		stop()
		if got := s.sizes(); got != "[10 5]" {
			t.Error(got)
		}
	})
}

// While nothing can be stored the queue is bounded, and who looks waits and is told.
func TestFullQueueRefuses(t *testing.T) {
	watch(t, func(t *testing.T, v *audit.Views, s *store, _ func()) {
		s.refuse = errors.New("away")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		for n := range 10_000 {
			err := v.Viewed(ctx, view(n))
			if err == nil {
				continue
			}
			if schema.KindOf(err) != schema.Unavailable || n < 4000 || n > 4500 {
				t.Errorf("view %d: %v", n, err)
			}
			s.mu.Lock()
			s.refuse = nil
			s.mu.Unlock()
			return
		}
		t.Error("the queue has no bound")
	})
}
