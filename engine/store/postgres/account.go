package postgres

import (
	"context"

	"mybeacon/engine/audit"
	"mybeacon/schema"
)

// Account is a person who can log in. Organisation is zero for a super-admin,
// who belongs to none; Products are those of the organisation.
type Account struct {
	ID           schema.UserID
	Organisation schema.OrganisationID
	Email        string
	Name         string
	SuperAdmin   bool
	Role         string // "owner", "admin", "manager", "operator" or "viewer"; means nothing for a super-admin
	Disabled     bool
	Products     []string
}

var accountConstraints = Constraints{
	"account_email": schema.Errorf(schema.Conflict, "email", "an account of this e-mail exists already"),
}

const selectAccount = `SELECT a.id, a.org, a.email, a.name, a.super_admin, a.role, a.disabled,
	ARRAY(SELECT p.product FROM organisation_product p WHERE p.org = a.org ORDER BY 1)`

func accountFields(a *Account) []any {
	return []any{&a.ID, &a.Organisation, &a.Email, &a.Name, &a.SuperAdmin, &a.Role, &a.Disabled, &a.Products}
}

// AccountByEmail returns the account and the hash of its password, or NotFound.
// Letters' case does not matter. Nobody is logged in yet, so there is no scope.
func (db *DB) AccountByEmail(ctx context.Context, email string) (Account, string, error) {
	var a Account
	var hash string
	row := db.In(AllOrganisations()).QueryRow(ctx, selectAccount+", a.password_hash FROM account a WHERE lower(a.email) = lower($1)", email)
	err := row.Scan(append(accountFields(&a), &hash)...)
	return a, hash, Explain(err, "find account", nil)
}

// CreateAccount stores a new account under a fresh id.
func (db *DB) CreateAccount(ctx context.Context, a Account, passwordHash string) (Account, error) {
	a.ID = schema.NewID[schema.UserID]()
	err := db.Change(ctx, AllOrganisations(), "core", func(tx Tx) error { return insertAccount(ctx, tx, a, passwordHash) })
	return a, err
}

func insertAccount(ctx context.Context, tx Tx, a Account, passwordHash string) error {
	if a.Role == "" {
		a.Role = "viewer"
	}
	const insert = `INSERT INTO account (id, org, email, name, password_hash, super_admin, role, disabled, confirmed_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, now())`
	tx.Record(audit.Entry{
		Organisation: a.Organisation, Action: audit.Users, Object: personObject(a.ID, a.Email), Fields: []audit.Field{audit.Made("role", a.Role)},
	})
	_, err := tx.Exec(ctx, insert, a.ID, a.Organisation, a.Email, a.Name, passwordHash, a.SuperAdmin, a.Role, a.Disabled)
	return Explain(err, "insert account", accountConstraints)
}

// firstAdminLock is the advisory lock under which the first super-admin is
// made, so that two servers starting at once make one.
const firstAdminLock int64 = 0x6d79626561636f6e

// HasSuperAdmin reports whether there is a super-admin.
func (db *DB) HasSuperAdmin(ctx context.Context) (bool, error) {
	var exists bool
	err := db.In(AllOrganisations()).QueryRow(ctx, `SELECT EXISTS (SELECT FROM account WHERE super_admin)`).Scan(&exists)
	return exists, Explain(err, "look for a super-admin", nil)
}

// CreateFirstSuperAdmin stores a super-admin unless there is one already, and
// reports whether it did.
func (db *DB) CreateFirstSuperAdmin(ctx context.Context, email, passwordHash string) (bool, error) {
	created := false
	err := db.Change(ctx, AllOrganisations(), "core", func(tx Tx) error {
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, firstAdminLock); err != nil {
			return err
		}
		var exists bool
		if err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM account WHERE super_admin)`).Scan(&exists); err != nil || exists {
			tx.Unrecorded("there is a super-admin already")
			return err
		}
		created = true
		a := Account{ID: schema.NewID[schema.UserID](), Email: email, SuperAdmin: true}
		return insertAccount(ctx, tx, a, passwordHash)
	})
	return created && err == nil, err
}
