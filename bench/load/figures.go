package load

import (
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// Figures is what [Ingest] measured. What the stage does not have is NaN.
type Figures struct {
	// ObservationsPerS is the highest sustained rate of acknowledged observations,
	// FixesPerS that of tag seconds that the live map has seen fixed; a map that
	// was shown a later second first has seen both.
	ObservationsPerS, FixesPerS float64
	// AckP50MS and AckP99MS are from handing a frame to the uplink to the
	// acknowledgement's arrival there, LiveP99MS from handing over the frame that
	// completes a tag's second to the arrival of the live message with its fix:
	// milliseconds, in the full stage at half the highest rate.
	AckP50MS, AckP99MS, LiveP99MS float64
	// LiveP99At25kMS is LiveP99MS at 25,000 observations a second, which is half of
	// what is required and the same load on whatever machine and with whatever
	// version. A crowd that makes fewer in real time has none.
	LiveP99At25kMS float64
	// RSSMB is the largest resident set of this process in MB (10^6 bytes).
	RSSMB float64
	// AllocsPerObservation are heap allocations of this process at the highest rate.
	AllocsPerObservation float64

	// InsertRowsPerS is how many observations one connection stores in a second the
	// engine's way, from admitted frames on, BareInsertRowsPerS how many the driver
	// alone does, which has the same rows ready as columns; InsertRatio compares them.
	InsertRowsPerS, BareInsertRowsPerS float64

	// Not in the JSON form: for how long the highest rate was measured, how many
	// live messages full mailboxes dropped meanwhile, the half rate that was
	// reached, and the median of LiveP99MS's times.
	MeasuredS            float64
	Dropped              int
	HalfObservationsPerS float64
	LiveP50MS            float64
}

type row struct {
	name   string
	value  float64
	places int
}

func (f Figures) rows() []row {
	return []row{
		{"observations_per_s", f.ObservationsPerS, 0},
		{"fixes_per_s", f.FixesPerS, 0},
		{"ack_p50_ms", f.AckP50MS, 1},
		{"ack_p99_ms", f.AckP99MS, 1},
		{"live_p99_ms", f.LiveP99MS, 1},
		{"live_p99_at_25k_ms", f.LiveP99At25kMS, 1},
		{"rss_mb", f.RSSMB, 0},
		{"allocs_per_observation", f.AllocsPerObservation, 2},
		{"insert_rows_per_s", f.InsertRowsPerS, 0},
		{"bare_insert_rows_per_s", f.BareInsertRowsPerS, 0},
		{"insert_ratio", f.InsertRatio(), 3},
	}
}

// InsertRatio is the engine's rate of inserts over the driver's.
func (f Figures) InsertRatio() float64 { return f.InsertRowsPerS / f.BareInsertRowsPerS }

// MarshalJSON writes one object; what the stage does not have is null.
func (f Figures) MarshalJSON() ([]byte, error) { return object(f.rows()), nil }

// WriteText writes one figure per line.
func (f Figures) WriteText(w io.Writer) error {
	return lines(w, append(f.rows(),
		row{"measured_s", f.MeasuredS, 1}, row{"live_dropped", float64(f.Dropped), 0},
		row{"half_observations_per_s", f.HalfObservationsPerS, 0}, row{"half_live_p50_ms", f.LiveP50MS, 1}))
}

func object(rows []row) []byte {
	parts := make([]string, len(rows))
	for i, r := range rows {
		parts[i] = fmt.Sprintf("%q:%s", r.name, r.text("null"))
	}
	return []byte("{" + strings.Join(parts, ",") + "}")
}

func lines(w io.Writer, rows []row) error {
	var b strings.Builder
	for _, r := range rows {
		fmt.Fprintf(&b, "%-24s %s\n", r.name, r.text("-"))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (r row) text(unknown string) string {
	if math.IsNaN(r.value) || math.IsInf(r.value, 0) {
		return unknown
	}
	return fmt.Sprintf("%.*f", r.places, r.value)
}

// stretch is a stretch of time over which rates are measured.
type stretch struct {
	began   time.Time
	took    time.Duration
	mallocs uint64 // at the beginning, then within
}

func beginStretch() stretch { return stretch{began: time.Now(), mallocs: mallocs()} }

func (s *stretch) end() {
	s.took, s.mallocs = time.Since(s.began), mallocs()-s.mallocs
}

// perSecond returns the rate of n events, and perEvent the allocations for each.
func (s *stretch) perSecond(n int) float64 { return float64(n) / s.took.Seconds() }
func (s *stretch) perEvent(n int) float64  { return float64(s.mallocs) / float64(n) }

func mallocs() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Mallocs
}

// peakRSS returns the largest resident set of this process in MB, NaN where the
// system does not tell.
func peakRSS() float64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return math.NaN()
	}
	for line := range strings.Lines(string(text)) {
		if rest, found := strings.CutPrefix(line, "VmHWM:"); found {
			kib, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 64)
			if err == nil {
				return kib * 1024 / 1e6
			}
		}
	}
	return math.NaN()
}
