package actors_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"mybeacon/schema"
)

// outcome is what must not depend on how frames travelled.
type outcome struct {
	Moved  []schema.TagMoved
	Visits []schema.Visit
}

// feed gives frames to a fresh world, one after the other.
func feed(t *rapid.T, tb testing.TB, l *schema.Layout, frames []schema.FrameAdmitted) outcome {
	w := newWorld(tb, nil)
	defer w.end(tb)
	w.layouts.Put(*l)
	for _, f := range frames {
		w.Frame(f)
		// Settling after each frame makes the order of arrival that of the slice;
		// otherwise the scheduler would decide it.
		if err := w.Settle(tb.Context()); err != nil {
			t.Fatal(err)
		}
	}
	return outcome{w.rec.Moved(), w.rec.Final()}
}

func drawWalk(t *rapid.T, l *schema.Layout) (*rand.Rand, [][]schema.FrameAdmitted) {
	rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
	return rng, walk(l, rapid.IntRange(1, 2).Draw(t, "tags"), rapid.IntRange(8, 15).Draw(t, "seconds"), rng)
}

func shuffled(rng *rand.Rand, frames []schema.FrameAdmitted) []schema.FrameAdmitted {
	out := slices.Clone(frames)
	rng.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}

func TestOrderOfSimultaneousFramesDoesNotMatter(t *testing.T) {
	t.Parallel()
	l := hallAndKitchen(4)
	rapid.Check(t, func(rt *rapid.T) {
		rng, seconds := drawWalk(rt, &l)
		var plain, mixed []schema.FrameAdmitted
		for _, s := range seconds {
			plain = append(plain, s...)
			mixed = append(mixed, shuffled(rng, s)...)
		}
		want, got := feed(rt, t, &l, plain), feed(rt, t, &l, mixed)
		if diff := cmp.Diff(want, got); diff != "" {
			rt.Fatalf("-in order +mixed\n%s", diff)
		}
	})
}

func TestOvertakingWithinTheGraceDoesNotMatter(t *testing.T) {
	t.Parallel()
	l := hallAndKitchen(4)
	rapid.Check(t, func(rt *rapid.T) {
		rng, seconds := drawWalk(rt, &l)
		for s := range seconds { // everybody hears all, so that everybody is waited for
			for r := range seconds[s] {
				seconds[s][r] = loud(seconds[0][r], seconds[s][r])
			}
		}
		plain := slices.Concat(seconds...)
		mixed := slices.Clone(plain[:3*len(l.Receivers)])
		for s := 3; s < len(seconds); s += 2 { // two seconds at a time change places, also of one device
			mixed = append(mixed, shuffled(rng, slices.Concat(seconds[s:min(s+2, len(seconds))]...))...)
		}
		want, got := feed(rt, t, &l, plain), feed(rt, t, &l, mixed)
		if diff := cmp.Diff(want, got); diff != "" {
			rt.Fatalf("-in order +mixed\n%s", diff)
		}
	})
}

// loud returns f with what it did not hear taken from model, at its own time.
func loud(model, f schema.FrameAdmitted) schema.FrameAdmitted {
	have := map[schema.TagID]bool{}
	for _, o := range f.Observations {
		have[o.Tag] = true
	}
	for _, o := range model.Observations {
		if !have[o.Tag] {
			o.At += f.SentAt - model.SentAt
			f.Observations = append(f.Observations, o)
		}
	}
	return f
}

func TestRepeatedFramesChangeNothing(t *testing.T) {
	t.Parallel()
	l := hallAndKitchen(3)
	rapid.Check(t, func(rt *rapid.T) {
		rng, seconds := drawWalk(rt, &l)
		plain := slices.Concat(seconds...)
		var repeated []schema.FrameAdmitted
		for i, f := range plain {
			repeated = append(repeated, f)
			for range rng.IntN(3) {
				repeated = append(repeated, plain[rng.IntN(i+1)])
			}
		}
		want, got := feed(rt, t, &l, plain), feed(rt, t, &l, repeated)
		if diff := cmp.Diff(want, got); diff != "" {
			rt.Fatalf("-once +repeated\n%s", diff)
		}
	})
}

// TestVisitsAlternateAndAreCounted checks, at every second of a walk, that a tag
// enters and leaves in turn and that occupancy is the number of open visits.
func TestVisitsAlternateAndAreCounted(t *testing.T) {
	t.Parallel()
	l := hallAndKitchen(4)
	rapid.Check(t, func(rt *rapid.T) {
		_, seconds := drawWalk(rt, &l)
		w := newWorld(t, nil)
		defer w.end(t)
		w.layouts.Put(l)
		for _, frames := range seconds {
			for _, f := range frames {
				w.Frame(f)
			}
			w.settle(t)
			checkOccupancy(rt, w)
		}
		checkAlternation(rt, w.rec.Visits())
	})
}

func checkOccupancy(t *rapid.T, w *world) {
	t.Helper()
	open, told := map[schema.ZoneID]int{}, map[schema.ZoneID]int{}
	for _, v := range w.OpenVisits() {
		open[v.Zone]++
	}
	for _, o := range w.rec.Occupancies() {
		told[o.Zone] = o.Tags
	}
	for zone, n := range told {
		if n == 0 {
			delete(told, zone)
		}
	}
	if diff := cmp.Diff(open, told); diff != "" {
		t.Fatalf("-open visits +occupancy\n%s", diff)
	}
}

func checkAlternation(t *rapid.T, visits []schema.Visit) {
	t.Helper()
	last := map[schema.TagID]schema.Visit{}
	for _, v := range visits {
		before, known := last[v.Tag]
		switch {
		case v.LeftAt.IsZero() && known && before.LeftAt.IsZero():
			t.Fatalf("entered %v while %v is open", v, before)
		case v.LeftAt.IsZero() && known && v.EnteredAt < before.LeftAt:
			t.Fatalf("entered %v before leaving %v", v, before)
		case !v.LeftAt.IsZero() && (v.ID != before.ID || v.Rev <= before.Rev || v.LeftAt < v.EnteredAt):
			t.Fatalf("left %v after %v", v, before)
		}
		last[v.Tag] = v
	}
}
