package postgres_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mybeacon/engine/store/postgres"
	"mybeacon/engine/store/postgres/postgrestest"
	"mybeacon/schema"
	"mybeacon/schema/wire"
)

// People find devices by what they know of them, however they spell it.
func TestDevicesAreFound(t *testing.T) {
	db := postgrestest.Open(t)
	ctx := t.Context()
	o := postgrestest.Organisation(t, db, "o")
	hall := postgrestest.Location(t, db, o, "hall")
	create := func(mac, name string, at schema.LocationID, of schema.OrganisationID) postgres.Device {
		return must(db.CreateDevice(ctx, of, postgres.Device{MAC: mac, Name: name, Location: at, Clock: "device"}, ""))
	}
	create("02:00:5e:10:00:01", "Door", hall.ID, o.ID)
	create("02:00:5e:10:00:02", "Ворота", schema.LocationID{}, o.ID)
	create("aa:bb:cc:dd:ee:ff", "Door 2", hall.ID, o.ID)
	here := create("02:00:5e:ab:12:34", "50 % off_", schema.LocationID{}, o.ID)
	gone := create("02:00:5e:ab:12:35", "", schema.LocationID{}, o.ID)
	create("02:00:5e:ab:12:36", "spare", schema.LocationID{}, schema.OrganisationID{})
	now := time.Now()
	if err := db.SawDevices(ctx, map[schema.DeviceID]postgres.Seen{here.ID: {Online: true, At: now}, gone.ID: {At: now}}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		filter postgres.DeviceFilter
		want   []int64
	}{
		{"all", postgres.DeviceFilter{}, []int64{1, 2, 3, 4, 5, 6}},
		{"a sign and a number", postgres.DeviceFilter{Query: "#5"}, []int64{5}},
		{"a number", postgres.DeviceFilter{Query: " 2 "}, []int64{2, 3}}, // "Door 2" too
		{"English words", postgres.DeviceFilter{Query: "Receiver #5"}, []int64{5}},
		{"no sign", postgres.DeviceFilter{Query: "receiver 5"}, []int64{5}},
		{"Russian words", postgres.DeviceFilter{Query: "Приемник #5"}, []int64{5}},
		{"with ё", postgres.DeviceFilter{Query: "приёмник №5"}, []int64{5}},
		{"a word and no number", postgres.DeviceFilter{Query: "receiver"}, nil},
		{"no such number", postgres.DeviceFilter{Query: "#77"}, nil},
		{"a name in another case", postgres.DeviceFilter{Query: "dOOr"}, []int64{1, 3}},
		{"a Russian name in another case", postgres.DeviceFilter{Query: "вороТА"}, []int64{2}},
		{"signs that mean something to LIKE", postgres.DeviceFilter{Query: "% off_"}, []int64{4}},
		{"a percent sign alone", postgres.DeviceFilter{Query: "%"}, []int64{4}},
		{"a whole address", postgres.DeviceFilter{Query: "AA-BB-CC-DD-EE-FF"}, []int64{3}},
		{"a part with colons", postgres.DeviceFilter{Query: "5E:AB"}, []int64{4, 5, 6}},
		{"a part with dashes across bytes", postgres.DeviceFilter{Query: "b-12-3"}, []int64{4, 5, 6}},
		{"a part without", postgres.DeviceFilter{Query: "ab1234"}, []int64{4}},
		{"digits of an address", postgres.DeviceFilter{Query: "1000"}, []int64{1, 2}},
		{"mac: whole, plain", postgres.DeviceFilter{MAC: "02005E100002"}, []int64{2}},
		{"mac: dots", postgres.DeviceFilter{MAC: "0200.5e10.0002"}, []int64{2}},
		{"mac: two digits", postgres.DeviceFilter{MAC: "dd"}, []int64{3}},
		{"mac: nonsense", postgres.DeviceFilter{MAC: "door"}, nil},
		{"number", postgres.DeviceFilter{Number: 3}, []int64{3}},
		{"location", postgres.DeviceFilter{Location: hall.ID}, []int64{1, 3}},
		{"online", postgres.DeviceFilter{Status: "online"}, []int64{4}},
		{"offline", postgres.DeviceFilter{Status: "offline"}, []int64{5}},
		{"never", postgres.DeviceFilter{Status: "never"}, []int64{1, 2, 3, 6}},
		{"unbound", postgres.DeviceFilter{Bound: new(false)}, []int64{6}},
		{"bound and online", postgres.DeviceFilter{Bound: new(true), Status: "online"}, []int64{4}},
		{"ids", postgres.DeviceFilter{IDs: []schema.DeviceID{here.ID, gone.ID}}, []int64{4, 5}},
		{"no ids", postgres.DeviceFilter{IDs: []schema.DeviceID{}}, nil},
	} {
		found, _, err := db.Devices(ctx, postgres.AllOrganisations(), c.filter, postgres.Page{})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		var got []int64
		for _, d := range found {
			got = append(got, d.Number)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: found %v, want %v", c.name, got, c.want)
		}
	}
}

