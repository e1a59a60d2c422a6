package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mybeacon/engine/modules/ble/store"
	"mybeacon/engine/store/postgres"
	"mybeacon/engine/store/postgres/postgrestest"
	"mybeacon/schema"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// anything allows every family.
type anything struct{}

func (anything) Color(number int) string                            { return fmt.Sprintf("#%06x", number) }
func (anything) Family(store.Zone, *store.Zone, []store.Zone) error { return nil }

func same(*store.Zone) error { return nil }

var square = []store.Corner{{0, 0}, {1, 0}, {1, 1}, {0, 1}}

// The zero scope and another organisation's find nothing and change nothing, by
// any call, even where they know every id.
func TestScopesDoNotLeak(t *testing.T) {
	db := postgrestest.Open(t)
	ctx := t.Context()
	mine, other := postgrestest.Organisation(t, db, "mine", "ble"), postgrestest.Organisation(t, db, "other", "ble")
	hall := postgrestest.Location(t, db, mine, "hall")
	device, _ := postgrestest.Device(t, db, mine, "02:00:00:00:00:01")
	theirs, _ := postgrestest.Device(t, db, other, "02:00:00:00:00:02")
	s, scope := store.New(db), postgres.In(mine.ID)
	plan := must(s.CreatePlan(ctx, scope, store.Plan{Location: hall.ID, Name: "p", Bounds: schema.Rect{Max: schema.Point{X: 9, Y: 9}}, Walls: [][]store.Corner{}, NoGo: [][]store.Corner{}, ZonesBy: store.ZonesByPosition}))
	receiver := must(s.PlaceReceiver(ctx, scope, store.Receiver{Plan: plan.ID, Device: device.ID, Z: 2}))
	zone := must(s.AddZone(ctx, scope, store.Zone{Plan: plan.ID, Polygon: square}, anything{}))
	tag, on, err := s.CreateTag(ctx, mine.ID, store.Tag{Tag: schema.Tag{Transmitter: schema.MACTransmitter([6]byte{1}), Name: "t", Type: "asset"}})
	if err != nil || !on {
		t.Fatal(on, err)
	}
	readings := []store.Reading{{Receiver: receiver.ID, X: 1, Y: 1, RSSI: -6000}}
	survey := must(s.AddSurvey(ctx, scope, plan.ID, "s", readings))
	reference := must(s.HangReference(ctx, scope, store.Reference{Tag: tag.ID, Plan: plan.ID, X: 1, Y: 1}))
	example := must(s.AddExample(ctx, scope, store.Example{Plan: plan.ID, Tag: tag.ID, Zone: zone.ID, From: time.Unix(1, 0), To: time.Unix(9, 0)}, store.Heard{{{Receiver: receiver.ID, RSSI: -5000}}}))
	before := must(s.World(ctx, nil))

	for name, foreign := range map[string]postgres.Scope{"zero": {}, "other": postgres.In(other.ID)} {
		for call, do := range map[string]func() error{
			"Drawing": func() error { _, err := s.Drawing(ctx, foreign, plan.ID); return err },
			"CreatePlan": func() error {
				_, err := s.CreatePlan(ctx, foreign, store.Plan{Location: hall.ID, Name: "q"})
				return err
			},
			"PlaceReceiver": func() error {
				_, err := s.PlaceReceiver(ctx, foreign, store.Receiver{Plan: plan.ID, Device: theirs.ID})
				return err
			},
			"MoveReceiver":   func() error { _, err := s.MoveReceiver(ctx, foreign, receiver); return err },
			"RemoveReceiver": func() error { return s.RemoveReceiver(ctx, foreign, plan.ID, receiver.ID) },
			"AddZone": func() error {
				_, err := s.AddZone(ctx, foreign, store.Zone{Plan: plan.ID, Polygon: square}, anything{})
				return err
			},
			"ChangeZone": func() error { _, err := s.ChangeZone(ctx, foreign, plan.ID, zone.ID, anything{}, same); return err },
			"RemoveZone": func() error { return s.RemoveZone(ctx, foreign, plan.ID, zone.ID) },
			"ChangePlan": func() error {
				_, err := s.ChangePlan(ctx, foreign, plan.ID, "plan", func(*store.Plan) error { return nil })
				return err
			},
			"RemovePlan": func() error { return s.RemovePlan(ctx, foreign, plan.ID) },
			"Surveys":    func() error { _, _, err := s.Surveys(ctx, foreign, plan.ID, postgres.Page{}); return err },
			"Readings": func() error {
				_, _, err := s.Readings(ctx, foreign, plan.ID, survey.ID, postgres.Page{})
				return err
			},
			"AddSurvey":       func() error { _, err := s.AddSurvey(ctx, foreign, plan.ID, "t", readings); return err },
			"ExtendSurvey":    func() error { _, err := s.ExtendSurvey(ctx, foreign, plan.ID, survey.ID, readings); return err },
			"RemoveSurvey":    func() error { return s.RemoveSurvey(ctx, foreign, plan.ID, survey.ID) },
			"RemoveSurveys":   func() error { return s.RemoveSurveys(ctx, foreign, plan.ID) },
			"HangReference":   func() error { _, err := s.HangReference(ctx, foreign, reference); return err },
			"Reference":       func() error { _, _, err := s.Reference(ctx, foreign, tag.ID); return err },
			"RemoveReference": func() error { return s.RemoveReference(ctx, foreign, tag.ID) },
			"Examples":        func() error { _, _, err := s.Examples(ctx, foreign, plan.ID, postgres.Page{}); return err },
			"ExampleOwner":    func() error { _, err := s.ExampleOwner(ctx, foreign, example); return err },
			"AddExample":      func() error { _, err := s.AddExample(ctx, foreign, example, store.Heard{{}}); return err },
			"RemoveExample":   func() error { return s.RemoveExample(ctx, foreign, plan.ID, example.ID) },
			"foreign device": func() error {
				_, err := s.PlaceReceiver(ctx, scope, store.Receiver{Plan: plan.ID, Device: theirs.ID})
				return err
			},
			"unknown receiver": func() error { return s.RemoveReceiver(ctx, scope, plan.ID, schema.NewID[schema.ReceiverID]()) },
		} {
			if err := do(); schema.KindOf(err) != schema.NotFound {
				t.Errorf("%s, %s: %v", name, call, err)
			}
		}
		plans, _, err := s.Plans(ctx, foreign, store.PlanFilter{}, postgres.Page{})
		tags, _, err2 := s.Tags(ctx, foreign, store.TagFilter{}, postgres.Page{})
		refs, err3 := s.PlansOf(ctx, foreign, []schema.LocationID{hall.ID})
		place, err4 := s.PlaceOf(ctx, foreign, device.ID)
		if len(plans)+len(tags)+len(refs)+len(place) != 0 || err != nil || err2 != nil || err3 != nil || err4 != nil {
			t.Errorf("%s lists: %v %v %v %q", name, plans, tags, refs, place)
		}
	}
	if diff := cmp.Diff(before, must(s.World(ctx, nil))); diff != "" {
		t.Errorf("a foreign scope changed:\n%s", diff)
	}
}

