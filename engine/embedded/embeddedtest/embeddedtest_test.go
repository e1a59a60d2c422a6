package embeddedtest_test

import (
	"context"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/jackc/pgx/v5"

	"mybeacon/engine/embedded/embeddedtest"
)

func TestMain(m *testing.M) { embeddedtest.Main(m) }

func TestPostgresDatabaseIsFresh(t *testing.T) {
	for range 2 {
		conn, err := pgx.Connect(t.Context(), embeddedtest.NewPostgresDatabase(t))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Exec(t.Context(), "CREATE TABLE t (a int)"); err != nil {
			t.Error(err)
		}
		conn.Close(t.Context())
	}
}

func TestPostgresTemplateIsPreparedOnce(t *testing.T) {
	prepared := 0
	prepare := func(ctx context.Context, url string) error {
		prepared++
		conn, err := pgx.Connect(ctx, url)
		if err != nil {
			return err
		}
		defer conn.Close(ctx)
		_, err = conn.Exec(ctx, "CREATE TABLE t AS SELECT 7 AS a")
		return err
	}
	for range 3 {
		conn, err := pgx.Connect(t.Context(), embeddedtest.NewPostgresDatabaseFrom(t, "seven", prepare))
		if err != nil {
			t.Fatal(err)
		}
		var a int
		if err := conn.QueryRow(t.Context(), "UPDATE t SET a = a + 1 RETURNING a").Scan(&a); err != nil || a != 8 {
			t.Errorf("a = %d, %v; want 8: each copy begins as the template was left", a, err)
		}
		conn.Close(t.Context())
	}
	if prepared != 1 {
		t.Errorf("prepared %d times, want once", prepared)
	}
}

func TestClickHouseDatabaseIsFresh(t *testing.T) {
	for range 2 {
		opts, err := clickhouse.ParseDSN(embeddedtest.NewClickHouseDatabase(t))
		if err != nil {
			t.Fatal(err)
		}
		conn, err := clickhouse.Open(opts)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if err := conn.Exec(t.Context(), "CREATE TABLE t (a UInt8) ENGINE = MergeTree ORDER BY a"); err != nil {
			t.Error(err)
		}
	}
}
