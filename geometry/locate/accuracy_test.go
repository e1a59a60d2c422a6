package locate_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/golang/geo/r2"

	"mybeacon/geometry/fence"
	"mybeacon/geometry/locate"
)

// score is how well fixes meet the truth.
type score struct {
	errors             []float64 // metres
	right              int       // fixes in the zone of the truth
	within68, within95 int       // truths inside the stated radii
	outside            int       // fixes outside the plan
}

func (s *score) add(rec *recording, est locate.Estimate, truth r2.Point) {
	d := est.Pos.Sub(truth).Norm()
	s.errors = append(s.errors, d)
	got, _ := rec.zones.Find(est.Pos)
	if want, _ := rec.zones.Find(truth); got == want {
		s.right++
	}
	if d <= est.AccuracyM {
		s.within68++
	}
	if d <= est.Accuracy95M {
		s.within95++
	}
	if !rec.site.Bounds.ContainsPoint(est.Pos) {
		s.outside++
	}
}

func (s *score) share(n int) float64 { return 100 * float64(n) / float64(len(s.errors)) }

func (s *score) quantile(q float64) float64 {
	sorted := slices.Sorted(slices.Values(s.errors))
	return sorted[int(q*float64(len(sorted)-1))]
}

func (s *score) mean() float64 {
	sum := 0.0
	for _, e := range s.errors {
		sum += e
	}
	return sum / float64(len(s.errors))
}

func (s *score) String() string {
	return fmt.Sprintf("%d fixes: median %.2f mean %.2f p90 %.2f m, zone %.1f %%, coverage %.0f / %.0f %%",
		len(s.errors), s.quantile(0.5), s.mean(), s.quantile(0.9), s.share(s.right), s.share(s.within68), s.share(s.within95))
}

// scoreTrack compares each fix with the nearest truth; truths come three a
// second, with gaps, and a gap is not scored.
func scoreTrack(t *testing.T, rec *recording, track string, without int) *score {
	t.Helper()
	s, truth := &score{}, rec.truth[track]
	i := 0
	rec.replay(t, track, without, func(second float64, est locate.Estimate, _ locate.Track) {
		for i+1 < len(truth) && math.Abs(truth[i+1].at-second) <= math.Abs(truth[i].at-second) {
			i++
		}
		if math.Abs(truth[i].at-second) < 0.4 {
			s.add(rec, est, truth[i].pos)
		}
	})
	return s
}

// scoreSnapshots fixes each snapshot with a fresh state, because consecutive
// ones are not a walk.
func scoreSnapshots(t *testing.T, rec *recording) *score {
	s, events := &score{}, rec.heard["snapshots"]
	track := rec.locator(t).NewTrack()
	for _, truth := range rec.truth["snapshots"] {
		var samples []locate.Sample
		for len(events) > 0 && events[0].at <= truth.at {
			if events[0].at == truth.at {
				samples = append(samples, locate.Sample{Receiver: events[0].receiver, RSSIdBm: events[0].rssi})
			}
			events = events[1:]
		}
		track.Reset()
		if est, ok := track.Update(0, samples); ok {
			s.add(rec, est, truth.pos)
		}
	}
	return s
}

// bar is what must be reached. The bars are between what is asked of a system
// without any survey (flat 1.40 / 1.60 / 3.0 m and 79 %, library 1.52 / 1.90 /
// 3.75 m and 70 %) and what is reached, so that a step back is noticed.
type bar struct{ median, mean, p90, zone, low68, high68, low95 float64 }

func (s *score) mustMeet(t *testing.T, b bar) {
	t.Helper()
	t.Log(s)
	check := func(name string, got, lo, hi float64) {
		t.Helper()
		if !(got >= lo && got <= hi) {
			t.Errorf("%s is %.2f, want %g to %g", name, got, lo, hi)
		}
	}
	check("median error", s.quantile(0.5), 0, b.median)
	check("mean error", s.mean(), 0, b.mean)
	check("90th percentile", s.quantile(0.9), 0, b.p90)
	check("share in the right zone", s.share(s.right), b.zone, 100)
	check("truth within the 68 % radius", s.share(s.within68), b.low68, b.high68)
	check("truth within the 95 % radius", s.share(s.within95), b.low95, 100)
	check("fixes outside the plan", float64(s.outside), 0, 0)
}

// A robot drives through a furnished flat with six receivers.
func TestFlat(t *testing.T) {
	rec := record(t, "flat")
	all := scoreTrack(t, rec, "robot", -1)
	all.mustMeet(t, bar{median: 1.25, mean: 1.38, p90: 2.5, zone: 83, low68: 58, high68: 78, low95: 88})
	if len(all.errors) < 300 {
		t.Errorf("only %d fixes of some 330 were scored", len(all.errors))
	}
}

// Any one receiver may die: with what traffic teaches about the others the error
// grows by a third at most and stays below 1.5 m, with one exception. Without the only receiver of
// the bedroom, where half of the track is, nobody tells that corner from the next
// room: the nearest receiver behind a wall hears the tag 7 dB too faint and the
// farthest 4 dB too loud. Not even the truth helps: with each receiver's level and
// exponent fitted to the true positions the median is 1.79 m, and only a survey of
// the whole flat brings 1.34 m.
func TestFlatWithoutOneReceiver(t *testing.T) {
	rec := record(t, "flat")
	rec.calibrate = true
	whole := scoreTrack(t, rec, "robot", -1).quantile(0.5)
	for dead := range rec.site.Receivers {
		s := scoreTrack(t, rec, "robot", dead)
		t.Logf("without receiver %d: %v", dead, s)
		limit := min(1.33*whole, 1.5)
		if dead == 1 {
			limit = 1.95 * whole
		}
		if got := s.quantile(0.5); got > limit {
			t.Errorf("without receiver %d the median error is %.2f m, with all %.2f m", dead, got, whole)
		}
		if s.outside > 0 {
			t.Errorf("without receiver %d %d fixes are outside the plan", dead, s.outside)
		}
	}
}

