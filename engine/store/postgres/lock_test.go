package postgres_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"mybeacon/engine/store/postgres/postgrestest"
)

func TestLockedLetsOneInAtATime(t *testing.T) {
	db := postgrestest.Open(t)
	var inside, most atomic.Int32
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			err := db.Locked(t.Context(), "test", func(context.Context) error {
				most.Store(max(most.Load(), inside.Add(1)))
				defer inside.Add(-1)
				return db.Ping(t.Context()) // gives the others time to come in, if they could
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if most.Load() != 1 {
		t.Errorf("%d were inside at once", most.Load())
	}
}

func TestLockedIsFreeAfterAnError(t *testing.T) {
	db := postgrestest.Open(t)
	want := errors.New("no")
	if err := db.Locked(t.Context(), "test", func(context.Context) error { return want }); !errors.Is(err, want) {
		t.Fatalf("got %v", err)
	}
	ran := false
	if err := db.Locked(t.Context(), "test", func(context.Context) error { ran = true; return nil }); err != nil || !ran {
		t.Fatalf("the lock was not free again: %v", err)
	}
}
