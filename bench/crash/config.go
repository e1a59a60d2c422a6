package crash

import (
	"fmt"
	"io"
	"log/slog"
	"math"
	"time"

	"mybeacon/bench/rig"
	"mybeacon/schema"
)

// maxKills bounds a run: its frames are kept to compare with.
const maxKills = 1000

// Config of a measurement.
type Config struct {
	Kills int // 0 measures what two undisturbed runs differ by
	Tags  int
	Seed  uint64
	// Program is the server.
	Program rig.Program
	// Calm is how long the site streams before the first kill and after the last one.
	Calm time.Duration
	Log  *slog.Logger
}

// DefaultConfig returns what a measurement of consequence takes, without Program.
func DefaultConfig() Config {
	return Config{Kills: 20, Tags: 60, Seed: 1, Calm: 3 * time.Second, Log: slog.New(slog.DiscardHandler)}
}

// Validate names the first field that is wrong.
func (c Config) Validate() error {
	switch {
	case c.Kills < 0 || c.Kills > maxKills:
		return schema.Errorf(schema.Invalid, "kills", "%d must be 0 to %d", c.Kills, maxKills)
	case c.Calm <= 0:
		return schema.Errorf(schema.Invalid, "calm", "%v must be above zero", c.Calm)
	case c.Log == nil:
		return schema.Errorf(schema.Invalid, "log", "is needed")
	}
	if err := c.life().Validate(); err != nil {
		return err
	}
	return c.Program.Validate()
}

func (c Config) life() rig.Life { return rig.Life{Tags: c.Tags, Seed: c.Seed} }

// Figures is what a run says.
type Figures struct {
	Kills int
	rig.Tally
	VisitsWrong int     // of the undisturbed server's
	RecoveryP99 float64 // seconds from a kill to the answer 200 of /readyz; NaN without kills

	// Visits, not in the JSON form, is how many the undisturbed server has, Seconds
	// how much event time was streamed.
	Visits, Seconds int
}

// MarshalJSON writes one object; the recovery is null without kills.
func (f Figures) MarshalJSON() ([]byte, error) {
	return fmt.Appendf(nil, `{"kills":%d,"acked":%d,"missing":%d,"duplicated":%d,"visits_wrong":%d,"recovery_p99_s":%s}`,
		f.Kills, f.Acked, f.Missing, f.Duplicated, f.VisitsWrong, f.recovery("null")), nil
}

func (f Figures) recovery(unknown string) string {
	if math.IsNaN(f.RecoveryP99) {
		return unknown
	}
	return fmt.Sprintf("%.2f", f.RecoveryP99)
}

// WriteText writes one figure per line.
func (f Figures) WriteText(w io.Writer) error {
	_, err := fmt.Fprintf(w, "kills           %d\nacked           %d\nmissing         %d\nduplicated      %d\nvisits_wrong    %d of %d\nrecovery_p99_s  %s\nstreamed_s      %d\n",
		f.Kills, f.Acked, f.Missing, f.Duplicated, f.VisitsWrong, f.Visits, f.recovery("-"), f.Seconds)
	return err
}
