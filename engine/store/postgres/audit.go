package postgres

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"mybeacon/engine/audit"
	"mybeacon/schema"
)

// recorded returns an error unless the change was written down or it was said why not.
func recorded(tx Tx, topic string) error {
	t, ok := tx.(*transaction)
	if ok && len(t.entries) == 0 && t.excused == "" {
		return fmt.Errorf("BUG: a change of %q recorded nothing: call Record, or Unrecorded with the reason", topic)
	}
	return nil
}

// seal stores what the transaction recorded, as its last statements.
func (db *DB) seal(ctx context.Context, t *transaction) error {
	acts, by := make([]audit.Act, len(t.entries)), audit.ActorOf(ctx)
	for i, e := range t.entries {
		acts[i] = audit.Act{Entry: e, By: by}
	}
	return writeLog(ctx, t, acts)
}

// writeLog adds entries to their chains. Each chain's end is locked until the
// transaction ends; chains are always locked in the same order, and nothing is locked
// after them, so that transactions cannot wait for each other in a circle.
func writeLog(ctx context.Context, tx pgx.Tx, acts []audit.Act) error {
	const insert = `INSERT INTO audit_entry (org, body, personal, salts) VALUES ($1, $2, $3, $4)`
	if len(acts) == 0 {
		return nil
	}
	slices.SortStableFunc(acts, func(a, b audit.Act) int {
		return cmp.Compare(a.Organisation.String(), b.Organisation.String())
	})
	batch := &pgx.Batch{}
	for _, a := range acts {
		b := audit.Write(a.Entry, a.By)
		if len(acts) == 1 { // the usual case; unlike a batch it is bounded by [Prompt]
			_, err := tx.Exec(ctx, insert, b.Organisation, b.JSON, b.Personal, b.Salts)
			return Explain(err, "write the audit log", nil)
		}
		batch.Queue(insert, b.Organisation, b.JSON, b.Personal, b.Salts)
	}
	return Explain(tx.SendBatch(ctx, batch).Close(), "write the audit log", nil)
}

// AppendActs writes what several people did, all or none.
func (db *DB) AppendActs(ctx context.Context, acts []audit.Act) error {
	return db.Write(ctx, AllOrganisations(), func(tx Tx) error { return writeLog(ctx, tx, slices.Clone(acts)) })
}

// Append writes entries that belong to no change, all or none.
func (db *DB) Append(ctx context.Context, scope Scope, entries ...audit.Entry) error {
	return db.Write(ctx, scope, func(tx Tx) error {
		for _, e := range entries {
			tx.Record(e)
		}
		return nil
	})
}

// EraseFromAudit erases what the audit log knows of the person, and returns how many
// entries lost something. The log stays whole: it holds digests of what was erased.
func (db *DB) EraseFromAudit(ctx context.Context, person schema.UserID) (entries int64, err error) {
	err = db.Write(ctx, AllOrganisations(), func(tx Tx) error {
		var organisation schema.OrganisationID
		if err := tx.QueryRow(ctx, `SELECT org FROM account WHERE id = $1`, person).Scan(&organisation); err != nil {
			if err = Explain(err, "find account", nil); schema.KindOf(err) != schema.NotFound {
				return err // who is gone already is erased too
			}
		}
		if err := tx.QueryRow(ctx, `SELECT audit_erase($1)`, person).Scan(&entries); err != nil {
			return err
		}
		tx.Record(audit.Entry{
			Organisation: organisation, Action: audit.System,
			Object: audit.Object{Kind: audit.KindUser, ID: person.String()}, Fields: []audit.Field{audit.Made("erased", "yes")},
		})
		return nil
	})
	return entries, err
}

// AuditFilter narrows the audit log; empty fields admit all.
type AuditFilter struct {
	// System asks for the system's own chain only.
	System   bool
	User     schema.UserID
	Email    string // of who did it, letters' case does not matter
	Action   audit.Action
	From, To time.Time // From <= at < To
	Query    string    // part of names, values, e-mail or address; letters' case does not matter
}

const entryColumns = `e.org, e.seq, e.at, e.body, e.previous, e.hash, e.personal, e.salts`

const selectEntry = `SELECT ` + entryColumns + ` FROM audit_entry e`

func scanEntry(row pgx.Row, more ...any) (audit.Stored, error) {
	var s audit.Stored
	fields := []any{&s.Organisation, &s.Seq, &s.At, &s.JSON, &s.Previous, &s.Hash, &s.Personal, &s.Salts}
	return s, row.Scan(append(fields, more...)...)
}

