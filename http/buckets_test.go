package http

import (
	"fmt"
	"testing"
	"time"
)

// The bound by itself, in made-up time.
func TestBuckets(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	b := newBuckets(Rate{PerSecond: 10, Burst: 5})
	take := func(after time.Duration, key string) bool {
		now = now.Add(after)
		_, ok := b.take(now, key)
		return ok
	}
	for i := range 5 {
		if !take(0, "a") {
			t.Fatalf("request %d of the burst was refused", i)
		}
	}
	for _, c := range []struct {
		after time.Duration
		want  bool
	}{{0, false}, {99 * time.Millisecond, false}, {time.Millisecond, true}, {0, false}, {time.Hour, true}, {0, true}, {0, true}, {0, true}, {0, true}, {0, false}, {50 * time.Millisecond, false}, {50 * time.Millisecond, true}} {
		if got := take(c.after, "a"); got != c.want {
			t.Errorf("after %v more: %t, want %t", c.after, got, c.want)
		}
	}
	for i := range 60_000 { // more callers than are remembered
		if !take(0, fmt.Sprint(i)) {
			t.Fatal("a new caller was refused")
		}
	}
	if !take(0, "a") {
		t.Error("who was forgotten is not as if he had been silent")
	}
	if len(b.keys) > maxBuckets || b.order.Len() != len(b.keys) {
		t.Errorf("%d callers are remembered", len(b.keys))
	}
}
