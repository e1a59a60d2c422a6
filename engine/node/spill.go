package node

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"mybeacon/engine/spill"
)

// drainTime is how long a start waits until what the last run kept is in the
// warehouse. What open visits and warm-up are read from is complete then; a
// longer backlog is shipped while the server works.
const drainTime = 3 * time.Second

// startSpill opens the spool, in which batches wait for the warehouse.
func (n *Node) startSpill(ctx context.Context) error {
	dir := spill.Dir(filepath.Join(n.cfg.Data, "spill"))
	cfg := spill.DefaultConfig()
	cfg.Log, cfg.FS, cfg.Free = n.log.With("part", "spill"), dir, dir.Free
	cfg.Sink, cfg.Stored = n.sink, n.sink
	cfg.Limit, cfg.DerivedLimit = n.cfg.SpillLimit, n.cfg.SpillLimit/8
	var err error
	if n.spill, err = spill.New(cfg); err != nil {
		return err
	}
	n.metrics.MustRegister(n.spill)
	n.life.onStop("spill", n.spill.Close)

	draining, cancel := context.WithTimeout(ctx, drainTime)
	defer cancel()
	if err := n.spill.Drain(draining); errors.Is(err, context.DeadlineExceeded) {
		n.log.Warn("batches of the last run are still being shipped", "files", n.spill.Status().Files)
	}
	return ctx.Err()
}

// spoolWritable is a probe of readiness: without a spool a warehouse that goes
// away takes the acknowledgements with it.
func (n *Node) spoolWritable(context.Context) error { return n.spill.Status().Err }
