package locate

import (
	"math"
	"slices"
	"time"

	"github.com/golang/geo/r2"
)

// tally pools the scores of trails.
type tally struct {
	tracks map[string]bool
	epochs int

	errors     []float64 // metres
	in68, in95 int

	zones zoneTally

	outside int
	spent   []float64 // µs per fix
}

// score compares trails with the truth.
func score(known *truth, trails []trail) Figures {
	t := tally{tracks: make(map[string]bool)}
	for i := range trails {
		if c := known.tracks[trails[i].track]; c != nil {
			t.add(known, c, &trails[i])
		}
	}
	return t.figures()
}

func (t *tally) add(known *truth, c *course, tr *trail) {
	t.tracks[tr.track] = true
	t.outside += tr.outside
	for _, d := range tr.spent {
		t.spent = append(t.spent, d.Seconds()*1e6)
	}
	var looks []look
	for i := range tr.epochs {
		e := &tr.epochs[i]
		at, placed := c.place(e.at, tr.snapshot)
		if placed {
			t.place(e, at)
		}
		l, zoned := known.look(c, tr, e, at, placed)
		if zoned {
			looks = append(looks, l)
		}
		if placed || zoned {
			t.epochs++
		}
	}
	t.zones.add(tr, looks)
}

func (t *tally) place(e *epoch, truth r2.Point) {
	d := math.Hypot(e.x-truth.X, e.y-truth.Y)
	t.errors = append(t.errors, d)
	if d <= e.accuracy {
		t.in68++
	}
	if d <= e.accuracy95 {
		t.in95++
	}
}

// look is the zone shown at an epoch beside the true one.
type look struct {
	at           time.Duration
	shown, truth int
	since        time.Duration // when the tag came into its true zone, as far as is known
}

func (t *truth) look(c *course, tr *trail, e *epoch, at r2.Point, placed bool) (look, bool) {
	l := look{at: e.at, shown: e.zone, since: e.at}
	if len(c.stays) > 0 {
		var ok bool
		l.truth, l.since, ok = c.zone(e.at, tr.events[len(tr.events)-1].At)
		return l, ok
	}
	if !placed || !t.some {
		return look{}, false
	}
	l.truth = t.zoneAt(at)
	return l, true
}

func (t *tally) figures() Figures {
	f := Figures{Tracks: len(t.tracks), Epochs: t.epochs}
	slices.Sort(t.errors)
	f.MedianM, f.P90M = quantile(t.errors, 0.5), quantile(t.errors, 0.9)
	f.MeanM = mean(t.errors)
	n := float64(len(t.errors))
	f.Coverage68, f.Coverage95 = float64(t.in68)/n, float64(t.in95)/n // 0/0 is NaN, as it should be
	slices.Sort(t.spent)
	f.FixesOutsidePlan, f.USPerFix = float64(t.outside), quantile(t.spent, 0.5)
	if len(t.tracks) == 0 {
		f.FixesOutsidePlan = math.NaN()
	}
	t.zones.figures(&f)
	return f
}

// quantile of sorted values, between ranks on a straight line; NaN of none.
func quantile(sorted []float64, q float64) float64 {
	if len(sorted) == 0 {
		return math.NaN()
	}
	rank := q * float64(len(sorted)-1)
	below := int(rank)
	above := min(below+1, len(sorted)-1)
	return sorted[below] + (rank-float64(below))*(sorted[above]-sorted[below])
}

func mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}
