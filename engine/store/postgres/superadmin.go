package postgres

import "context"

// FirstSuperAdmin returns the oldest super-admin that is not disabled, or
// NotFound: whom the server's own parts act for.
func (db *DB) FirstSuperAdmin(ctx context.Context) (Account, error) {
	var a Account
	const where = " FROM account a WHERE a.super_admin AND NOT a.disabled ORDER BY a.created_at, a.id LIMIT 1"
	err := db.In(AllOrganisations()).QueryRow(ctx, selectAccount+where).Scan(accountFields(&a)...)
	return a, Explain(err, "find the first super-admin", nil)
}
