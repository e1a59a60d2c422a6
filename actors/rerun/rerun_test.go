package rerun_test

import (
	"cmp"
	"context"
	"log/slog"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"mybeacon/actors"
	"mybeacon/actors/actortest"
	"mybeacon/actors/device"
	"mybeacon/actors/rerun"
	"mybeacon/actors/tag"
	"mybeacon/schema"
)

var (
	org      = schema.OrganisationID{1}
	tagID    = schema.TagID{5}
	key      = tag.Key{Organisation: org, Tag: tagID}
	origin   = schema.EventTime(1_767_600_000_000)
	silently = slog.New(slog.DiscardHandler)
)

// prelude is for how many seconds the receivers hear nothing at first.
const prelude = 2

// life is one tag's way through the plan: each receiver's frame of each second, and
// the same as stored.
type life struct {
	layout  schema.Layout
	frames  [][]schema.FrameAdmitted // by second
	heard   map[int][]rerun.Observation
	seconds int
}

// newLife walks a tag from place to place, with rests, and with silences that are
// longer than the timeout, or just not.
func newLife(rng *rand.Rand, seconds int) *life {
	w := &life{layout: actortest.Flat(org), heard: map[int][]rerun.Observation{}, seconds: seconds}
	at, goal := schema.Point{X: 3, Y: 5}, schema.Point{X: 17, Y: 5}
	silent := 0
	for s := range seconds {
		dx, dy := goal.X-at.X, goal.Y-at.Y
		if far := math.Hypot(dx, dy); far > 1 {
			at.X, at.Y = at.X+1.3*dx/far, at.Y+1.3*dy/far
		} else if rng.IntN(12) == 0 {
			goal = schema.Point{X: 1 + 18*rng.Float64(), Y: 1 + 8*rng.Float64()}
		}
		if silent--; silent < 0 && rng.IntN(60) == 0 {
			silent = []int{20, 58, 64, 130}[rng.IntN(4)]
		}
		// A plan waits for the receivers that have spoken: first of all they do.
		w.second(rng, s, at, silent > 0 || s < prelude)
	}
	return w
}

func (w *life) second(rng *rand.Rand, s int, at schema.Point, silent bool) {
	begin := origin.Add(time.Duration(s) * time.Second)
	frames := make([]schema.FrameAdmitted, len(w.layout.Receivers))
	for i, r := range w.layout.Receivers {
		src := w.source(i)
		f := schema.FrameAdmitted{Source: src, BootID: "b", Seq: uint64(s + 1), SentAt: begin.Add(time.Second), ArrivedAt: begin.Time()}
		for range 2 {
			d := math.Hypot(at.X-r.X, at.Y-r.Y)
			dbm := -55 - 22*math.Log10(max(d, 0.5)) + 3*rng.NormFloat64()
			if silent || dbm < -85+5*rng.NormFloat64() {
				continue
			}
			o := schema.Observation{At: begin.Add(time.Duration(rng.IntN(1000)) * time.Millisecond), RSSI: schema.CentiDBmOf(dbm)}
			f.Observations = append(f.Observations, schema.Heard{Observation: o, Tag: tagID})
			f.Indexes = append(f.Indexes, uint16(len(f.Indexes)))
			w.heard[s] = append(w.heard[s], rerun.Observation{Source: src, At: o.At, RSSI: o.RSSI})
		}
		frames[i] = f
	}
	w.frames = append(w.frames, frames)
}

func (w *life) source(receiver int) schema.Source {
	r := &w.layout.Receivers[receiver]
	return schema.Source{
		Organisation: org, Device: r.Device, Location: w.layout.Location, Plan: w.layout.Plan, Receiver: r.Receiver, KeepDays: 30,
	}
}

// found is what storage has in the end.
type found struct {
	Fixes  []schema.Fix
	Visits []schema.Visit
}

// system is the whole system with its ends.
type system struct {
	*actors.System
	rec *actortest.Recorder
}

// system returns the n-th start of the system.
func (w *life) system(t testing.TB, n int) system {
	rec, layouts := &actortest.Recorder{}, &actortest.Layouts{}
	layouts.Put(w.layout)
	cfg := actors.DefaultConfig()
	cfg.Log, cfg.Output, cfg.Health, cfg.Layouts = silently, rec, rec, layouts
	cfg.Plan.Learn = false // a run does not know what is in force
	cfg.Start = origin.Time().Add(time.Duration(n) * time.Second)
	sys, err := actors.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return system{sys, rec}
}

func (s system) feed(t testing.TB, seconds [][]schema.FrameAdmitted) {
	for _, second := range seconds {
		for _, f := range second {
			s.Frame(f)
		}
		s.settle(t)
	}
}

func (s system) settle(t testing.TB) {
	if err := s.Settle(context.Background()); err != nil {
		t.Fatal(err)
	}
}

