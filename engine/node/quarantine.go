package node

import (
	"log/slog"
	"sync/atomic"

	"mybeacon/engine/batch"
	"mybeacon/schema"
)

// quarantine stores what the way in puts aside. It implements ingest.Quarantine.
type quarantine struct {
	rows *batch.Batch[schema.Quarantined]
	log  *slog.Logger
	lost atomic.Uint64
}

// Put implements ingest.Quarantine. A row for which there is no room is let go:
// it was counted, and says nothing that the next one does not say too.
func (q *quarantine) Put(row schema.Quarantined) {
	if err := q.rows.Add(row, func(error) {}); err != nil && q.lost.Add(1) == 1 {
		q.log.Warn("no room for quarantined observations, they are only counted", "error", err)
	}
}

func (n *Node) startQuarantine(cfg batch.Config) error {
	rows, err := batch.NewQuarantine(cfg, n.sink)
	if err != nil {
		return err
	}
	n.life.onStop("quarantine", rows.Stop)
	n.quarantine = &quarantine{rows: rows, log: n.log}
	return nil
}
