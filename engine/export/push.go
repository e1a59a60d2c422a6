package export

import (
	"context"
	"errors"
	"iter"
)

// errEnough ends a push whose rows nobody reads any more.
var errEnough = errors.New("export: no more rows are wanted")

// Pushed returns the rows of a source that hands them to a function, one after the
// other. The source runs while Next is waiting and not otherwise; when the rows are
// closed early its row function returns an error, which it must pass on. What it hands
// over may be overwritten by its next row.
func Pushed(ctx context.Context, push func(ctx context.Context, row func(values []any) error) error) Rows {
	inner, cancel := context.WithCancel(ctx)
	p := &pushed{cancel: cancel}
	var rows iter.Seq[[]any] = func(yield func([]any) bool) {
		p.err = push(inner, func(values []any) error {
			if !yield(values) {
				return errEnough
			}
			return nil
		})
	}
	p.next, p.stop = iter.Pull(rows)
	return p
}

type pushed struct {
	next   func() ([]any, bool)
	stop   func()
	cancel context.CancelFunc
	values []any
	err    error
}

// Next implements [Rows].
func (p *pushed) Next() (more bool) {
	p.values, more = p.next()
	return more
}

// Values implements [Rows].
func (p *pushed) Values() []any { return p.values }

// Err implements [Rows].
func (p *pushed) Err() error {
	if errors.Is(p.err, errEnough) {
		return nil
	}
	return p.err
}

// Close implements [Rows].
func (p *pushed) Close() error {
	p.cancel()
	p.stop()
	return nil
}
