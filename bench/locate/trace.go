package locate

import (
	"context"
	"math"
	"time"

	"github.com/golang/geo/r2"

	"mybeacon/bench/recording"
)

// Trace is what the engine showed of one track, or of one snapshot, beside the truth.
type Trace struct {
	Track  string
	Epochs []Epoch // those that are scored, in order
}

// The zones of an [Epoch] that are none of the site's.
const (
	Outside = outside
	Unknown = outside - 1 // nobody knows
)

// Epoch is one moment of a trace.
type Epoch struct {
	At                       time.Duration // of the recording
	Shown, Truth             r2.Point      // metres; Truth is NaN where it is not known
	Accuracy68M, Accuracy95M float64       // the stated radii
	Zone, TrueZone           int           // indices in Site.Zones, Outside, or for TrueZone Unknown
}

// ErrorM returns the distance of what was shown from the truth, NaN without truth.
func (e *Epoch) ErrorM() float64 { return e.Shown.Sub(e.Truth).Norm() }

// MeasureTraces is [Measure], and returns what the figures are made of.
func MeasureTraces(ctx context.Context, site *recording.Site, cfg Config, truths Truths) (Figures, []Trace, error) {
	trails, known, err := observe(ctx, site, cfg, truths)
	if err != nil {
		return Figures{}, nil, err
	}
	var traces []Trace
	for i := range trails {
		if c := known.tracks[trails[i].track]; c != nil {
			traces = append(traces, known.trace(c, &trails[i]))
		}
	}
	return figuresOf(site, cfg, known, trails), traces, nil
}

func (t *truth) trace(c *course, tr *trail) Trace {
	out := Trace{Track: tr.track}
	for i := range tr.epochs {
		e := &tr.epochs[i]
		at, placed := c.place(e.at, tr.snapshot)
		l, zoned := t.look(c, tr, e, at, placed)
		if !placed && !zoned {
			continue
		}
		told := Epoch{
			At: e.at, Shown: r2.Point{X: e.x, Y: e.y}, Truth: at,
			Accuracy68M: e.accuracy, Accuracy95M: e.accuracy95, Zone: e.zone, TrueZone: l.truth,
		}
		if !placed {
			told.Truth = r2.Point{X: math.NaN(), Y: math.NaN()}
		}
		if !zoned {
			told.TrueZone = Unknown
		}
		out.Epochs = append(out.Epochs, told)
	}
	return out
}
