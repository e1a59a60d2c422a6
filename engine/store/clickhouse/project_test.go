package clickhouse_test

import (
	"testing"

	schemach "mybeacon/schema/clickhouse"
)

// The project's own migrations run twice over.
func TestMigrateProject(t *testing.T) {
	db, _ := open(t)
	for range 2 {
		if err := db.Migrate(t.Context(), schemach.FS); err != nil {
			t.Fatal(err)
		}
	}
	if n := count(t, db, "SELECT count() FROM observations FINAL"); n != 0 {
		t.Errorf("%d observations in a new warehouse", n)
	}
}

// A row goes when its own retention is over, and no earlier: the end of a very
// long one does not wrap into the past.
func TestRetention(t *testing.T) {
	db, _ := open(t)
	if err := db.Migrate(t.Context(), schemach.FS); err != nil {
		t.Fatal(err)
	}
	tables := map[string]string{"observations": "at", "fixes": "at", "zone_visits": "entered_at"}
	for table, at := range tables {
		for _, keep := range []string{"1", "365", "19999", "20000", "29000", "36500", "65534", "65535"} {
			sql := "INSERT INTO " + table + " (org, " + at + ", keep_days) SELECT generateUUIDv4(), now64(3) - INTERVAL 2 DAY, " + keep
			if err := db.Conn().Exec(t.Context(), sql); err != nil {
				t.Fatal(err)
			}
		}
		if err := db.Conn().Exec(t.Context(), "OPTIMIZE TABLE "+table+" FINAL"); err != nil {
			t.Fatal(err)
		}
		if n := count(t, db, "SELECT countIf(keep_days = 1) * 100 + count() FROM "+table+" FINAL"); n != 7 {
			t.Errorf("%s: %d rows (hundreds: of one day), want the 7 that are kept longer than two days", table, n)
		}
	}
}
