// Package postgrestest gives tests a real, migrated, empty relational store and
// the objects that many of them need. A package that uses it has
//
//	func TestMain(m *testing.M) { embeddedtest.Main(m) }
package postgrestest

import (
	"context"
	"testing"

	"mybeacon/engine/embedded/embeddedtest"
	"mybeacon/engine/store/postgres"
)

// Open returns a store on a migrated database of its own, closed when the test
// ends. It works in the server's own role: what tests do past it, and past all scopes,
// goes through [postgres.DB.Pool] or, where a role with more rights is needed,
// [postgres.DB.Owner].
func Open(tb testing.TB) *postgres.DB {
	tb.Helper()
	owner := embeddedtest.NewPostgresDatabaseFrom(tb, "migrated", migrate)
	db, err := postgres.OpenOwned(context.Background(), embeddedtest.RuntimeURL(owner), owner)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(db.Close)
	return db
}

func migrate(ctx context.Context, url string) error {
	db, err := postgres.Open(ctx, url)
	if err != nil {
		return err
	}
	defer db.Close()
	return db.Migrate(ctx)
}

// Organisation creates an organisation with the products switched on.
func Organisation(tb testing.TB, db *postgres.DB, name string, products ...string) postgres.Organisation {
	tb.Helper()
	o, err := db.CreateOrganisation(context.Background(), postgres.Organisation{Name: name, TimeZone: "UTC", KeepDays: 365, Products: products})
	if err != nil {
		tb.Fatal(err)
	}
	return o
}

// Location creates a location of the organisation.
func Location(tb testing.TB, db *postgres.DB, o postgres.Organisation, name string) postgres.Location {
	tb.Helper()
	l, err := db.CreateLocation(context.Background(), o.ID, postgres.Location{Name: name, TimeZone: "UTC"})
	if err != nil {
		tb.Fatal(err)
	}
	return l
}

// Device creates a device of the organisation at no location and returns its
// token too.
func Device(tb testing.TB, db *postgres.DB, o postgres.Organisation, mac string) (postgres.Device, string) {
	tb.Helper()
	token := postgres.NewSecret(postgres.DeviceTokenPrefix)
	d, err := db.CreateDevice(context.Background(), o.ID, postgres.Device{MAC: mac, Clock: postgres.ClockDevice}, token)
	if err != nil {
		tb.Fatal(err)
	}
	return d, token
}
