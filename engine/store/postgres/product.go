package postgres

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"
	"github.com/pressly/goose/v3/lock"
)

// MigrateProduct brings the tables of a product up to date, by migrations that it
// brings itself (0001_name.sql and on, at the root of fsys). They are counted apart
// from the core's, in a table of their own, and run after those: [DB.Migrate] comes
// first. A product's tables end with make_tenant, as the core's do.
func (db *DB) MigrateProduct(ctx context.Context, product string, fsys fs.FS) (err error) {
	owner, err := db.Owner(ctx)
	if err != nil {
		return err
	}
	defer owner.Close()
	versions, err := database.NewStore(database.DialectPostgres, "goose_"+product)
	if err != nil {
		return fmt.Errorf("prepare the versions of %s: %w", product, err)
	}
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 120))
	if err != nil {
		return fmt.Errorf("prepare the migration lock: %w", err)
	}
	conn := stdlib.OpenDBFromPool(owner)
	defer func() { err = errors.Join(err, conn.Close()) }()
	provider, err := goose.NewProvider("", conn, fsys, goose.WithStore(versions), goose.WithSessionLocker(locker))
	if err != nil {
		return fmt.Errorf("read the migrations of %s: %w", product, err)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate PostgreSQL for %s: %w", product, err)
	}
	return nil
}
