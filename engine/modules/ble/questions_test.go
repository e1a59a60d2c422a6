package ble_test

import (
	"slices"
	"testing"

	ch "github.com/ClickHouse/clickhouse-go/v2"

	"mybeacon/engine/embedded/embeddedtest"
	"mybeacon/engine/modules/ble"
	"mybeacon/engine/store/clickhouse"
	migrations "mybeacon/schema/clickhouse"
)

// Every ready question is answered with its defaults, and its chart draws columns that
// the answer has.
func TestQuestions(t *testing.T) {
	db, err := clickhouse.Open(embeddedtest.NewClickHouseDatabase(t), clickhouse.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if err := db.Migrate(t.Context(), migrations.FS); err != nil {
		t.Fatal(err)
	}
	for _, q := range ble.New().Questions() {
		var args []any
		for _, p := range q.Params {
			args = append(args, ch.Named(p.Name, p.Default))
		}
		columns, err := columnsOf(t, db, q.SQL, args)
		if err != nil {
			t.Errorf("%s: %v", q.ID, err)
			continue
		}
		if c := q.Chart; c != nil && (!slices.Contains(columns, c.X) || !slices.Contains(columns, c.Y) || c.Series != "" && !slices.Contains(columns, c.Series)) {
			t.Errorf("%s draws %+v of %q", q.ID, *c, columns)
		}
		if q.Title.En == "" || q.Title.Ru == "" {
			t.Errorf("%s has no title", q.ID)
		}
	}
}

// columnsOf runs the statement and returns the columns of its answer.
func columnsOf(t *testing.T, db *clickhouse.DB, sql string, args []any) (names []string, err error) {
	t.Helper()
	if err := db.Conn().Exec(t.Context(), sql, args...); err != nil {
		return nil, err
	}
	rows, err := db.Conn().Query(t.Context(), "DESCRIBE (\n"+sql+"\n)", args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // its error is Err's
	for rows.Next() {
		var c [7]string
		if err := rows.Scan(&c[0], &c[1], &c[2], &c[3], &c[4], &c[5], &c[6]); err != nil {
			return nil, err
		}
		names = append(names, c[0])
	}
	return names, rows.Err()
}
