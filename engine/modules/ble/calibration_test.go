package ble_test

import (
	"fmt"
	"testing"
	"time"

	"mybeacon/engine/modules/ble"
	"mybeacon/engine/modules/ble/store"
	"mybeacon/engine/store/postgres"
	"mybeacon/engine/store/postgres/postgrestest"
	"mybeacon/schema"
)

// "I am here" turns what was heard meanwhile into a survey, a reading per receiver.
func TestTap(t *testing.T) {
	r, warehouse := startOver(t)
	g := r.ground(t)
	ctx := t.Context()
	carried := g.tag(t, 1)
	now := time.Now()
	g.observe(t, warehouse, carried, g.receivers[0], now.Add(-8*time.Second), time.Second, 6, -5000)
	g.observe(t, warehouse, carried, g.receivers[1], now.Add(-8*time.Second), time.Second, 3, -8000)
	g.observe(t, warehouse, carried, g.receivers[1], now.Add(-time.Minute), time.Second, 20, -4000) // before he stood there
	first := must(g.AddTap(ctx, g.scope, g.plan.ID, ble.Tap{Survey: "walk", Tag: carried.ID, X: 3, Y: 4, At: now}))
	if first.Survey.Readings != 2 || len(first.Readings) != 2 {
		t.Fatalf("got %+v", first)
	}
	for _, h := range first.Readings {
		near := h.Receiver == g.receivers[0].ID
		if near && (h.RSSI != -5000 || h.Observations != 6) || !near && (h.RSSI != -8000 || h.Observations != 3) {
			t.Errorf("got %+v", h)
		}
	}
	second := must(g.AddTap(ctx, g.scope, g.plan.ID, ble.Tap{Survey: "walk", Tag: carried.ID, X: 9, Y: 4, At: now.Add(-30 * time.Second), Seconds: 60}))
	if second.Survey.ID != first.Survey.ID || second.Survey.Readings != 3 {
		t.Errorf("got %+v", second)
	}
	if l := g.layout(t); len(l.Survey) != 3 || l.Survey[0].At != (schema.Point{X: 3, Y: 4}) || l.Survey[0].Source != l.Survey[2].Source {
		t.Errorf("published %+v", l.Survey)
	}
	silent := g.tag(t, 2)
	f := func(kind schema.Kind, field string, change func(*ble.Tap)) {
		t.Helper()
		tap := ble.Tap{Survey: "walk", Tag: carried.ID, X: 3, Y: 4, At: now}
		change(&tap)
		_, err := g.AddTap(ctx, g.scope, g.plan.ID, tap)
		wantField(t, err, kind, field, "")
	}
	f(schema.Conflict, "tag_id", func(p *ble.Tap) { p.Tag = silent.ID })
	f(schema.NotFound, "tag_id", func(p *ble.Tap) { p.Tag = schema.TagID{1} })
	f(schema.Invalid, "tag_id", func(p *ble.Tap) { p.Tag = schema.TagID{} })
	f(schema.Invalid, "survey", func(p *ble.Tap) { p.Survey = "" })
	f(schema.Invalid, "seconds", func(p *ble.Tap) { p.Seconds = 301 })
	f(schema.Invalid, "at", func(p *ble.Tap) { p.At = now.Add(time.Minute) })
	f(schema.Invalid, "at", func(p *ble.Tap) { p.At = now.Add(-2 * time.Hour) })
	f(schema.Invalid, "readings[0]", func(p *ble.Tap) { p.X = 41 }) // outside of the plan
}

