package batch_test

import (
	"context"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"

	"mybeacon/engine/batch"
	"mybeacon/schema"
)

type nowhere struct{}

func (nowhere) Insert(context.Context, string, arrow.Record, string) error { return nil }

// Frames of 100 observations into Arrow records; the insert costs nothing.
func BenchmarkAddFrames(b *testing.B) {
	cfg := batch.DefaultConfig()
	cfg.MaxRows = 10_000_000
	o, err := batch.NewObservations(cfg, nowhere{})
	if err != nil {
		b.Fatal(err)
	}
	f := schema.FrameAdmitted{BootID: "b", Observations: make([]schema.Heard, 100), Indexes: make([]uint16, 100)}
	done := func(error) {}
	b.ReportAllocs()
	for b.Loop() {
		if err := o.Add(f, done); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*100/b.Elapsed().Seconds(), "rows/s")
	_ = o.Stop(context.Background())
}
