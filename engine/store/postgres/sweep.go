package postgres

import (
	"context"
	"time"
)

// SweepSessions removes sessions that have ended, where nobody has logged in since.
func (db *DB) SweepSessions(ctx context.Context) error {
	return db.sweep(ctx, "sessions", `DELETE FROM sessions WHERE expiry <= now()`)
}

// SweepLinks removes one-time links that ended longer than keep ago; until then who
// comes with one is told that it has ended.
func (db *DB) SweepLinks(ctx context.Context, keep time.Duration) error {
	return db.sweep(ctx, "links", `DELETE FROM link WHERE expires_at < $1`, time.Now().Add(-keep))
}

// SweepAttempts removes what was remembered of idempotency keys a day ago.
func (db *DB) SweepAttempts(ctx context.Context) error {
	return db.sweep(ctx, "idempotency keys", `DELETE FROM idempotency WHERE begun_at < now() - interval '24 hours'`)
}

func (db *DB) sweep(ctx context.Context, what, sql string, args ...any) error {
	_, err := db.In(AllOrganisations()).Exec(ctx, sql, args...)
	return Explain(err, "sweep "+what, nil)
}
