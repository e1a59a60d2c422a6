package export

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"mybeacon/engine/store/postgres"
)

// endTime is what noting an end may take when all else has ended.
const endTime = 10 * time.Second

// errTaken is the cause with which the work at an export ends that is no longer its
// own: somebody cancelled it, or another attempt took it over.
var errTaken = errors.New("export: cancelled, or taken over by another attempt")

// errSlow is the cause with which the work at an export ends that takes too long.
var errSlow = errors.New("export: it takes too long")

// progress is how far an export is.
type progress struct{ rows, bytes atomic.Int64 }

type progressKey struct{}

func progressOf(ctx context.Context) *progress { return ctx.Value(progressKey{}).(*progress) }

// watch tells of the progress of an export again and again, and ends the context it
// returns when the export is no longer the claim's or takes too long. stop ends the
// watching; it may be called twice.
func (s *Service) watch(ctx context.Context, e postgres.Export, claim postgres.ExportID) (inner context.Context, stop func()) {
	inner, slow := context.WithTimeoutCause(context.WithValue(ctx, progressKey{}, &progress{}), s.Limits.Time, errSlow)
	inner, cancel := context.WithCancelCause(inner)
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.beat(inner, cancel, e, claim)
	}()
	return inner, sync.OnceFunc(func() {
		cancel(context.Canceled)
		<-done
		slow()
	})
}

func (s *Service) beat(ctx context.Context, cancel context.CancelCauseFunc, e postgres.Export, claim postgres.ExportID) {
	tick := time.NewTicker(s.Limits.Beat)
	defer tick.Stop()
	p := progressOf(ctx)
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		held, err := s.DB.BeatExport(ctx, e.ID, claim, p.rows.Load(), p.bytes.Load())
		switch {
		case err != nil && ctx.Err() == nil:
			s.Log.WarnContext(ctx, "the progress of an export cannot be noted", "export", e.ID, "error", err)
		case err == nil && !held:
			cancel(errTaken)
			return
		}
	}
}

// watched counts rows and ends with the context, whatever they are read from.
type watched struct {
	Rows
	ctx      context.Context //nolint:containedctx // rows are read within one call
	progress *progress
}

// Next implements [Rows].
func (w *watched) Next() bool {
	if w.ctx.Err() != nil || !w.Rows.Next() {
		return false
	}
	w.progress.rows.Add(1)
	return true
}

// Err implements [Rows]; why the context ended says more than what the source made of
// that.
func (w *watched) Err() error {
	if w.ctx.Err() != nil {
		return context.Cause(w.ctx)
	}
	return w.Rows.Err()
}

// counted counts what is written.
type counted struct {
	io.Writer
	progress *progress
}

// Write implements [io.Writer].
func (c *counted) Write(p []byte) (int, error) {
	n, err := c.Writer.Write(p)
	c.progress.bytes.Add(int64(n))
	return n, err
}
