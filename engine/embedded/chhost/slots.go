package chhost

import (
	"context"
	"time"
)

// slots bounds how many requests of a class run at once.
type slots struct {
	free chan struct{}
	wait time.Duration
}

func newSlots(n int, wait time.Duration) *slots {
	return &slots{free: make(chan struct{}, n), wait: wait}
}

// take waits for a slot, at most the configured time. The slot must be given back.
func (s *slots) take(ctx context.Context) error {
	select {
	case s.free <- struct{}{}:
		return nil
	default:
	}
	timer := time.NewTimer(s.wait)
	defer timer.Stop()
	select {
	case s.free <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return refuse(codeTooMany, "Too many simultaneous queries: none of %d ended within %s. (TOO_MANY_SIMULTANEOUS_QUERIES)", cap(s.free), s.wait)
	}
}

func (s *slots) give() { <-s.free }
