package actors_test

import (
	"context"
	"log/slog"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"mybeacon/actors"
	"mybeacon/actors/actortest"
	"mybeacon/schema"
)

var (
	org      = schema.OrganisationID{1}
	location = schema.LocationID{2}
	planID   = schema.PlanID{3}
	kitchen  = schema.ZoneID{4, 1}
	hall     = schema.ZoneID{4, 2}
)

// origin is when the worlds of these tests begin.
var origin = time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)

func tagID(n int) schema.TagID       { return schema.TagID{5, 15: byte(n), 14: byte(n >> 8)} }
func deviceID(n int) schema.DeviceID { return schema.DeviceID{6, 15: byte(n)} }

// hallAndKitchen is a plan of 20 m × 10 m, two zones with a gap of 1 m between
// them, and n receivers along the long walls.
func hallAndKitchen(n int) schema.Layout {
	square := func(x0, x1 float64) []schema.Point {
		return []schema.Point{{X: x0}, {X: x1}, {X: x1, Y: 10}, {X: x0, Y: 10}}
	}
	l := schema.Layout{
		Organisation: org, Location: location, Plan: planID, TagHeightM: 1,
		Bounds: schema.Rect{Max: schema.Point{X: 20, Y: 10}},
		Zones: []schema.Zone{
			{ID: kitchen, Number: 1, Name: "kitchen", Polygon: square(0, 9.5)},
			{ID: hall, Number: 2, Name: "hall", Polygon: square(10.5, 20)},
		},
	}
	for i := range n {
		l.Receivers = append(l.Receivers, schema.Placement{
			Receiver: schema.ReceiverID{7, 15: byte(i)}, Device: deviceID(i),
			X: 20 * (float64(i) + 0.25) / float64(n), Y: float64(i%2)*9 + 0.5, Z: 2.5,
		})
	}
	return l
}

// withParts divides the kitchen: two parts, and a rest between them.
func withParts(l schema.Layout) schema.Layout {
	for i, x := range []float64{0, 6} {
		l.Zones = append(l.Zones, schema.Zone{
			ID: schema.ZoneID{4, 3, byte(i)}, Number: 3 + i, Name: "part", Parent: kitchen,
			Polygon: []schema.Point{{X: x}, {X: x + 3.5}, {X: x + 3.5, Y: 10}, {X: x, Y: 10}},
		})
	}
	return l
}

func sourceOf(l *schema.Layout, receiver int) schema.Source {
	return schema.Source{
		Organisation: org, Device: l.Receivers[receiver].Device, Location: location,
		Plan: l.Plan, Receiver: l.Receivers[receiver].Receiver, KeepDays: 30,
	}
}

// world is a system with its ends.
type world struct {
	*actors.System
	rec     *actortest.Recorder
	layouts *actortest.Layouts
}

func newWorld(t testing.TB, adjust func(*actors.Config)) *world {
	t.Helper()
	w := &world{rec: &actortest.Recorder{}, layouts: &actortest.Layouts{}}
	cfg := actors.DefaultConfig()
	cfg.Log = slogDiscard()
	cfg.Output, cfg.Health, cfg.Layouts, cfg.Learned, cfg.Start = w.rec, w.rec, w.layouts, w.rec, origin
	if adjust != nil {
		adjust(&cfg)
	}
	sys, err := actors.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	w.System = sys
	return w
}

func (w *world) settle(t testing.TB) {
	t.Helper()
	if err := w.Settle(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// end stops the system and fails the test if an actor got what it does not know.
func (w *world) end(t testing.TB) {
	t.Helper()
	if err := w.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	if s := w.Stats(); s.Unknown > 0 {
		t.Fatalf("%d unknown messages", s.Unknown)
	}
}

// walk makes the frames of tags that wander, by second and receiver: each
// receiver sends one frame a second with what it heard in it.
func walk(l *schema.Layout, tags, seconds int, rng *rand.Rand) [][]schema.FrameAdmitted {
	pos := make([]schema.Point, tags)
	for i := range pos {
		pos[i] = schema.Point{X: rng.Float64() * 20, Y: rng.Float64() * 10}
	}
	out := make([][]schema.FrameAdmitted, seconds)
	for s := range out {
		for i := range pos {
			pos[i].X = math.Min(math.Max(pos[i].X+rng.NormFloat64(), 0), 20)
			pos[i].Y = math.Min(math.Max(pos[i].Y+rng.NormFloat64(), 0), 10)
		}
		for r := range l.Receivers {
			out[s] = append(out[s], frameOf(l, r, s, pos, rng))
		}
	}
	return out
}

func frameOf(l *schema.Layout, receiver, second int, pos []schema.Point, rng *rand.Rand) schema.FrameAdmitted {
	begin := schema.EventTimeOf(origin) + schema.EventTime(second*1000)
	f := schema.FrameAdmitted{
		Source: sourceOf(l, receiver), BootID: "boot", Seq: uint64(second + 1),
		SentAt: begin + 999, ArrivedAt: (begin + 1010).Time(),
	}
	p := l.Receivers[receiver]
	for i := range pos {
		if rng.Float64() < 0.1 {
			continue
		}
		d := math.Max(math.Hypot(math.Hypot(pos[i].X-p.X, pos[i].Y-p.Y), p.Z-1), 0.3)
		rssi := -55 - 20*math.Log10(d) + 3*rng.NormFloat64()
		f.Observations = append(f.Observations, schema.Heard{
			Observation: schema.Observation{At: begin + schema.EventTime(rng.IntN(999)), RSSI: schema.CentiDBmOf(rssi)},
			Tag:         tagID(i),
		})
		f.Indexes = append(f.Indexes, uint16(i))
	}
	return f
}

func slogDiscard() *slog.Logger { return slog.New(slog.DiscardHandler) }
