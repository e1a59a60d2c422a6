package locate_test

import (
	"os"
	"testing"

	"mybeacon/bench/locate"
	"mybeacon/bench/recording"
)

// BenchmarkMeasure measures a recording of 12 s and two tracks, plans included.
func BenchmarkMeasure(b *testing.B) {
	dir := os.DirFS(kiosk)
	site, err := recording.Read(dir)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := locate.Measure(b.Context(), site, locate.Config{}, locate.Folder{Dir: dir}); err != nil {
			b.Fatal(err)
		}
	}
}
