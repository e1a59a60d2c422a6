package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
)

// JobSchema is the schema of the job system's tables. They are its own: only its
// library reads and writes them.
const JobSchema = "river"

// jobsVersion is this migration's number among those of the relational store. A newer
// river that brings further tables needs a further number with the same function.
const jobsVersion = 13

// jobMigrations are the migrations that the job system brings itself, as steps among
// ours: the same lock, the same connection, and nothing to ask at later starts.
func jobMigrations() []*goose.Migration {
	return []*goose.Migration{goose.NewGoMigration(jobsVersion, &goose.GoFunc{RunDB: migrateJobs}, nil)}
}

func migrateJobs(ctx context.Context, db *sql.DB) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	return conn.Raw(func(driver any) error {
		inner, ok := driver.(*stdlib.Conn)
		if !ok {
			return errors.New("BUG: the migrations' connection is not pgx's")
		}
		return pgx.BeginFunc(ctx, inner.Conn(), func(tx pgx.Tx) error { return makeJobTables(ctx, tx) })
	})
}

func makeJobTables(ctx context.Context, tx pgx.Tx) error {
	if _, err := tx.Exec(ctx, "CREATE SCHEMA IF NOT EXISTS "+JobSchema); err != nil {
		return fmt.Errorf("make the schema %s: %w", JobSchema, err)
	}
	migrator, err := rivermigrate.New(riverpgxv5.New(nil), &rivermigrate.Config{Schema: JobSchema, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	if _, err := migrator.MigrateTx(ctx, tx, rivermigrate.DirectionUp, nil); err != nil { //nolint:staticcheck // all or nothing; which migrations there are is pinned, and tested
		return fmt.Errorf("make the tables of jobs: %w", err)
	}
	_, err = tx.Exec(ctx, jobGrants)
	return err
}

// jobGrants let the server's own roles work with the jobs. No row belongs to anybody:
// a job holds ids only.
const jobGrants = `
	GRANT USAGE ON SCHEMA ` + JobSchema + ` TO mybeacon_app, mybeacon_admin;
	GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ` + JobSchema + ` TO mybeacon_app, mybeacon_admin;
	GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA ` + JobSchema + ` TO mybeacon_app, mybeacon_admin;
	GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA ` + JobSchema + ` TO mybeacon_app, mybeacon_admin`
