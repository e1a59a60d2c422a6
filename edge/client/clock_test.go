package client

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/coder/websocket"
)

func TestBackoff(t *testing.T) {
	b := backoff{min: time.Second, max: 8 * time.Second}
	for _, limit := range []time.Duration{1, 2, 4, 8, 8} {
		if w := b.next(); w <= 0 || w > limit*time.Second {
			t.Errorf("waits %v, want at most %ds", w, limit)
		}
	}
	b.reset(time.Second)
	if b.current != 8*time.Second {
		t.Error("a connection that broke at once resets the wait")
	}
	b.reset(time.Minute)
	if w := b.next(); w > time.Second {
		t.Errorf("waits %v after a good connection", w)
	}
	b.slow()
	if b.current != 8*time.Second {
		t.Error("slow is not slow")
	}
}

func TestClockOffsetBelievesTheShortestRoundTrip(t *testing.T) {
	var c clockOffset
	if _, known := c.value(); known {
		t.Error("an offset out of nothing")
	}
	start := time.Unix(1000, 0)
	learn := func(trip, offset time.Duration) {
		c.learn(start, start.Add(trip/2).Add(offset), start.Add(trip))
	}
	learn(time.Second, 5*time.Second)
	learn(10*time.Millisecond, 3*time.Second)
	learn(2*time.Second, 9*time.Second)
	learn(-time.Second, time.Hour) // our clock was set meanwhile
	if got, _ := c.value(); got != 3*time.Second {
		t.Errorf("offset %v, want 3s", got)
	}
	for range len(c.samples) {
		learn(time.Second, 7*time.Second)
	}
	if got, _ := c.value(); got != 7*time.Second {
		t.Errorf("offset %v, want 7s: old measurements go", got)
	}
}

func TestRetryHint(t *testing.T) {
	f := func(reason string, want time.Duration, told bool) {
		t.Helper()
		err := fmt.Errorf("read: %w", websocket.CloseError{Code: 1012, Reason: reason})
		if got, ok := retryHint(err); got != want || ok != told {
			t.Errorf("%q: %v %v", reason, got, ok)
		}
	}
	f("retry_ms=2000", 2*time.Second, true)
	f("restart retry_ms=5 please", 5*time.Millisecond, true)
	f("retry_ms=99999999", 0, false)
	f("retry_ms=-1", 0, false)
	f("", 0, false)
	if _, ok := retryHint(errors.New("x")); ok {
		t.Error("a hint out of nothing")
	}
}
