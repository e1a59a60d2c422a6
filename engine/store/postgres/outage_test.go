package postgres_test

import (
	"context"
	"testing"
	"time"

	"mybeacon/engine/embedded"
	"mybeacon/engine/embedded/embeddedtest"
	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

// While the server is away every call fails as Unavailable, at once and not
// with the text of the driver.
func TestOutage(t *testing.T) {
	ctx := t.Context()
	stores, err := embedded.StartPostgres(ctx, embeddedtest.Config(t))
	if err != nil {
		t.Fatal(err)
	}
	stop := func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := stores.Stop(ctx); err != nil {
			t.Error(err)
		}
	}
	db, err := postgres.Open(ctx, stores.PostgresURL())
	if err != nil {
		stop()
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Migrate(ctx); err != nil {
		stop()
		t.Fatal(err)
	}
	stop()
	began := time.Now()
	for range 3 { // first on connections that were cut, then without any
		_, _, err := db.AccountByEmail(ctx, "admin@example.com")
		wantKind(t, err, schema.Unavailable)
		_, _, err = db.Sessions().FindCtx(ctx, "token")
		wantKind(t, err, schema.Unavailable)
		_, _, err = db.Devices(ctx, postgres.AllOrganisations(), postgres.DeviceFilter{}, postgres.Page{})
		wantKind(t, err, schema.Unavailable)
		wantKind(t, db.Notify(ctx, "core"), schema.Unavailable)
		wantKind(t, db.Ping(ctx), schema.Unavailable)
	}
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("failing took %v", took)
	}
}

// A server that stands still refuses nothing: who asks promptly is told within
// seconds, on connections that were open and when new ones are needed, and is answered
// again when it goes on.
func TestStandstill(t *testing.T) {
	ctx := t.Context()
	stores, err := embedded.StartPostgres(ctx, embeddedtest.Config(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := stores.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	db, err := postgres.Open(ctx, stores.PostgresURL())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Migrate(ctx); err != nil {
		t.Fatal(err)
	}
	prompt := postgres.Prompt(ctx)
	resume := embeddedtest.Freeze(t, stores.Postgres().PID())
	for range 2 {
		for what, call := range map[string]func() error{
			"a statement": func() error { _, _, err := db.AccountByEmail(prompt, "admin@example.com"); return err },
			"a transaction": func() error {
				return db.Change(prompt, postgres.AllOrganisations(), "core", func(tx postgres.Tx) error { tx.Unrecorded("a test"); _, err := tx.Exec(prompt, "SELECT 1"); return err })
			},
		} {
			began := time.Now()
			wantKind(t, call(), schema.Unavailable)
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("%s failed after %v", what, took)
			}
		}
	}
	resume()
	if _, _, err := db.AccountByEmail(prompt, "nobody@example.com"); schema.KindOf(err) != schema.NotFound {
		t.Errorf("when it goes on: %v", err)
	}
}