func TestCalibrationReport(t *testing.T) {
	r, warehouse := startOver(t)
	g := r.ground(t)
	ctx := t.Context()
	bare := must(g.Calibration(ctx, g.scope, g.plan.ID))
	if len(bare.Receivers) != 2 || bare.Before.Points != 0 || bare.After.Points != 0 || !bare.Receivers[0].Since.IsZero() {
		t.Errorf("got %+v", bare)
	}
	var readings []store.Reading
	for x := 1.0; x < 10; x += 2 {
		readings = append(readings,
			store.Reading{Receiver: g.receivers[0].ID, X: x, Y: 3, RSSI: schema.CentiDBm(-5000 - 300*x)},
			store.Reading{Receiver: g.receivers[1].ID, X: x, Y: 3, RSSI: schema.CentiDBm(-8000 + 300*x)})
	}
	must(g.AddSurvey(ctx, g.scope, g.plan.ID, "walk", readings))
	post := g.tag(t, 1)
	must(g.HangReference(ctx, g.scope, store.Reference{Tag: post.ID, Plan: g.plan.ID, X: 3, Y: 4}))
	state := fmt.Sprintf(`{"receivers": [{"receiver": %q, "offset_db": 2.5}]}`, g.receivers[0].ID)
	must(g.db.Pool().Exec(ctx, `INSERT INTO plan_calibrations (plan_id, saved_at, state) VALUES ($1, now(), $2)`, g.plan.ID, state))
	// It changed at noon; the row after that repeats it, with another receiver's change.
	noon := time.Now().Add(-time.Hour).Truncate(time.Second).UTC()
	for i, offset := range []int{100, 250, 250} {
		const insert = `INSERT INTO receiver_offsets (org, plan, from_at, receiver, location, offset_cdb, rev, keep_days)
			VALUES ('%s', '%s', fromUnixTimestamp64Milli(%d, 'UTC'), '%s', '%s', %d, 1, 65535)`
		at := noon.Add(time.Duration(i-1) * time.Minute).UnixMilli()
		if err := warehouse.Conn().Exec(ctx, fmt.Sprintf(insert, g.org.ID, g.plan.ID, at, g.receivers[0].ID, g.hall.ID, offset)); err != nil {
			t.Fatal(err)
		}
	}
	c := must(g.Calibration(ctx, g.scope, g.plan.ID))
	if c.Walks != 1 || c.Readings != 10 || len(c.References) != 1 || c.References[0].X != 3 || c.Before.Points != 5 || c.After.Points != 5 {
		t.Errorf("got %+v", c)
	}
	if got := c.Receivers[0]; got.OffsetDB != 2.5 || !got.Since.Equal(noon) || c.Receivers[1].OffsetDB != 0 {
		t.Errorf("got %+v", c.Receivers)
	}
	other := postgrestest.Organisation(t, g.db, "other", "ble")
	_, err := g.Calibration(ctx, postgres.In(other.ID), g.plan.ID)
	wantKind(t, err, schema.NotFound)
	_, _, err = g.Coverage(ctx, postgres.In(other.ID), g.plan.ID, 0)
	wantKind(t, err, schema.NotFound)
}

// While the warehouse is away the report lacks times only, and coverage nothing.
func TestRadioWithoutWarehouse(t *testing.T) {
	g := start(t).ground(t)
	ctx := t.Context()
	if c := must(g.Calibration(ctx, g.scope, g.plan.ID)); len(c.Receivers) != 2 {
		t.Errorf("got %+v", c)
	}
	c, _, err := g.Coverage(ctx, g.scope, g.plan.ID, 1)
	if err != nil || c.Columns != 40 || c.Rows != 25 || c.Heard[0] == 0 {
		t.Errorf("got %+v, %v", c, err)
	}
	_, err = g.AddTap(ctx, g.scope, g.plan.ID, ble.Tap{Survey: "walk", Tag: g.tag(t, 1).ID, X: 3, Y: 4})
	wantKind(t, err, schema.Unavailable)
}

// The engine is told of a receiver's gain.
func TestGainIsPublished(t *testing.T) {
	g := start(t).ground(t)
	r := g.receivers[1]
	r.GainDB = -6
	must(g.MoveReceiver(t.Context(), g.scope, r))
	if l := g.layout(t); l.Receivers[1].GainDB != -6 || l.Receivers[0].GainDB != 0 {
		t.Errorf("published %+v", l.Receivers)
	}
	r.GainDB = 31
	_, err := g.MoveReceiver(t.Context(), g.scope, r)
	wantField(t, err, schema.Invalid, "gain_db", "30 dB")
}
