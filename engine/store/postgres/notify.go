package postgres

import (
	"context"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// ChangedChannel is where changes are announced; the payload is the topic, a
// space, and which [DB] announced it.
const ChangedChannel = "mybeacon_changed"

// CoreTopic is the topic of what the core keeps: organisations, accounts,
// locations and devices. Other topics are products' ids.
const CoreTopic = "core"

// The back-off between attempts to listen again after the connection was lost.
const (
	minListenPause = 200 * time.Millisecond
	maxListenPause = 10 * time.Second
)

// Notify announces a change of the topic outside of [DB.Change].
func (db *DB) Notify(ctx context.Context, topic string) error {
	_, err := db.pool.Exec(ctx, announce, ChangedChannel, topic+" "+db.origin)
	return Explain(err, "notify", nil)
}

// Announce announces a change of a further topic inside of [DB.Change].
func (db *DB) Announce(ctx context.Context, tx Tx, topic string) error {
	_, err := tx.Exec(ctx, announce, ChangedChannel, topic+" "+db.origin)
	return err
}

const announce = "SELECT pg_notify($1, $2)"

// Watch calls fn with the topic of every change until the context ends, from
// one goroutine. It calls fn with "" whenever it begins to listen, at first and
// after each lost connection: something may have been missed, look at all.
func (db *DB) Watch(ctx context.Context, fn func(topic string)) {
	db.watch(ctx, func(topic, _ string) { fn(topic) })
}

// WatchOthers is [DB.Watch] without the changes of the topic own that this DB
// announced itself: who made a change there has seen to it already.
func (db *DB) WatchOthers(ctx context.Context, own string, fn func(topic string)) {
	db.watch(ctx, func(topic, origin string) {
		if topic != own || origin != db.origin {
			fn(topic)
		}
	})
}

func (db *DB) watch(ctx context.Context, fn func(topic, origin string)) {
	pause := minListenPause
	for ctx.Err() == nil {
		began := time.Now()
		_ = db.listen(ctx, fn) // nothing to report: the next attempt says "" again
		if time.Since(began) > maxListenPause {
			pause = minListenPause
		}
		wait(ctx, pause/2+rand.N(pause/2))
		pause = min(2*pause, maxListenPause)
	}
}

func (db *DB) listen(ctx context.Context, fn func(topic, origin string)) error {
	pooled, err := db.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	// Taken out of the pool for good: a connection that listens must not be
	// handed to anybody else.
	conn := pooled.Hijack()
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	if _, err := conn.Exec(ctx, "LISTEN "+pgx.Identifier{ChangedChannel}.Sanitize()); err != nil {
		return err
	}
	fn("", "")
	for {
		note, err := conn.WaitForNotification(ctx)
		if err != nil {
			return err
		}
		topic, origin, _ := strings.Cut(note.Payload, " ")
		fn(topic, origin)
	}
}

func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
