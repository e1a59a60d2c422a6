package postgres

import (
	"context"
	"io/fs"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	migrations "mybeacon/schema/postgres"
)

// Inspection is what a look at the relational store has found.
type Inspection struct {
	Version     string        // of the server
	Pending     int           // migrations that this program would run; below 0, that many are of a newer program
	Unprotected []string      // tables with customers' rows and no row-level security
	Roles       error         // why the policies would not hold; nil: they do
	ClockAhead  time.Duration // of the server's clock, before ours
}

// Inspect looks at the store and changes nothing.
func (db *DB) Inspect(ctx context.Context) (Inspection, error) {
	owner, err := db.Owner(ctx)
	if err != nil {
		return Inspection{}, err
	}
	defer owner.Close()
	var in Inspection
	before := time.Now()
	var there time.Time
	if err := owner.QueryRow(ctx, "SELECT current_setting('server_version'), clock_timestamp()").Scan(&in.Version, &there); err != nil {
		return in, Explain(err, "ask PostgreSQL", nil)
	}
	// It was asked half-way of the question's time.
	in.ClockAhead = there.Sub(before.Add(time.Since(before) / 2))
	if in.Pending, err = pending(ctx, owner); err != nil || in.Pending > 0 {
		return in, err // what is not migrated is not protected yet
	}
	const unprotected = `SELECT coalesce(array_agg(c.relname::text ORDER BY 1), '{}') FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
		WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace AND a.attname = 'org' AND NOT a.attisdropped AND NOT c.relrowsecurity`
	if err := owner.QueryRow(ctx, unprotected).Scan(&in.Unprotected); err != nil {
		return in, Explain(err, "look at row-level security", nil)
	}
	in.Roles = checkRoles(ctx, db.pool)
	return in, nil
}

// pending counts the migrations that are still to run.
func pending(ctx context.Context, owner *pgxpool.Pool) (int, error) {
	files, err := fs.Glob(migrations.FS, "*.sql")
	if err != nil {
		return 0, err
	}
	known := len(files) + len(jobMigrations())
	var migrated bool
	if err := owner.QueryRow(ctx, "SELECT to_regclass('goose_db_version') IS NOT NULL").Scan(&migrated); err != nil || !migrated {
		return known, Explain(err, "look at the migrations", nil)
	}
	var applied int
	err = owner.QueryRow(ctx, "SELECT count(DISTINCT version_id) FROM goose_db_version WHERE is_applied AND version_id > 0").Scan(&applied)
	return known - applied, Explain(err, "look at the migrations", nil)
}
