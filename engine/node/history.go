package node

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"mybeacon/actors"
	"mybeacon/engine/rederive"
	sink "mybeacon/engine/sink/clickhouse"
	"mybeacon/schema"
)

// resumePatience is how long a start may take to take tags up again: the server is to
// be ready within seconds.
const resumePatience = 3 * time.Second

// startHistory takes the tags up as they were when the server stopped, and begins to
// work late data in. By then the products have published their plans and zones, and
// no frame has come yet.
func (n *Node) startHistory(ctx context.Context) error {
	cfg := rederive.DefaultConfig()
	cfg.Log, cfg.Metrics = n.log.With("part", "history"), rederive.NewMetrics(n.metrics)
	cfg.Store, cfg.Actors, cfg.Flush, cfg.Heard = n.sink, n.actors, n.flush, n.ingest.Heard
	cfg.Lacks = n.lacks()
	began := time.Now()
	if err := rederive.Resume(ctx, cfg, n.sink, resumePatience); err != nil {
		return err
	}
	n.log.Info("tags taken up", "took", time.Since(began).Round(time.Millisecond))
	job, err := rederive.New(cfg)
	if err != nil {
		return err
	}
	n.late.job = job
	n.life.background("history", job.Run)
	return nil
}

// spoolSlack is how much earlier than its batch was written to the spool an
// observation may have arrived.
const spoolSlack = 10 * time.Minute

// lacks returns since when what arrived may still wait in the spool, or zero.
func (n *Node) lacks() time.Time {
	st := n.spill.Status()
	if st.Files == 0 {
		return time.Time{}
	}
	n.log.Info("what waits in the spool is derived when it is shipped", "files", st.Files, "oldest", st.Oldest.Round(time.Second))
	return time.Now().Add(-st.Oldest - spoolSlack)
}

// flush returns when all that was admitted and derived before is stored.
func (n *Node) flush(ctx context.Context) error {
	for _, b := range []interface{ Flush(context.Context) error }{n.observations, n.output.fixes, n.output.visits} {
		if err := b.Flush(ctx); err != nil {
			return err
		}
	}
	return n.spill.Drain(ctx) // what was flushed may have gone to the spool
}

// WorkedIn waits until what had arrived late by a time is worked into the past.
func (n *Node) WorkedIn(ctx context.Context, arrived time.Time) error {
	return n.late.job.Await(ctx, arrived)
}

// lateWatch passes frames on to the actors and tells the job of late ones.
type lateWatch struct {
	*actors.System
	job *rederive.Job // set before the first frame
}

// Frame implements ingest.Actors.
func (w *lateWatch) Frame(f schema.FrameAdmitted) {
	for i := range f.Observations {
		if f.Observations[i].Late {
			w.job.Wake(f.ArrivedAt)
			break
		}
	}
	w.System.Frame(f)
}

// lessons stores what plans learn about their receivers, in the background. It
// implements actors.Learned.
type lessons struct {
	sink  *sink.Sink
	log   *slog.Logger
	revs  func(int) uint64
	queue chan schema.Offsets
	lost  atomic.Uint64
}

// maxLessons is how many changes of offsets may wait: one plan has one per ten seconds
// at most.
const maxLessons = 4096

func newLessons(sink *sink.Sink, log *slog.Logger) *lessons {
	return &lessons{sink: sink, log: log, queue: make(chan schema.Offsets, maxLessons)}
}

// Offsets implements actors.Learned.
func (l *lessons) Offsets(o schema.Offsets) {
	select {
	case l.queue <- o:
	default:
		if n := l.lost.Add(1); n&(n-1) == 0 {
			l.log.Warn("learned offsets are not stored: the warehouse is too far behind", "lost", n)
		}
	}
}

// Run stores what comes until the context ends, and then what is left.
func (l *lessons) Run(ctx context.Context) error {
	for {
		select {
		case o := <-l.queue:
			l.store(ctx, o)
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
			defer cancel()
			for {
				select {
				case o := <-l.queue:
					l.store(last, o)
				default:
					return nil
				}
			}
		}
	}
}

// store tries until the row is there. A change that comes later has a later second,
// so nothing overtakes.
func (l *lessons) store(ctx context.Context, o schema.Offsets) {
	rev := l.revs(1)
	for pause := 250 * time.Millisecond; ; pause = min(2*pause, 5*time.Second) {
		err := l.sink.Offsets(ctx, o, rev)
		if err == nil || ctx.Err() != nil {
			return
		}
		l.log.Warn("learned offsets not stored, trying again", "again_in", pause, "error", err)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return
		}
	}
}
