package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// For how long a prompt call waits for a connection and then for each statement.
// Together they are what a person is ready to look at a page that does nothing.
const (
	promptConnection = 2 * time.Second
	promptStatement  = 2500 * time.Millisecond
)

type promptKey struct{}

// Prompt returns a context with which every call of a [DB] fails as Unavailable when
// the database does not answer within seconds: one that stands still refuses nothing,
// and a person must not wait for as long. Batches and copies of many rows may take
// longer, and so may what asks without, such as migrations and locks.
func Prompt(ctx context.Context) context.Context {
	return context.WithValue(ctx, promptKey{}, true)
}

// Patient returns a context of which [Prompt] was never asked, for what reads more than
// a page.
func Patient(ctx context.Context) context.Context {
	return context.WithValue(ctx, promptKey{}, nil)
}

// prompter bounds the calls of prompt contexts, in the places where pgx lets the
// context of each wait be replaced.
type prompter struct{}

var (
	_ pgx.QueryTracer       = prompter{}
	_ pgxpool.AcquireTracer = prompter{}
)

type releaseKey struct{}

// begin bounds a wait that end ends.
func (prompter) begin(ctx context.Context, patience time.Duration) context.Context {
	if ctx.Value(promptKey{}) == nil {
		return ctx
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	return context.WithValue(ctx, releaseKey{}, cancel)
}

func (prompter) end(ctx context.Context) {
	if cancel, bounded := ctx.Value(releaseKey{}).(context.CancelFunc); bounded {
		cancel()
	}
}

// TraceAcquireStart implements [pgxpool.AcquireTracer].
func (p prompter) TraceAcquireStart(ctx context.Context, _ *pgxpool.Pool, _ pgxpool.TraceAcquireStartData) context.Context {
	return p.begin(ctx, promptConnection)
}

// TraceAcquireEnd implements [pgxpool.AcquireTracer].
func (p prompter) TraceAcquireEnd(ctx context.Context, _ *pgxpool.Pool, _ pgxpool.TraceAcquireEndData) {
	p.end(ctx)
}

// TraceQueryStart implements [pgx.QueryTracer].
func (p prompter) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	return p.begin(ctx, promptStatement)
}

// TraceQueryEnd implements [pgx.QueryTracer].
func (p prompter) TraceQueryEnd(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryEndData) {
	p.end(ctx)
}
