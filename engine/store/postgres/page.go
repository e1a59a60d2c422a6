package postgres

import (
	"context"
	"strconv"

	"github.com/jackc/pgx/v5"
)

// The bounds of a page, in rows.
const (
	DefaultLimit = 50
	MaxLimit     = 200
)

// Cursor is the place after which a page begins: the sort key and the id of the
// last row before it. The zero Cursor is the beginning.
type Cursor struct {
	Key string
	ID  string
}

// Page is which part of a list is wanted.
type Page struct {
	Limit int // rows, 0 = DefaultLimit, cut to MaxLimit
	After Cursor
}

func (p Page) limit() int {
	if p.Limit <= 0 {
		return DefaultLimit
	}
	return min(p.Limit, MaxLimit)
}

// Rows is what can be asked: the pool, a connection or a transaction.
type Rows interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// List says how to read one kind of object page by page in the stable order
// (Key, ID).
type List[T any] struct {
	Select string // "SELECT … FROM …" without conditions
	Key    string // the text or number expression to sort by
	Cast   string // the SQL type of Key, such as "text"
	ID     string // the uuid column that makes the order total
	Scan   func(pgx.CollectableRow) (T, error)
	At     func(T) Cursor
}

// Read returns one page of what the conditions admit, and the cursor of the
// next page, which is zero at the end.
func (l List[T]) Read(ctx context.Context, q Rows, where *Where, page Page) ([]T, Cursor, error) {
	if page.After != (Cursor{}) {
		where.Add("("+l.Key+", "+l.ID+") > (?::text::"+l.Cast+", ?::text::uuid)", page.After.Key, page.After.ID)
	}
	limit := page.limit()
	// One row more than asked tells whether there is a next page.
	sql := l.Select + where.String() + " ORDER BY " + l.Key + ", " + l.ID + " LIMIT " + strconv.Itoa(limit+1)
	items, err := Collect(ctx, q, l.Scan, sql, where.Args()...)
	if err != nil || len(items) <= limit {
		return items, Cursor{}, err
	}
	items = items[:limit]
	return items, l.At(items[limit-1]), nil
}

// One returns the single object that the conditions admit, or NotFound.
func (l List[T]) One(ctx context.Context, q Rows, where *Where) (T, error) {
	var none T
	rows, err := q.Query(ctx, l.Select+where.String(), where.Args()...)
	if err != nil {
		return none, Explain(err, "read", nil)
	}
	item, err := pgx.CollectExactlyOneRow(rows, l.Scan)
	return item, Explain(err, "read", nil)
}

// Collect returns all rows of the statement, never nil.
func Collect[T any](ctx context.Context, q Rows, scan func(pgx.CollectableRow) (T, error), sql string, args ...any) ([]T, error) {
	rows, err := q.Query(ctx, sql, args...)
	if err != nil {
		return nil, Explain(err, "read", nil)
	}
	items, err := pgx.CollectRows(rows, scan)
	if items == nil {
		items = []T{}
	}
	return items, Explain(err, "read", nil)
}
