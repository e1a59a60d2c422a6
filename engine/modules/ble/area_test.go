package ble_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mybeacon/engine/modules/ble"
	"mybeacon/engine/modules/ble/store"
	"mybeacon/engine/store/postgres/postgrestest"
	"mybeacon/schema"
)

func wantField(t *testing.T, err error, kind schema.Kind, field, message string) {
	t.Helper()
	wantKind(t, err, kind)
	if text := err.Error(); !strings.HasPrefix(text, field) || !strings.Contains(text, message) {
		t.Errorf("got %q, want the field %q and %q", text, field, message)
	}
}

// A wrong plan is put right, and the engine sees it at once.
func TestChangePlan(t *testing.T) {
	r := start(t)
	ctx := t.Context()
	p := r.plan(t)
	name, level, height := "cellar", -1, 0.9
	bounds := schema.Rect{Min: schema.Point{X: -5, Y: -5}, Max: schema.Point{X: 45, Y: 30}}
	noGo := [][]store.Corner{square(1, 1, 3), square(10, 10, 2)}
	got := must(r.ChangePlan(ctx, r.scope, p.ID, ble.PlanPatch{Name: &name, Level: &level, TagHeightM: &height, Bounds: &bounds, NoGo: &noGo}))
	want := p
	want.Name, want.Level, want.TagHeightM, want.Bounds, want.NoGo, want.Version = name, level, height, bounds, noGo, 2
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	layout := newest(t, r.worlds).Layouts[0]
	if layout.Bounds != bounds || len(layout.NoGo) != 2 || layout.NoGo[1][2] != (schema.Point{X: 12, Y: 12}) || layout.TagHeightM != height {
		t.Errorf("published %+v", layout)
	}
	if again := must(r.ChangePlan(ctx, r.scope, p.ID, ble.PlanPatch{})); len(again.NoGo) != 2 || again.Name != name {
		t.Errorf("an empty patch changed the plan: %+v", again)
	}
	none := [][]store.Corner{}
	if cleared := must(r.ChangePlan(ctx, r.scope, p.ID, ble.PlanPatch{NoGo: &none})); len(cleared.NoGo) != 0 {
		t.Errorf("got %+v", cleared)
	}
}

func TestRemovePlan(t *testing.T) {
	r := start(t)
	ctx := t.Context()
	p := r.plan(t)
	parent := must(r.AddZone(ctx, r.scope, store.Zone{Plan: p.ID, Polygon: square(0, 0, 9)}))
	must(r.AddZone(ctx, r.scope, store.Zone{Plan: p.ID, Parent: parent.ID, Polygon: square(1, 1, 2)}))
	d, _ := postgrestest.Device(t, r.db, r.org, "02:00:00:00:00:01")
	at := must(r.PlaceReceiver(ctx, r.scope, store.Receiver{Plan: p.ID, Device: d.ID}))
	wantField(t, r.RemovePlan(ctx, r.scope, p.ID), schema.Conflict, "", "receivers hang on the plan, 1 of them")
	if err := r.RemoveReceiver(ctx, r.scope, p.ID, at.ID); err != nil {
		t.Fatal(err)
	}
	if err := r.RemovePlan(ctx, r.scope, p.ID); err != nil {
		t.Fatal(err)
	}
	if w := newest(t, r.worlds); len(w.Layouts) != 0 {
		t.Errorf("published %+v", w.Layouts)
	}
	wantKind(t, r.RemovePlan(ctx, r.scope, p.ID), schema.NotFound)
}

func TestNoGoIsRefused(t *testing.T) {
	r := start(t)
	ctx := t.Context()
	p := r.plan(t)
	many := make([][]store.Corner, 201)
	for i := range many {
		many[i] = square(float64(i%40), 1, 0.5)
	}
	f := func(kind schema.Kind, field, message string, areas ...[]store.Corner) {
		t.Helper()
		_, err := r.ChangePlan(ctx, r.scope, p.ID, ble.PlanPatch{NoGo: &areas})
		wantField(t, err, kind, field, message)
	}
	whole := []store.Corner{{0, 0}, {40, 0}, {40, 25}, {0, 25}}
	f(schema.Invalid, "no_go[0]", "3 to", square(0, 0, 1)[:2])
	f(schema.Invalid, "no_go[1]", "crosses itself", square(0, 0, 1), []store.Corner{{0, 0}, {4, 4}, {4, 0}, {0, 4}})
	f(schema.Invalid, "no_go[0][1]", "outside the plan's bounds", square(39, 1, 3))
	f(schema.Invalid, "no_go", "cover the whole plan", whole)
	f(schema.Invalid, "no_go", "cover the whole plan", []store.Corner{{0, 0}, {20, 0}, {20, 25}, {0, 25}}, []store.Corner{{20, 0}, {40, 0}, {40, 25}, {20, 25}})
	f(schema.TooLarge, "no_go", "201 areas", many...)
	small := schema.Rect{Max: schema.Point{X: 10, Y: 10}}
	areas := [][]store.Corner{square(30, 20, 2)}
	must(r.ChangePlan(ctx, r.scope, p.ID, ble.PlanPatch{NoGo: &areas}))
	_, err := r.ChangePlan(ctx, r.scope, p.ID, ble.PlanPatch{Bounds: &small})
	wantField(t, err, schema.Invalid, "no_go[0][0]", "outside")
	if got := must(r.Drawing(ctx, r.scope, p.ID)).Plan; got.Bounds != p.Bounds || got.Version != 2 {
		t.Errorf("a refused change left %+v", got)
	}
}

