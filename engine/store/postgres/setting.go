package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
)

// The keys of settings, a closed set.
const (
	// SettingSetup holds whether the first-run assistant was finished or dismissed.
	SettingSetup = "setup"
)

// Setting reads what the server remembers under the key into the value; found is false
// where it remembers nothing.
func (db *DB) Setting(ctx context.Context, key string, value any) (found bool, err error) {
	err = db.In(AllOrganisations()).QueryRow(ctx, `SELECT value FROM setting WHERE key = $1`, key).Scan(value)
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil
	}
	return err == nil, Explain(err, "read a setting", nil)
}

// SetSetting remembers the value under the key.
func SetSetting(ctx context.Context, tx Tx, key string, value any) error {
	const upsert = `INSERT INTO setting (key, value) VALUES ($1, $2)
		ON CONFLICT (key) DO UPDATE SET value = excluded.value, changed_at = now()`
	_, err := tx.Exec(ctx, upsert, key, value)
	return Explain(err, "store a setting", nil)
}

// Begun says which first steps of a new installation were made.
type Begun struct {
	Organisation bool // there is one, the demo's apart
	Products     bool // one of them has a product
	Scanner      bool // one of them has a device
}

// Begun looks at the first steps. The organisation called demo is not counted: it is
// made by the program.
func (db *DB) Begun(ctx context.Context, demo string) (Begun, error) {
	const look = `SELECT EXISTS (SELECT FROM organisation WHERE name <> $1),
		EXISTS (SELECT FROM organisation_product p JOIN organisation o ON o.id = p.org WHERE o.name <> $1),
		EXISTS (SELECT FROM device d LEFT JOIN organisation o ON o.id = d.org WHERE o.name IS DISTINCT FROM $1)`
	var b Begun
	err := db.In(AllOrganisations()).QueryRow(ctx, look, demo).Scan(&b.Organisation, &b.Products, &b.Scanner)
	return b, Explain(err, "look at the first steps", nil)
}
