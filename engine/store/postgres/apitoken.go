package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"mybeacon/engine/audit"
	"mybeacon/schema"
)

type tokenKind struct{}

// TokenID names an API token.
type TokenID = schema.ID[tokenKind]

// maxAPITokens bounds the live tokens of an account: a script that makes one
// per run is noticed, not accumulated.
const maxAPITokens = 100

// CreateAPIToken stores a token of the account and returns its id. Expired
// tokens of the account are removed on the way. More than 100 live ones are a
// Conflict.
func (db *DB) CreateAPIToken(ctx context.Context, a Account, name, token string, expires time.Time) (TokenID, error) {
	id := schema.NewID[TokenID]()
	err := db.Change(ctx, AllOrganisations(), "core", func(tx Tx) error {
		if _, err := tx.Exec(ctx, `DELETE FROM api_token WHERE account = $1 AND expires_at <= now()`, a.ID); err != nil {
			return err
		}
		const insert = `INSERT INTO api_token (id, account, org, name, hash, expires_at) SELECT $1, $2, $3, $4, $5, $6
			WHERE (SELECT count(*) FROM api_token WHERE account = $2) < $7`
		tag, err := tx.Exec(ctx, insert, id, a.ID, a.Organisation, name, hashSecret(token), expires, maxAPITokens)
		if err == nil && tag.RowsAffected() == 0 {
			err = schema.Errorf(schema.Conflict, "", "the account has %d tokens already; let some expire first", maxAPITokens)
		}
		tx.Record(tokenEntry(a, id, audit.Made("token", name)))
		return err
	})
	return id, err
}

// APIToken is a personal API token as its owner sees it.
type APIToken struct {
	ID        TokenID
	Name      string
	CreatedAt time.Time
	ExpiresAt time.Time
	LastUsed  time.Time // zero: never
}

// APITokens returns the account's tokens that have not expired, the newest first; they
// are at most 100.
func (db *DB) APITokens(ctx context.Context, account schema.UserID) ([]APIToken, error) {
	const sql = `SELECT id, name, created_at, expires_at, last_used FROM api_token WHERE account = $1 AND expires_at > now() ORDER BY created_at DESC, id`
	return Collect(ctx, db.In(AllOrganisations()), func(row pgx.CollectableRow) (APIToken, error) {
		var t APIToken
		var used *time.Time
		err := row.Scan(&t.ID, &t.Name, &t.CreatedAt, &t.ExpiresAt, &used)
		t.LastUsed = timeOf(used)
		return t, err
	}, sql, account)
}

// DeleteAPIToken ends a token of the account, or is NotFound.
func (db *DB) DeleteAPIToken(ctx context.Context, a Account, id TokenID) error {
	return db.Change(ctx, AllOrganisations(), CoreTopic, func(tx Tx) error {
		var name string
		err := tx.QueryRow(ctx, `DELETE FROM api_token WHERE account = $1 AND id = $2 RETURNING name`, a.ID, id).Scan(&name)
		tx.Record(tokenEntry(a, id, audit.Gone("token", name)))
		return Explain(err, "delete API token", nil)
	})
}

func tokenEntry(a Account, id TokenID, f audit.Field) audit.Entry {
	return audit.Entry{Organisation: a.Organisation, Action: audit.Users, Object: audit.Object{Kind: "token", ID: id.String(), Name: f.Old + f.New}, Fields: []audit.Field{f}}
}
