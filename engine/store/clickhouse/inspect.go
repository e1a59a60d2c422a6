package clickhouse

import (
	"context"
	"fmt"
	"io/fs"
)

// Inspect returns the server's version and how many of the migrations in fsys are still
// to run; it changes nothing.
func (db *DB) Inspect(ctx context.Context, fsys fs.FS) (version string, todo int, err error) {
	files, err := readMigrations(fsys)
	if err != nil {
		return "", 0, err
	}
	var migrated uint8
	err = db.conn.QueryRow(ctx, "SELECT version(), toUInt8(count()) FROM system.tables WHERE database = currentDatabase() AND name = 'schema_migration'").Scan(&version, &migrated)
	if err != nil {
		return "", 0, fmt.Errorf("ask the warehouse: %w", redact(err, db.url))
	}
	if migrated == 0 {
		return version, len(files), nil
	}
	applied, err := db.applied(ctx)
	if err != nil {
		return version, 0, err
	}
	missing, err := pending(files, applied)
	return version, len(missing), err
}
