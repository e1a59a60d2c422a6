package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"mybeacon/engine/audit"
)

// Tx is a running transaction in one scope.
type Tx interface {
	pgx.Tx
	// Record writes down what the transaction does. The entries are sealed in order as
	// its last statements; when it is rolled back they are too.
	Record(audit.Entry)
	// Unrecorded says why what the transaction changes is nobody's doing, so that it
	// need not be recorded.
	Unrecorded(why string)
}

// transaction is the [Tx] of this package.
type transaction struct {
	pgx.Tx
	entries []audit.Entry
	excused string // why nothing is recorded
}

// Record implements [Tx].
func (t *transaction) Record(e audit.Entry) { t.entries = append(t.entries, e) }

// Unrecorded implements [Tx].
func (t *transaction) Unrecorded(why string) { t.excused = why }

// Read runs fn in a read-only transaction of the scope, whose statements all see the
// same state of the store.
func (db *DB) Read(ctx context.Context, scope Scope, fn func(Tx) error) error {
	opts := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	return Explain(db.begin(ctx, scope, opts, fn), "read", nil)
}

// Change runs fn in a transaction of the scope, stores what it recorded and announces
// the change of the topic ("core" or a product's id) on [ChangedChannel] when it
// commits. One that neither records anything nor says why is a mistake of the program
// and is not made.
func (db *DB) Change(ctx context.Context, scope Scope, topic string, fn func(Tx) error) error {
	err := db.begin(ctx, scope, pgx.TxOptions{}, func(tx Tx) error {
		if err := fn(tx); err != nil {
			return err
		}
		if err := recorded(tx, topic); err != nil {
			return err
		}
		if err := besides(ctx, tx); err != nil {
			return err
		}
		return db.Announce(ctx, tx, topic)
	})
	if err == nil {
		changed(ctx)
	}
	return Explain(err, "change", nil)
}

// Write is [DB.Change] without an announcement, for what nobody waits to hear of.
func (db *DB) Write(ctx context.Context, scope Scope, fn func(Tx) error) error {
	return Explain(db.begin(ctx, scope, pgx.TxOptions{}, fn), "write", nil)
}

func (db *DB) begin(ctx context.Context, scope Scope, opts pgx.TxOptions, fn func(Tx) error) error {
	return pgx.BeginTxFunc(ctx, db.In(scope), opts, func(inner pgx.Tx) error {
		t := &transaction{Tx: inner}
		if err := fn(t); err != nil {
			return err
		}
		return db.seal(ctx, t)
	})
}

// Scoped is the store as one scope sees it; single statements outside of a
// transaction are asked here.
type Scoped struct {
	pool  *pgxpool.Pool
	scope Scope
}

// In returns the store as the scope sees it.
func (db *DB) In(scope Scope) Scoped { return Scoped{db.pool, scope} }

// Query asks for rows.
func (q Scoped) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	return q.pool.Query(as(ctx, q.scope), sql, args...)
}

// QueryRow asks for one row.
func (q Scoped) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	return q.pool.QueryRow(as(ctx, q.scope), sql, args...)
}

// Exec runs a statement.
func (q Scoped) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	return q.pool.Exec(as(ctx, q.scope), sql, args...)
}

// BeginTx begins a transaction, see [DB.Change].
func (q Scoped) BeginTx(ctx context.Context, opts pgx.TxOptions) (pgx.Tx, error) {
	return q.pool.BeginTx(as(ctx, q.scope), opts)
}