// Sub-zones are one level deep, within their parents, and keep them from going.
func TestSubZones(t *testing.T) {
	r := start(t)
	ctx := t.Context()
	p := r.plan(t)
	other := must(r.CreatePlan(ctx, r.scope, store.Plan{Location: r.hall.ID, Name: "first", Bounds: p.Bounds}))
	// A hall like a U, open to the top between x = 4 and x = 6.
	hall := must(r.AddZone(ctx, r.scope, store.Zone{Plan: p.ID, Name: "hall", Polygon: []store.Corner{{0, 0}, {10, 0}, {10, 10}, {6, 10}, {6, 4}, {4, 4}, {4, 10}, {0, 10}}}))
	foreign := must(r.AddZone(ctx, r.scope, store.Zone{Plan: other.ID, Polygon: square(0, 0, 20)}))
	add := func(parent schema.ZoneID, polygon []store.Corner) (store.Zone, error) {
		return r.AddZone(ctx, r.scope, store.Zone{Plan: p.ID, Parent: parent, Polygon: polygon})
	}
	bar := must(add(hall.ID, square(0, 0, 3)))
	must(add(hall.ID, []store.Corner{{-0.2, 0}, {2, 0}, {2, 2}, {0, 2}})) // drawn by hand
	if bar.Parent != hall.ID {
		t.Errorf("got %+v", bar)
	}
	zones := newest(t, r.worlds).Layouts[0].Zones
	if len(zones) != 3 || zones[1].Parent != hall.ID {
		t.Errorf("published %+v", zones)
	}
	f := func(parent schema.ZoneID, polygon []store.Corner, kind schema.Kind, field, message string) {
		t.Helper()
		_, err := add(parent, polygon)
		wantField(t, err, kind, field, message)
	}
	f(hall.ID, square(-1, 0, 3), schema.Invalid, "polygon", `reaches out of zone #1 "hall"`)
	f(hall.ID, []store.Corner{{1, 5}, {9, 5}, {9, 6}, {1, 6}}, schema.Invalid, "polygon", "reaches out") // its corners alone are within
	f(bar.ID, square(0, 0, 1), schema.Conflict, "parent_id", "one level deep")
	f(foreign.ID, square(0, 0, 1), schema.NotFound, "parent_id", "no such zone")
	f(schema.NewID[schema.ZoneID](), square(0, 0, 1), schema.NotFound, "parent_id", "no such zone")

	change := func(id schema.ZoneID, parent *schema.ZoneID, polygon []store.Corner) error {
		_, err := r.ChangeZone(ctx, r.scope, p.ID, id, ble.ZoneChange{Parent: parent, Polygon: polygon})
		return err
	}
	wantField(t, change(hall.ID, nil, square(0, 0, 2)), schema.Conflict, "polygon", "zone #2, a part of the zone, would reach out")
	wantField(t, change(hall.ID, &hall.ID, hall.Polygon), schema.Invalid, "parent_id", "part of itself")
	big := must(add(schema.ZoneID{}, square(0, 0, 20)))
	wantField(t, change(hall.ID, &big.ID, hall.Polygon), schema.Conflict, "parent_id", "is a part of this zone")
	wantField(t, r.RemoveZone(ctx, r.scope, p.ID, hall.ID), schema.Conflict, "", "parts of this one")

	if err := change(bar.ID, nil, square(1, 1, 1)); err != nil { // it stays a part
		t.Fatal(err)
	}
	none := schema.ZoneID{}
	for _, z := range must(r.Drawing(ctx, r.scope, p.ID)).Zones {
		if z.Parent == hall.ID {
			if err := change(z.ID, &none, z.Polygon); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := r.RemoveZone(ctx, r.scope, p.ID, hall.ID); err != nil {
		t.Error(err)
	}
}
