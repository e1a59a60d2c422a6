package postgres

import (
	"context"
	"crypto/rand"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
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

// maxRaw bounds the connections of [DB.Pool].
const maxRaw = 4

// DB is the relational store.
type DB struct {
	pool   *pgxpool.Pool
	url    string
	owner  string // the URL of who owns the schema
	origin string // tells this DB's announcements from others'

	once sync.Once
	raw  atomic.Pointer[pgxpool.Pool] // of [DB.Pool], once somebody asked for it
}

// Open connects to the server at the URL and proves that it answers. Close
// frees the connections.
func Open(ctx context.Context, url string) (*DB, error) { return OpenOwned(ctx, url, url) }

// OpenOwned is [Open] where another role owns the schema: owner is the URL by which
// migrations are run, and the server itself never uses it.
func OpenOwned(ctx context.Context, url, owner string) (*DB, error) {
	cfg, err := parse(url)
	if err != nil {
		return nil, err
	}
	cfg.MaxConns = maxConns
	cfg.PrepareConn = assume
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("open PostgreSQL: %w", err)
	}
	db := &DB{pool: pool, url: url, owner: owner, origin: rand.Text()}
	if err := db.Ping(ctx); err != nil {
		pool.Close()
		return nil, err
	}
	return db, nil
}

func parse(url string) (*pgxpool.Config, error) {
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("read the PostgreSQL URL: %w", err)
	}
	cfg.ConnConfig.Tracer = prompter{}
	if cfg.ConnConfig.ConnectTimeout == 0 {
		cfg.ConnConfig.ConnectTimeout = connectTimeout
	}
	if cfg.ConnConfig.RuntimeParams["application_name"] == "" {
		cfg.ConnConfig.RuntimeParams["application_name"] = "mybeacon"
	}
	return cfg, nil
}

func openRaw(url string) (*pgxpool.Pool, error) {
	cfg, err := parse(url)
	if err != nil {
		return nil, err
	}
	cfg.MaxConns = maxRaw
	cfg.PrepareConn = func(ctx context.Context, conn *pgx.Conn) (bool, error) {
		return assume(as(ctx, AllOrganisations()), conn)
	}
	return pgxpool.NewWithConfig(context.Background(), cfg)
}

// Close waits for connections in use to come back and closes them all.
func (db *DB) Close() {
	db.pool.Close()
	if raw := db.raw.Load(); raw != nil {
		raw.Close()
	}
}

// Pool returns connections for libraries that bring their own SQL, and for tests.
// They act for all organisations; everything else names its scope and asks [DB.In].
func (db *DB) Pool() *pgxpool.Pool {
	db.once.Do(func() {
		pool, err := openRaw(db.url)
		if err != nil {
			panic("BUG: the URL was read before: " + err.Error())
		}
		db.raw.Store(pool)
	})
	return db.raw.Load()
}

// Ping reports whether the server answers.
func (db *DB) Ping(ctx context.Context) error {
	return Explain(db.pool.Ping(bare(ctx)), "reach PostgreSQL", nil)
}

// Owner returns connections of the role that owns the schema, for libraries that
// migrate their own tables. The caller closes them.
func (db *DB) Owner(ctx context.Context) (*pgxpool.Pool, error) {
	cfg, err := parse(db.owner)
	if err != nil {
		return nil, err
	}
	cfg.MaxConns = maxRaw
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("open PostgreSQL as the schema's owner: %w", err)
	}
	return pool, nil
}

// Migrate makes the roles in which the server works, brings the schema up to date,
// and refuses to go on where the rows' policies would not hold. Several processes may
// call it at once: an advisory lock lets one at a time migrate, for at most two
// minutes each.
func (db *DB) Migrate(ctx context.Context) error {
	owner, err := db.Owner(ctx)
	if err != nil {
		return err
	}
	defer owner.Close()
	login := db.pool.Config().ConnConfig.User
	err = owner.AcquireFunc(ctx, func(conn *pgxpool.Conn) error { return makeRoles(ctx, conn.Conn(), login) })
	if err != nil {
		return Explain(err, "make the server's roles in PostgreSQL", nil)
	}
	if err := migrateSchema(ctx, owner); err != nil {
		return err
	}
	return checkRoles(ctx, db.pool)
}

func migrateSchema(ctx context.Context, owner *pgxpool.Pool) error {
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 120))
	if err != nil {
		return fmt.Errorf("prepare the migration lock: %w", err)
	}
	conn := stdlib.OpenDBFromPool(owner)
	defer func() { _ = conn.Close() }()
	provider, err := goose.NewProvider(goose.DialectPostgres, conn, migrations.FS, goose.WithSessionLocker(locker), goose.WithGoMigrations(jobMigrations()...))
	if err != nil {
		return fmt.Errorf("read the migrations: %w", err)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate PostgreSQL: %w", err)
	}
	return nil
}
