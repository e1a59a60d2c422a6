package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mybeacon/engine/access"
	"mybeacon/engine/embedded/embeddedtest"
	"mybeacon/engine/store/postgres"
	"mybeacon/engine/store/postgres/postgrestest"
	"mybeacon/schema"
)

func wantKind(t *testing.T, err error, want schema.Kind) {
	t.Helper()
	if err == nil || schema.KindOf(err) != want {
		t.Fatalf("got error %v of kind %v, want %v", err, schema.KindOf(err), want)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestMigrateTwiceAndAtOnce(t *testing.T) {
	db, err := postgres.Open(t.Context(), embeddedtest.NewPostgresDatabase(t))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var wg sync.WaitGroup
	errs := make([]error, 3)
	for i := range errs {
		wg.Go(func() { errs[i] = db.Migrate(t.Context()) })
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			t.Error(err)
		}
	}
	if err := db.Migrate(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestOrganisations(t *testing.T) {
	db := postgrestest.Open(t)
	ctx := t.Context()
	a := postgrestest.Organisation(t, db, "Аэропорт", "wifi", "ble")
	b := postgrestest.Organisation(t, db, "Bakery")
	if diff := cmp.Diff([]string{"ble", "wifi"}, a.Products); diff != "" {
		t.Error(diff)
	}
	if a.KeepDays != 365 || a.TimeZone != "UTC" || time.Since(a.CreatedAt) > time.Minute {
		t.Errorf("got %+v", a)
	}
	_, err := db.CreateOrganisation(ctx, postgres.Organisation{Name: "Bakery", TimeZone: "UTC", KeepDays: 1})
	wantKind(t, err, schema.Conflict)

	got, _, err := db.Organisations(ctx, postgres.AllOrganisations(), postgres.OrganisationFilter{}, postgres.Page{})
	if err != nil || len(got) != 2 || got[0].ID != b.ID {
		t.Errorf("all: got %v, %v", got, err)
	}
	got, _, err = db.Organisations(ctx, postgres.AllOrganisations(), postgres.OrganisationFilter{Name: "Аэропорт"}, postgres.Page{})
	if err != nil || len(got) != 1 || got[0].ID != a.ID {
		t.Errorf("by name: got %v, %v", got, err)
	}
	got, _, err = db.Organisations(ctx, postgres.In(a.ID), postgres.OrganisationFilter{}, postgres.Page{})
	if err != nil || len(got) != 1 || got[0].ID != a.ID {
		t.Errorf("own: got %v, %v", got, err)
	}
	_, err = db.Organisation(ctx, postgres.In(a.ID), b.ID)
	wantKind(t, err, schema.NotFound)
}

// The zero scope and another organisation's scope see no object of any kind.
func TestScopesDoNotLeak(t *testing.T) {
	db := postgrestest.Open(t)
	ctx := t.Context()
	mine := postgrestest.Organisation(t, db, "mine")
	other := postgrestest.Organisation(t, db, "other")
	location := postgrestest.Location(t, db, mine, "hall")
	device, _ := postgrestest.Device(t, db, mine, "02:00:00:00:00:01")
	for name, scope := range map[string]postgres.Scope{"zero": {}, "other": postgres.In(other.ID)} {
		if _, err := db.Location(ctx, scope, location.ID); schema.KindOf(err) != schema.NotFound {
			t.Errorf("%s location: %v", name, err)
		}
		if _, err := db.Device(ctx, scope, device.ID); schema.KindOf(err) != schema.NotFound {
			t.Errorf("%s device: %v", name, err)
		}
		if _, err := db.ChangeDevice(ctx, scope, device.ID, postgres.DevicePatch{Name: new("taken")}); schema.KindOf(err) != schema.NotFound {
			t.Errorf("%s change device: %v", name, err)
		}
		if _, err := db.RotateDeviceToken(ctx, scope, device.ID, "x"); schema.KindOf(err) != schema.NotFound {
			t.Errorf("%s rotate token: %v", name, err)
		}
		locations, _, err := db.Locations(ctx, scope, postgres.LocationFilter{}, postgres.Page{})
		devices, _, err2 := db.Devices(ctx, scope, postgres.DeviceFilter{}, postgres.Page{})
		bindings, err3 := db.Bindings(ctx, scope)
		names, err4 := db.Names(ctx, scope)
		if len(locations)+len(devices)+len(bindings)+len(names) != 0 || err != nil || err2 != nil || err3 != nil || err4 != nil {
			t.Errorf("%s lists: %v %v %v %v", name, locations, devices, bindings, names)
		}
	}
	if got := must(db.Device(ctx, postgres.In(mine.ID), device.ID)); got.Name != "" {
		t.Errorf("a foreign scope renamed the device to %q", got.Name)
	}
}

func TestNarrow(t *testing.T) {
	a, b := schema.NewID[schema.OrganisationID](), schema.NewID[schema.OrganisationID]()
	f := func(s postgres.Scope, to schema.OrganisationID, want postgres.Scope, wantOK bool) {
		t.Helper()
		if got, ok := s.Narrow(to); !reflect.DeepEqual(got, want) || ok != wantOK {
			t.Errorf("%v narrowed to %v: got %v, %v", s, to, got, ok)
		}
	}
	f(postgres.AllOrganisations(), a, postgres.In(a), true)
	f(postgres.In(a), a, postgres.In(a), true)
	f(postgres.In(a), b, postgres.Scope{}, false)
	f(postgres.Scope{}, a, postgres.Scope{}, false)
	f(postgres.Scope{}, schema.OrganisationID{}, postgres.Scope{}, false)
	f(postgres.AllOrganisations(), schema.OrganisationID{}, postgres.Scope{}, false)
}

// Walking the pages gives every row once, in order, whatever the page's size.
func TestPaging(t *testing.T) {
	db := postgrestest.Open(t)
	o := postgrestest.Organisation(t, db, "pages")
	for i := range 7 {
		postgrestest.Device(t, db, o, fmt.Sprintf("02:00:00:00:00:%02x", i))
		postgrestest.Location(t, db, o, fmt.Sprintf("location %d", (i*3)%7))
	}
	for limit := 1; limit <= 8; limit++ {
		var numbers []int64
		var names []string
		page := postgres.Page{Limit: limit}
		for more := true; more; more = page.After != (postgres.Cursor{}) {
			got, next, err := db.Devices(t.Context(), postgres.In(o.ID), postgres.DeviceFilter{}, page)
			if err != nil || len(got) > limit {
				t.Fatalf("limit %d: %d rows, %v", limit, len(got), err)
			}
			for _, d := range got {
				numbers = append(numbers, d.Number)
			}
			page.After = next
		}
		for more := true; more; more = page.After != (postgres.Cursor{}) {
			got, next, err := db.Locations(t.Context(), postgres.In(o.ID), postgres.LocationFilter{}, page)
			if err != nil {
				t.Fatal(err)
			}
			for _, l := range got {
				names = append(names, strings.TrimPrefix(l.Name, "location "))
			}
			page.After = next
		}
		if got := fmt.Sprint(numbers); got != "[1 2 3 4 5 6 7]" {
			t.Errorf("limit %d: devices %s", limit, got)
		}
		if got := strings.Join(names, ""); got != "0123456" {
			t.Errorf("limit %d: locations %s", limit, got)
		}
	}
	_, _, err := db.Devices(t.Context(), postgres.In(o.ID), postgres.DeviceFilter{}, postgres.Page{After: postgres.Cursor{Key: "x", ID: "y"}})
	wantKind(t, err, schema.Invalid)
}

func TestDevices(t *testing.T) {
	db := postgrestest.Open(t)
	ctx := t.Context()
	o := postgrestest.Organisation(t, db, "mine")
	other := postgrestest.Organisation(t, db, "other")
	hall := postgrestest.Location(t, db, o, "hall")
	foreign := postgrestest.Location(t, db, other, "hall")
	d, token := postgrestest.Device(t, db, o, "02:00:00:00:00:01")
	scope := postgres.In(o.ID)

	_, err := db.CreateDevice(ctx, other.ID, postgres.Device{MAC: d.MAC, Clock: "device"}, "t")
	wantKind(t, err, schema.Conflict)
	_, err = db.CreateDevice(ctx, o.ID, postgres.Device{MAC: "02:00:00:00:00:02", Clock: "device", Location: foreign.ID}, "t")
	wantKind(t, err, schema.NotFound)
	_, err = db.ChangeDevice(ctx, scope, d.ID, postgres.DevicePatch{Location: &foreign.ID})
	wantKind(t, err, schema.NotFound)
	_, err = db.CreateDevice(ctx, schema.NewID[schema.OrganisationID](), postgres.Device{MAC: "02:00:00:00:00:03", Clock: "device"}, "t")
	wantKind(t, err, schema.NotFound)

	changed := must(db.ChangeDevice(ctx, scope, d.ID, postgres.DevicePatch{Location: &hall.ID, Name: new("door"), Clock: new("source")}))
	if changed.Location != hall.ID || changed.Name != "door" || changed.Clock != "source" || changed.Number != d.Number {
		t.Errorf("got %+v", changed)
	}
	for name, filter := range map[string]postgres.DeviceFilter{
		"number": {Number: d.Number}, "mac": {MAC: d.MAC}, "location": {Location: hall.ID},
	} {
		got, _, err := db.Devices(ctx, scope, filter, postgres.Page{})
		if err != nil || len(got) != 1 || got[0].ID != d.ID {
			t.Errorf("by %s: got %v, %v", name, got, err)
		}
	}
	bound := must(db.DeviceByToken(ctx, token))
	if bound.ID != d.ID || bound.KeepDays != 365 || bound.Location != hall.ID || bound.Organisation != o.ID {
		t.Errorf("got %+v", bound)
	}
	fresh := postgres.NewSecret(postgres.DeviceTokenPrefix)
	must(db.RotateDeviceToken(ctx, scope, d.ID, fresh))
	_, err = db.DeviceByToken(ctx, token)
	wantKind(t, err, schema.Unauthorized)
	_, err = db.DeviceByToken(ctx, "mbd_' OR 1=1 --")
	wantKind(t, err, schema.Unauthorized)
	if got := must(db.DeviceByToken(ctx, fresh)); got.ID != d.ID {
		t.Errorf("got %+v", got)
	}
	away := must(db.ChangeDevice(ctx, scope, d.ID, postgres.DevicePatch{Location: &schema.LocationID{}}))
	if !away.Location.IsZero() {
		t.Errorf("still at %v", away.Location)
	}
}

func TestSawDevicesKeepsTheNewest(t *testing.T) {
	db := postgrestest.Open(t)
	o := postgrestest.Organisation(t, db, "o")
	d, _ := postgrestest.Device(t, db, o, "02:00:00:00:00:01")
	newest := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	for _, at := range []time.Time{newest.Add(-time.Hour), newest, newest.Add(-time.Minute)} {
		if err := db.SawDevices(t.Context(), map[schema.DeviceID]postgres.Seen{d.ID: {At: at}}); err != nil {
			t.Fatal(err)
		}
	}
	if got := must(db.Device(t.Context(), postgres.In(o.ID), d.ID)); !got.LastSeen.Equal(newest) {
		t.Errorf("last seen %v, want %v", got.LastSeen, newest)
	}
}

func TestAccountsAndTokens(t *testing.T) {
	db := postgrestest.Open(t)
	ctx := t.Context()
	o := postgrestest.Organisation(t, db, "o", "ble")
	a := must(db.CreateAccount(ctx, postgres.Account{Organisation: o.ID, Email: "Maria@example.com", Role: "owner"}, "hash"))
	got, hash, err := db.AccountByEmail(ctx, "maria@EXAMPLE.com")
	if err != nil || hash != "hash" || got.ID != a.ID || got.Role != "owner" || len(got.Products) != 1 {
		t.Errorf("got %+v, %q, %v", got, hash, err)
	}
	_, err = db.CreateAccount(ctx, postgres.Account{Organisation: o.ID, Email: "MARIA@example.com"}, "h")
	wantKind(t, err, schema.Conflict)
	_, _, err = db.AccountByEmail(ctx, "nobody@example.com")
	wantKind(t, err, schema.NotFound)

	live, dead := postgres.NewSecret(postgres.APITokenPrefix), postgres.NewSecret(postgres.APITokenPrefix)
	must(db.CreateAPIToken(ctx, a, "live", live, time.Now().Add(time.Hour)))
	must(db.CreateAPIToken(ctx, a, "dead", dead, time.Now().Add(-time.Hour)))
	if got := must(db.IdentityByToken(ctx, live)); got.ID != a.ID || got.Rights.User != a.ID || got.Rights.Role != access.Owner {
		t.Errorf("got %+v", got)
	}
	_, err = db.IdentityByToken(ctx, dead)
	wantKind(t, err, schema.NotFound)
	for err == nil || schema.KindOf(err) == schema.NotFound {
		_, err = db.CreateAPIToken(ctx, a, "", postgres.NewSecret(postgres.APITokenPrefix), time.Now().Add(time.Hour))
	}
	wantKind(t, err, schema.Conflict)
}

func TestFirstSuperAdminIsMadeOnce(t *testing.T) {
	db := postgrestest.Open(t)
	created := make([]bool, 8)
	var wg sync.WaitGroup
	for i := range created {
		wg.Go(func() {
			created[i] = must(db.CreateFirstSuperAdmin(context.Background(), fmt.Sprintf("admin%d@example.com", i), "h"))
		})
	}
	wg.Wait()
	n := 0
	for _, c := range created {
		if c {
			n++
		}
	}
	if n != 1 || !must(db.HasSuperAdmin(t.Context())) {
		t.Errorf("%d super-admins were made, want 1", n)
	}
}

func TestSessions(t *testing.T) {
	db := postgrestest.Open(t)
	ctx := t.Context()
	s := db.Sessions()
	if err := s.CommitCtx(ctx, "old", []byte("x"), time.Now().Add(-time.Second)); err != nil {
		t.Fatal(err)
	}
	if err := s.CommitCtx(ctx, "new", []byte("y"), time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if _, found, err := s.FindCtx(ctx, "old"); found || err != nil {
		t.Errorf("an expired session is found: %v", err)
	}
	if data, found, err := s.FindCtx(ctx, "new"); !found || err != nil || string(data) != "y" {
		t.Errorf("got %q %v %v", data, found, err)
	}
	var rows int
	if err := db.Pool().QueryRow(ctx, "SELECT count(*) FROM sessions").Scan(&rows); err != nil || rows != 1 {
		t.Errorf("%d rows are left, want the live one: %v", rows, err)
	}
	if err := s.DeleteCtx(ctx, "new"); err != nil {
		t.Fatal(err)
	}
	if _, found, _ := s.FindCtx(ctx, "new"); found {
		t.Error("a deleted session is found")
	}
}

// A change is heard by watchers when it commits and not when it is rolled back,
// also after the watcher's connection was cut.
func TestWatch(t *testing.T) {
	db := postgrestest.Open(t)
	heard := make(chan string, 16)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		db.Watch(ctx, func(topic string) { heard <- topic })
	}()
	defer func() { cancel(); <-done }()
	next := func(want string) {
		t.Helper()
		select {
		case got := <-heard:
			if got != want {
				t.Fatalf("heard %q, want %q", got, want)
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("heard nothing, want %q", want)
		}
	}
	next("")
	rollback := fmt.Errorf("rolled back")
	if err := db.Change(ctx, postgres.AllOrganisations(), "lost", func(postgres.Tx) error { return rollback }); err == nil {
		t.Fatal("the error of the change is lost")
	}
	if err := db.Change(ctx, postgres.AllOrganisations(), "ble", func(tx postgres.Tx) error { tx.Unrecorded("a test"); return nil }); err != nil {
		t.Fatal(err)
	}
	next("ble")
	const cut = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND datname = current_database()`
	owner := must(db.Owner(ctx))
	defer owner.Close()
	must(owner.Exec(ctx, cut))
	next("")
	if err := db.Notify(ctx, "core"); err != nil {
		t.Fatal(err)
	}
	next("core")
}

// Who asks for others' changes does not hear its own of that topic, and all of
// others and of other topics.
func TestWatchOthers(t *testing.T) {
	db := postgrestest.Open(t)
	other, err := postgres.Open(t.Context(), db.Pool().Config().ConnString())
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	heard := make(chan string, 16)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		db.WatchOthers(ctx, "ble", func(topic string) { heard <- topic })
	}()
	defer func() { cancel(); <-done }()
	if got := <-heard; got != "" {
		t.Fatalf("heard %q at first", got)
	}
	both := func(tx postgres.Tx) error { tx.Unrecorded("a test"); return db.Announce(ctx, tx, postgres.CoreTopic) }
	if err := errors.Join(db.Notify(ctx, "ble"), other.Notify(ctx, "ble"), db.Change(ctx, postgres.AllOrganisations(), "ble", both), db.Notify(ctx, "last")); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"ble", "core", "last"} {
		if got := <-heard; got != want {
			t.Errorf("heard %q, want %q", got, want)
		}
	}
}

func TestUnreachableIsUnavailable(t *testing.T) {
	_, err := postgres.Open(t.Context(), "host="+t.TempDir()+" user=nobody dbname=none")
	wantKind(t, err, schema.Unavailable)
}

func TestParseMAC(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		got, err := postgres.ParseMAC(in)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: got %q, %v", in, got, err)
		}
	}
	f("02:00:5E:10:00:01", "02:00:5e:10:00:01")
	f("02-00-5e-10-00-01", "02:00:5e:10:00:01")
	f("0200.5e10.0001", "02:00:5e:10:00:01")
	f("02:00:5e:10:00", "")
	f("02:00:5e:10:00:01:02:03", "")
	f("", "")
}

func TestSecrets(t *testing.T) {
	a, b := postgres.NewSecret(postgres.APITokenPrefix), postgres.NewSecret(postgres.APITokenPrefix)
	if a == b || !postgres.IsSecret(postgres.APITokenPrefix, a) || postgres.IsSecret(postgres.DeviceTokenPrefix, a) || postgres.IsSecret(postgres.APITokenPrefix, a+"x") {
		t.Errorf("got %q and %q", a, b)
	}
}
