package chhost_test

import (
	"fmt"
	"testing"
)

// BenchmarkInsert is one client that sends batch after batch, as the sink does.
func BenchmarkInsert(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			conn, _ := connect(b, nil)
			exec(b, conn, factsTable)
			data, i := factColumns(n, 0), 0
			for b.Loop() {
				if err := data.insert(b.Context(), conn, fmt.Sprint("t", i)); err != nil {
					b.Fatal(err)
				}
				i++
			}
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

// BenchmarkSelectOne is what a statement costs at least.
func BenchmarkSelectOne(b *testing.B) {
	conn, _ := connect(b, nil)
	for b.Loop() {
		one[uint8](b, conn, "SELECT 1")
	}
}

// BenchmarkStream reads ten million rows as they come.
func BenchmarkStream(b *testing.B) {
	conn, _ := connect(b, nil)
	const n = 10_000_000
	for b.Loop() {
		rows, err := conn.Query(b.Context(), "SELECT number FROM numbers(10000000)")
		if err != nil {
			b.Fatal(err)
		}
		got := 0
		for rows.Next() {
			got++
		}
		if err := rows.Close(); err != nil || got != n {
			b.Fatalf("%d rows, %v", got, err)
		}
	}
	b.ReportMetric(n*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
