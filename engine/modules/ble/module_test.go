package ble_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"mybeacon/engine/module"
	"mybeacon/engine/modules/ble"
	"mybeacon/engine/modules/ble/store"
	"mybeacon/engine/store/clickhouse"
	"mybeacon/engine/store/postgres"
	"mybeacon/engine/store/postgres/postgrestest"
	"mybeacon/schema"
)

// rig is a started module over a real store; every publication is handed to worlds.
type rig struct {
	*ble.Module
	db     *postgres.DB
	worlds chan module.World
	org    postgres.Organisation
	hall   postgres.Location
	scope  postgres.Scope
}

func start(t *testing.T) *rig {
	t.Helper()
	db := postgrestest.Open(t)
	r := &rig{db: db, org: postgrestest.Organisation(t, db, "mine", "ble")}
	r.hall = postgrestest.Location(t, db, r.org, "hall")
	r.scope = postgres.In(r.org.ID)
	r.Module, r.worlds = startModule(t, db)
	return r
}

func startModule(t *testing.T, db *postgres.DB) (*ble.Module, chan module.World) {
	t.Helper()
	return startModuleOver(t, db, away(t))
}

// away returns a warehouse that does not answer.
func away(t *testing.T) *clickhouse.DB {
	t.Helper()
	db, err := clickhouse.Open("http://127.0.0.1:1/mybeacon", clickhouse.Options{DialTimeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func startModuleOver(t *testing.T, db *postgres.DB, warehouse *clickhouse.DB) (*ble.Module, chan module.World) {
	t.Helper()
	worlds := make(chan module.World, 1000)
	m := ble.New()
	var mu sync.Mutex
	var last module.World
	host := module.Host{
		Log: slog.New(slog.DiscardHandler), DB: db, Warehouse: warehouse, Clock: time.Now,
		Publish: func(w module.World) {
			mu.Lock()
			defer mu.Unlock()
			last = w
			worlds <- w
		},
		Extend: func(more module.World) {
			mu.Lock()
			defer mu.Unlock()
			if !slices.Contains(last.Tags, more.Tags[0]) { // a world that was read since has it already
				last.Tags, last.Names = slices.Concat(last.Tags, more.Tags), slices.Concat(last.Names, more.Names)
			}
			worlds <- last
		},
	}
	if err := m.Start(t.Context(), host); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := m.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	return m, worlds
}

// newest returns the last world that is published by now: what a change made
// here published before it returned.
func newest(t *testing.T, worlds chan module.World) module.World {
	t.Helper()
	var w module.World
	for n := 0; ; n++ {
		select {
		case w = <-worlds:
		default:
			if n == 0 {
				t.Fatal("nothing was published")
			}
			return w
		}
	}
}

func (r *rig) plan(t *testing.T) store.Plan {
	t.Helper()
	p, err := r.CreatePlan(t.Context(), r.scope, store.Plan{
		Location: r.hall.ID, Name: "ground", TagHeightM: 1.1,
		Bounds: schema.Rect{Max: schema.Point{X: 40, Y: 25}}, Walls: [][]store.Corner{{{0, 0}, {40, 0}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func square(x, y, side float64) []store.Corner {
	return []store.Corner{{x, y}, {x + side, y}, {x + side, y + side}, {x, y + side}}
}

func wantKind(t *testing.T, err error, want schema.Kind) {
	t.Helper()
	if err == nil || schema.KindOf(err) != want {
		t.Errorf("got error %v of kind %v, want %v", err, schema.KindOf(err), want)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// What people enter becomes the engine's world before the call returns.
func TestWorld(t *testing.T) {
	r := start(t)
	ctx := t.Context()
	if w := newest(t, r.worlds); len(w.Layouts)+len(w.Tags)+len(w.Placements) != 0 {
		t.Errorf("the first world: %+v", w)
	}
	p := r.plan(t)
	d, _ := postgrestest.Device(t, r.db, r.org, "02:00:00:00:00:01")
	at := must(r.PlaceReceiver(ctx, r.scope, store.Receiver{Plan: p.ID, Device: d.ID, X: 1, Y: 2, Z: 2.5, Rotation: 90}))
	zone := must(r.AddZone(ctx, r.scope, store.Zone{Plan: p.ID, Name: "Кухня", Polygon: square(1, 1, 5)}))
	tag := must(r.CreateTag(ctx, r.org.ID, store.Tag{Tag: schema.Tag{Transmitter: schema.IBeacon([16]byte{1}, 2, 3), Name: "Maria", Type: "person"}}))

	org, hall := r.org.ID, r.hall.ID
	want := module.World{
		Layouts: []schema.Layout{{
			Organisation: org, Location: hall, Plan: p.ID, Version: 3, Bounds: p.Bounds, TagHeightM: 1.1,
			Receivers: []schema.Placement{{Receiver: at.ID, Device: d.ID, X: 1, Y: 2, Z: 2.5}},
			Zones:     []schema.Zone{{ID: zone.ID, Number: 1, Name: "Кухня", Polygon: []schema.Point{{X: 1, Y: 1}, {X: 6, Y: 1}, {X: 6, Y: 6}, {X: 1, Y: 6}}}},
		}},
		Tags:       []schema.Tag{tag.Tag},
		Placements: map[schema.DeviceID]module.Placement{d.ID: {Organisation: org, Location: hall, Plan: p.ID, Receiver: at.ID}},
		Names: []module.Name{
			{Organisation: org, Kind: "plan", ID: p.ID, Name: "ground"},
			{Organisation: org, Kind: "receiver", ID: at.ID, Name: fmt.Sprintf("Receiver #%d", d.Number)},
			{Organisation: org, Kind: "zone", ID: zone.ID, Name: "Кухня"},
			{Organisation: org, Kind: "tag", ID: tag.ID, Name: "Maria"},
		},
	}
	if diff := cmp.Diff(want, newest(t, r.worlds)); diff != "" {
		t.Errorf("world (-want +got):\n%s", diff)
	}
	if moved := must(r.db.Device(ctx, r.scope, d.ID)); moved.Location != hall {
		t.Errorf("the device did not come to the plan's location: %v", moved.Location)
	}
}

// Every change of the plan, its receivers and zones raises its version by one,
// and a refused one does not.
func TestVersions(t *testing.T) {
	r := start(t)
	ctx := t.Context()
	p := r.plan(t)
	d, _ := postgrestest.Device(t, r.db, r.org, "02:00:00:00:00:01")
	version := uint64(1)
	check := func(what string, err error, bump bool) {
		t.Helper()
		if (err == nil) != bump {
			t.Fatalf("%s: %v", what, err)
		}
		if bump {
			version++
		}
		if got := must(r.Drawing(ctx, r.scope, p.ID)); got.Plan.Version != version {
			t.Errorf("%s: version %d, want %d", what, got.Plan.Version, version)
		}
		if got := newest(t, r.worlds).Layouts[0].Version; bump && got != version {
			t.Errorf("%s: published version %d, want %d", what, got, version)
		}
		r.worlds <- module.World{Layouts: []schema.Layout{{Version: version}}}
	}
	at, err := r.PlaceReceiver(ctx, r.scope, store.Receiver{Plan: p.ID, Device: d.ID})
	check("place", err, true)
	_, err = r.PlaceReceiver(ctx, r.scope, store.Receiver{Plan: p.ID, Device: d.ID})
	check("place again", err, false)
	at.X = 7
	_, err = r.MoveReceiver(ctx, r.scope, at)
	check("move", err, true)
	check("remove receiver", r.RemoveReceiver(ctx, r.scope, p.ID, at.ID), true)
	check("remove it again", r.RemoveReceiver(ctx, r.scope, p.ID, at.ID), false)
	z, err := r.AddZone(ctx, r.scope, store.Zone{Plan: p.ID, Polygon: square(0, 0, 1)})
	check("add zone", err, true)
	_, err = r.ChangeZone(ctx, r.scope, p.ID, z.ID, ble.ZoneChange{Polygon: square(0, 0, 2)})
	check("change zone", err, true)
	check("remove zone", r.RemoveZone(ctx, r.scope, p.ID, z.ID), true)
	_, err = r.ChangeZone(ctx, r.scope, p.ID, z.ID, ble.ZoneChange{Polygon: square(0, 0, 2)})
	check("change a removed zone", err, false)
}

func TestZones(t *testing.T) {
	r := start(t)
	ctx := t.Context()
	p := r.plan(t)
	first := must(r.AddZone(ctx, r.scope, store.Zone{Plan: p.ID, Polygon: square(0, 0, 1)}))
	second := must(r.AddZone(ctx, r.scope, store.Zone{Plan: p.ID, Polygon: square(2, 0, 1), Color: "#abcdef"}))
	if first.Number != 1 || second.Number != 2 || first.Color == "" || second.Color != "#abcdef" {
		t.Errorf("got %+v and %+v", first, second)
	}
	changed := must(r.ChangeZone(ctx, r.scope, p.ID, second.ID, ble.ZoneChange{Name: "Canteen", Polygon: square(5, 5, 1)}))
	if changed.Number != 2 || changed.Color != "#abcdef" || changed.Name != "Canteen" {
		t.Errorf("got %+v", changed)
	}
	_, err := r.AddZone(ctx, r.scope, store.Zone{Plan: p.ID, Polygon: []store.Corner{{0, 0}, {4, 4}, {4, 0}, {0, 4}}})
	wantKind(t, err, schema.Invalid)
	var details interface{ ProblemValue() any }
	if !errors.As(err, &details) {
		t.Fatalf("the crossing is not given: %v", err)
	}
	want := ble.Crossing{Edges: [2]int{0, 2}, At: store.Corner{2, 2}}
	if diff := cmp.Diff(any(want), details.ProblemValue()); diff != "" {
		t.Error(diff)
	}
	for name, bad := range map[string]store.Zone{
		"two corners": {Polygon: square(0, 0, 1)[:2]}, "no area": {Polygon: []store.Corner{{0, 0}, {1, 1}, {2, 2}}},
		"NaN": {Polygon: []store.Corner{{0, 0}, {1, math.NaN()}, {2, 2}}}, "far": {Polygon: square(1e9, 0, 1)},
		"colour": {Polygon: square(0, 0, 1), Color: "red"}, "name": {Polygon: square(0, 0, 1), Name: "a\x00b"},
	} {
		bad.Plan = p.ID
		_, err := r.AddZone(ctx, r.scope, bad)
		if schema.KindOf(err) != schema.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestReceivers(t *testing.T) {
	r := start(t)
	ctx := t.Context()
	p := r.plan(t)
	yard := postgrestest.Location(t, r.db, r.org, "yard")
	other := postgrestest.Organisation(t, r.db, "other", "ble")
	here, _ := postgrestest.Device(t, r.db, r.org, "02:00:00:00:00:01")
	there, _ := postgrestest.Device(t, r.db, r.org, "02:00:00:00:00:02")
	foreign, _ := postgrestest.Device(t, r.db, other, "02:00:00:00:00:03")
	must(r.db.ChangeDevice(ctx, r.scope, there.ID, postgres.DevicePatch{Location: &yard.ID}))

	at := must(r.PlaceReceiver(ctx, r.scope, store.Receiver{Plan: p.ID, Device: here.ID}))
	_, err := r.PlaceReceiver(ctx, r.scope, store.Receiver{Plan: p.ID, Device: there.ID})
	wantKind(t, err, schema.Conflict)
	_, err = r.PlaceReceiver(ctx, postgres.AllOrganisations(), store.Receiver{Plan: p.ID, Device: foreign.ID})
	wantKind(t, err, schema.NotFound)
	_, err = r.PlaceReceiver(ctx, r.scope, store.Receiver{Plan: p.ID})
	wantKind(t, err, schema.Invalid)
	wantKind(t, r.MayMove(ctx, r.scope, here.ID), schema.Conflict)
	if err := r.MayMove(ctx, r.scope, there.ID); err != nil {
		t.Error(err)
	}
	spare, _ := postgrestest.Device(t, r.db, r.org, "02:00:00:00:00:04")
	at.Device = spare.ID
	if swapped := must(r.MoveReceiver(ctx, r.scope, at)); swapped.Device != spare.ID || swapped.Number != spare.Number || swapped.ID != at.ID {
		t.Errorf("got %+v", swapped)
	}
	if err := r.MayMove(ctx, r.scope, here.ID); err != nil {
		t.Error(err)
	}
}

func TestTags(t *testing.T) {
	r := start(t)
	ctx := t.Context()
	add := func(name string, minor uint16) (store.Tag, error) {
		return r.CreateTag(ctx, r.org.ID, store.Tag{Tag: schema.Tag{Transmitter: schema.IBeacon([16]byte{9}, 1, minor), Name: name, Type: "asset"}})
	}
	maria := must(add("Мария 100%", 1))
	must(add("Ivan_1", 2))
	must(add("Ivan 21", 3))
	_, err := add("twice", 1)
	wantKind(t, err, schema.Conflict)
	f := func(filter store.TagFilter, want int) {
		t.Helper()
		got, _, err := r.Tags(ctx, r.scope, ble.TagQuery{TagFilter: filter}, postgres.Page{})
		if err != nil || len(got) != want {
			t.Errorf("%+v: got %d tags, %v, want %d", filter, len(got), err, want)
		}
	}
	f(store.TagFilter{}, 3)
	f(store.TagFilter{Name: "мария"}, 1)
	f(store.TagFilter{Name: "ivan"}, 2)
	f(store.TagFilter{Name: "n_1"}, 1) // the underline means itself
	f(store.TagFilter{Name: "%"}, 1)
	f(store.TagFilter{Name: `\`}, 0)
	f(store.TagFilter{Type: "person"}, 0)
	f(store.TagFilter{Transmitter: maria.Transmitter}, 1)
	for _, bad := range []store.Tag{
		{Tag: schema.Tag{Transmitter: maria.Transmitter, Type: "asset"}},
		{Tag: schema.Tag{Transmitter: maria.Transmitter, Name: "x", Type: "ghost"}},
		{Tag: schema.Tag{Name: "x", Type: "asset"}},
	} {
		_, err := r.CreateTag(ctx, r.org.ID, bad)
		wantKind(t, err, schema.Invalid)
	}
}

func TestPlans(t *testing.T) {
	r := start(t)
	ctx := t.Context()
	p := r.plan(t)
	if diff := cmp.Diff([][]store.Corner{{{0, 0}, {40, 0}}}, p.Walls); diff != "" {
		t.Error(diff)
	}
	good := store.Plan{Location: r.hall.ID, Name: "first", Level: 1, Bounds: p.Bounds}
	again := good
	again.Name = "ground"
	_, err := r.CreatePlan(ctx, r.scope, again)
	wantKind(t, err, schema.Conflict)
	_, err = r.CreatePlan(ctx, postgres.In(schema.NewID[schema.OrganisationID]()), good)
	wantKind(t, err, schema.NotFound)
	f := func(change func(*store.Plan)) {
		t.Helper()
		bad := good
		change(&bad)
		_, err := r.CreatePlan(ctx, r.scope, bad)
		wantKind(t, err, schema.Invalid)
	}
	f(func(p *store.Plan) { p.Name = "" })
	f(func(p *store.Plan) { p.Bounds.Max.X = 0 })
	f(func(p *store.Plan) { p.Bounds.Max.X = math.Inf(1) })
	f(func(p *store.Plan) { p.Bounds.Max.X = 10_001 })
	f(func(p *store.Plan) { p.TagHeightM = math.NaN() })
	f(func(p *store.Plan) { p.Level = 5000 })
	f(func(p *store.Plan) { p.Walls = [][]store.Corner{{{0, 0}}} })
	must(r.CreatePlan(ctx, r.scope, good))
	refs := must(r.PlansOf(ctx, r.scope, []schema.LocationID{r.hall.ID, schema.NewID[schema.LocationID]()}))
	if len(refs) != 1 || len(refs[r.hall.ID]) != 2 || refs[r.hall.ID][0].Name != "ground" {
		t.Errorf("got %+v", refs)
	}
}

// A change made by another process is heard and published; so is one made while
// the connection that listens was cut.
func TestOtherProcessesAreHeard(t *testing.T) {
	r := start(t)
	db := must(postgres.Open(t.Context(), r.db.Pool().Config().ConnString()))
	t.Cleanup(db.Close)
	other, _ := startModule(t, db)
	await := func(tags int) {
		t.Helper()
		deadline := time.After(30 * time.Second)
		for {
			select {
			case w := <-r.worlds:
				if len(w.Tags) == tags {
					return
				}
			case <-deadline:
				t.Fatalf("no world with %d tags was published", tags)
			}
		}
	}
	add := func(minor uint16) {
		t.Helper()
		must(other.CreateTag(t.Context(), r.org.ID, store.Tag{Tag: schema.Tag{Transmitter: schema.IBeacon([16]byte{9}, 1, minor), Name: "x", Type: "asset"}}))
	}
	add(1)
	await(1)
	// What this process does itself is published by then, and not once more because
	// of its own announcement.
	p := r.plan(t)
	newest(t, r.worlds)
	must(r.AddZone(t.Context(), r.scope, store.Zone{Plan: p.ID, Polygon: square(0, 0, 1)}))
	add(3)
	await(2)
	const cut = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND datname = current_database()`
	owner := must(r.db.Owner(t.Context()))
	defer owner.Close()
	must(owner.Exec(t.Context(), cut))
	add(2)
	await(3)
}

// Tags that are registered at once, while the world is published anew, are all
// known in the end and never go away again.
func TestTagsAreNotOvertaken(t *testing.T) {
	r := start(t)
	p := r.plan(t)
	const n = 40
	var done sync.WaitGroup
	for i := range n {
		done.Go(func() {
			must(r.CreateTag(context.Background(), r.org.ID, store.Tag{Tag: schema.Tag{Transmitter: schema.IBeacon([16]byte{9}, 1, uint16(i)), Name: "x", Type: "asset"}}))
			if i%4 == 0 {
				must(r.ChangePlan(context.Background(), r.scope, p.ID, ble.PlanPatch{Level: &i}))
			}
		})
	}
	done.Wait()
	tags := 0
	for len(r.worlds) > 0 {
		w := <-r.worlds
		if len(w.Tags) < tags {
			t.Errorf("%d tags after %d", len(w.Tags), tags)
		}
		tags = len(w.Tags)
	}
	if tags != n {
		t.Errorf("%d tags are known, want %d", tags, n)
	}
}

// Stop ends all that Start began.
func TestStopLeavesNothing(t *testing.T) {
	db := postgrestest.Open(t)
	if err := db.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := goleak.IgnoreCurrent()
	m := ble.New()
	host := module.Host{Log: slog.New(slog.DiscardHandler), DB: db, Clock: time.Now, Publish: func(module.World) {}, Extend: func(module.World) {}}
	if err := m.Start(t.Context(), host); err != nil {
		t.Fatal(err)
	}
	if err := m.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	goleak.VerifyNone(t, before)
}

// A product that is switched off is not in the world.
func TestSwitchedOff(t *testing.T) {
	r := start(t)
	r.plan(t)
	must(r.db.Pool().Exec(t.Context(), "DELETE FROM organisation_product"))
	other, worlds := startModule(t, r.db)
	must(other.CreateTag(t.Context(), r.org.ID, store.Tag{Tag: schema.Tag{Transmitter: schema.IBeacon([16]byte{9}, 1, 1), Name: "x", Type: "asset"}}))
	if w := newest(t, worlds); len(w.Layouts)+len(w.Tags) != 0 || other.ID() != "ble" {
		t.Errorf("got %+v", w)
	}
}

// Changes at once on one plan all take place, with distinct numbers.
func TestConcurrentChanges(t *testing.T) {
	r := start(t)
	p := r.plan(t)
	const n = 12
	numbers := make(chan int, n)
	for i := range n {
		go func() {
			numbers <- must(r.AddZone(context.Background(), r.scope, store.Zone{Plan: p.ID, Polygon: square(float64(2*i), 0, 1)})).Number
		}()
	}
	seen := map[int]bool{}
	for range n {
		seen[<-numbers] = true
	}
	if len(seen) != n || !seen[1] || !seen[n] {
		t.Errorf("numbers %v", seen)
	}
	if got := newest(t, r.worlds).Layouts[0]; len(got.Zones) != n || got.Version != n+1 {
		t.Errorf("published %d zones at version %d", len(got.Zones), got.Version)
	}
}
