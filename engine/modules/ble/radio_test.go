package ble_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mybeacon/engine/embedded/embeddedtest"
	"mybeacon/engine/modules/ble"
	"mybeacon/engine/modules/ble/store"
	"mybeacon/engine/store/clickhouse"
	"mybeacon/engine/store/postgres"
	"mybeacon/engine/store/postgres/postgrestest"
	"mybeacon/schema"
	migrations "mybeacon/schema/clickhouse"
)

// ground is a plan with two receivers.
type ground struct {
	*rig
	plan      store.Plan
	receivers [2]store.Receiver
}

func (r *rig) ground(t *testing.T) *ground {
	t.Helper()
	g := &ground{rig: r, plan: r.plan(t)}
	for i := range g.receivers {
		d, _ := postgrestest.Device(t, r.db, r.org, fmt.Sprintf("02:00:00:00:00:%02x", i+1))
		g.receivers[i] = must(r.PlaceReceiver(t.Context(), r.scope, store.Receiver{Plan: g.plan.ID, Device: d.ID, X: float64(10 * i), Y: 1, Z: 2.5}))
	}
	return g
}

func (g *ground) tag(t *testing.T, minor uint16) store.Tag {
	t.Helper()
	return must(g.CreateTag(t.Context(), g.org.ID, store.Tag{Tag: schema.Tag{Transmitter: schema.IBeacon([16]byte{7}, 1, minor), Name: "x", Type: "asset"}}))
}

// layout returns the plan as it was published last.
func (g *ground) layout(t *testing.T) schema.Layout {
	t.Helper()
	w := newest(t, g.worlds)
	for _, l := range w.Layouts {
		if l.Plan == g.plan.ID {
			g.worlds <- w // for who asks next
			return l
		}
	}
	t.Fatal("the plan was not published")
	return schema.Layout{}
}

// A survey becomes the layout's, part by part, and goes as a whole.
func TestSurvey(t *testing.T) {
	g := start(t).ground(t)
	ctx := t.Context()
	a, b := g.receivers[0], g.receivers[1]
	before := g.layout(t).Version
	first := must(g.AddSurvey(ctx, g.scope, g.plan.ID, "with a phone", []store.Reading{
		{Receiver: a.ID, X: 1, Y: 2, RSSI: -6125}, {Device: b.Device, X: 1, Y: 2, RSSI: -7000, Source: 3},
	}))
	more := must(g.ExtendSurvey(ctx, g.scope, g.plan.ID, first.ID, []store.Reading{{Receiver: b.ID, X: 40, Y: 25, RSSI: -9000}}))
	second := must(g.AddSurvey(ctx, g.scope, g.plan.ID, "again", []store.Reading{{Receiver: a.ID, X: 0, Y: 0, RSSI: -5000}}))
	if first.Readings != 2 || more.Readings != 3 || more.Name != "with a phone" {
		t.Errorf("got %+v and %+v", first, more)
	}
	at := func(x, y float64) schema.Point { return schema.Point{X: x, Y: y} }
	want := []schema.SurveyReading{
		{At: at(1, 2), Receiver: a.ID, RSSI: -6125}, {At: at(1, 2), Receiver: b.ID, RSSI: -7000, Source: 3},
		{At: at(40, 25), Receiver: b.ID, RSSI: -9000}, {At: at(0, 0), Receiver: a.ID, RSSI: -5000},
	}
	l := g.layout(t)
	if diff := cmp.Diff(want, l.Survey); diff != "" || l.Version <= before {
		t.Errorf("version %d after %d, survey (-want +got):\n%s", l.Version, before, diff)
	}
	if p := must(g.Drawing(ctx, g.scope, g.plan.ID)).Plan; p.Version != 3 {
		t.Errorf("a survey changed the drawing: version %d", p.Version)
	}
	var all []store.Reading
	for page := (postgres.Page{Limit: 2}); ; {
		found, next, err := g.Readings(ctx, g.scope, g.plan.ID, first.ID, page)
		if err != nil {
			t.Fatal(err)
		}
		if all = append(all, found...); next == (postgres.Cursor{}) {
			break
		}
		page.After = next
	}
	if len(all) != 3 || all[2].Number != 3 || all[1].Device != b.Device || all[0].RSSI != -6125 {
		t.Errorf("listed %+v", all)
	}
	if err := g.RemoveSurvey(ctx, g.scope, g.plan.ID, first.ID); err != nil {
		t.Fatal(err)
	}
	if l := g.layout(t); len(l.Survey) != 1 || l.Survey[0].RSSI != -5000 {
		t.Errorf("left: %+v", l.Survey)
	}
	found, _, err := g.Surveys(ctx, g.scope, g.plan.ID, postgres.Page{})
	if err != nil || len(found) != 1 || found[0].ID != second.ID || found[0].Readings != 1 {
		t.Errorf("listed %+v, %v", found, err)
	}
	if err := g.RemoveReceiver(ctx, g.scope, g.plan.ID, a.ID); err != nil {
		t.Fatal(err)
	}
	if l := g.layout(t); len(l.Survey) != 0 {
		t.Errorf("a receiver that is gone is still in the survey: %+v", l.Survey)
	}
	if err := g.RemoveSurveys(ctx, g.scope, g.plan.ID); err != nil {
		t.Fatal(err)
	}
	// Who starts anew reads the same.
	_, worlds := startModule(t, g.db)
	if diff := cmp.Diff(g.layout(t), newest(t, worlds).Layouts[0]); diff != "" {
		t.Error(diff)
	}
}

