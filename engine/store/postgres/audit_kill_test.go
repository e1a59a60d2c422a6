package postgres_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"mybeacon/engine/embedded"
	"mybeacon/engine/embedded/embeddedtest"
	"mybeacon/engine/store/postgres"
	"mybeacon/engine/store/postgres/postgrestest"
	"mybeacon/schema"
)

// The database is killed again and again in the middle of many changes. Every change
// that was acknowledged is stored and has its entry, no entry is of a change that is
// not, and the chain is whole.
func TestKilledDatabaseLosesNoEntry(t *testing.T) {
	actions, kills := 10_000, 4
	if testing.Short() {
		actions, kills = 300, 1
	}
	const workers = 8
	cfg := embeddedtest.Config(t)
	cfg.Log = slog.New(slog.DiscardHandler)
	cfg.PostgresSettings = nil // tests usually do without waiting for the disk; an acknowledgement means that it was waited for
	stores, err := embedded.StartPostgres(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := stores.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	db, err := postgres.Open(t.Context(), stores.PostgresURL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	o := postgrestest.Organisation(t, db, "mine")

	acts := &acknowledged{every: actions / (kills + 1), most: kills, kill: func() { kill(t, stores) }}
	began := time.Now()
	var all sync.WaitGroup
	for w := range workers {
		all.Go(func() {
			for n := w; n < actions; n += workers {
				acts.until(t, db, o.ID, n)
			}
		})
	}
	all.Wait()
	t.Logf("%d changes acknowledged in %s with %d kills", len(acts.names), time.Since(began).Round(time.Millisecond), acts.kills)
	if acts.kills < kills {
		t.Fatalf("the database was killed %d times, want %d", acts.kills, kills)
	}
	acts.compare(t, db, workers)
	if r := verify(t, db); r.Broken != 0 {
		t.Errorf("%+v", r)
	}
}

// kill ends PostgreSQL at once; it is started again by its keeper.
func kill(t *testing.T, stores *embedded.Stores) {
	if err := syscall.Kill(stores.Postgres().PID(), syscall.SIGKILL); err != nil {
		t.Error(err)
	}
}

// acknowledged are the changes of which the store said that they are made.
type acknowledged struct {
	every, most int // a kill comes after so many, so often
	kill        func()

	mu    sync.Mutex
	names []string
	kills int
}

// until makes the n-th change under new names until one is acknowledged.
func (a *acknowledged) until(t *testing.T, db *postgres.DB, o schema.OrganisationID, n int) {
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for try := 0; t.Context().Err() == nil; try++ {
		name := fmt.Sprintf("site %d.%d", n, try)
		_, err := db.CreateLocation(t.Context(), o, postgres.Location{Name: name, TimeZone: "UTC"})
		if err == nil {
			a.took(name)
			return
		}
		<-again.C
	}
}

func (a *acknowledged) took(name string) {
	a.mu.Lock()
	a.names = append(a.names, name)
	now := len(a.names)%a.every == 0 && a.kills < a.most
	if now {
		a.kills++
	}
	a.mu.Unlock()
	if now {
		a.kill()
	}
}

// compare requires that what is stored and what is written down is the same, with all
// that was acknowledged. What was under way at a kill may be stored without a word.
func (a *acknowledged) compare(t *testing.T, db *postgres.DB, workers int) {
	t.Helper()
	names := func(sql string) []string {
		found, err := postgres.Collect(t.Context(), db.In(postgres.AllOrganisations()), pgx.RowTo[string], sql)
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(found)
		return found
	}
	made := names(`SELECT name FROM location`)
	written := names(`SELECT body::jsonb #>> '{object,name}' FROM audit_entry WHERE kind = 'location' AND action = 'create'`)
	t.Logf("%d changes stored, %d entries", len(made), len(written))
	if !slices.Equal(made, written) {
		t.Errorf("%d changes have %d entries", len(made), len(written))
	}
	for _, name := range a.names {
		if _, ok := slices.BinarySearch(written, name); !ok {
			t.Errorf("the acknowledged change of %q has no entry", name)
		}
	}
	if more := len(written) - len(a.names); more > workers*a.kills {
		t.Errorf("%d changes more than were acknowledged are stored", more)
	}
}
