package postgres

import (
	"context"
	"sync/atomic"
)

// atChange are what the first change of a context does besides.
type atChange struct {
	next *atChange // set earlier
	do   func(context.Context, Tx) error
	done atomic.Bool
}

type atChangeKey struct{}

// AtChange returns a context whose first [DB.Change] calls do as well, once its own
// statements have run - what they changed is locked - and before it commits. An
// error of do takes the change back. A change that was taken back was none: the next
// one calls do again. What was given before is called first.
func AtChange(ctx context.Context, do func(context.Context, Tx) error) context.Context {
	next, _ := ctx.Value(atChangeKey{}).(*atChange)
	return context.WithValue(ctx, atChangeKey{}, &atChange{next: next, do: do})
}

// besides runs what the context wants done at its first change.
func besides(ctx context.Context, tx Tx) error {
	a, _ := ctx.Value(atChangeKey{}).(*atChange)
	return a.run(context.WithValue(ctx, atChangeKey{}, (*atChange)(nil)), tx)
}

func (a *atChange) run(ctx context.Context, tx Tx) error {
	if a == nil || a.done.Load() {
		return nil
	}
	if err := a.next.run(ctx, tx); err != nil {
		return err
	}
	return a.do(ctx, tx)
}

// changed notes that a change of the context is committed.
func changed(ctx context.Context) {
	a, _ := ctx.Value(atChangeKey{}).(*atChange)
	for ; a != nil; a = a.next {
		a.done.Store(true)
	}
}
