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

// Begun looks at the first steps. The organisations called as the demo's are not
// counted: the program makes them.
func (db *DB) Begun(ctx context.Context, demo []string) (Begun, error) {
	const look = `WITH own AS (SELECT id FROM organisation WHERE name <> ALL($1))
		SELECT EXISTS (SELECT FROM own), EXISTS (SELECT FROM organisation_product WHERE org IN (SELECT id FROM own)),
			EXISTS (SELECT FROM device WHERE org IS NULL OR org IN (SELECT id FROM own))`
	if demo == nil {
		demo = []string{} // NULL would exclude all
	}
	var b Begun
	err := db.In(AllOrganisations()).QueryRow(ctx, look, demo).Scan(&b.Organisation, &b.Products, &b.Scanner)
	return b, Explain(err, "look at the first steps", nil)
}