// conditions puts the scope and the filter into conditions.
func (f AuditFilter) conditions(scope Scope) *Where {
	var w Where
	if organisation, ok := scope.Organisation(); ok {
		w.Add("e.chain = ?", organisation)
	} else {
		w.Scope("e.org", scope)
	}
	if f.System {
		w.Add("e.chain = '00000000-0000-0000-0000-000000000000'")
	}
	if !f.User.IsZero() {
		w.Add("e.user_id = ?", f.User)
	}
	if f.Email != "" {
		w.Add("e.email = ?", strings.ToLower(f.Email))
	}
	if f.Action != "" {
		w.Add("e.action = ?", string(f.Action))
	}
	if !f.From.IsZero() {
		w.Add("e.at >= ?", f.From)
	}
	if !f.To.IsZero() {
		w.Add("e.at < ?", f.To)
	}
	if f.Query != "" {
		w.Add("position(? IN e.words) > 0", strings.ToLower(f.Query))
	}
	return &w
}

// newestFirst is the order of the log. Times differ within a chain.
const newestFirst = " ORDER BY e.at DESC, e.chain DESC"

// AuditLine is an entry with the name that its organisation has now.
type AuditLine struct {
	audit.Line
	OrganisationName string // empty for the system's log, and once the organisation is gone
}

const nameOfEntry = `, coalesce((SELECT o.name FROM organisation o WHERE o.id = e.org), '')`

// AuditLog returns a page of the audit log, the newest entries first.
func (db *DB) AuditLog(ctx context.Context, scope Scope, filter AuditFilter, page Page) ([]AuditLine, Cursor, error) {
	where := filter.conditions(scope)
	if page.After != (Cursor{}) {
		where.Add("(e.at, e.chain) < (?::text::timestamptz, ?::text::uuid)", page.After.Key, page.After.ID)
	}
	limit := page.limit()
	sql := `SELECT ` + entryColumns + nameOfEntry + ` FROM audit_entry e` + where.String() + newestFirst + where.Bind(" LIMIT ?", limit+1)
	found, err := Collect(ctx, db.In(scope), scanLine, sql, where.Args()...)
	if err != nil || len(found) <= limit {
		return found, Cursor{}, err
	}
	found = found[:limit]
	last := found[limit-1]
	return found, Cursor{Key: last.At.UTC().Format(time.RFC3339Nano), ID: audit.NameOfChain(last.Organisation)}, nil
}

func scanLine(row pgx.CollectableRow) (AuditLine, error) {
	var l AuditLine
	s, err := scanEntry(row, &l.OrganisationName)
	if err != nil {
		return l, err
	}
	l.Line, err = s.Line()
	return l, err
}

// ExportAudit calls fn with every entry of the audit log that the filter admits, the
// oldest first, as they were at one moment. It holds one at a time.
func (db *DB) ExportAudit(ctx context.Context, scope Scope, filter AuditFilter, fn func(audit.Line) error) error {
	where := filter.conditions(scope)
	return db.Read(ctx, scope, func(tx Tx) error {
		for s, err := range stream(ctx, tx, selectEntry+where.String()+" ORDER BY e.at, e.chain", where.Args()...) {
			if err != nil {
				return Explain(err, "read the audit log", nil)
			}
			line, err := s.Line()
			if err != nil {
				return err
			}
			if err := fn(line); err != nil {
				return err
			}
		}
		return nil
	})
}

// VerifyAudit reads all chains in scope as they were at one moment and says where they
// are broken.
func (db *DB) VerifyAudit(ctx context.Context, scope Scope) (result audit.Result, err error) {
	err = db.Read(ctx, scope, func(tx Tx) error {
		var where Where
		where.Scope("org", scope)
		heads, err := Collect(ctx, tx, func(row pgx.CollectableRow) (h audit.Head, err error) {
			return h, row.Scan(&h.Organisation, &h.Entries, &h.At, &h.Hash)
		}, `SELECT org, entries, at, hash FROM audit_chain`+where.String()+` ORDER BY chain`, where.Args()...)
		if err != nil {
			return err
		}
		where = Where{}
		where.Scope("e.org", scope)
		entries := stream(ctx, tx, selectEntry+where.String()+" ORDER BY e.chain, e.seq", where.Args()...)
		result, err = audit.Verify(heads, entries)
		return Explain(err, "verify the audit log", nil)
	})
	return result, err
}

// stream returns the entries as they arrive.
func stream(ctx context.Context, q Rows, sql string, args ...any) iter.Seq2[audit.Stored, error] {
	return func(yield func(audit.Stored, error) bool) {
		rows, err := q.Query(ctx, sql, args...)
		if err != nil {
			yield(audit.Stored{}, err)
			return
		}
		defer rows.Close()
		for rows.Next() {
			if s, err := scanEntry(rows); !yield(s, err) || err != nil {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(audit.Stored{}, err)
		}
	}
}
