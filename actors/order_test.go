package actors_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"mybeacon/actors"
	"mybeacon/schema"
)

// journey is what the receivers of a plan send while tags walk, rest, and are
// silent for a while: for about as long as makes a tag absent, or longer.
type journey struct {
	layout schema.Layout
	frames [][]schema.FrameAdmitted // by second
	from   int                      // the second before which all are off,
	away   int                      // for so many seconds
}

// interrupt lets all receivers be off for some seconds.
func (j *journey) interrupt(from, seconds int) {
	j.from, j.away = from, seconds
	for s := from; s < len(j.frames); s++ {
		for r, f := range j.frames[s] {
			j.frames[s][r] = jumped(f, seconds)
		}
	}
}

func newJourney(rng *rand.Rand, l schema.Layout, tags, seconds int) *journey {
	j := &journey{layout: l, frames: make([][]schema.FrameAdmitted, seconds)}
	at, goal, silent := make([]schema.Point, tags), make([]schema.Point, tags), make([]int, tags)
	place := func() schema.Point {
		return schema.Point{X: l.Bounds.Max.X * rng.Float64(), Y: l.Bounds.Max.Y * rng.Float64()}
	}
	for i := range at {
		at[i], goal[i] = place(), place()
	}
	gain := make([]float64, len(l.Receivers))
	for r := range gain {
		gain[r] = 4 * rng.NormFloat64() // what is to be learned
	}
	for s := range seconds {
		for i := range at {
			far := math.Hypot(goal[i].X-at[i].X, goal[i].Y-at[i].Y)
			if far > 1 {
				at[i].X, at[i].Y = at[i].X+1.2*(goal[i].X-at[i].X)/far, at[i].Y+1.2*(goal[i].Y-at[i].Y)/far
			} else if rng.IntN(8) == 0 {
				goal[i] = place()
			}
			if silent[i]--; silent[i] < 0 && rng.IntN(50) == 0 {
				silent[i] = []int{6, 58 + rng.IntN(8), 90}[rng.IntN(3)]
			}
		}
		for r := range l.Receivers {
			j.frames[s] = append(j.frames[s], j.frame(rng, r, s, at, silent, gain[r]))
		}
	}
	return j
}

func (j *journey) frame(rng *rand.Rand, receiver, second int, at []schema.Point, silent []int, gain float64) schema.FrameAdmitted {
	begin := schema.EventTimeOf(origin) + schema.EventTime(second*1000)
	f := schema.FrameAdmitted{
		Source: sourceOf(&j.layout, receiver), BootID: "boot", Seq: uint64(second + 1),
		SentAt: begin + 1000, ArrivedAt: (begin + 1010).Time(),
	}
	p := j.layout.Receivers[receiver]
	for i := range at {
		if silent[i] > 0 {
			continue
		}
		d := math.Max(math.Hypot(math.Hypot(at[i].X-p.X, at[i].Y-p.Y), p.Z-1), 0.3)
		dbm := -55 - 22*math.Log10(d) + 3*rng.NormFloat64() + gain
		if dbm < -82+4*rng.NormFloat64() {
			continue
		}
		o := schema.Observation{At: begin + schema.EventTime(rng.IntN(1000)), RSSI: schema.CentiDBmOf(dbm)}
		f.Observations = append(f.Observations, schema.Heard{Observation: o, Tag: tagID(i)})
		f.Indexes = append(f.Indexes, uint16(i))
	}
	return f
}

// inOrder returns the frames by when they arrive: each at once and once.
func (j *journey) inOrder() [][]schema.FrameAdmitted { return j.frames }

// disordered returns the frames by when they arrive: each three times, up to five
// seconds later than it was sent, before and after any others that arrive within the
// same second.
func (j *journey) disordered(rng *rand.Rand) [][]schema.FrameAdmitted {
	const most = 5
	out := make([][]schema.FrameAdmitted, len(j.frames)+j.away+most)
	for s, frames := range j.frames {
		for _, f := range frames {
			for range 3 {
				at := s + rng.IntN(most+1)
				if s >= j.from {
					at += j.away
				}
				out[at] = append(out[at], f)
			}
		}
	}
	for _, frames := range out {
		rng.Shuffle(len(frames), func(a, b int) { frames[a], frames[b] = frames[b], frames[a] })
	}
	return out
}

