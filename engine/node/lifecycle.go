package node

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// lifecycle keeps how the parts are stopped and runs those that work in the
// background. It is used by one goroutine; failures arrive from many.
type lifecycle struct {
	stops  []stopper
	failed chan error
	once   sync.Once
}

type stopper struct {
	name string
	stop func(context.Context) error
}

// onStop registers how a part is stopped. Parts stop in reverse order.
func (l *lifecycle) onStop(name string, stop func(context.Context) error) {
	l.stops = append(l.stops, stopper{name, stop})
}

// background runs a part until it is stopped; a part that ends by itself with an
// error ends the server.
func (l *lifecycle) background(name string, run func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	failed := l.failures()
	go func() {
		defer close(done)
		if err := run(ctx); err != nil && ctx.Err() == nil {
			select {
			case failed <- fmt.Errorf("%s: %w", name, err):
			default: // one failure is enough to stop
			}
		}
	}()
	l.onStop(name, func(ctx context.Context) error {
		cancel()
		select {
		case <-done:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
}

func (l *lifecycle) failures() chan error {
	l.once.Do(func() { l.failed = make(chan error, 1) })
	return l.failed
}

// wait returns nil when the context ends, or the first failure.
func (l *lifecycle) wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-l.failures():
		return err
	}
}

// stop stops all parts, the last started first. A part that fails to stop does
// not keep the others running, and one that hangs takes half of the time that is
// left at most, so that the stores at the end always get some.
func (l *lifecycle) stop(ctx context.Context) error {
	var errs []error
	for i := len(l.stops) - 1; i >= 0; i-- {
		part, cancel := ctx, context.CancelFunc(func() {})
		if deadline, ok := ctx.Deadline(); ok && i > 0 {
			part, cancel = context.WithTimeout(ctx, time.Until(deadline)/2)
		}
		if err := l.stops[i].stop(part); err != nil {
			errs = append(errs, fmt.Errorf("stop %s: %w", l.stops[i].name, err))
		}
		cancel()
	}
	l.stops = nil
	return errors.Join(errs...)
}