// A receiver or zone is reached through its own plan only.
func TestPartsBelongToTheirPlan(t *testing.T) {
	db := postgrestest.Open(t)
	ctx := t.Context()
	o := postgrestest.Organisation(t, db, "o", "ble")
	hall := postgrestest.Location(t, db, o, "hall")
	s, scope := store.New(db), postgres.In(o.ID)
	var plans [2]store.Plan
	for i := range plans {
		plans[i] = must(s.CreatePlan(ctx, scope, store.Plan{Location: hall.ID, Name: fmt.Sprint(i), Bounds: schema.Rect{Max: schema.Point{X: 9, Y: 9}}, Walls: [][]store.Corner{}, NoGo: [][]store.Corner{}, ZonesBy: store.ZonesByPosition}))
	}
	zone := must(s.AddZone(ctx, scope, store.Zone{Plan: plans[0].ID, Polygon: square}, anything{}))
	if _, err := s.ChangeZone(ctx, scope, plans[1].ID, zone.ID, anything{}, same); schema.KindOf(err) != schema.NotFound {
		t.Errorf("change through another plan: %v", err)
	}
	if err := s.RemoveZone(ctx, scope, plans[1].ID, zone.ID); schema.KindOf(err) != schema.NotFound {
		t.Errorf("remove through another plan: %v", err)
	}
	for i, p := range plans {
		if got := must(s.Drawing(ctx, scope, p.ID)); len(got.Zones) != 1-i || got.Plan.Version != uint64(2-i) {
			t.Errorf("plan %d: %d zones, version %d", i, len(got.Zones), got.Plan.Version)
		}
	}
}