func TestReadingsAreRefused(t *testing.T) {
	g := start(t).ground(t)
	ctx := t.Context()
	a := g.receivers[0]
	good := store.Reading{Receiver: a.ID, X: 1, Y: 1, RSSI: -6000}
	f := func(kind schema.Kind, field, message string, change func(*store.Reading)) {
		t.Helper()
		bad := good
		change(&bad)
		_, err := g.AddSurvey(ctx, g.scope, g.plan.ID, "s", []store.Reading{good, bad})
		wantField(t, err, kind, field, message)
	}
	f(schema.Invalid, "readings[1]", "outside the plan's bounds", func(r *store.Reading) { r.X = 41 })
	f(schema.Invalid, "readings[1].rssi_dbm", "-127 and 20", func(r *store.Reading) { r.RSSI = 2001 })
	f(schema.Invalid, "readings[1].source", "0 and 1000", func(r *store.Reading) { r.Source = 1001 })
	f(schema.Invalid, "readings[1]", "either", func(r *store.Reading) { r.Device = a.Device })
	f(schema.Invalid, "readings[1]", "either", func(r *store.Reading) { r.Receiver = schema.ReceiverID{} })
	f(schema.NotFound, "readings[1].receiver_id", "no such receiver", func(r *store.Reading) { r.Receiver = schema.ReceiverID{1} })
	f(schema.NotFound, "readings[1].device_id", "does not hang", func(r *store.Reading) { r.Receiver, r.Device = schema.ReceiverID{}, schema.DeviceID{1} })
	_, err := g.AddSurvey(ctx, g.scope, g.plan.ID, "", []store.Reading{good})
	wantField(t, err, schema.Invalid, "name", "1 to 200")
	_, err = g.AddSurvey(ctx, g.scope, g.plan.ID, "s", nil)
	wantField(t, err, schema.Invalid, "readings", "none")
	_, err = g.AddSurvey(ctx, g.scope, g.plan.ID, "s", make([]store.Reading, ble.MaxReadings+1))
	wantField(t, err, schema.TooLarge, "readings", "at most 10000")
	must(g.AddSurvey(ctx, g.scope, g.plan.ID, "s", []store.Reading{good}))
	_, err = g.AddSurvey(ctx, g.scope, g.plan.ID, "s", []store.Reading{good})
	wantField(t, err, schema.Conflict, "name", "already")
	_, err = g.ExtendSurvey(ctx, g.scope, g.plan.ID, store.SurveyID{1}, []store.Reading{good})
	wantKind(t, err, schema.NotFound)
	if l := g.layout(t); len(l.Survey) != 1 {
		t.Errorf("a refused call left readings: %+v", l.Survey)
	}
}

