package batch

import (
	"mybeacon/schema"
	"mybeacon/schema/columnar"
)

// NewObservations returns the batch of the table observations; a frame without
// observations has nothing to store and must not be added.
func NewObservations(cfg Config, sink Sink) (*Batch[schema.FrameAdmitted], error) {
	span := func(f schema.FrameAdmitted) (first, last schema.EventTime) {
		for i, o := range f.Observations {
			if i == 0 || o.At < first {
				first = o.At
			}
			if i == 0 || o.At > last {
				last = o.At
			}
		}
		return first, last
	}
	return New(cfg, Table[schema.FrameAdmitted]{columnar.ObservationsTable, columnar.NewObservations(&recycler{}), span}, sink)
}

// NewFixes returns the batch of the table fixes.
func NewFixes(cfg Config, sink Sink) (*Batch[schema.Fix], error) {
	span := func(f schema.Fix) (first, last schema.EventTime) { return f.At, f.At }
	return New(cfg, Table[schema.Fix]{columnar.FixesTable, columnar.NewFixes(&recycler{}), span}, sink)
}

// NewVisits returns the batch of the table zone_visits.
func NewVisits(cfg Config, sink Sink) (*Batch[schema.Visit], error) {
	span := func(v schema.Visit) (first, last schema.EventTime) { return v.EnteredAt, v.EnteredAt }
	return New(cfg, Table[schema.Visit]{columnar.VisitsTable, columnar.NewVisits(&recycler{}), span}, sink)
}
