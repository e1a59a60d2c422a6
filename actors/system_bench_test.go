package actors_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"

	"mybeacon/actors"
	"mybeacon/geometry/locate"
	"mybeacon/schema"
)

// discard is an output that costs nothing.
type discard struct{}

func (discard) TagMoved(schema.TagMoved)         {}
func (discard) Fix(schema.Fix)                   {}
func (discard) Visit(schema.Visit)               {}
func (discard) Occupancy(schema.Occupancy)       {}
func (discard) DeviceHealth(schema.DeviceHealth) {}

// BenchmarkFrames feeds one second of a site per iteration: every receiver sends
// a frame in which it hears every tag once, and every tag is fixed. The locator's
// share shows by its cells: the coarse one leaves the actors' own cost.
func BenchmarkFrames(b *testing.B) {
	for _, site := range []struct{ tags, receivers int }{{100, 6}, {2000, 12}} {
		for _, cells := range []string{"default", "coarse"} {
			b.Run(fmt.Sprintf("tags=%d/receivers=%d/cells=%s", site.tags, site.receivers, cells), func(b *testing.B) {
				benchFrames(b, site.tags, site.receivers, cells == "coarse")
			})
		}
	}
}

func benchFrames(b *testing.B, tags, receivers int, coarse bool) {
	l := hallAndKitchen(receivers)
	w := newWorld(b, func(c *actors.Config) {
		c.Output, c.Health = discard{}, discard{}
		c.MailboxLimit = 100_000 // nothing may be dropped, or the figure lies
		if coarse {
			c.Locate = locate.DefaultConfig()
			c.Locate.CellM, c.Locate.MaxCellM = 5, 5
		}
	})
	w.layouts.Put(l)
	const period = 32
	frames := walk(&l, tags, period, rand.New(rand.NewPCG(1, 2)))
	observations := 0
	send := func(second int) {
		for _, f := range frames[second%period] {
			f = later(f, second/period*period)
			observations += len(f.Observations)
			w.Frame(f)
		}
		w.settle(b)
	}
	for s := range 8 {
		send(s)
	}
	observations = 0
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	b.ResetTimer()
	for i := range b.N {
		send(8 + i)
	}
	b.StopTimer()
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(observations)/b.Elapsed().Seconds(), "observations/s")
	b.ReportMetric(float64(b.N*tags)/b.Elapsed().Seconds(), "fixes/s")
	b.ReportMetric(float64(after.Mallocs-before.Mallocs)/float64(observations), "allocs/observation")
	if s := w.Stats(); s.Device.Dropped+s.Tag.Dropped > 0 {
		b.Fatalf("dropped messages: %+v", s)
	}
	w.end(b)
}

// later returns a copy of the frame that happened some seconds later. The copy is
// part of the measured cost, as decoding a frame would be.
func later(f schema.FrameAdmitted, seconds int) schema.FrameAdmitted {
	by := schema.EventTime(seconds * 1000)
	f.Seq += uint64(seconds)
	f.SentAt += by
	old := f.Observations
	f.Observations = make([]schema.Heard, len(old))
	for i, o := range old {
		o.At += by
		f.Observations[i] = o
	}
	return f
}

// TestAllocationCeiling holds what an observation may cost: two messages' worth
// of allocations per frame, spread over its observations, and a fix per tag.
func TestAllocationCeiling(t *testing.T) {
	const tags, receivers = 50, 8
	l := hallAndKitchen(receivers)
	w := newWorld(t, func(c *actors.Config) { c.Output, c.Health = discard{}, discard{} })
	defer w.end(t)
	w.layouts.Put(l)
	second := 0
	var still []schema.Point
	rng := rand.New(rand.NewPCG(1, 2))
	for range tags {
		still = append(still, schema.Point{X: rng.Float64() * 20, Y: rng.Float64() * 10})
	}
	send := func() {
		for r := range l.Receivers {
			w.Frame(frameOf(&l, r, second, still, rng))
		}
		w.settle(t)
		second++
	}
	for range 20 {
		send()
	}
	perFrame := testing.AllocsPerRun(50, send) / receivers
	// The frame itself and its appended observations are about ten of these, and
	// waiting for a busy machine a few more; one more per observation would be 50.
	if perFrame > 60 {
		t.Errorf("%.1f allocations per frame of %d observations", perFrame, tags)
	}
}