// startOver is start over a real warehouse.
func startOver(t *testing.T) (*rig, *clickhouse.DB) {
	t.Helper()
	warehouse, err := clickhouse.Open(embeddedtest.NewClickHouseDatabase(t), clickhouse.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = warehouse.Close() })
	if err := warehouse.Migrate(t.Context(), migrations.FS); err != nil {
		t.Fatal(err)
	}
	db := postgrestest.Open(t)
	r := &rig{db: db, org: postgrestest.Organisation(t, db, "mine", "ble")}
	r.hall = postgrestest.Location(t, db, r.org, "hall")
	r.scope = postgres.In(r.org.ID)
	r.Module, r.worlds = startModuleOver(t, db, warehouse)
	return r, warehouse
}

// observe stores n observations of the tag, one per step from a time on.
func (g *ground) observe(t *testing.T, warehouse *clickhouse.DB, tag store.Tag, receiver store.Receiver, from time.Time, step time.Duration, n int, rssi schema.CentiDBm) {
	t.Helper()
	const insert = `INSERT INTO observations (org, plan, receiver, tag, device, at, rssi_cdbm, keep_days, boot_id, seq, transmitter)
		SELECT '%s', '%s', '%s', '%s', '%s', fromUnixTimestamp64Milli(toInt64(%d + %d * number), 'UTC'), %d, 65535, 'b', number, 't' FROM numbers(%d)`
	sql := fmt.Sprintf(insert, g.org.ID, g.plan.ID, receiver.ID, tag.ID, receiver.Device, from.UnixMilli(), step.Milliseconds(), rssi, n)
	if err := warehouse.Conn().Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}

// What is heard of a tag that hangs at a known point becomes readings of the
// plan's survey, changes only when enough has changed, and goes with the tag.
func TestReferences(t *testing.T) {
	r, warehouse := startOver(t)
	g := r.ground(t)
	ctx := t.Context()
	near, far := g.receivers[0], g.receivers[1]
	post := g.tag(t, 1)
	// since says that the tag has hung there from a time on, and was counted until then.
	since := func(at time.Time) {
		t.Helper()
		must(g.db.Pool().Exec(ctx, "UPDATE ble_reference SET since = $1, counted_to = $1", at))
	}
	measure := func() schema.Layout {
		t.Helper()
		if err := g.MeasureReferences(ctx); err != nil {
			t.Fatal(err)
		}
		return g.layout(t)
	}
	begin := time.Now().Add(-30 * time.Minute).Truncate(time.Second)
	must(g.HangReference(ctx, g.scope, store.Reference{Tag: post.ID, Plan: g.plan.ID, X: 3, Y: 4}))
	since(begin)
	g.observe(t, warehouse, post, near, begin.Add(-time.Minute), time.Second, 60, -4000) // before it hung there
	g.observe(t, warehouse, post, near, begin, time.Second, 40, -5000)
	g.observe(t, warehouse, post, far, begin, time.Second, 29, -8000) // one too few
	l := measure()
	want := []schema.SurveyReading{{At: schema.Point{X: 3, Y: 4}, Receiver: near.ID, RSSI: -5000, Source: store.MaxSource + 1}}
	if diff := cmp.Diff(want, l.Survey); diff != "" {
		t.Fatal(diff)
	}
	where, means, err := g.Reference(ctx, g.scope, post.ID)
	if err != nil || where.X != 3 || len(means) != 2 || means[0].Observations+means[1].Observations != 40+29 {
		t.Errorf("got %+v, %+v, %v", where, means, err)
	}
	if again := measure(); again.Version != l.Version {
		t.Errorf("nothing new made a new layout: %+v", again.Survey)
	}
	since(begin.Add(2 * time.Minute))
	g.observe(t, warehouse, post, far, begin.Add(3*time.Minute), time.Second, 1, -8000) // the thirtieth
	if l = measure(); len(l.Survey) != 2 || l.Survey[0].Source != l.Survey[1].Source {
		t.Errorf("survey %+v", l.Survey)
	}
	same := must(g.HangReference(ctx, g.scope, store.Reference{Tag: post.ID, Plan: g.plan.ID, X: 3, Y: 4}))
	if again := g.layout(t); again.Version != l.Version || len(again.Survey) != 2 || same.Since.IsZero() {
		t.Errorf("saying it again changed the layout: %+v", again.Survey)
	}
	listed, _, err := g.Tags(ctx, g.scope, ble.TagQuery{}, postgres.Page{})
	if err != nil || len(listed) != 1 || listed[0].Reference == nil || listed[0].Reference.Y != 4 {
		t.Errorf("listed %+v, %v", listed, err)
	}
	must(g.HangReference(ctx, g.scope, store.Reference{Tag: post.ID, Plan: g.plan.ID, X: 5, Y: 4}))
	if l := g.layout(t); len(l.Survey) != 0 {
		t.Errorf("a tag that was moved is still heard where it was: %+v", l.Survey)
	}
	if err := g.RemoveReference(ctx, g.scope, post.ID); err != nil {
		t.Fatal(err)
	}
	wantKind(t, g.RemoveReference(ctx, g.scope, post.ID), schema.NotFound)
}

