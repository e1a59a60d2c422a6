package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"mybeacon/schema"
)

type exportKind struct{}

// ExportID names an export.
type ExportID = schema.ID[exportKind]

// The states of an export.
const (
	ExportQueued    = "queued" // a job makes it
	ExportRunning   = "running"
	ExportDone      = "done"
	ExportFailed    = "failed"
	ExportCancelled = "cancelled"
	ExportCutOff    = "cut_off" // a stream that did not come to its end
	ExportExpired   = "expired" // done; its file has gone
	ExportDeleted   = "deleted" // done; somebody removed its file
)

// Export is one line of the history of what left the system.
type Export struct {
	ID           ExportID
	Organisation schema.OrganisationID
	Dataset      string
	Version      int
	Format       string
	Language     string
	Filters      map[string][]string
	Everywhere   bool                // it may hold rows of all locations, else of Locations
	Locations    []schema.LocationID // of who asked for it
	Direct       bool                // streamed: there is no file
	Account      schema.UserID       // zero: deleted since
	Key          KeyID               // zero: by no key, or deleted since
	Support      bool                // a super-admin asked for it
	Email        string              // of Account; empty for who is not of the organisation
	KeyName      string
	State        string
	Attempts     int
	Expected     int64 // rows; -1: unknown
	Rows, Bytes  int64
	SHA256       string
	Error        string // why it failed, for people
	CreatedAt    time.Time
	EndedAt      time.Time // zero: not yet
	ExpiresAt    time.Time // zero: there is no file
}

const selectExport = `SELECT e.id, e.org, e.dataset, e.version, e.format, e.language, e.filters, e.locations IS NULL, coalesce(e.locations, '{}'), e.direct,
	e.account, e.key, e.by_support, coalesce(a.email, ''), coalesce(k.name, ''), e.state, e.attempts, coalesce(e.expected, -1), e.rows, e.bytes,
	e.sha256, e.error, e.created_at, e.ended_at, e.expires_at
	FROM export e LEFT JOIN account a ON a.id = e.account LEFT JOIN api_key k ON k.id = e.key`

func scanExport(row pgx.CollectableRow) (Export, error) {
	var e Export
	var ended, expires *time.Time
	err := row.Scan(&e.ID, &e.Organisation, &e.Dataset, &e.Version, &e.Format, &e.Language, &e.Filters, &e.Everywhere, &e.Locations, &e.Direct,
		&e.Account, &e.Key, &e.Support, &e.Email, &e.KeyName, &e.State, &e.Attempts, &e.Expected, &e.Rows, &e.Bytes,
		&e.SHA256, &e.Error, &e.CreatedAt, &ended, &expires)
	e.EndedAt, e.ExpiresAt = timeOf(ended), timeOf(expires)
	return e, err
}

// InsertExport stores a new export under its id, in its state.
func InsertExport(ctx context.Context, tx Tx, e Export) error {
	const insert = `INSERT INTO export (id, org, dataset, version, format, language, filters, locations, direct, account, key, by_support, state, beat_at, claim)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8::text[]::uuid[], $9, $10, $11, $12, $13, now(), $1)`
	_, err := tx.Exec(ctx, insert, e.ID, e.Organisation, e.Dataset, e.Version, e.Format, e.Language, e.Filters, locationsOf(e),
		e.Direct, e.Account, e.Key, e.Support, e.State)
	return Explain(err, "insert export", nil)
}

// locationsOf is NULL for all locations.
func locationsOf(e Export) []string {
	if e.Everywhere {
		return nil
	}
	ids := make([]string, len(e.Locations))
	for i, id := range e.Locations {
		ids[i] = id.String()
	}
	return ids
}

// within admits the exports whose rows the scope may see: who is limited to some
// locations sees those that hold nothing of others.
func within(scope Scope) *Where {
	var where Where
	where.Scope("e.org", scope)
	if !scope.Everywhere() {
		where.Add("e.locations <@ ?::text[]::uuid[]", scope.Locations())
	}
	return &where
}

// Exports returns a page of the history, newest first.
func (db *DB) Exports(ctx context.Context, scope Scope, dataset string, page Page) ([]Export, Cursor, error) {
	where := within(scope)
	if dataset != "" {
		where.Add("e.dataset = ?", dataset)
	}
	if page.After != (Cursor{}) {
		where.Add("e.id < ?::text::uuid", page.After.ID)
	}
	limit := page.limit()
	sql := selectExport + where.String() + " ORDER BY e.id DESC LIMIT " + where.Bind("?", limit+1)
	found, err := Collect(ctx, db.In(scope), scanExport, sql, where.Args()...)
	if err != nil || len(found) <= limit {
		return found, Cursor{}, err
	}
	found = found[:limit]
	return found, Cursor{ID: found[limit-1].ID.String()}, nil
}

// Export returns one export in scope, or NotFound.
func (db *DB) Export(ctx context.Context, scope Scope, id ExportID) (Export, error) {
	return oneExport(ctx, db.In(scope), scope, id, "")
}

// LockExport returns one export in scope, which nobody else changes until the
// transaction ends, or NotFound.
func LockExport(ctx context.Context, tx Tx, scope Scope, id ExportID) (Export, error) {
	return oneExport(ctx, tx, scope, id, " FOR UPDATE OF e")
}

func oneExport(ctx context.Context, q Rows, scope Scope, id ExportID, lock string) (Export, error) {
	where := within(scope)
	where.Add("e.id = ?", id)
	rows, err := q.Query(ctx, selectExport+where.String()+lock, where.Args()...)
	if err != nil {
		return Export{}, Explain(err, "read export", nil)
	}
	e, err := pgx.CollectExactlyOneRow(rows, scanExport)
	return e, Explain(err, "read export", nil)
}

// SetExportState ends an export within a transaction, whatever works at it.
func SetExportState(ctx context.Context, tx Tx, id ExportID, state string) error {
	const update = `UPDATE export SET state = $2, claim = NULL, ended_at = coalesce(ended_at, now()) WHERE id = $1`
	_, err := tx.Exec(ctx, update, id, state)
	return Explain(err, "change export", nil)
}

// ExportUse is what an organisation's exports take.
type ExportUse struct {
	Bytes int64 // of files, finished or growing
	Open  int   // jobs that are queued or run
}

// LockExportUse returns what the organisation's exports take; others who ask wait until
// the transaction ends.
func LockExportUse(ctx context.Context, tx Tx, organisation schema.OrganisationID) (ExportUse, error) {
	if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtextextended('export ' || $1::text, 0))`, organisation.String()); err != nil {
		return ExportUse{}, Explain(err, "lock exports", nil)
	}
	return exportUse(ctx, tx, organisation)
}

// ExportUse returns what the organisation's exports take.
func (db *DB) ExportUse(ctx context.Context, organisation schema.OrganisationID) (ExportUse, error) {
	return exportUse(ctx, db.In(In(organisation)), organisation)
}

type rowAsker interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

func exportUse(ctx context.Context, q rowAsker, organisation schema.OrganisationID) (ExportUse, error) {
	const sum = `SELECT coalesce(sum(bytes) FILTER (WHERE state IN ('running', 'done')), 0)::bigint, count(*) FILTER (WHERE state IN ('queued', 'running'))
		FROM export WHERE org = $1 AND NOT direct AND state IN ('queued', 'running', 'done')`
	var use ExportUse
	err := q.QueryRow(ctx, sum, organisation).Scan(&use.Bytes, &use.Open)
	return use, Explain(err, "sum exports", nil)
}
