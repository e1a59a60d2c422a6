package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"mybeacon/schema"
)

// What makes exports works for all organisations, and holds each by a claim: whoever
// does not tell in time that he lives has lost it.

// ClaimExport takes a queued export, or one whose attempt has not beaten since lost; ok
// is false when there is nothing to take.
func (db *DB) ClaimExport(ctx context.Context, id, claim ExportID, lost time.Duration) (e Export, ok bool, err error) {
	const update = `UPDATE export SET state = 'running', claim = $2, attempts = attempts + 1, beat_at = now(), rows = 0, bytes = 0
		WHERE id = $1 AND NOT direct AND (state = 'queued' OR state = 'running' AND beat_at < now() - make_interval(secs => $3))`
	tag, err := db.In(AllOrganisations()).Exec(ctx, update, id, claim, lost.Seconds())
	if err != nil || tag.RowsAffected() == 0 {
		return e, false, Explain(err, "claim export", nil)
	}
	e, err = db.Export(ctx, AllOrganisations(), id)
	return e, err == nil, err
}

// BeginExport notes of whose locations the claimed export may hold rows, and how many
// rows it will have (-1: unknown).
func (db *DB) BeginExport(ctx context.Context, claim ExportID, e Export) error {
	const update = `UPDATE export SET locations = $3::text[]::uuid[], expected = nullif($4, -1) WHERE id = $1 AND claim = $2`
	_, err := db.In(AllOrganisations()).Exec(ctx, update, e.ID, claim, locationsOf(e), e.Expected)
	return Explain(err, "begin export", nil)
}

// BeatExport notes how far the claimed export is; held is false when it is not the
// claim's any more: cancelled, or taken by another.
func (db *DB) BeatExport(ctx context.Context, id, claim ExportID, rows, bytes int64) (held bool, err error) {
	const update = `UPDATE export SET beat_at = now(), rows = $3, bytes = $4 WHERE id = $1 AND claim = $2 AND state = 'running'`
	tag, err := db.In(AllOrganisations()).Exec(ctx, update, id, claim, rows, bytes)
	return tag.RowsAffected() > 0, Explain(err, "note progress of export", nil)
}

// ReleaseExport queues the claimed export again.
func (db *DB) ReleaseExport(ctx context.Context, id, claim ExportID) error {
	const update = `UPDATE export SET state = 'queued', claim = NULL, rows = 0, bytes = 0 WHERE id = $1 AND claim = $2 AND state = 'running'`
	_, err := db.In(AllOrganisations()).Exec(ctx, update, id, claim)
	return Explain(err, "release export", nil)
}

// EndExport notes how the claimed export ended: its State, Rows, Bytes, SHA256, Error
// and ExpiresAt. held is false when it is not the claim's any more.
func (db *DB) EndExport(ctx context.Context, claim ExportID, e Export) (held bool, err error) {
	const update = `UPDATE export SET state = $3, claim = NULL, rows = $4, bytes = $5, sha256 = $6, error = $7, expires_at = $8, ended_at = now()
		WHERE id = $1 AND claim = $2 AND state = 'running'`
	tag, err := db.In(AllOrganisations()).Exec(ctx, update, e.ID, claim, e.State, e.Rows, e.Bytes, e.SHA256, e.Error, optional(e.ExpiresAt))
	return tag.RowsAffected() > 0, Explain(err, "end export", nil)
}

func optional(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// CutOffExports notes the streams whose process has gone, at what they last told.
func (db *DB) CutOffExports(ctx context.Context, lost time.Duration) error {
	const update = `UPDATE export SET state = 'cut_off', claim = NULL, ended_at = now() WHERE direct AND state = 'running' AND beat_at < now() - make_interval(secs => $1)`
	_, err := db.In(AllOrganisations()).Exec(ctx, update, lost.Seconds())
	return Explain(err, "note cut exports", nil)
}

// LostExports returns up to most exports that nobody works at although they are said to
// run; nobody else gets them until the transaction ends.
func LostExports(ctx context.Context, tx Tx, lost time.Duration, most int) ([]Export, error) {
	const where = ` WHERE NOT e.direct AND e.beat_at < now() - make_interval(secs => $1) AND e.state = 'running' ORDER BY e.id LIMIT $2 FOR UPDATE OF e SKIP LOCKED`
	return Collect(ctx, tx, scanExport, selectExport+where, lost.Seconds(), most)
}

// RequeueExport queues an export again, within a transaction.
func RequeueExport(ctx context.Context, tx Tx, id ExportID) error {
	_, err := tx.Exec(ctx, `UPDATE export SET state = 'queued', claim = NULL, rows = 0, bytes = 0, beat_at = now() WHERE id = $1`, id)
	return Explain(err, "queue export", nil)
}

// FailExport ends an export that nobody has, within a transaction.
func FailExport(ctx context.Context, tx Tx, id ExportID, why string) error {
	_, err := tx.Exec(ctx, `UPDATE export SET state = 'failed', claim = NULL, bytes = 0, error = $2, ended_at = now() WHERE id = $1`, id, why)
	return Explain(err, "fail export", nil)
}

// ExpireExports notes up to most exports whose files have had their time by then, and
// returns them.
func (db *DB) ExpireExports(ctx context.Context, now time.Time, most int) ([]Export, error) {
	const update = `WITH x AS (SELECT id FROM export WHERE state = 'done' AND NOT direct AND expires_at <= $1 ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED)
		UPDATE export SET state = 'expired' FROM x WHERE export.id = x.id RETURNING export.id`
	ids, err := Collect(ctx, db.In(AllOrganisations()), scanExportID, update, now, most)
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	return Collect(ctx, db.In(AllOrganisations()), scanExport, selectExport+` WHERE e.id = ANY ($1::text[]::uuid[])`, textsOf(ids))
}

// KeptExports returns those of the organisation's exports whose files are needed.
func (db *DB) KeptExports(ctx context.Context, organisation schema.OrganisationID, ids []ExportID) ([]ExportID, error) {
	const sql = `SELECT id FROM export WHERE org = $1 AND id = ANY ($2::text[]::uuid[]) AND state IN ('running', 'done')`
	return Collect(ctx, db.In(AllOrganisations()), scanExportID, sql, organisation, textsOf(ids))
}

// SweepExports removes history that is older than keep.
func (db *DB) SweepExports(ctx context.Context, keep time.Duration) error {
	return db.sweep(ctx, "exports", `DELETE FROM export WHERE created_at < $1 AND state NOT IN ('queued', 'running', 'done')`, time.Now().Add(-keep))
}

func textsOf(ids []ExportID) []string {
	texts := make([]string, len(ids))
	for i, id := range ids {
		texts[i] = id.String()
	}
	return texts
}

func scanExportID(row pgx.CollectableRow) (id ExportID, err error) { return id, row.Scan(&id) }