func TestReferencesAreRefused(t *testing.T) {
	g := start(t).ground(t)
	ctx := t.Context()
	tag := g.tag(t, 1)
	other := postgrestest.Organisation(t, g.db, "other", "ble")
	foreign := must(g.CreateTag(ctx, other.ID, store.Tag{Tag: schema.Tag{Transmitter: schema.IBeacon([16]byte{7}, 1, 9), Name: "x", Type: "asset"}}))
	f := func(scope postgres.Scope, r store.Reference, kind schema.Kind, field, message string) {
		t.Helper()
		_, err := g.HangReference(ctx, scope, r)
		wantField(t, err, kind, field, message)
	}
	f(g.scope, store.Reference{Tag: tag.ID, Plan: g.plan.ID, X: 99}, schema.Invalid, "x", "outside the plan's bounds")
	f(g.scope, store.Reference{Tag: tag.ID}, schema.Invalid, "plan_id", "required")
	f(g.scope, store.Reference{Tag: tag.ID, Plan: schema.PlanID{1}}, schema.NotFound, "plan_id", "no such plan")
	f(postgres.AllOrganisations(), store.Reference{Tag: foreign.ID, Plan: g.plan.ID}, schema.NotFound, "", "no such tag")
	f(postgres.In(other.ID), store.Reference{Tag: foreign.ID, Plan: g.plan.ID}, schema.NotFound, "plan_id", "no such plan")
}

// What was heard of a tag while it was known to be in a zone becomes the layout's
// examples, where zones are told by them.
func TestExamples(t *testing.T) {
	r, warehouse := startOver(t)
	g := r.ground(t)
	ctx := t.Context()
	zone := must(g.AddZone(ctx, g.scope, store.Zone{Plan: g.plan.ID, Polygon: square(0, 0, 5)}))
	tag := g.tag(t, 1)
	from := time.Now().Add(-10 * time.Minute).Truncate(time.Second)
	g.observe(t, warehouse, tag, g.receivers[0], from, 500*time.Millisecond, 40, -5000)            // twenty seconds
	g.observe(t, warehouse, tag, g.receivers[1], from.Add(5*time.Second), time.Second, 3, -7000)   // three of them
	g.observe(t, warehouse, tag, g.receivers[1], from.Add(15*time.Second), time.Second, 1, -10050) // below silence
	g.observe(t, warehouse, g.tag(t, 2), g.receivers[1], from, time.Second, 20, -3000)             // another tag
	inside := store.Example{Plan: g.plan.ID, Zone: zone.ID, Tag: tag.ID, From: from, To: from.Add(10 * time.Second)}
	outside := store.Example{Plan: g.plan.ID, Tag: tag.ID, From: from.Add(10 * time.Second), To: from.Add(time.Minute)}
	first := must(g.AddExample(ctx, g.scope, inside))
	second := must(g.AddExample(ctx, g.scope, outside))
	if first.Seconds != 10 || second.Seconds < 10 || second.Seconds > 12 { // the window outlasts the last frame
		t.Errorf("got %d and %d seconds", first.Seconds, second.Seconds)
	}
	if l := g.layout(t); len(l.Examples) != 0 {
		t.Errorf("zones are told by positions, and %d examples are published", len(l.Examples))
	}
	by := store.ZonesByExamples
	must(g.ChangePlan(ctx, g.scope, g.plan.ID, ble.PlanPatch{ZonesBy: &by}))
	examples := g.layout(t).Examples
	if len(examples) != first.Seconds+second.Seconds {
		t.Fatalf("%d examples are published", len(examples))
	}
	alone := []schema.Reading{{Receiver: g.receivers[0].ID, RSSI: -5000}}
	both := []schema.Reading{alone[0], {Receiver: g.receivers[1].ID, RSSI: -7000}}
	for i, want := range map[int]schema.ZoneExample{
		0: {Zone: zone.ID, Heard: alone}, 5: {Zone: zone.ID, Heard: both}, 8: {Zone: zone.ID, Heard: both}, 10: {Heard: alone}, 15: {Heard: alone},
	} {
		if diff := cmp.Diff(want, examples[i]); diff != "" {
			t.Errorf("example %d: %s", i, diff)
		}
	}
	found, next, err := g.Examples(ctx, g.scope, g.plan.ID, postgres.Page{Limit: 1})
	if err != nil || len(found) != 1 || found[0].ID != first.ID || !found[0].From.Equal(from) {
		t.Errorf("listed %+v, %v", found, err)
	}
	if rest, _, err := g.Examples(ctx, g.scope, g.plan.ID, postgres.Page{After: next}); err != nil || len(rest) != 1 || rest[0].ID != second.ID {
		t.Errorf("then %+v, %v", rest, err)
	}
	if err := g.RemoveZone(ctx, g.scope, g.plan.ID, zone.ID); err != nil {
		t.Fatal(err)
	}
	if got := g.layout(t).Examples; len(got) != second.Seconds {
		t.Errorf("%d examples are left without the zone", len(got))
	}
	if err := g.RemoveExample(ctx, g.scope, g.plan.ID, second.ID); err != nil {
		t.Fatal(err)
	}
	wantKind(t, g.RemoveExample(ctx, g.scope, g.plan.ID, second.ID), schema.NotFound)
}

