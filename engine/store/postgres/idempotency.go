package postgres

import (
	"context"
	"crypto/sha256"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"mybeacon/schema"
)

// What an idempotency key is remembered for.
const (
	// idempotencyLife is how long.
	idempotencyLife = "interval '24 hours'"
	// idempotencyLease is how long a request may run: twice what the server lets it.
	// One that is older was cut off with its server and changed nothing, or done_at
	// would be set.
	idempotencyLease = "interval '2 minutes'"
	// maxIdempotencyKeys bounds what one caller makes us remember.
	maxIdempotencyKeys = 10_000
)

// AttemptKind is the kind of an [Attempt]'s id.
type AttemptKind struct{}

// Attempt is one request with an idempotency key.
type Attempt struct {
	Key    [sha256.Size]byte // of caller, address and key
	Caller [sha256.Size]byte
	Body   [sha256.Size]byte

	id schema.ID[AttemptKind]
}

// Earlier is what is known of an earlier request with the same key.
type Earlier struct {
	OtherBody bool
	Done      bool   // its change is committed, or it had none; else it still runs
	Answer    []byte // nil: not kept
}

// BeginAttempt gives the key to the attempt, unless an earlier request has it.
func (db *DB) BeginAttempt(ctx context.Context, a *Attempt) (*Earlier, error) {
	q := db.In(AllOrganisations())
	if err := db.sweepAttempts(ctx, a.Caller); err != nil {
		return nil, err
	}
	a.id = schema.NewID[schema.ID[AttemptKind]]()
	const insert = `INSERT INTO idempotency AS i (id, caller, body, attempt) VALUES ($1, $2, $3, $4)
		ON CONFLICT (id) DO UPDATE SET body = excluded.body, attempt = excluded.attempt, begun_at = now(), done_at = NULL, answer = NULL
		WHERE i.begun_at < now() - ` + idempotencyLife + `
			OR i.done_at IS NULL AND i.begun_at < now() - ` + idempotencyLease + ` AND i.body = excluded.body`
	tag, err := q.Exec(ctx, insert, a.Key[:], a.Caller[:], a.Body[:], a.id)
	if err != nil || tag.RowsAffected() == 1 {
		return nil, Explain(err, "store an idempotency key", nil)
	}
	var earlier Earlier
	const read = `SELECT body <> $2, done_at IS NOT NULL, answer FROM idempotency WHERE id = $1`
	err = q.QueryRow(ctx, read, a.Key[:], a.Body[:]).Scan(&earlier.OtherBody, &earlier.Done, &earlier.Answer)
	if errors.Is(err, pgx.ErrNoRows) { // it was just given back
		return &Earlier{}, nil
	}
	return &earlier, Explain(err, "read an idempotency key", nil)
}

func (db *DB) sweepAttempts(ctx context.Context, caller [sha256.Size]byte) error {
	q := db.In(AllOrganisations())
	const sweep = `DELETE FROM idempotency WHERE id IN (SELECT id FROM idempotency WHERE begun_at < now() - ` + idempotencyLife + ` LIMIT 20)`
	if _, err := q.Exec(ctx, sweep); err != nil {
		return Explain(err, "sweep idempotency keys", nil)
	}
	var full bool
	const count = `SELECT count(*) >= $2 FROM (SELECT FROM idempotency WHERE caller = $1 LIMIT $2) AS live`
	if err := q.QueryRow(ctx, count, caller[:], maxIdempotencyKeys).Scan(&full); err != nil {
		return Explain(err, "count idempotency keys", nil)
	}
	if full {
		return &schema.Error{Kind: schema.TooMany, Message: "10000 Idempotency-Keys of the last 24 hours are remembered; send requests without, or wait", Err: nextHour{}}
	}
	return nil
}

// nextHour is the cause of a refusal that ends when old keys go.
type nextHour struct{}

// Error implements error.
func (nextHour) Error() string { return "too many keys" }

// RetryAfter says when to try again.
func (nextHour) RetryAfter() time.Duration { return time.Hour }

// DoneAttempt notes in the change's transaction that it is done, or is a Conflict
// when another request has the key by now.
func (db *DB) DoneAttempt(ctx context.Context, tx Tx, a *Attempt) error {
	tag, err := tx.Exec(ctx, `UPDATE idempotency SET done_at = now() WHERE id = $1 AND attempt = $2 AND done_at IS NULL`, a.Key[:], a.id)
	if err == nil && tag.RowsAffected() == 0 {
		return schema.Errorf(schema.Conflict, "Idempotency-Key", "another request with this key took over")
	}
	return Explain(err, "note that a request is done", nil)
}

// FinishAttempt keeps the answer; nil keeps only that the request is done.
func (db *DB) FinishAttempt(ctx context.Context, a *Attempt, answer []byte) error {
	const finish = `UPDATE idempotency SET done_at = coalesce(done_at, now()), answer = $3 WHERE id = $1 AND attempt = $2`
	_, err := db.In(AllOrganisations()).Exec(ctx, finish, a.Key[:], a.id, answer)
	return Explain(err, "keep an answer", nil)
}

// ReleaseAttempt gives the key back after a request that changed nothing.
func (db *DB) ReleaseAttempt(ctx context.Context, a *Attempt) error {
	_, err := db.In(AllOrganisations()).Exec(ctx, `DELETE FROM idempotency WHERE id = $1 AND attempt = $2 AND done_at IS NULL`, a.Key[:], a.id)
	return Explain(err, "give an idempotency key back", nil)
}
