package locate_test

import (
	"math"
	"testing"
	"time"

	"github.com/golang/geo/r2"
	"github.com/golang/geo/r3"
	"pgregory.net/rapid"

	"mybeacon/geometry/fence"
	"mybeacon/geometry/locate"
)

// turned returns the site as seen by somebody who holds the plan otherwise: turn
// maps points of the plan to points of the turned plan.
func turned(site locate.Site, turn func(r2.Point) r2.Point) locate.Site {
	lo, hi := turn(site.Bounds.Lo()), turn(site.Bounds.Hi())
	out := site
	out.Bounds = r2.RectFromPoints(lo, hi)
	out.Receivers = nil
	for _, at := range site.Receivers {
		p := turn(r2.Point{X: at.X, Y: at.Y})
		out.Receivers = append(out.Receivers, r3.Vector{X: p.X, Y: p.Y, Z: at.Z})
	}
	out.Survey = nil
	for _, l := range site.Survey {
		l.At = turn(l.At)
		out.Survey = append(out.Survey, l)
	}
	out.NoGo = nil
	for _, area := range site.NoGo {
		var corners []r2.Point
		for _, p := range area {
			corners = append(corners, turn(p))
		}
		out.NoGo = append(out.NoGo, corners)
	}
	return out
}

// Turning, mirroring and moving a whole site, with its survey and its no-go
// areas, turns, mirrors and moves its fixes, to a millimetre; calibrated or not.
func TestTurningTheSiteTurnsTheFixes(t *testing.T) {
	site := hall(14, 9, 6)
	site.Survey = survey(newRadio(7, site), 0, 3, 2)
	site.NoGo = [][]r2.Point{corners(9, 1, 12, 3)}
	turns := map[string]func(r2.Point) r2.Point{
		"a quarter": func(p r2.Point) r2.Point { return r2.Point{X: -p.Y, Y: p.X} },
		"half":      func(p r2.Point) r2.Point { return r2.Point{X: -p.X, Y: -p.Y} },
		"mirror":    func(p r2.Point) r2.Point { return r2.Point{X: -p.X, Y: p.Y} },
		"transpose": func(p r2.Point) r2.Point { return r2.Point{X: p.Y, Y: p.X} },
		"move":      func(p r2.Point) r2.Point { return p.Add(r2.Point{X: 512, Y: -256}) },
	}
	for name, turn := range turns {
		a, b := mustNew(t, site), mustNew(t, turned(site, turn))
		one, other := schooled{a.NewTrack(), a.NewCalibration()}, schooled{b.NewTrack(), b.NewCalibration()}
		r := newRadio(2, site)
		for i := range 40 {
			samples := r.hear(r2.Point{X: 2 + float64(i)/4, Y: 4 + float64(i%10)/5})
			want, _ := one.Update(time.Duration(i)*time.Second, samples)
			got, _ := other.Update(time.Duration(i)*time.Second, samples)
			if d := got.Pos.Sub(turn(want.Pos)).Norm(); d > 2e-3 || math.Abs(got.AccuracyM-want.AccuracyM) > 0.02 {
				t.Fatalf("%s, second %d: %.4f m off, accuracy %.2f and %.2f m", name, i, d, want.AccuracyM, got.AccuracyM)
			}
		}
	}
}

// A receiver that says nothing of use changes nothing much: one that is never
// heard nothing at all, one far outside, for which the plan is one place, a little,
// also when it is some decibels wrong for good.
func TestUselessReceiversChangeLittle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		site := hall(14, 9, 8)
		more, y := site, rapid.Float64Range(80, 200).Draw(t, "y")
		more.Receivers = append(append([]r3.Vector{}, site.Receivers...), r3.Vector{X: 7, Y: y, Z: 2})
		murmur := -62 - 20*math.Log10(y) + rapid.Float64Range(-5, 5).Draw(t, "wrong")
		silent := rapid.Bool().Draw(t, "silent")
		few, err := locate.New(site, locate.DefaultConfig())
		if err != nil {
			t.Fatal(err)
		}
		many, err := locate.New(more, locate.DefaultConfig())
		if err != nil {
			t.Fatal(err)
		}
		a, b := few.NewTrack(), many.NewTrack()
		r := newRadio(rapid.Uint64().Draw(t, "seed"), site)
		p := r2.Point{X: rapid.Float64Range(1, 13).Draw(t, "x"), Y: rapid.Float64Range(1, 8).Draw(t, "py")}
		sum := 0.0
		for i := range 20 {
			samples := r.hear(p)
			want, _ := a.Update(time.Duration(i)*time.Second, samples)
			if !silent {
				samples = append(samples, locate.Sample{Receiver: 8, RSSIdBm: murmur})
			}
			got, _ := b.Update(time.Duration(i)*time.Second, samples)
			d := got.Pos.Sub(want.Pos).Norm()
			if silent && d > 1e-3 {
				t.Fatalf("second %d: a receiver that is never heard moves the fix by %.3f m", i, d)
			}
			sum += d
		}
		if sum/20 > 0.6 {
			t.Fatalf("a murmur of %.0f dBm moves fixes by %.2f m", murmur, sum/20)
		}
	})
}

// A tag that lies still for an hour, more than two metres from every border,
// with every reading 4 dB off and every receiver 3 dB wrong for good, changes its
// zone never once it has settled.
func TestStillTagKeepsItsZone(t *testing.T) {
	t.Parallel()
	site := hall(12, 8, 6)
	for seed := range uint64(2) {
		r := newRadio(30+seed, site)
		r.noise = 4
		for range site.Receivers {
			r.bias = append(r.bias, 3*r.rng.NormFloat64())
		}
		loc := mustNew(t, site)
		zones := mustZones(t, loc,
			fence.Zone{Index: 0, Polygon: corners(0, 0, 7, 5)}, fence.Zone{Index: 1, Polygon: corners(7, 0, 12, 5)},
			fence.Zone{Index: 2, Polygon: corners(0, 5, 7, 8)}, fence.Zone{Index: 3, Polygon: corners(7, 5, 12, 8)})
		track := schooled{loc.NewTrack(), loc.NewCalibration()}
		var shares []fence.Share
		var decision fence.Decision
		changes, last := 0, fence.Outside
		for i := range 3600 {
			if _, ok := track.Update(time.Duration(i)*time.Second, r.hear(r2.Point{X: 4.5, Y: 2.5})); !ok {
				t.Fatal("no fix")
			}
			shares = track.Zones(zones, shares)
			zone := decision.Decide(fence.DefaultDecisionConfig(), shares)
			if i > 10 && zone != last {
				changes++
			}
			last = zone
		}
		if changes > 0 || last != 0 {
			t.Errorf("seed %d: %d changes, in the end in zone %d", seed, changes, last)
		}
	}
}
