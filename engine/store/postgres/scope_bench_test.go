package postgres_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"mybeacon/engine/store/postgres"
	"mybeacon/engine/store/postgres/postgrestest"
)

type asker interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// What it costs that a connection is set to the organisation of the request: next to
// nothing while the same one asks, a round trip when another does.
func BenchmarkScope(b *testing.B) {
	db := postgrestest.Open(b)
	var scopes []postgres.Scope
	for i := range 64 {
		o := postgrestest.Organisation(b, db, fmt.Sprint(i))
		postgrestest.Location(b, db, o, "hall")
		scopes = append(scopes, postgres.In(o.ID))
	}
	plain, err := pgxpool.New(b.Context(), db.Pool().Config().ConnString())
	if err != nil {
		b.Fatal(err)
	}
	defer plain.Close()
	for _, c := range []struct {
		name string
		ask  func(i int) asker
	}{
		{"unset", func(int) asker { return plain }},
		{"same", func(int) asker { return db.In(scopes[0]) }},
		{"another", func(i int) asker { return db.In(scopes[i%len(scopes)]) }},
	} {
		b.Run(c.name, func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				var n int
				if err := c.ask(i).QueryRow(b.Context(), "SELECT count(*) FROM location").Scan(&n); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
