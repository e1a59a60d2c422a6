package spill_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"mybeacon/engine/spill"
	"mybeacon/schema/columnar"
)

// One batch made durable, on a real disk.
func BenchmarkKeep(b *testing.B) {
	for _, rows := range []int{2_500, 10_000, 100_000} {
		b.Run(fmt.Sprint(rows), func(b *testing.B) {
			cfg := config(spill.Dir(filepath.Join(b.TempDir(), "spill")), &warehouse{fail: away})
			cfg.Limit = 1 << 40
			s := open(b, cfg)
			defer s.Close(context.Background())
			rec := observations(rows)
			defer rec.Release()
			n := 0
			b.ReportAllocs()
			for b.Loop() {
				n++
				if err := s.Keep(columnar.ObservationsTable, rec, token(uint64(n)), false); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(rows*n)/b.Elapsed().Seconds(), "rows/s")
			b.ReportMetric(float64(s.Status().Bytes)/float64(rows*n), "bytes/row")
		})
	}
}

// Reading, checking and joining what a minute of 10,000 observations/s left.
func BenchmarkShip(b *testing.B) {
	rec := observations(2_500)
	defer rec.Release()
	for b.Loop() {
		b.StopTimer()
		w := &warehouse{fail: away}
		cfg := spill.DefaultConfig()
		cfg.FS, cfg.Sink, cfg.Stored = newDisk(), w, w
		s := open(b, cfg)
		for i := range uint64(240) {
			if err := s.Keep(columnar.ObservationsTable, rec, token(i), false); err != nil {
				b.Fatal(err)
			}
		}
		if err := s.Close(context.Background()); err != nil {
			b.Fatal(err)
		}
		w.set(func(w *warehouse) { w.fail = nil })
		b.StartTimer()
		s = open(b, cfg)
		drain(b, s)
		if err := s.Close(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(240*2_500*b.N)/b.Elapsed().Seconds(), "rows/s")
}

func observations(rows int) arrow.Record {
	builder := columnar.NewObservations(memory.NewGoAllocator())
	defer builder.Release()
	for seq := range uint64(rows / 100) {
		builder.Append(frame(seq+1, 100))
	}
	return builder.NewRecord()
}
