package locate_test

import (
	"math"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mybeacon/bench/locate"
	"mybeacon/bench/recording"
)

// The traces are what the figures say of them.
func TestTracesAreTheFigures(t *testing.T) {
	dir := os.DirFS(kiosk)
	site, err := recording.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	figures, traces, err := locate.MeasureTraces(t.Context(), site, locate.Config{}, locate.Folder{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	alone, err := locate.Measure(t.Context(), site, locate.Config{}, locate.Folder{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	figures.USPerFix, alone.USPerFix = 0, 0
	if diff := cmp.Diff(alone, figures); diff != "" {
		t.Errorf("the figures differ from Measure's:\n%s", diff)
	}
	epochs, sum, placed, right, zoned, within := 0, 0.0, 0.0, 0.0, 0.0, 0.0
	for _, trace := range traces {
		epochs += len(trace.Epochs)
		for i := range trace.Epochs {
			e := &trace.Epochs[i]
			if d := e.ErrorM(); !math.IsNaN(d) {
				sum, placed = sum+d, placed+1
				if d <= e.Accuracy68M {
					within++
				}
			}
			if e.TrueZone != locate.Unknown {
				zoned++
				if e.Zone == e.TrueZone {
					right++
				}
			}
		}
	}
	if len(traces) != figures.Tracks || epochs != figures.Epochs || epochs == 0 {
		t.Fatalf("%d traces with %d epochs, the figures say %d and %d", len(traces), epochs, figures.Tracks, figures.Epochs)
	}
	near := func(name string, got, want float64) {
		t.Helper()
		if math.Abs(got-want) > 1e-9 {
			t.Errorf("%s of the traces is %g, the figures say %g", name, got, want)
		}
	}
	near("mean error", sum/placed, figures.MeanM)
	near("zone accuracy", right/zoned, figures.ZoneAccuracy)
	near("coverage", within/placed, figures.Coverage68)
}
