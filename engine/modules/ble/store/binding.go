package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"mybeacon/engine/audit"
	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

// maxBindings bounds what is told of a tag's history, the newest.
const maxBindings = 500

// Binding is what a tag was bound to from when to when.
type Binding struct {
	Organisation schema.OrganisationID
	Number       int // within the tag, from 1
	Type         string
	Name         string
	Description  string
	From         time.Time
	To           *time.Time // nil: to this day
	By           string     // e-mail of who bound it; empty: the system, or nobody whom the reader may know
}

// Bindings returns what the tag was bound to, the newest first; NotFound when the
// scope has no such tag.
func (s *Store) Bindings(ctx context.Context, scope postgres.Scope, tag schema.TagID) (found []Binding, err error) {
	err = s.db.Read(ctx, scope, func(tx postgres.Tx) error {
		if _, err := readTag(ctx, tx, scope, tag); err != nil {
			return err
		}
		_, inside := scope.Organisation()
		// People of another organisation, such as super-admins, are not named inside one.
		const sql = `SELECT b.org, b.number, b.type, b.name, b.description, b.from_at, b.to_at, coalesce(a.email, '') FROM ble_tag_binding b
			LEFT JOIN account a ON a.id = b.by_account AND (a.org = b.org OR NOT $2) WHERE b.tag = $1 ORDER BY b.number DESC LIMIT $3`
		found, err = postgres.Collect(ctx, tx, scanBinding, sql, tag, inside, maxBindings)
		return err
	})
	return found, err
}

func scanBinding(row pgx.CollectableRow) (Binding, error) {
	var b Binding
	return b, row.Scan(&b.Organisation, &b.Number, &b.Type, &b.Name, &b.Description, &b.From, &b.To, &b.By)
}

// BindTag ends the tag's present binding, if it has one, and begins one to what to
// says of type, name and description. Saying again what it is bound to changes nothing.
func (s *Store) BindTag(ctx context.Context, scope postgres.Scope, id schema.TagID, to Tag) (Tag, error) {
	return s.alterTag(ctx, scope, id, func(tx postgres.Tx, old Tag) error {
		next := old
		next.Type, next.Name, next.Description = to.Type, to.Name, to.Description
		next.Photo = photoAfter(old, next)
		fields := changesOfTag(old, next)
		if len(fields) == 0 && old.BoundAt != nil {
			tx.Unrecorded("it is bound to that already")
			return nil
		}
		if old.BoundAt == nil {
			fields = append(fields, audit.Made("bound", "yes"))
		}
		recordTag(tx, audit.Change, next, fields...)
		return rebindTag(ctx, tx, next)
	})
}

// photoAfter returns the photo of a tag that is bound anew: one of somebody else must
// not show him whom it showed before.
func photoAfter(old, next Tag) string {
	if old.Type != next.Type || old.Name != next.Name {
		return ""
	}
	return old.Photo
}

// UnbindTag ends the tag's present binding: it is called by what it sends, and its
// photo, which showed what carried it, is gone.
func (s *Store) UnbindTag(ctx context.Context, scope postgres.Scope, id schema.TagID) (Tag, error) {
	return s.alterTag(ctx, scope, id, func(tx postgres.Tx, old Tag) error {
		if old.BoundAt == nil {
			tx.Unrecorded("it is bound to nothing already")
			return nil
		}
		next := old
		next.Type, next.Name, next.Description, next.Photo = "asset", old.Transmitter.String(), "", ""
		recordTag(tx, audit.Change, old, append(changesOfTag(old, next), audit.Field{Name: "bound", Old: "yes"})...)
		if err := endBinding(ctx, tx, id); err != nil {
			return err
		}
		return writeTag(ctx, tx, next)
	})
}

// rebindTag writes what the locked tag is called, ends its binding and begins the next.
func rebindTag(ctx context.Context, tx postgres.Tx, t Tag) error {
	if err := writeTag(ctx, tx, t); err != nil {
		return err
	}
	if err := endBinding(ctx, tx, t.ID); err != nil {
		return err
	}
	_, err := bind(ctx, tx, t)
	return err
}

// endBinding uses the clock after the row was locked: intervals follow each other in
// the order of the changes, also when transactions began in another one.
func endBinding(ctx context.Context, tx postgres.Tx, id schema.TagID) error {
	const end = `UPDATE ble_tag_binding SET to_at = greatest(from_at, clock_timestamp()) WHERE tag = $1 AND to_at IS NULL`
	_, err := tx.Exec(ctx, end, id)
	return postgres.Explain(err, "end binding", nil)
}

// bind begins a binding of a tag that has none.
func bind(ctx context.Context, tx postgres.Tx, t Tag) (*time.Time, error) {
	const begin = `INSERT INTO ble_tag_binding (tag, org, number, type, name, description, from_at, by_account)
		SELECT $1, $2, coalesce(max(number), 0) + 1, $3, $4, $5, greatest(max(to_at), clock_timestamp()), $6
		FROM ble_tag_binding WHERE tag = $1 RETURNING from_at`
	from := new(time.Time)
	err := tx.QueryRow(ctx, begin, t.ID, t.Organisation, t.Type, t.Name, t.Description, audit.ActorOf(ctx).User).Scan(from)
	return from, postgres.Explain(err, "begin binding", nil)
}

func recordTag(tx postgres.Tx, action audit.Action, t Tag, fields ...audit.Field) {
	tx.Record(audit.Entry{Organisation: t.Organisation, Action: action, Object: tagObject(t.Tag), Fields: fields})
}

// changesOfTag tells what differs between two states of a tag. What a person is
// called and what is said of him is his.
func changesOfTag(old, now Tag) []audit.Field {
	var c audit.Changes
	text := c.Text
	if old.Type == "person" || now.Type == "person" {
		text = c.Personal
	}
	text("name", old.Name, now.Name)
	text("description", old.Description, now.Description)
	c.Text("type", old.Type, now.Type)
	c.Text("photo", old.Photo, now.Photo)
	return c
}