// The constants are on plateaus: a quarter more or less of any of them changes
// the median error by a sixth at most. What is on an edge here is tuned to this
// flat and will fail in the next. The path loss exponent is left out: it is a
// property of the building and not of the method. This flat would like 1.5
// (median 0.96 m), the library 2.5; 2 stands between them until it is learned.
func TestNoConstantIsOnAnEdge(t *testing.T) {
	t.Parallel()
	rec := record(t, "flat")
	whole := scoreTrack(t, rec, "robot", -1).quantile(0.5)
	for name, field := range map[string]func(*locate.Config) *float64{
		"CellM":          func(c *locate.Config) *float64 { return &c.CellM },
		"Noise.ScaleDB":  func(c *locate.Config) *float64 { return &c.Noise.ScaleDB },
		"Noise.Freedom":  func(c *locate.Config) *float64 { return &c.Noise.Freedom },
		"WeakDB":         func(c *locate.Config) *float64 { return &c.WeakDB },
		"StaleDB2PS":     func(c *locate.Config) *float64 { return &c.StaleDB2PS },
		"Tempering":      func(c *locate.Config) *float64 { return &c.Tempering },
		"ScaleWorth":     func(c *locate.Config) *float64 { return &c.ScaleWorth },
		"Systematic":     func(c *locate.Config) *float64 { return &c.Systematic },
		"Floor":          func(c *locate.Config) *float64 { return &c.Floor },
		"Level.SpreadDB": func(c *locate.Config) *float64 { return &c.Level.SpreadDB },
		"Level.DriftDB":  func(c *locate.Config) *float64 { return &c.Level.DriftDB },
		"Level.KnownDB":  func(c *locate.Config) *float64 { return &c.Level.KnownDB },
		"Motion.StepM":   func(c *locate.Config) *float64 { return &c.Motion.StepM },
		"Motion.StillM":  func(c *locate.Config) *float64 { return &c.Motion.StillM },
		"Motion.Carry":   func(c *locate.Config) *float64 { return &c.Motion.Carry },
		"Motion.Travel":  func(c *locate.Config) *float64 { return &c.Motion.TravelMPS },
	} {
		for _, factor := range []float64{0.75, 1.25} {
			cfg := locate.DefaultConfig()
			*field(&cfg) *= factor
			cfg.Tempering = math.Min(cfg.Tempering, 1)
			rec.cfg = cfg
			got := scoreTrack(t, rec, "robot", -1).quantile(0.5)
			t.Logf("%s times %g: median %.2f m", name, factor, got)
			if math.Abs(got-whole) > whole/6 {
				t.Errorf("%s times %g: the median error goes from %.2f to %.2f m", name, factor, whole, got)
			}
		}
	}
}

// A phone in a library hears some of 24 beacons: the mirrored topology, one
// snapshot each.
func TestLibrary(t *testing.T) {
	t.Parallel()
	s := scoreSnapshots(t, record(t, "library"))
	s.mustMeet(t, bar{median: 1.52, mean: 1.85, p90: 3.5, zone: 71, low68: 58, high68: 78, low95: 88})
	if len(s.errors) != 964 {
		t.Errorf("%d of 964 snapshots were fixed", len(s.errors))
	}
}

// Somebody walks in and out of a chamber between ten receivers. Asked is 97.5 %
// of both walks, and at most ten changes for the eight there are.
func TestDoors(t *testing.T) {
	t.Parallel()
	rec := record(t, "doors")
	right, all, changes := 0, 0, 0
	for _, track := range []string{"walk_sensor_1_measurement_1", "walk_sensor_1_measurement_2"} {
		r, a, c := rec.walkThroughDoors(t, track)
		right, all, changes = right+r, all+a, changes+c
	}
	share := 100 * float64(right) / float64(all)
	t.Logf("right zone %.1f %% of %d s, %d changes of 8", share, all, changes)
	if share < 98 || changes > 10 {
		t.Errorf("right zone %.1f %% of %d s, %d changes of 8", share, all, changes)
	}
}

// walkThroughDoors counts the seconds in which the zone decided is that of the
// truth, and how often it changes.
func (rec *recording) walkThroughDoors(t *testing.T, track string) (right, all, changes int) {
	zones, err := rec.locator(t).Zones(rec.areas)
	if err != nil {
		t.Fatal(err)
	}
	var shares []fence.Share
	var decision fence.Decision
	stays, last := rec.stays[track], fence.Outside
	rec.replay(t, track, -1, func(second float64, _ locate.Estimate, state locate.Track) {
		shares = state.Zones(zones, shares)
		zone := decision.Decide(fence.DefaultDecisionConfig(), shares)
		for len(stays) > 1 && stays[1].from <= second {
			stays = stays[1:]
		}
		if stays[0].zone < 0 {
			return
		}
		all++
		if stays[0].zone == zone {
			right++
		}
		if last != fence.Outside && zone != last {
			changes++
		}
		last = zone
	})
	return right, all, changes
}
