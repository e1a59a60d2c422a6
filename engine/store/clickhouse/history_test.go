package clickhouse_test

import (
	"fmt"
	"io/fs"
	"testing"
	"testing/fstest"

	"mybeacon/engine/store/clickhouse"
	schemach "mybeacon/schema/clickhouse"
)

// before returns the project's migrations up to a number.
func before(t *testing.T, number string) fstest.MapFS {
	t.Helper()
	names, err := fs.Glob(schemach.FS, "*.sql")
	if err != nil {
		t.Fatal(err)
	}
	out := fstest.MapFS{}
	for _, name := range names {
		if text, err := schemach.FS.ReadFile(name); err == nil && name < number {
			out[name] = &fstest.MapFile{Data: text}
		}
	}
	return out
}

// The tables that are made anew keep their rows, whatever statement the migration
// was cut off after.
func TestHistoryKeepsRowsAfterEveryCrash(t *testing.T) {
	text, err := schemach.FS.ReadFile("0004_history.sql")
	if err != nil {
		t.Fatal(err)
	}
	statements, err := clickhouse.Split(string(text))
	if err != nil {
		t.Fatal(err)
	}
	for done := range len(statements) {
		days := uint64(2)
		if done == 0 {
			days = 101 // more partitions than an ordinary insert may touch
		}
		db, _ := open(t)
		ctx := t.Context()
		if err := db.Migrate(ctx, before(t, "0004")); err != nil {
			t.Fatal(err)
		}
		for _, sql := range []string{
			fmt.Sprintf("INSERT INTO fixes (org, at, x_m, rev, keep_days) SELECT generateUUIDv4(), toDateTime('2026-01-01') + number * 86400, number, 1, 65535 FROM numbers(%d) SETTINGS max_partitions_per_insert_block = 0", days),
			fmt.Sprintf("INSERT INTO zone_visits (org, entered_at, visit_id, rev, keep_days) SELECT generateUUIDv4(), toDateTime('2026-01-01') + number * 86400, generateUUIDv4(), 1, 65535 FROM numbers(%d)", days),
		} {
			if err := db.Conn().Exec(ctx, sql); err != nil {
				t.Fatal(err)
			}
		}
		for _, sql := range statements[:done] {
			if err := db.Conn().Exec(ctx, sql); err != nil {
				t.Fatalf("%s: %v", sql, err)
			}
		}
		if err := db.Migrate(ctx, schemach.FS); err != nil {
			t.Fatalf("cut off after %d statements: %v", done, err)
		}
		for _, table := range []string{"fixes", "zone_visits"} {
			if n := count(t, db, "SELECT count() FROM "+table+" FINAL"); n != days {
				t.Errorf("cut off after %d statements: %s has %d rows, want %d", done, table, n, days)
			}
			if n := count(t, db, "SELECT count() FROM system.tables WHERE database = currentDatabase() AND name = '"+table+"' AND engine_full LIKE 'ReplacingMergeTree(rev, is_deleted) PARTITION BY to% TTL % non_replicated_deduplication_window = 1000%'"); n != 1 {
				t.Errorf("cut off after %d statements: %s is not what it should be", done, table)
			}
		}
		if n := count(t, db, "SELECT count() FROM system.tables WHERE database = currentDatabase() AND name LIKE '%_next'"); n != 0 {
			t.Errorf("cut off after %d statements: %d tables were left over", done, n)
		}
	}
}

// What was taken back stays so: also after merges, and when an older row of it
// arrives once more.
func TestRetractedRowsStayHidden(t *testing.T) {
	db, _ := open(t)
	ctx := t.Context()
	if err := db.Migrate(ctx, schemach.FS); err != nil {
		t.Fatal(err)
	}
	exec := func(sql string) {
		t.Helper()
		if err := db.Conn().Exec(ctx, sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	insert := func(rev, deleted int) {
		t.Helper()
		exec(fmt.Sprintf("INSERT INTO fixes (at, x_m, rev, is_deleted, keep_days) VALUES ('2026-01-01 00:00:00', %d, %d, %d, 65535)", rev, rev, deleted))
		exec(fmt.Sprintf("INSERT INTO zone_visits (entered_at, rev, is_deleted, keep_days) VALUES ('2026-01-01 00:00:00', %d, %d, 65535)", rev, deleted))
	}
	f := func(when string, rows uint64) {
		t.Helper()
		for _, name := range []string{"fixes FINAL", "zone_visits FINAL", "visits", "last_seen"} {
			if n := count(t, db, "SELECT count() FROM "+name); n != rows {
				t.Errorf("%s: %s shows %d rows, want %d", when, name, n, rows)
			}
		}
		if n := count(t, db, "SELECT count() FROM occupancy WHERE tags > 0"); n != rows {
			t.Errorf("%s: occupancy shows %d rows, want %d", when, n, rows)
		}
	}
	merge := func() {
		t.Helper()
		exec("OPTIMIZE TABLE fixes FINAL")
		exec("OPTIMIZE TABLE zone_visits FINAL")
	}
	insert(1, 0)
	f("written", 1)
	insert(3, 1)
	f("taken back", 0)
	merge()
	f("merged", 0)
	insert(2, 0)
	f("an older row once more", 0)
	merge()
	f("and merged", 0)
	insert(4, 0)
	f("derived again", 1)
	merge()
	f("and merged too", 1)
}
