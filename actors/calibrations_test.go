package actors_test

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mybeacon/actors"
	"mybeacon/schema"
)

// TestWhatWasLearnedOutlivesTheEngine stores what a plan has learned, as JSON, and
// gives it to the next start: it is in force from its first tide.
func TestWhatWasLearnedOutlivesTheEngine(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	l := hallAndKitchen(6)
	j := newJourney(rng, l, 3, 200)
	first := newWorld(t, nil)
	first.layouts.Put(l)
	for _, frames := range j.frames {
		for _, f := range frames {
			first.Frame(f)
		}
		first.settle(t)
	}
	learned := first.rec.Learned()
	stored := first.Calibrations()
	first.end(t)
	if len(learned) == 0 || len(stored) != 1 || stored[0].Plan != planID || len(stored[0].Receivers) < 4 {
		t.Fatalf("learned %v, stored %v", learned, stored)
	}
	text, err := json.Marshal(stored)
	if err != nil {
		t.Fatal(err)
	}
	var back []actors.Calibration
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}

	second := newWorld(t, nil)
	defer second.end(t)
	second.layouts.Put(l)
	second.RestoreCalibrations(back)
	for s := range 3 {
		for r := range l.Receivers {
			second.Frame(frame(&l, r, 1000+s, -60, 1))
		}
		second.settle(t)
	}
	again := second.rec.Learned()
	byReceiver := func(o schema.Offsets) []schema.ReceiverOffset {
		return slices.SortedFunc(slices.Values(o.Receivers), func(a, b schema.ReceiverOffset) int { return slices.Compare(a.Receiver[:], b.Receiver[:]) })
	}
	if len(again) != 1 {
		t.Fatalf("told %v by the restart", again)
	}
	if diff := cmp.Diff(byReceiver(learned[len(learned)-1]), byReceiver(again[0])); diff != "" {
		t.Errorf("-before +after the restart\n%s", diff)
	}
	if diff := cmp.Diff(stored, second.Calibrations()); diff != "" {
		t.Errorf("-stored +restored\n%s", diff)
	}
	second.layouts.Remove(planID)
	if got := second.Calibrations(); len(got) != 0 {
		t.Errorf("%v of a plan that is no more", got)
	}
}
