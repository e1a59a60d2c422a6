package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
)

// Sessions keeps login sessions for scs, in its table. It is our own because
// scs's pgx store gives its queries no context - a request would hang while the
// database is away - and cleans up in a goroutine that cannot be joined. It
// implements scs.CtxStore; tokens arrive here hashed.
type Sessions struct{ db *DB }

// Sessions returns the store of login sessions.
func (db *DB) Sessions() Sessions { return Sessions{db} }

// FindCtx returns the data of a session that has not expired.
func (s Sessions) FindCtx(ctx context.Context, token string) ([]byte, bool, error) {
	var data []byte
	err := s.db.In(AllOrganisations()).QueryRow(ctx, `SELECT data FROM sessions WHERE token = $1 AND expiry > now()`, token).Scan(&data)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, false, nil
	}
	return data, err == nil, Explain(err, "find session", nil)
}

// CommitCtx stores a session. Logins are rare and expired sessions are found by
// their index, so this is also where those are removed.
func (s Sessions) CommitCtx(ctx context.Context, token string, data []byte, expiry time.Time) error {
	return Explain(s.db.Write(ctx, AllOrganisations(), func(tx Tx) error {
		if _, err := tx.Exec(ctx, `DELETE FROM sessions WHERE expiry <= now()`); err != nil {
			return err
		}
		const upsert = `INSERT INTO sessions (token, data, expiry) VALUES ($1, $2, $3)
			ON CONFLICT (token) DO UPDATE SET data = excluded.data, expiry = excluded.expiry`
		if _, err := tx.Exec(ctx, upsert, token, data, expiry); err != nil {
			return err
		}
		return storeLogin(ctx, tx, token)
	}), "store session", nil)
}

// DeleteCtx removes a session; one that is not there is no error.
func (s Sessions) DeleteCtx(ctx context.Context, token string) error {
	_, err := s.db.In(AllOrganisations()).Exec(ctx, `DELETE FROM sessions WHERE token = $1`, token)
	return Explain(err, "delete session", nil)
}

// Find is FindCtx without a bound; scs prefers the other.
func (s Sessions) Find(token string) ([]byte, bool, error) {
	return s.FindCtx(context.Background(), token)
}

// Commit is CommitCtx without a bound; scs prefers the other.
func (s Sessions) Commit(token string, data []byte, expiry time.Time) error {
	return s.CommitCtx(context.Background(), token, data, expiry)
}

// Delete is DeleteCtx without a bound; scs prefers the other.
func (s Sessions) Delete(token string) error { return s.DeleteCtx(context.Background(), token) }
