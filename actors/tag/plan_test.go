package tag_test

import (
	"log/slog"
	"sync"
	"testing"

	"mybeacon/actors/actortest"
	"mybeacon/actors/tag"
	"mybeacon/geometry/locate"
	"mybeacon/schema"
)

func TestPlansFollowTheirLayouts(t *testing.T) {
	layouts := &actortest.Layouts{}
	plans := tag.NewPlans(layouts, locate.DefaultConfig(), slog.New(slog.DiscardHandler))
	if plans.Plan(planID) != nil {
		t.Error("a plan without a layout")
	}
	l := schema.Layout{Plan: planID, Bounds: schema.Rect{Max: schema.Point{X: 5, Y: 5}}}
	layouts.Put(l)
	first := plans.Plan(planID)
	if first == nil || first.Layout.Version != 1 || plans.Plan(planID) != first {
		t.Fatal("a layout that did not change was prepared twice, or not at all")
	}
	layouts.Put(l)
	if second := plans.Plan(planID); second == first || second.Layout.Version != 2 {
		t.Error("a new version was not prepared")
	}
	layouts.Remove(planID)
	if plans.Plan(planID) != nil {
		t.Error("a plan that went is still there")
	}
}

// TestWhatTheSurveyNoLongerMeansIsLeftOut gives readings of a receiver that was
// taken down and of a place that was cut off: the plan must still have positions.
func TestWhatTheSurveyNoLongerMeansIsLeftOut(t *testing.T) {
	layouts := &actortest.Layouts{}
	plans := tag.NewPlans(layouts, locate.DefaultConfig(), slog.New(slog.DiscardHandler))
	l := schema.Layout{
		Plan: planID, Bounds: schema.Rect{Max: schema.Point{X: 5, Y: 5}},
		Receivers: []schema.Placement{{Receiver: schema.ReceiverID{1}, X: 1, Y: 1, Z: 2}},
		Survey: []schema.SurveyReading{
			{At: schema.Point{X: 1, Y: 1}, Receiver: schema.ReceiverID{1}, RSSI: -5000},
			{At: schema.Point{X: 1, Y: 1}, Receiver: schema.ReceiverID{2}, RSSI: -5000},
			{At: schema.Point{X: 1, Y: 9}, Receiver: schema.ReceiverID{1}, RSSI: -5000},
		},
	}
	layouts.Put(l)
	if err := plans.Plan(planID).Err(); err != nil {
		t.Error(err)
	}
	l.Receivers = nil
	layouts.Put(l)
	if plans.Plan(planID).Err() == nil {
		t.Error("positions without receivers")
	}
}

// TestPlansAreSharedSafely edits a plan while others use it; the race detector
// and the versions judge.
func TestPlansAreSharedSafely(t *testing.T) {
	layouts := &actortest.Layouts{}
	plans := tag.NewPlans(layouts, locate.DefaultConfig(), slog.New(slog.DiscardHandler))
	l := schema.Layout{
		Plan: planID, Bounds: schema.Rect{Max: schema.Point{X: 5, Y: 5}},
		Receivers: []schema.Placement{{X: 1, Y: 1, Z: 2}},
	}
	layouts.Put(l)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			version := uint64(0)
			for version < 50 {
				p := plans.Plan(planID)
				if p.Layout.Version < version {
					t.Errorf("version %d after %d", p.Layout.Version, version)
				}
				version = p.Layout.Version
			}
		})
	}
	for range 49 {
		layouts.Put(l)
	}
	wg.Wait()
}
