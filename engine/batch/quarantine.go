package batch

import (
	"time"

	"github.com/apache/arrow/go/v15/arrow/memory"

	"mybeacon/schema"
	"mybeacon/schema/columnar"
)

// NewQuarantine returns the batch of the table quarantine. Its batches are small
// and seldom: it must not take room from what people wait for.
func NewQuarantine(cfg Config, sink Sink) (*Batch[schema.Quarantined], error) {
	cfg.FlushRows, cfg.MaxAge, cfg.BatchRows, cfg.MaxRows = 1000, 2*time.Second, 5000, 10_000
	span := func(q schema.Quarantined) (first, last schema.EventTime) { return q.ArrivedAt, q.ArrivedAt }
	return New(cfg, Table[schema.Quarantined]{columnar.QuarantineTable, columnar.NewQuarantine(memory.NewGoAllocator()), span}, sink)
}