// Anybody may register boxes, and the list stays one that people can look through.
func TestSelfRegistrationIsBounded(t *testing.T) {
	db := postgrestest.Open(t)
	ctx := t.Context()
	const fill = `INSERT INTO device (id, mac, self_registered) SELECT gen_random_uuid(), ('0600' || lpad(to_hex(i), 8, '0'))::macaddr, true
		FROM generate_series(1, $1::int) i`
	if _, err := db.Pool().Exec(ctx, fill, postgres.MaxSelfRegistered); err != nil {
		t.Fatal(err)
	}
	first, _, err := db.Devices(ctx, postgres.AllOrganisations(), postgres.DeviceFilter{Number: 1}, postgres.Page{})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.SawDevices(ctx, map[schema.DeviceID]postgres.Seen{first[0].ID: {At: time.Now()}}); err != nil {
		t.Fatal(err)
	}
	key, _ := newKey(t)
	d, _, err := db.Enrol(ctx, postgres.Enrolment{MAC: "02:00:00:00:00:01", Key: key})
	if err != nil || d.Number != postgres.MaxSelfRegistered+1 {
		t.Fatalf("got %+v, %v", d, err)
	}
	if left := count(t, db, "SELECT count(*) FROM device"); left != postgres.MaxSelfRegistered {
		t.Errorf("%d devices are kept, want %d", left, postgres.MaxSelfRegistered)
	}
	if count(t, db, "SELECT count(*) FROM device WHERE number = 1") != 1 || count(t, db, "SELECT count(*) FROM device WHERE number = 2") != 0 {
		t.Error("the oldest that was never here should have made room, and no other one")
	}
	if _, err := db.Pool().Exec(ctx, "UPDATE device SET last_seen = now()"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := db.Enrol(ctx, postgres.Enrolment{MAC: "02:00:00:00:00:02", Key: key}); schema.KindOf(err) != schema.TooMany {
		t.Errorf("all were here, one more: %v, want too many", err)
	}
}

func count(t *testing.T, db *postgres.DB, sql string) (n int) {
	t.Helper()
	if err := db.Pool().QueryRow(t.Context(), sql).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// A configuration that differs is a new version; the same is none.
func TestConfigurationVersions(t *testing.T) {
	db := postgrestest.Open(t)
	ctx := t.Context()
	o := postgrestest.Organisation(t, db, "o")
	d, token := postgrestest.Device(t, db, o, "02:00:00:00:00:01")
	if d.ConfigVersion != 1 || !d.Config.On()["ble"] || d.Config.On()["wifi"] {
		t.Errorf("a new device has %+v", d.Config)
	}
	config := wire.DefaultConfig()
	config.ReportEveryS = 30
	for _, want := range []int64{2, 2} {
		if d = must(db.ConfigureDevice(ctx, postgres.In(o.ID), d.ID, config)); d.ConfigVersion != want || d.Config.ReportEveryS != 30 {
			t.Errorf("version %d of %+v, want %d", d.ConfigVersion, d.Config, want)
		}
	}
	d = must(db.ChangeDevice(ctx, postgres.In(o.ID), d.ID, postgres.DevicePatch{Modules: map[string]bool{"ble": false, "wifi": true}}))
	if d.ConfigVersion != 3 || d.Config.On()["ble"] || !d.Config.On()["wifi"] || d.Config.ReportEveryS != 30 {
		t.Errorf("version %d of %+v", d.ConfigVersion, d.Config)
	}
	bound := must(db.DeviceByToken(ctx, token))
	if read := must(wire.ReadConfig([]byte(bound.ConfigJSON))); !cmp.Equal(read, d.Config) || bound.ConfigVersion != 3 {
		t.Errorf("the engine reads version %d, %s", bound.ConfigVersion, cmp.Diff(d.Config, read))
	}
	report := wire.Report{Version: "edge 1.2", ConfigVersion: 3, Modules: map[string]bool{"wifi": true}, Health: wire.Health{Queue: 7, CPU: 0.5, Memory: 0.25}}
	if err := db.ReportDevices(ctx, map[schema.DeviceID]wire.Report{d.ID: report}); err != nil {
		t.Fatal(err)
	}
	got := must(db.Device(ctx, postgres.In(o.ID), d.ID))
	told := wire.Report{Version: got.Version, ConfigVersion: got.ConfigRunning, Modules: got.ModulesRunning, Health: got.Health}
	if diff := cmp.Diff(report, told); diff != "" || got.ReportedAt.IsZero() {
		t.Error(diff)
	}
}

// A line of a table that is wrong says so, and the others are done; a dry run says the
// same and does nothing.
func TestImport(t *testing.T) {
	db := postgrestest.Open(t)
	ctx := t.Context()
	o, other := postgrestest.Organisation(t, db, "o"), postgrestest.Organisation(t, db, "other")
	hall := postgrestest.Location(t, db, o, "hall")
	postgrestest.Device(t, db, o, "02:00:00:00:00:01")
	postgrestest.Device(t, db, other, "02:00:00:00:00:02")
	lines := []postgres.DeviceLine{
		{Line: 2, MAC: "02:00:00:00:00:01", Name: new("door"), Location: new("hall"), Modules: map[string]bool{"wifi": true}},
		{Line: 3, MAC: "02:00:00:00:00:02", Name: new("another's")},
		{Line: 4, MAC: "02:00:00:00:00:03", Location: new("nowhere")},
		{Line: 5, MAC: "02:00:00:00:00:04", Name: new("new"), Location: new("hall"), Clock: new("source"), Modules: map[string]bool{"ble": false}},
		{Line: 6, MAC: "02:00:00:00:00:01", Name: new("twice")},
		{Line: 7, Err: schema.Errorf(schema.Invalid, "mac", "is none")},
		{Line: 8, MAC: "02:00:00:00:00:05"},
	}
	kinds := func(results []postgres.DeviceLineResult) (out []string) {
		for _, r := range results {
			what := fmt.Sprint(schema.KindOf(r.Err))
			if r.Err == nil {
				what = map[bool]string{true: "created", false: map[bool]string{true: "changed", false: "as it was"}[r.Changed]}[r.Created]
			}
			out = append(out, what)
		}
		return out
	}
	want := []string{"changed", "conflict", "not_found", "created", "conflict", "invalid", "created"}
	if got := kinds(must(db.ImportDevices(ctx, postgres.In(o.ID), o.ID, lines, true))); !slices.Equal(got, want) {
		t.Errorf("dry run: %v, want %v", got, want)
	}
	if n := count(t, db, "SELECT count(*) FROM device"); n != 2 {
		t.Errorf("the dry run left %d devices, want 2", n)
	}
	if got := kinds(must(db.ImportDevices(ctx, postgres.In(o.ID), o.ID, lines, false))); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	found, _, err := db.Devices(ctx, postgres.In(o.ID), postgres.DeviceFilter{Location: hall.ID}, postgres.Page{})
	if err != nil || len(found) != 2 || found[0].Name != "door" || !found[0].Config.On()["wifi"] || found[1].Clock != "source" || found[1].Config.On()["ble"] {
		t.Errorf("got %+v, %v", found, err)
	}
	again := []string{"as it was", "conflict", "not_found", "as it was", "conflict", "invalid", "as it was"}
	if got := kinds(must(db.ImportDevices(ctx, postgres.In(o.ID), o.ID, lines, false))); !slices.Equal(got, again) {
		t.Errorf("once more: %v, want %v", got, again)
	}
}
