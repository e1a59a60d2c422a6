package postgres

import (
	"context"
	"time"

	"mybeacon/schema"
)

// What a link of a mail is for.
const (
	LinkConfirm    = "confirm"    // a registration becomes an account
	LinkPassword   = "password"   // sets a new password
	LinkInvitation = "invitation" // sets the first password
	LinkEmail      = "email"      // moves an account to another e-mail
)

// Link is a one-time link.
type Link struct {
	Purpose      string
	Organisation schema.OrganisationID // of the account
	Account      schema.UserID         // zero for a registration
	Email        string                // where it was sent
	Registered   *Registration
	ExpiresAt    time.Time
}

// Registration is what somebody said who registered; it becomes an organisation and
// its Owner when the e-mail is confirmed.
type Registration struct {
	PasswordHash string `json:"password_hash"`
	Organisation string `json:"organisation"`
	Phone        string `json:"phone"`
	Language     string `json:"language"`
}

type linkKind struct{}

type linkID = schema.ID[linkKind]

// InsertLink stores a link and returns its token, which is shown to nobody but in the
// mail. It takes the place of another one of the account for the same; a registration
// is somebody's whom nobody knows yet, and takes nobody's place.
func InsertLink(ctx context.Context, tx Tx, l Link, now time.Time) (token string, err error) {
	token = NewSecret("")
	const replace = `DELETE FROM link WHERE expires_at <= $1 OR purpose = $2 AND account = $3`
	if _, err = tx.Exec(ctx, replace, now, l.Purpose, l.Account); err != nil {
		return "", Explain(err, "replace link", nil)
	}
	const insert = `INSERT INTO link (id, hash, purpose, org, account, email, registered, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`
	_, err = tx.Exec(ctx, insert, schema.NewID[linkID](), hashSecret(token), l.Purpose, l.Organisation, l.Account, l.Email, l.Registered, l.ExpiresAt)
	return token, Explain(err, "insert link", nil)
}

const linkColumns = `purpose, org, account, email, registered, expires_at`

func linkFields(l *Link) []any {
	return []any{&l.Purpose, &l.Organisation, &l.Account, &l.Email, &l.Registered, &l.ExpiresAt}
}

// LookLink returns the link without using it up, or NotFound.
func (db *DB) LookLink(ctx context.Context, token string, now time.Time) (Link, error) {
	var l Link
	const look = `SELECT ` + linkColumns + ` FROM link WHERE hash = $1 AND expires_at > $2`
	err := db.In(AllOrganisations()).QueryRow(ctx, look, hashSecret(token), now).Scan(linkFields(&l)...)
	return l, Explain(err, "find link", nil)
}

// TakeLink removes the link, with what it holds, and returns it; a second take, one after its time and one
// for another purpose are NotFound.
func TakeLink(ctx context.Context, tx Tx, token string, now time.Time, purposes ...string) (Link, error) {
	var l Link
	const take = `DELETE FROM link WHERE hash = $1 AND expires_at > $2 AND purpose = ANY($3) RETURNING ` + linkColumns
	err := tx.QueryRow(ctx, take, hashSecret(token), now, purposes).Scan(linkFields(&l)...)
	return l, Explain(err, "take link", nil)
}

// EndRegistrations ends what waits to be confirmed by the e-mail.
func EndRegistrations(ctx context.Context, tx Tx, email string) error {
	_, err := tx.Exec(ctx, `DELETE FROM link WHERE account IS NULL AND lower(email) = lower($1)`, email)
	return Explain(err, "end registrations", nil)
}
