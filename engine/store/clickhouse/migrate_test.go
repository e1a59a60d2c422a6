package clickhouse_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"mybeacon/engine/embedded/embeddedtest"
	"mybeacon/engine/store/clickhouse"
)

func files(pairs ...string) fstest.MapFS {
	fsys := fstest.MapFS{"README.md": {Data: []byte("not a migration")}}
	for i := 0; i < len(pairs); i += 2 {
		fsys[pairs[i]] = &fstest.MapFile{Data: []byte(pairs[i+1])}
	}
	return fsys
}

const (
	makeA = "-- the first; table\nCREATE TABLE IF NOT EXISTS a (v UInt8) ENGINE = MergeTree ORDER BY v;\n"
	makeB = "CREATE TABLE IF NOT EXISTS b (v UInt8) ENGINE = MergeTree ORDER BY v; INSERT INTO b SELECT 1;"
)

func count(t *testing.T, db *clickhouse.DB, sql string) (n uint64) {
	t.Helper()
	if err := db.Conn().QueryRow(t.Context(), sql).Scan(&n); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return n
}

func TestMigrate(t *testing.T) {
	db, _ := open(t)
	ctx := t.Context()
	if err := db.Migrate(ctx, files("0001_a.sql", makeA)); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second run finds nothing to do
		if err := db.Migrate(ctx, files("0001_a.sql", makeA, "0002_b.sql", makeB)); err != nil {
			t.Fatal(err)
		}
	}
	if n := count(t, db, "SELECT count() FROM b"); n != 1 {
		t.Errorf("b has %d rows: the migration ran %d times", n, n)
	}
	if n := count(t, db, "SELECT count() FROM schema_migration FINAL"); n != 2 {
		t.Errorf("%d migrations recorded, want 2", n)
	}
	// An older program leaves a newer schema alone.
	if err := db.Migrate(ctx, files("0001_a.sql", makeA)); err != nil {
		t.Errorf("an older program: %v", err)
	}
}

func TestMigrateRefuses(t *testing.T) {
	db, _ := open(t)
	ctx := t.Context()
	if err := db.Migrate(ctx, files("0001_a.sql", makeA, "0005_b.sql", makeB)); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		files fstest.MapFS
		want  string
	}{
		"changed file":  {files("0001_a.sql", makeA+"-- more", "0005_b.sql", makeB), "was changed after it was applied"},
		"late number":   {files("0001_a.sql", makeA, "0003_c.sql", makeA, "0005_b.sql", makeB), "comes before migration 5"},
		"twice":         {files("0001_a.sql", makeA, "0001_b.sql", makeA), "has the number of 0001_a.sql"},
		"bad name":      {files("1-a.sql", makeA), "is not named like"},
		"open quote":    {files("0006_x.sql", "SELECT 'a"), "not closed"},
		"bad statement": {files("0001_a.sql", makeA, "0005_b.sql", makeB, "0006_x.sql", "SELECT 1; CREATE NOTHING"), "0006_x.sql, statement 2 of 2"},
	} {
		if err := db.Migrate(ctx, c.files); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// A crash half-way leaves the file unrecorded: it runs again from its first statement.
func TestMigrateAfterCrash(t *testing.T) {
	db, _ := open(t)
	ctx := t.Context()
	half := strings.Split(makeA, ";\n")[0] + ";\n"
	if err := db.Migrate(ctx, files("0001_ab.sql", half+"CREATE TABLE b (v Nonsense) ENGINE = Null")); err == nil {
		t.Fatal("a wrong statement passed")
	}
	if n := count(t, db, "SELECT count() FROM system.tables WHERE database = currentDatabase() AND name = 'a'"); n != 1 {
		t.Fatal("the first statement did not run: nothing was half done")
	}
	if err := db.Migrate(ctx, files("0001_ab.sql", half+makeB)); err != nil {
		t.Fatalf("after the crash: %v", err)
	}
	if n := count(t, db, "SELECT count() FROM b"); n != 1 {
		t.Errorf("b has %d rows, want 1", n)
	}
}

func TestMigrateUnderLock(t *testing.T) {
	url := embeddedtest.NewClickHouseDatabase(t)
	var mu sync.Mutex
	lock := func(ctx context.Context, do func(context.Context) error) error {
		mu.Lock()
		defer mu.Unlock()
		return do(ctx)
	}
	// Not safe to run twice: only the lock lets one of them do it.
	fsys := files("0001_once.sql", "CREATE TABLE once (v UInt8) ENGINE = Null")
	var group sync.WaitGroup
	for range 4 {
		db, err := clickhouse.Open(url, clickhouse.Options{Lock: lock})
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		group.Go(func() {
			if err := db.Migrate(t.Context(), fsys); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
}
