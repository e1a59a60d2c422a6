package actors_test

import (
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"mybeacon/schema"
)

// TestVisitsAlternateAndAreCounted checks, at every second of a walk, that a tag
// enters and leaves in turn, is in the whole while it is in a part, and that occupancy
// is the number of open visits.
func TestVisitsAlternateAndAreCounted(t *testing.T) {
	t.Parallel()
	l := withParts(hallAndKitchen(4))
	rapid.Check(t, func(rt *rapid.T) {
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 1))
		w := newWorld(t, nil)
		defer w.end(t)
		w.layouts.Put(l)
		j := newJourney(rng, l, rapid.IntRange(1, 2).Draw(rt, "tags"), rapid.IntRange(8, 40).Draw(rt, "seconds"))
		for _, frames := range j.frames {
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
	type row struct {
		tag  schema.TagID
		part bool
	}
	last := map[row]schema.Visit{}
	for _, v := range visits {
		before, known := last[row{v.Tag, !v.Parent.IsZero()}]
		switch {
		case v.LeftAt.IsZero() && known && before.LeftAt.IsZero():
			t.Fatalf("entered %v while %v is open", v, before)
		case v.LeftAt.IsZero() && known && v.EnteredAt < before.LeftAt:
			t.Fatalf("entered %v before leaving %v", v, before)
		case !v.LeftAt.IsZero() && (v.ID != before.ID || v.Rev <= before.Rev || v.LeftAt < v.EnteredAt):
			t.Fatalf("left %v after %v", v, before)
		}
		last[row{v.Tag, !v.Parent.IsZero()}] = v
		within, part := last[row{v.Tag, false}], last[row{v.Tag, true}]
		if v.Parent.IsZero() {
			if !v.LeftAt.IsZero() && part.Parent == v.Zone && (part.LeftAt.IsZero() || part.LeftAt > v.LeftAt) {
				t.Fatalf("left %v while in its part %v", v, part)
			}
		} else if within.Zone != v.Parent || !within.LeftAt.IsZero() || within.EnteredAt > v.EnteredAt {
			t.Fatalf("in the part %v while not in its whole, but %v", v, within)
		}
	}
}
