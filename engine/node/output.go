package node

import (
	"log/slog"
	"sync/atomic"

	"mybeacon/engine/alert"
	"mybeacon/engine/batch"
	"mybeacon/engine/live"
	"mybeacon/schema"
)

// output fans out what the actors find: to the live maps, and to storage.
// Nothing here blocks.
type output struct {
	hub    *live.Hub
	alerts *alert.Tap
	fixes  *batch.Batch[schema.Fix]
	visits *batch.Batch[schema.Visit]
	log    *slog.Logger
	lost   atomic.Uint64 // derived rows that storage had no room for
}

// TagMoved implements actors.Output.
func (o *output) TagMoved(m schema.TagMoved) {
	o.hub.TagMoved(m)
	o.alerts.TagMoved(m)
}

// Occupancy implements actors.Output.
func (o *output) Occupancy(c schema.Occupancy) { o.hub.Occupancy(c) }

// Fix implements actors.Output.
func (o *output) Fix(f schema.Fix) { o.store("fix", o.fixes.Add(f, func(error) {})) }

// Visit implements actors.Output.
func (o *output) Visit(v schema.Visit) {
	o.store("visit", o.visits.Add(v, func(error) {}))
	o.alerts.Visit(v)
}

// store counts what the warehouse's backlog has no room for. Fixes and visits
// are derived: they can be made again from the stored observations.
func (o *output) store(what string, err error) {
	if err == nil {
		return
	}
	if n := o.lost.Add(1); n&(n-1) == 0 { // at 1, 2, 4, 8, …: an outage must not fill the log
		o.log.Warn("derived rows not stored: the warehouse is too far behind", "last", what, "lost", n, "error", err)
	}
}