// history is all that may be known afterwards of what happened.
type history struct {
	Moved   []schema.TagMoved
	Fixes   []schema.Fix
	Visits  []schema.Visit
	Offsets []schema.Offsets
}

// lived gives a new system frames second by second as they arrive, those of one
// second from several goroutines at once.
func lived(t testing.TB, l schema.Layout, arriving [][]schema.FrameAdmitted) history {
	w := newWorld(t, func(c *actors.Config) { c.Workers = 4 })
	defer w.end(t)
	w.layouts.Put(l)
	for _, frames := range arriving {
		const senders = 4
		var all sync.WaitGroup
		for n := range senders {
			all.Go(func() {
				for i := n; i < len(frames); i += senders {
					w.Frame(frames[i])
				}
			})
		}
		all.Wait()
		w.settle(t)
	}
	return history{w.rec.Moved(), w.rec.Stored(), w.rec.Final(), w.rec.Learned()}
}

// TestOrderAndRepetitionChangeNothing: frames that arrive three times, and overtake
// each other by up to 5 s, also those of one device, change no fix, no visit, no
// absence and nothing that is learned; also when all receivers were off for a while.
func TestOrderAndRepetitionChangeNothing(t *testing.T) {
	t.Parallel()
	learned := 0
	rapid.Check(t, func(rt *rapid.T) {
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 1))
		l := withParts(hallAndKitchen(rapid.IntRange(1, 6).Draw(rt, "receivers")))
		j := newJourney(rng, l, rapid.IntRange(1, 3).Draw(rt, "tags"), rapid.IntRange(20, 120).Draw(rt, "seconds"))
		j.interrupt(rapid.IntRange(5, 20).Draw(rt, "off from"), rapid.SampledFrom([]int{0, 10, 20, 70, 400}).Draw(rt, "off"))
		want, got := lived(t, l, j.inOrder()), lived(t, l, j.disordered(rng))
		learned += len(want.Offsets)
		// What was told when the frames ended depends on how far the last ones told.
		if diff := cmp.Diff(want, got); diff != "" {
			rt.Fatalf("-in order +disordered\n%s", diff)
		}
	})
	if learned == 0 {
		t.Error("nothing was ever learned: the test shows nothing of it")
	}
}

// TestAJumpingClockHarmsOnlyItsReceiver lets one of several receivers' clocks jump
// ahead for half a minute and back. Tags that the others hear are fixed all the while
// and never absent, and after it everything is as before.
func TestAJumpingClockHarmsOnlyItsReceiver(t *testing.T) {
	t.Parallel()
	for _, by := range []int{-200, 3, 40, 280} {
		rng := rand.New(rand.NewPCG(uint64(by+1000), 1))
		l := hallAndKitchen(4)
		s := newScene(l, 3, schema.Point{X: 4, Y: 5}, schema.Point{X: 16, Y: 5})
		w := newWorld(t, nil)
		w.layouts.Put(l)
		for second := range 400 {
			frames := s.frames(second)
			if second >= 60 && second < 90 {
				frames[1] = jumped(frames[1], by)
			}
			rng.Shuffle(len(frames), func(a, b int) { frames[a], frames[b] = frames[b], frames[a] })
			for _, f := range frames {
				w.Frame(f)
			}
			w.settle(t)
		}
		fixed := map[schema.TagID]map[schema.EventTime]bool{tagID(0): {}, tagID(1): {}}
		for _, m := range w.rec.Moved() {
			if m.Presence == schema.Absent {
				t.Errorf("by %d s: absent at %v", by, m.At.Time())
			}
			fixed[m.Tag][m.At] = true
		}
		for tag, seconds := range fixed {
			missing := 0
			for second := range 390 {
				if !seconds[schema.EventTimeOf(origin)+schema.EventTime(second*1000)] {
					missing++
				}
			}
			if missing > 4 { // some seconds nobody hears it
				t.Errorf("by %d s: tag %v has no fix in %d of 390 seconds", by, tag[15], missing)
			}
		}
		if n := len(w.rec.Final()); n != 2 {
			t.Errorf("by %d s: %d visits of two tags that rest", by, n)
		}
		w.end(t)
	}
}

func jumped(f schema.FrameAdmitted, seconds int) schema.FrameAdmitted {
	by := schema.EventTime(seconds * 1000)
	f.SentAt += by
	f.Observations = slices.Clone(f.Observations)
	for i := range f.Observations {
		f.Observations[i].At += by
	}
	return f
}
