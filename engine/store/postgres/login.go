package postgres

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"time"

	"github.com/jackc/pgx/v5"

	"mybeacon/engine/audit"
	"mybeacon/schema"
)

type (
	loginKind struct{}
	keyKind   struct{}
)

// LoginID names a session as its person sees it; it opens nothing.
type LoginID = schema.ID[loginKind]

// KeyID names an API key of an organisation.
type KeyID = schema.ID[keyKind]

// Login is a session as its person sees it.
type Login struct {
	ID        LoginID
	CreatedAt time.Time
	LastSeen  time.Time // to the minute
	Address   string
	Agent     string // what the browser calls itself, cut
}

// maxAgent bounds what a browser may call itself, in characters.
const maxAgent = 300

// NewLogin is what is stored with the session of a log-in.
type NewLogin struct {
	Account Account
	Address string
	Agent   string
}

type loginKey struct{}

// WithLogin returns a context in which the session that is stored is the log-in's:
// both and its entry in the audit log are stored together.
func WithLogin(ctx context.Context, l NewLogin) context.Context {
	return context.WithValue(ctx, loginKey{}, l)
}

// SessionHash returns what the store knows a session by. It is what scs makes of its
// token.
func SessionHash(token string) string {
	h := sha256.Sum256([]byte(token))
	return base64.RawURLEncoding.EncodeToString(h[:])
}

// storeLogin stores the log-in of the context, if there is one, beside its session.
func storeLogin(ctx context.Context, tx Tx, session string) error {
	l, ok := ctx.Value(loginKey{}).(NewLogin)
	if !ok {
		return nil // a session without a log-in lets nobody in
	}
	const insert = `INSERT INTO login (id, session, org, account, address, agent) VALUES ($1, $2, $3, $4, $5, $6)`
	agent := []rune(l.Agent)
	id := schema.NewID[LoginID]()
	_, err := tx.Exec(ctx, insert, id, session, l.Account.Organisation, l.Account.ID, l.Address, string(agent[:min(len(agent), maxAgent)]))
	if err != nil {
		return err
	}
	tx.Record(audit.Entry{Organisation: l.Account.Organisation, Action: audit.Login, Object: personObject(l.Account.ID, l.Account.Email)})
	_, err = tx.Exec(ctx, `UPDATE account SET last_login = now() WHERE id = $1`, l.Account.ID)
	return err
}

// Logins returns the account's sessions that have not expired, the newest first.
func (db *DB) Logins(ctx context.Context, account schema.UserID) ([]Login, error) {
	const sql = `SELECT l.id, l.created_at, l.last_seen, l.address, l.agent FROM login l JOIN sessions s ON s.token = l.session
		WHERE l.account = $1 AND s.expiry > now() ORDER BY l.created_at DESC, l.id LIMIT 200`
	return Collect(ctx, db.In(AllOrganisations()), scanLogin, sql, account)
}

func scanLogin(row pgx.CollectableRow) (Login, error) {
	var l Login
	err := row.Scan(&l.ID, &l.CreatedAt, &l.LastSeen, &l.Address, &l.Agent)
	return l, err
}

// EndLogin ends one session of the account, or is NotFound. What scs keeps of it is
// swept when it expires.
func EndLogin(ctx context.Context, tx Tx, account schema.UserID, id LoginID) error {
	tag, err := tx.Exec(ctx, `DELETE FROM login WHERE account = $1 AND id = $2`, account, id)
	if err == nil && tag.RowsAffected() == 0 {
		return schema.Errorf(schema.NotFound, "", "there is no such session")
	}
	return Explain(err, "end session", nil)
}

// EndLogins ends all sessions of the account but the one; the zero id spares none.
func EndLogins(ctx context.Context, tx Tx, account schema.UserID, but LoginID) error {
	_, err := tx.Exec(ctx, `DELETE FROM login WHERE account = $1 AND id IS DISTINCT FROM $2::uuid`, account, but)
	return Explain(err, "end sessions", nil)
}

// Logout ends the session that the identity was proven by.
func (db *DB) Logout(ctx context.Context, id Identity) error {
	return db.Change(ctx, AllOrganisations(), CoreTopic, func(tx Tx) error {
		tx.Record(audit.Entry{Organisation: id.Organisation, Action: audit.Logout, Object: personObject(id.ID, id.Email)})
		if err := leave(ctx, tx, id); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `DELETE FROM sessions s USING login l WHERE l.session = s.token AND l.id = $1`, id.Login)
		return Explain(err, "log out", nil)
	})
}

// personObject is how the audit log names a person.
func personObject(id schema.UserID, email string) audit.Object {
	return audit.Object{Kind: "user", ID: id.String(), Name: email}
}
