package postgres

import (
	"context"
	"encoding/json"
	"time"

	"github.com/jackc/pgx/v5"

	"mybeacon/engine/audit"
	"mybeacon/schema"
)

type askKind struct{}

// AskQueryID names a question that somebody kept.
type AskQueryID = schema.ID[askKind]

// AskQuery is a question to the warehouse that somebody kept for the organisation.
type AskQuery struct {
	ID           AskQueryID
	Organisation schema.OrganisationID
	Title        string
	SQL          string
	Params       json.RawMessage
	Chart        json.RawMessage // nil: none
	Account      schema.UserID   // who kept it; zero: deleted since
	Email        string          // of Account
	ChangedAt    time.Time
}

// maxAskQueries bounds the questions that an organisation keeps.
const maxAskQueries = 200

const selectAskQuery = `SELECT q.id, q.org, q.title, q.sql, q.params, q.chart, q.account, coalesce(a.email, ''), q.changed_at
	FROM ask_query q LEFT JOIN account a ON a.id = q.account`

func scanAskQuery(row pgx.CollectableRow) (q AskQuery, err error) {
	err = row.Scan(&q.ID, &q.Organisation, &q.Title, &q.SQL, &q.Params, &q.Chart, &q.Account, &q.Email, &q.ChangedAt)
	return q, err
}

// AskQueries returns all kept questions of the organisation, by title.
func (db *DB) AskQueries(ctx context.Context, organisation schema.OrganisationID) ([]AskQuery, error) {
	const where = ` WHERE q.org = $1 ORDER BY q.title, q.id LIMIT $2`
	return Collect(ctx, db.In(In(organisation)), scanAskQuery, selectAskQuery+where, organisation, maxAskQueries)
}

var askConstraints = Constraints{
	"ask_query_org_title_key": schema.Errorf(schema.Conflict, "title", "is another kept query's already: choose another one"),
}

// InsertAskQuery keeps a question. More than 200 are a Conflict.
func (db *DB) InsertAskQuery(ctx context.Context, q AskQuery) error {
	return db.Change(ctx, In(q.Organisation), CoreTopic, func(tx Tx) error {
		const insert = `INSERT INTO ask_query (id, org, title, sql, params, chart, account)
			SELECT $1, $2, $3, $4, $5, $6, $7 WHERE (SELECT count(*) FROM ask_query WHERE org = $2) < $8`
		tag, err := tx.Exec(ctx, insert, q.ID, q.Organisation, q.Title, q.SQL, q.Params, q.Chart, q.Account, maxAskQueries)
		if err == nil && tag.RowsAffected() == 0 {
			return schema.Errorf(schema.Conflict, "", "the organisation keeps %d queries already; delete some first", maxAskQueries)
		}
		tx.Record(q.entry(audit.Create, audit.Made("sql", shortSQL(q.SQL))))
		return Explain(err, "insert query", askConstraints)
	})
}

// ChangeAskQuery replaces title, SQL, parameters and chart of a kept question of the
// organisation, or is NotFound; may says whether the one there is the caller's to change.
func (db *DB) ChangeAskQuery(ctx context.Context, q AskQuery, may func(AskQuery) error) (AskQuery, error) {
	err := db.Change(ctx, In(q.Organisation), CoreTopic, func(tx Tx) error {
		old, err := lockAskQuery(ctx, tx, q.Organisation, q.ID)
		if err == nil {
			err = may(old)
		}
		if err != nil {
			return err
		}
		const update = `UPDATE ask_query SET title = $3, sql = $4, params = $5, chart = $6, changed_at = now() WHERE org = $1 AND id = $2`
		_, err = tx.Exec(ctx, update, q.Organisation, q.ID, q.Title, q.SQL, q.Params, q.Chart)
		var changes audit.Changes
		changes.Text("title", old.Title, q.Title)
		changes.Text("sql", shortSQL(old.SQL), shortSQL(q.SQL))
		tx.Record(q.entry(audit.Change, changes...))
		return Explain(err, "change query", askConstraints)
	})
	if err != nil {
		return q, err
	}
	rows, err := db.In(In(q.Organisation)).Query(ctx, selectAskQuery+` WHERE q.org = $1 AND q.id = $2`, q.Organisation, q.ID)
	if err != nil {
		return q, Explain(err, "read query", nil)
	}
	q, err = pgx.CollectExactlyOneRow(rows, scanAskQuery)
	return q, Explain(err, "read query", nil)
}

// DeleteAskQuery removes a kept question of the organisation, as ChangeAskQuery.
func (db *DB) DeleteAskQuery(ctx context.Context, organisation schema.OrganisationID, id AskQueryID, may func(AskQuery) error) error {
	return db.Change(ctx, In(organisation), CoreTopic, func(tx Tx) error {
		old, err := lockAskQuery(ctx, tx, organisation, id)
		if err == nil {
			err = may(old)
		}
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `DELETE FROM ask_query WHERE org = $1 AND id = $2`, organisation, id)
		tx.Record(old.entry(audit.Delete))
		return Explain(err, "delete query", nil)
	})
}

func lockAskQuery(ctx context.Context, tx Tx, organisation schema.OrganisationID, id AskQueryID) (AskQuery, error) {
	rows, err := tx.Query(ctx, selectAskQuery+` WHERE q.org = $1 AND q.id = $2 FOR UPDATE OF q`, organisation, id)
	if err != nil {
		return AskQuery{}, Explain(err, "read query", nil)
	}
	q, err := pgx.CollectExactlyOneRow(rows, scanAskQuery)
	return q, Explain(err, "read query", nil)
}

func (q AskQuery) entry(action audit.Action, fields ...audit.Field) audit.Entry {
	return audit.Entry{Organisation: q.Organisation, Action: action, Object: audit.Object{Kind: "query", ID: q.ID.String(), Name: q.Title}, Fields: fields}
}

// shortSQL is the beginning of a statement, as long as a field of the log may be.
func shortSQL(sql string) string {
	const most = 500
	if r := []rune(sql); len(r) > most {
		return string(r[:most]) + "…"
	}
	return sql
}