func TestExamplesAreRefused(t *testing.T) {
	r, _ := startOver(t)
	g := r.ground(t)
	tag, now := g.tag(t, 1), time.Now()
	good := store.Example{Plan: g.plan.ID, Tag: tag.ID, From: now.Add(-time.Minute), To: now.Add(-time.Second)}
	f := func(kind schema.Kind, field, message string, change func(*store.Example)) {
		t.Helper()
		bad := good
		change(&bad)
		_, err := g.AddExample(t.Context(), g.scope, bad)
		wantField(t, err, kind, field, message)
	}
	f(schema.Invalid, "from", "nothing was heard", func(*store.Example) {})
	f(schema.Invalid, "to", "future", func(e *store.Example) { e.To = now.Add(time.Minute) })
	f(schema.Invalid, "to", "after from", func(e *store.Example) { e.To = e.From })
	f(schema.TooLarge, "to", "1h0m0s", func(e *store.Example) { e.From = now.Add(-2 * time.Hour) })
	f(schema.Invalid, "from", "before 2000", func(e *store.Example) { e.From, e.To = time.Time{}, time.Time{}.Add(time.Hour) })
	f(schema.Invalid, "tag_id", "required", func(e *store.Example) { e.Tag = schema.TagID{} })
	f(schema.NotFound, "tag_id", "no such tag", func(e *store.Example) { e.Tag = schema.TagID{1} })
	f(schema.NotFound, "zone_id", "no such zone", func(e *store.Example) { e.Zone = schema.ZoneID{1} })
	f(schema.NotFound, "", "no such object", func(e *store.Example) { e.Plan = schema.PlanID{1} })
}

// While the warehouse is away, what needs it says so, and the rest works.
func TestWarehouseAway(t *testing.T) {
	r := start(t)
	g := r.ground(t)
	tag := g.tag(t, 1)
	if err := r.MeasureReferences(context.Background()); err != nil {
		t.Errorf("without references nothing is asked: %v", err)
	}
	must(r.HangReference(t.Context(), g.scope, store.Reference{Tag: tag.ID, Plan: g.plan.ID, X: 1, Y: 1}))
	wantKind(t, r.MeasureReferences(t.Context()), schema.Unavailable)
	_, err := r.AddExample(t.Context(), g.scope, store.Example{Plan: g.plan.ID, Tag: tag.ID, From: time.Now().Add(-time.Minute), To: time.Now().Add(-time.Second)})
	wantKind(t, err, schema.Unavailable)
}
