package soak

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math"
	"strings"
	"time"

	"mybeacon/bench/rig"
	"mybeacon/schema"
)

// maxMinutes bounds a run to two days: its frames are kept to compare with.
const maxMinutes = 2880

// leastFull is what one of each fault takes in full size.
const leastFull = 150

// Config of a run.
type Config struct {
	Minutes int
	// Full makes outages, idle and stalled sockets as large as the requirements ask.
	Full bool
	Tags int
	Seed uint64
	rig.Program
	Log *slog.Logger

	sizes sizes // those of Full, of a run of minutes, or of a test
}

// sizes is how hard the faults are.
type sizes struct {
	length time.Duration // of the run
	outage time.Duration // of a store
	noise  time.Duration // of the neighbour's flood
	loris  int           // sockets that send a byte a second
	maps   int           // live maps that read nothing
	mutant int           // broken messages
}

// DefaultConfig returns what a run of consequence takes, without Program.
func DefaultConfig() Config {
	return Config{Minutes: 10, Tags: 60, Seed: 1, Log: slog.New(slog.DiscardHandler)}
}

// Validate names the first field that is wrong.
func (c Config) Validate() error {
	if c.Minutes < 1 || c.Minutes > maxMinutes {
		return schema.Errorf(schema.Invalid, "minutes", "%d must be 1 to %d", c.Minutes, maxMinutes)
	}
	if c.Full && c.Minutes < leastFull {
		return schema.Errorf(schema.Invalid, "minutes", "%d are too few for full faults, which need %d", c.Minutes, leastFull)
	}
	if c.Log == nil {
		return schema.Errorf(schema.Invalid, "log", "is needed")
	}
	if err := c.life().Validate(); err != nil {
		return err
	}
	return c.Program.Validate()
}

func (c Config) life() rig.Life { return rig.Life{Tags: c.Tags, Seed: c.Seed} }

// complete fills in the sizes.
func (c Config) complete() Config {
	if c.sizes != (sizes{}) {
		return c
	}
	c.sizes = sizes{length: time.Duration(c.Minutes) * time.Minute, outage: 10 * time.Second, noise: 10 * time.Second, loris: 100, maps: 10, mutant: 2000}
	if c.Full {
		c.sizes.outage, c.sizes.loris, c.sizes.maps, c.sizes.mutant = 30*time.Minute, 5000, 40, 10_000_000
	}
	return c
}

// notRun names what this run cannot show, whatever happens.
func (c Config) notRun() []string {
	var out []string
	if !c.Full {
		out = append(out,
			fmt.Sprintf("R6: the warehouse away for 30 min (here %v)", c.sizes.outage),
			fmt.Sprintf("R15: 5,000 slow sockets (here %d)", c.sizes.loris))
	}
	if c.Minutes < 1440 {
		out = append(out, fmt.Sprintf("R20: 24 h (here %d min)", c.Minutes))
	}
	return append(out,
		"R10: 20,000 scanner sockets for an hour (see mybeacon-bench sockets)",
		"R11: 20,000 scanners reconnecting at once")
}

// Happened is one fault.
type Happened struct {
	Name string `json:"name"`
	// StartedS is when it began, after the load did; RecoveredS how long after its end
	// everything sent until then was acknowledged.
	StartedS   float64 `json:"started_s"`
	LastedS    float64 `json:"lasted_s"`
	RecoveredS float64 `json:"recovered_s"`
	Effect     string  `json:"effect"`
}

// Figures is what a run says.
type Figures struct {
	Seconds int // that were streamed
	Faults  []Happened
	rig.Tally
	Visits, VisitsWrong int
	// Disconnects is how often scanners lost their connection, Unexpected how often
	// while nothing was done that ends connections.
	Disconnects, Unexpected int
	// AckP99MS is of the whole run, RSSMB the server's largest resident set.
	AckP99MS, RSSMB float64
	// RSSSlope is how the resident set grew in the server's longest life, per cent an
	// hour; NaN when that was shorter than ten minutes.
	RSSSlope float64
	NotRun   []string
}

// MarshalJSON writes one object.
func (f Figures) MarshalJSON() ([]byte, error) {
	number := func(v float64) *float64 {
		if math.IsNaN(v) {
			return nil
		}
		rounded := math.Round(v*100) / 100
		return &rounded
	}
	return json.Marshal(struct {
		Seconds     int        `json:"seconds"`
		Faults      []Happened `json:"faults"`
		Acked       int        `json:"acked"`
		Lost        int        `json:"acked_lost"`
		Duplicated  int        `json:"duplicated"`
		Visits      int        `json:"visits"`
		VisitsWrong int        `json:"visits_wrong"`
		Disconnects int        `json:"disconnects"`
		Unexpected  int        `json:"disconnects_unexpected"`
		AckP99MS    *float64   `json:"ack_p99_ms"`
		RSSMB       *float64   `json:"rss_mb"`
		RSSSlope    *float64   `json:"rss_slope_percent_per_h"`
		NotRun      []string   `json:"not_run"`
	}{
		f.Seconds, f.Faults, f.Acked, f.Missing, f.Duplicated, f.Visits, f.VisitsWrong, f.Disconnects, f.Unexpected,
		number(f.AckP99MS), number(f.RSSMB), number(f.RSSSlope), f.NotRun,
	})
}

func (f Figures) slope() string {
	if math.IsNaN(f.RSSSlope) {
		return "- (no life of ten minutes)"
	}
	return fmt.Sprintf("%.2f %%/h", f.RSSSlope)
}

// WriteText writes one figure, and one fault, per line.
func (f Figures) WriteText(w io.Writer) error {
	var b strings.Builder
	for _, h := range f.Faults {
		fmt.Fprintf(&b, "%7.1f s  %-18s lasted %6.1f s, recovered in %5.1f s: %s\n", h.StartedS, h.Name, h.LastedS, h.RecoveredS, h.Effect)
	}
	fmt.Fprintf(&b, "seconds       %d\nacked         %d\nacked_lost    %d\nduplicated    %d\nvisits_wrong  %d of %d\ndisconnects   %d, unexpected %d\nack_p99_ms    %.0f\nrss_mb        %.0f\nrss_slope     %s\n",
		f.Seconds, f.Acked, f.Missing, f.Duplicated, f.VisitsWrong, f.Visits, f.Disconnects, f.Unexpected, f.AckP99MS, f.RSSMB, f.slope())
	for _, n := range f.NotRun {
		fmt.Fprintf(&b, "not run       %s\n", n)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
