package clickhouse_test

import (
	"fmt"
	"testing"

	"github.com/apache/arrow/go/v15/arrow/memory"

	sink "mybeacon/engine/sink/clickhouse"
	"mybeacon/schema/columnar"
)

// One insert of 10,000 and of 100,000 rows, columns already built.
func BenchmarkInsert(b *testing.B) {
	for _, rows := range []int{10_000, 100_000} {
		b.Run(fmt.Sprint(rows), func(b *testing.B) {
			conn := open(b)
			builder := columnar.NewObservations(memory.NewGoAllocator())
			defer builder.Release()
			for seq := range uint64(rows / 100) {
				builder.Append(frame("b", seq+1, 100))
			}
			rec := builder.NewRecord()
			defer rec.Release()
			s := sink.New(conn)
			n := 0
			b.ReportAllocs()
			for b.Loop() {
				n++
				if err := s.Insert(b.Context(), columnar.ObservationsTable, rec, fmt.Sprint("t", rows, "-", n)); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(rows*n)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
