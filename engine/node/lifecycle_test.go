package node

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestLifecycleStopsInReverse(t *testing.T) {
	var l lifecycle
	var order []string
	for _, name := range []string{"stores", "columns", "web"} {
		l.onStop(name, func(context.Context) error {
			order = append(order, name)
			if name == "columns" {
				return errors.New("stuck")
			}
			return nil
		})
	}
	err := l.stop(t.Context())
	if err == nil || !strings.Contains(err.Error(), "stop columns: stuck") {
		t.Errorf("got %v", err)
	}
	if want := []string{"web", "columns", "stores"}; !slices.Equal(order, want) {
		t.Errorf("stopped %v, want %v", order, want)
	}
	if err := l.stop(t.Context()); err != nil {
		t.Errorf("a second stop did something: %v", err)
	}
}

func TestLifecycleLeavesTimeForTheStores(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l lifecycle
		hang := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		var left time.Duration
		l.onStop("stores", func(ctx context.Context) error {
			deadline, _ := ctx.Deadline()
			left = time.Until(deadline)
			return nil
		})
		l.onStop("columns", hang)
		l.onStop("sockets", hang)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if err := l.stop(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		if left < 2*time.Second {
			t.Errorf("two parts that hang left %v of 10 s for the stores", left)
		}
	})
}

func TestLifecycleEndsWithItsParts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l lifecycle
		broken := errors.New("disk on fire")
		l.background("steady", func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
		l.background("broken", func(context.Context) error { return broken })
		if err := l.wait(t.Context()); !errors.Is(err, broken) {
			t.Errorf("wait = %v, want the failure", err)
		}
		if err := l.stop(t.Context()); err != nil {
			t.Errorf("stop = %v", err)
		}
	})
}
