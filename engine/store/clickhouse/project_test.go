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
