package tag_test

import (
	"log/slog"
	"sync"
	"testing"

	"mybeacon/actors/actortest"
	"mybeacon/actors/tag"
	"mybeacon/geometry/locate"
	"mybeacon/geometry/zonemodel"
	"mybeacon/schema"
)

func TestPlansFollowTheirLayouts(t *testing.T) {
	layouts := &actortest.Layouts{}
	plans := tag.NewPlans(layouts, locate.DefaultConfig(), zonemodel.DefaultConfig(), slog.New(slog.DiscardHandler))
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

// Whoever edits what decides positions gets other positions at once; whoever edits
// zones or names keeps the tracks.
func TestEditsThatMoveTags(t *testing.T) {
	base := schema.Layout{
		Plan: planID, Bounds: schema.Rect{Max: schema.Point{X: 9, Y: 9}}, TagHeightM: 1,
		Receivers: []schema.Placement{{Receiver: schema.ReceiverID{1}, X: 1, Y: 1, Z: 2}},
	}
	box := []schema.Point{{X: 3, Y: 3}, {X: 5, Y: 3}, {X: 5, Y: 5}}
	for name, test := range map[string]struct {
		edit  func(*schema.Layout)
		moves bool
	}{
		"receiver moved": {func(l *schema.Layout) {
			l.Receivers = []schema.Placement{{Receiver: schema.ReceiverID{1}, X: 2, Y: 1, Z: 2}}
		}, true},
		"tag height": {func(l *schema.Layout) { l.TagHeightM = 2 }, true},
		"bounds":     {func(l *schema.Layout) { l.Bounds.Max.X = 8 }, true},
		"no-go area": {func(l *schema.Layout) { l.NoGo = [][]schema.Point{box} }, true},
		"survey": {func(l *schema.Layout) {
			l.Survey = []schema.SurveyReading{{At: schema.Point{X: 1, Y: 1}, Receiver: schema.ReceiverID{1}, RSSI: -5000}}
		}, true},
		"zone": {func(l *schema.Layout) { l.Zones = []schema.Zone{{ID: kitchen, Polygon: box}} }, false},
	} {
		layouts := &actortest.Layouts{}
		plans := tag.NewPlans(layouts, locate.DefaultConfig(), zonemodel.DefaultConfig(), slog.New(slog.DiscardHandler))
		l := base
		layouts.Put(l)
		before := plans.Plan(planID).Locator()
		test.edit(&l)
		layouts.Put(l)
		if after := plans.Plan(planID).Locator(); (after != before) != test.moves {
			t.Errorf("%s: another locator is %v", name, after != before)
		}
	}
}

// TestWhatTheSurveyNoLongerMeansIsLeftOut gives readings of a receiver that was
// taken down and of a place that was cut off: the plan must still have positions.
func TestWhatTheSurveyNoLongerMeansIsLeftOut(t *testing.T) {
	layouts := &actortest.Layouts{}
	plans := tag.NewPlans(layouts, locate.DefaultConfig(), zonemodel.DefaultConfig(), slog.New(slog.DiscardHandler))
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
	plans := tag.NewPlans(layouts, locate.DefaultConfig(), zonemodel.DefaultConfig(), slog.New(slog.DiscardHandler))
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

// TestLearnedZonesReplaceGeometry teaches a plan that what sounds near the west
// receiver is the hall, which lies in the east.
func TestLearnedZonesReplaceGeometry(t *testing.T) {
	b := newBench(t)
	example := func(z schema.ZoneID, dbm ...schema.CentiDBm) (e schema.ZoneExample) {
		e.Zone = z
		for i, p := range dbm {
			e.Heard = append(e.Heard, schema.Reading{Receiver: schema.ReceiverID{byte(i)}, RSSI: p})
		}
		return e
	}
	b.stands(2, 10, 15)
	for n := range schema.CentiDBm(20) {
		b.layout.Examples = append(b.layout.Examples,
			example(hall, -4800-10*n, -6500, -7500),
			example(schema.ZoneID{}, -7500, -6500, -4800+10*n),
			example(schema.ZoneID{99}, -4800, -6500, -7500)) // a zone that is no more
	}
	b.layouts.Put(b.layout)
	b.stands(2, 15, 25)
	if m := b.Moved[len(b.Moved)-1]; m.X > 6 || m.Zone != hall || m.ZoneP < 0.9 {
		t.Errorf("west: %+v", m)
	}
	b.stands(18, 25, 35)
	if m := b.Moved[len(b.Moved)-1]; m.X < 14 || !m.Zone.IsZero() || m.ZoneP < 0.9 {
		t.Errorf("east: %+v", m)
	}
	b.layout.Examples = nil
	b.layouts.Put(b.layout)
	b.stands(18, 35, 45)
	if m := b.Moved[len(b.Moved)-1]; m.Zone != hall {
		t.Errorf("without examples: %+v", m)
	}
}

func TestExamplesThatTeachNothingLeaveGeometry(t *testing.T) {
	b := newBench(t)
	b.layout.Examples = []schema.ZoneExample{{Zone: schema.ZoneID{99}, Heard: []schema.Reading{{RSSI: -5000}}}}
	b.layouts.Put(b.layout)
	b.stands(2, 10, 15)
	if m := b.Moved[len(b.Moved)-1]; m.Zone != kitchen {
		t.Errorf("moved %+v", m)
	}
}
