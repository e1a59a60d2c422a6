package clickhouse

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"

	"mybeacon/schema"
)

// migration is one numbered file.
type migration struct {
	version    uint32
	name       string // of the file
	checksum   string
	statements []string
}

const historyTable = `CREATE TABLE IF NOT EXISTS schema_migration
(
    version    UInt32,
    name       String,
    checksum   String COMMENT 'SHA-256 of the file',
    applied_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(applied_at)
ORDER BY version`

// Migrate runs the migrations in fsys (0001_name.sql and on, at its root) that
// this warehouse has not had, in the order of their numbers, under Options.Lock.
//
// ClickHouse has no transactions over tables: a file is recorded when its last
// statement is done, and after a crash half-way it runs again from its first.
// So each statement must be safe to run twice (IF NOT EXISTS, OR REPLACE). A
// file that was applied and has changed since, or a new one numbered before an
// applied one, is an error; applied versions this program does not know (it is
// older than the schema) are logged and left alone.
func (db *DB) Migrate(ctx context.Context, fsys fs.FS) error {
	files, err := readMigrations(fsys)
	if err != nil {
		return err
	}
	if db.opts.Lock == nil {
		return db.migrate(ctx, files)
	}
	return db.opts.Lock(ctx, func(ctx context.Context) error { return db.migrate(ctx, files) })
}

func (db *DB) migrate(ctx context.Context, files []migration) error {
	if err := db.conn.Exec(ctx, historyTable); err != nil {
		return fmt.Errorf("migrate the warehouse: make the table schema_migration: %w", redact(err, db.url))
	}
	applied, err := db.applied(ctx)
	if err != nil {
		return err
	}
	todo, err := pending(files, applied)
	if err != nil {
		return err
	}
	if n := len(applied) + len(todo) - len(files); n > 0 {
		db.opts.Log.Warn("the warehouse's schema is newer than this program", "unknown_migrations", n)
	}
	for _, m := range todo {
		if err := db.apply(ctx, m); err != nil {
			return err
		}
		db.opts.Log.Info("migrated the warehouse", "migration", m.name)
	}
	return nil
}

func (db *DB) applied(ctx context.Context) (map[uint32]migration, error) {
	rows, err := db.conn.Query(ctx, "SELECT version, name, checksum FROM schema_migration FINAL")
	if err != nil {
		return nil, fmt.Errorf("read the warehouse's migrations: %w", redact(err, db.url))
	}
	defer rows.Close()
	applied := map[uint32]migration{}
	for rows.Next() {
		var m migration
		if err := rows.Scan(&m.version, &m.name, &m.checksum); err != nil {
			return nil, fmt.Errorf("read the warehouse's migrations: %w", err)
		}
		applied[m.version] = m
	}
	return applied, rows.Err()
}

// apply runs one file and records it.
func (db *DB) apply(ctx context.Context, m migration) error {
	for i, sql := range m.statements {
		if err := db.conn.Exec(ctx, sql); err != nil {
			return fmt.Errorf("migrate the warehouse: %s, statement %d of %d: %w", m.name, i+1, len(m.statements), redact(err, db.url))
		}
	}
	err := db.conn.Exec(ctx, "INSERT INTO schema_migration (version, name, checksum) VALUES ("+
		strconv.FormatUint(uint64(m.version), 10)+", '"+m.name+"', '"+m.checksum+"')") // the name has only letters, digits and _
	if err != nil {
		return fmt.Errorf("migrate the warehouse: record %s: %w", m.name, redact(err, db.url))
	}
	return nil
}

// pending returns the files still to run, after checking them against history.
func pending(files []migration, applied map[uint32]migration) ([]migration, error) {
	var newest uint32
	for version := range applied {
		newest = max(newest, version)
	}
	var todo []migration
	for _, m := range files {
		was, done := applied[m.version]
		switch {
		case done && was.checksum != m.checksum:
			return nil, schema.Errorf(schema.Conflict, m.name, "was changed after it was applied (as %s): put it back and write the change as a new migration", was.name)
		case !done && m.version < newest:
			return nil, schema.Errorf(schema.Conflict, m.name, "comes before migration %d, which is applied already: give it a number after that", newest)
		case !done:
			todo = append(todo, m)
		}
	}
	return todo, nil
}

var migrationName = regexp.MustCompile(`^(\d{4})_[a-z0-9_]+\.sql$`)

// readMigrations reads and checks the files, in the order of their numbers.
func readMigrations(fsys fs.FS) ([]migration, error) {
	names, err := fs.Glob(fsys, "*.sql")
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	var list []migration
	for _, name := range names {
		m, err := readMigration(fsys, name)
		if err != nil {
			return nil, err
		}
		if n := len(list); n > 0 && list[n-1].version == m.version {
			return nil, schema.Errorf(schema.Invalid, name, "has the number of %s", list[n-1].name)
		}
		list = append(list, m)
	}
	return list, nil
}

func readMigration(fsys fs.FS, name string) (migration, error) {
	parts := migrationName.FindStringSubmatch(path.Base(name))
	if parts == nil {
		return migration{}, schema.Errorf(schema.Invalid, name, "is not named like 0001_what.sql")
	}
	b, err := fs.ReadFile(fsys, name)
	if err != nil {
		return migration{}, fmt.Errorf("read migration %s: %w", name, err)
	}
	version, err := strconv.ParseUint(parts[1], 10, 32)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	statements, err := split(string(b))
	if err != nil {
		return migration{}, schema.Errorf(schema.Invalid, name, "%v", err)
	}
	sum := sha256.Sum256(b)
	return migration{version: uint32(version), name: name, checksum: hex.EncodeToString(sum[:]), statements: statements}, nil
}
