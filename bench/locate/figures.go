package locate

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strings"
)

// Figures is what one measurement says, pooled over the epochs of all scored
// tracks. Shares are fractions from 0 to 1, errors are distances in metres on the
// plan. What cannot be said is NaN: errors and coverage without true positions,
// zone figures without zones, the course of zones for snapshots.
type Figures struct {
	Dataset string
	Mode    string // "no-survey", and what was special about the run
	Tracks  int    // that have truth
	Epochs  int    // that were scored

	MedianM, MeanM, P90M float64 // error; quantiles interpolate between ranks

	ZoneAccuracy float64 // share of epochs in the right zone
	// ZoneSwitches and TrueSwitches count epochs whose zone is not that of the
	// epoch before: as shown, and in truth.
	ZoneSwitches, TrueSwitches float64
	// AccuracyOutside2s is ZoneAccuracy without the epochs within 2 s of a true
	// change.
	AccuracyOutside2s float64
	// LatencyS is the mean time from a true change to the first epoch that shows
	// the new zone: 0 where it was shown early, the whole stay where it never was.
	LatencyS float64
	// DwellMisallocated is the share of time that visits credit to a wrong zone:
	// half the sum over zones of |time in visits − true time|, per track, so that
	// what one track gets too much does not cancel what another gets too little.
	DwellMisallocated float64

	Coverage68, Coverage95 float64 // share of truths within the stated radius

	FixesOutsidePlan float64 // how many fixes, scored or not, leave the bounds
	// USPerFix is the median wall time of a tag's state per fix in microseconds:
	// its window, locator, fence and visits, without the decoding of frames and the
	// passing of messages. The median, because other programs on the machine make
	// some fixes take milliseconds. Each snapshot is the first fix of a track, which
	// also allocates the posterior.
	USPerFix float64
}

// row is one figure under its name; places is how many decimals mean something.
type row struct {
	name   string
	value  float64
	places int
}

func (f *Figures) rows() []row {
	return []row{
		{"tracks", float64(f.Tracks), 0},
		{"epochs", float64(f.Epochs), 0},
		{"median_m", f.MedianM, 3},
		{"mean_m", f.MeanM, 3},
		{"p90_m", f.P90M, 3},
		{"zone_accuracy", f.ZoneAccuracy, 4},
		{"zone_switches", f.ZoneSwitches, 0},
		{"true_switches", f.TrueSwitches, 0},
		{"accuracy_outside_2s", f.AccuracyOutside2s, 4},
		{"latency_s", f.LatencyS, 2},
		{"dwell_misallocated", f.DwellMisallocated, 4},
		{"coverage_68", f.Coverage68, 4},
		{"coverage_95", f.Coverage95, 4},
		{"fixes_outside_plan", f.FixesOutsidePlan, 0},
		{"us_per_fix", f.USPerFix, 1},
	}
}

// MarshalJSON writes one object with the names of [Figures.WriteText]; what
// cannot be said is null.
func (f Figures) MarshalJSON() ([]byte, error) {
	var b strings.Builder
	for _, text := range []struct{ name, value string }{{"dataset", f.Dataset}, {"mode", f.Mode}} {
		quoted, err := json.Marshal(text.value)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&b, ",%q:%s", text.name, quoted)
	}
	for _, r := range f.rows() {
		fmt.Fprintf(&b, ",%q:%s", r.name, r.text("null"))
	}
	return []byte("{" + b.String()[1:] + "}"), nil
}

// WriteText writes one figure per line.
func (f *Figures) WriteText(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%-20s %s\n%-20s %s\n", "dataset", f.Dataset, "mode", f.Mode)
	for _, r := range f.rows() {
		fmt.Fprintf(&b, "%-20s %s\n", r.name, r.text("-"))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (r row) text(unknown string) string {
	if math.IsNaN(r.value) {
		return unknown
	}
	return fmt.Sprintf("%.*f", r.places, r.value)
}
