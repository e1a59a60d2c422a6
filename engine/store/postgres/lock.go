package postgres

import (
	"context"
	"fmt"
)

// Locked runs do while no other process does anything under the same name. It
// waits until the context ends for its turn. The lock is PostgreSQL's advisory
// lock of one connection, so it is free again when this process dies.
func (db *DB) Locked(ctx context.Context, name string, do func(context.Context) error) error {
	conn, err := db.pool.Acquire(ctx)
	if err != nil {
		return Explain(err, "lock "+name, nil)
	}
	defer conn.Release()
	const key = "hashtextextended('mybeacon ' || $1, 0)"
	if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock("+key+")", name); err != nil {
		return fmt.Errorf("wait for the lock %q: %w", name, err)
	}
	defer func() {
		// A connection that may still hold the lock must not go back to the pool.
		if _, err := conn.Exec(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock("+key+")", name); err != nil {
			_ = conn.Conn().Close(context.WithoutCancel(ctx))
		}
	}()
	return do(ctx)
}
