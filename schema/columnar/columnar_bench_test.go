package columnar_test

import (
	"testing"

	"github.com/apache/arrow/go/v15/arrow/memory"

	"mybeacon/schema"
	"mybeacon/schema/columnar"
)

func busyFrame() schema.FrameAdmitted {
	var transmitters []schema.Transmitter
	for i := range 100 {
		transmitters = append(transmitters, schema.IBeacon(id(1), 1, uint16(i%40)))
	}
	return frame("boot", 1, transmitters...)
}

func BenchmarkObservations(b *testing.B) {
	builder, f := columnar.NewObservations(memory.NewGoAllocator()), busyFrame()
	defer builder.Release()
	b.ReportAllocs()
	for b.Loop() {
		builder.Append(f)
		if builder.Len() >= 10_000 {
			builder.NewRecord().Release()
		}
	}
	b.ReportMetric(float64(b.N)*100/b.Elapsed().Seconds(), "rows/s")
}

// A record of 10,000 rows costs its columns and its distinct words, nothing per
// row.
func TestRecordAllocations(t *testing.T) {
	builder, f := columnar.NewObservations(memory.NewGoAllocator()), busyFrame()
	defer builder.Release()
	n := testing.AllocsPerRun(10, func() {
		for range 100 {
			builder.Append(f)
		}
		builder.NewRecord().Release()
	})
	if n > 1000 {
		t.Errorf("10,000 rows allocate %v times, want at most 1,000", n)
	}
}
