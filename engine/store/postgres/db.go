package postgres

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	migrations "mybeacon/schema/postgres"
)

// maxConns bounds the connections of one server process: PostgreSQL allows 100
// by default and every one costs megabytes; a request holds one for
// milliseconds.
const maxConns = 16

// connectTimeout bounds one attempt to connect, so that a request during an
// outage fails clearly instead of hanging.
const connectTimeout = 5 * time.Second

// DB is the relational store.
type DB struct {
	pool   *pgxpool.Pool
	origin string // tells this DB's announcements from others'
}

// Open connects to the server at the URL and proves that it answers. Close
// frees the connections.
func Open(ctx context.Context, url string) (*DB, error) {
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("read the PostgreSQL URL: %w", err)
	}
	cfg.MaxConns = maxConns
	cfg.ConnConfig.Tracer = prompter{}
	if cfg.ConnConfig.ConnectTimeout == 0 {
		cfg.ConnConfig.ConnectTimeout = connectTimeout
	}
	if cfg.ConnConfig.RuntimeParams["application_name"] == "" {
		cfg.ConnConfig.RuntimeParams["application_name"] = "mybeacon"
	}
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("open PostgreSQL: %w", err)
	}
	db := &DB{pool: pool, origin: rand.Text()}
	if err := db.Ping(ctx); err != nil {
		pool.Close()
		return nil, err
	}
	return db, nil
}

// Close waits for connections in use to come back and closes them all.
func (db *DB) Close() { db.pool.Close() }

// Pool returns the connections, for libraries that bring their own SQL.
func (db *DB) Pool() *pgxpool.Pool { return db.pool }

// Ping reports whether the server answers.
func (db *DB) Ping(ctx context.Context) error {
	return Explain(db.pool.Ping(ctx), "reach PostgreSQL", nil)
}

// Migrate brings the schema up to date. Several processes may call it at once:
// an advisory lock lets one at a time work, for at most two minutes each.
func (db *DB) Migrate(ctx context.Context) error {
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 120))
	if err != nil {
		return fmt.Errorf("prepare the migration lock: %w", err)
	}
	conn := stdlib.OpenDBFromPool(db.pool)
	defer func() { _ = conn.Close() }()
	provider, err := goose.NewProvider(goose.DialectPostgres, conn, migrations.FS, goose.WithSessionLocker(locker))
	if err != nil {
		return fmt.Errorf("read the migrations: %w", err)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate PostgreSQL: %w", err)
	}
	return nil
}