func (s system) end(t testing.TB) {
	if n := s.Stats().Unknown; n != 0 {
		t.Errorf("%d unknown messages", n)
	}
	if err := s.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// live gives the frames to the whole system.
func (w *life) live(t testing.TB) found {
	s := w.system(t, 0)
	s.feed(t, w.frames)
	s.end(t)
	return foundBy(s.rec)
}

// foundBy returns what storage keeps of all that was put out.
func foundBy(recs ...*actortest.Recorder) (out found) {
	fixes, visits := map[schema.EventTime]schema.Fix{}, map[schema.VisitID]schema.Visit{}
	for _, rec := range recs {
		for _, f := range rec.Fixes() {
			if old, ok := fixes[f.At]; !ok || f.Rev > old.Rev {
				fixes[f.At] = f
			}
		}
		for _, v := range rec.Visits() {
			if old, ok := visits[v.ID]; !ok || v.Rev > old.Rev {
				visits[v.ID] = v
			}
		}
	}
	for _, v := range visits {
		v.Rev = 0
		out.Visits = append(out.Visits, v)
	}
	slices.SortFunc(out.Visits, func(a, b schema.Visit) int {
		return cmp.Or(cmp.Compare(a.EnteredAt, b.EnteredAt), slices.Compare(a.Zone[:], b.Zone[:]))
	})
	for _, f := range fixes {
		f.Rev = 0
		out.Fixes = append(out.Fixes, f)
	}
	slices.SortFunc(out.Fixes, func(a, b schema.Fix) int { return cmp.Compare(a.At, b.At) })
	return out
}

// config is what runs need.
func (w *life) config(sys *actors.System) rerun.Config {
	return rerun.Config{
		Tag: sys.TagConfig(), Plans: sys.Plans(),
		// Every receiver sends a frame each second.
		Listening: func(_ schema.DeviceID, before schema.EventTime) schema.EventTime { return before },
	}
}

// through lives through some seconds.
func (w *life) through(r *rerun.Run, from, to int) {
	for s := from; s < to; s++ {
		if len(w.heard[s]) > 0 {
			r.Second(origin.Add(time.Duration(s)*time.Second), w.heard[s])
		}
	}
	r.Silence(origin.Add(time.Duration(to) * time.Second))
}

func TestARunFindsWhatTheSystemFinds(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 1))
		w := newLife(rng, rapid.IntRange(60, 400).Draw(rt, "seconds"))
		sys := w.system(t, 0)
		defer sys.end(t)
		r := rerun.New(w.config(sys.System), key, tag.Past{})
		w.through(r, 0, w.seconds)
		if diff := gocmp.Diff(w.live(t), found{r.Fixes(), r.Visits()}, cmpopts.EquateEmpty()); diff != "" {
			rt.Fatalf("-live +again\n%s", diff)
		}
	})
}

// The system goes on with a state that lived again as if it had never stopped.
func TestTheSystemGoesOnWithARun(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 2))
		w := newLife(rng, rapid.IntRange(120, 300).Draw(rt, "seconds"))
		stop := rapid.IntRange(prelude+1, w.seconds-1).Draw(rt, "stop")
		first := w.system(t, 0)
		first.feed(t, w.frames[:stop])
		first.end(t)

		second := w.system(t, 1)
		r := rerun.New(w.config(second.System), key, tag.Past{})
		w.through(r, 0, stop-1)
		r.Hear(w.heard[stop-1]) // the last second waits for the plan
		if r.State().Present() || r.State().Waits() {
			second.Adopt(key, r.State())
		}
		for i, d := range w.layout.Receivers {
			restored := device.Restore{Source: w.source(i), Delivered: origin.Add(time.Duration(stop) * time.Second)}
			for s := range stop {
				for _, o := range w.heard[s] {
					if o.Source.Device == d.Device {
						restored.Heard = []device.Hearing{{Tag: tagID, At: o.At}}
						restored.Waiting = []schema.TagID{tagID}
					}
				}
			}
			second.RestoreDevice(restored)
		}
		second.settle(t)
		second.feed(t, w.frames[stop:])
		second.end(t)
		if diff := gocmp.Diff(w.live(t), foundBy(first.rec, second.rec), cmpopts.EquateEmpty()); diff != "" {
			rt.Fatalf("stopped at %d: -undisturbed +restarted\n%s", stop, diff)
		}
	})
}

// Late data show that a visit began earlier: the tag that is there goes on with it.
func TestAmend(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	w := newLife(rng, 40)
	sys := w.system(t, 0)
	sys.feed(t, w.frames)
	open := sys.OpenVisits()
	if len(open) != 1 {
		t.Fatalf("%d visits are open, want one: %v", len(open), open)
	}
	was := open[0]
	is := was
	is.EnteredAt = was.EnteredAt.Add(-time.Second)
	is.ID = schema.NewVisitID(org, tagID, is.Zone, is.EnteredAt)
	f := func(what string, instead schema.VisitID, v schema.Visit, want bool) {
		t.Helper()
		got, err := sys.Amend(t.Context(), instead, v)
		if err != nil || got != want {
			t.Errorf("%s: %v, %v", what, got, err)
		}
	}
	elsewhere := is
	elsewhere.Zone = schema.ZoneID{9}
	nobody := is
	nobody.Tag = schema.TagID{9}
	f("another zone", was.ID, elsewhere, false)
	f("a tag that is not there", was.ID, nobody, false)
	f("the visit", was.ID, is, true)
	f("once more", was.ID, is, false)
	if open := sys.OpenVisits(); len(open) != 1 || open[0].ID != is.ID {
		t.Errorf("open is %v, want %v", open, is)
	}
	sys.end(t)
}
