package analytics

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	ch "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"mybeacon/schema"
)

// The bounds of a question.
const (
	MaxDays  = 400   // of its time; a year and the days around it
	MaxTags  = 5_000 // that it may name
	MaxZones = 1_000
)

// bounds ends each statement. What it stops is told by [explain].
const bounds = "\nSETTINGS max_execution_time = 20, max_memory_usage = 2000000000, max_bytes_before_external_sort = 500000000, max_bytes_before_external_group_by = 500000000"

// Warehouse is what is needed of a connection pool of clickhouse-go.
type Warehouse interface {
	Query(ctx context.Context, query string, args ...any) (driver.Rows, error)
	Exec(ctx context.Context, query string, args ...any) error
}

// Analytics answers questions. Make one with [New].
type Analytics struct {
	warehouse Warehouse
	clock     func() time.Time
}

// New returns analytics over the warehouse.
func New(w Warehouse, clock func() time.Time) *Analytics {
	return &Analytics{warehouse: w, clock: clock}
}

// Query is what a question is about.
type Query struct {
	Organisation schema.OrganisationID
	Location     schema.LocationID
	Plan         schema.PlanID // zero: all of the location
	Zones        []schema.ZoneID
	Tags         []schema.TagID // with Chosen: these and no others
	Chosen       bool           // whether tags were chosen; nobody may be among them
	From, To     time.Time      // To is not in it
	In           *time.Location // whose days and hours count; nil is UTC
}

// Check returns an error that names the field that is out of bounds.
func (q *Query) Check() error {
	switch {
	case q.Organisation.IsZero() || q.Location.IsZero():
		return schema.Errorf(schema.Invalid, "location", "is required")
	case !q.To.After(q.From):
		return schema.Errorf(schema.Invalid, "to", "must be after from")
	case q.To.Sub(q.From) > (MaxDays+1)*24*time.Hour:
		return schema.Errorf(schema.TooLarge, "from", "the time may be %d days long at most; divide it", MaxDays)
	case len(q.Tags) > MaxTags:
		return schema.Errorf(schema.TooLarge, "tag", "%d tags are meant, %d may be at once; choose a narrower type or fewer tags", len(q.Tags), MaxTags)
	case len(q.Zones) > MaxZones:
		return schema.Errorf(schema.TooLarge, "zone", "%d zones are named, %d may be at once", len(q.Zones), MaxZones)
	}
	return nil
}

func (q *Query) in() *time.Location {
	if q.In == nil {
		return time.UTC
	}
	return q.In
}

// zone is the time zone as ClickHouse names it.
func (q *Query) zoneName() string { return q.in().String() }

// statement collects the parameters of a statement.
type statement struct {
	args []any
	from int64 // ms
	to   int64
}

func (q *Query) statement() *statement {
	s := &statement{from: q.From.UnixMilli(), to: q.To.UnixMilli()}
	s.set("org", q.Organisation.String()).set("location", q.Location.String())
	if !q.Plan.IsZero() {
		s.set("plan", q.Plan.String())
	}
	if q.Chosen {
		s.set("tags", idArray(q.Tags))
	}
	if len(q.Zones) > 0 {
		s.set("zones", idArray(q.Zones))
	}
	return s.number("from", s.from).number("to", s.to).set("tz", q.zoneName())
}

func (s *statement) set(name, value string) *statement {
	s.args = append(s.args, ch.Named(name, value))
	return s
}

func (s *statement) number(name string, v int64) *statement { return s.set(name, fmt.Sprint(v)) }

// idArray writes ids as a parameter of the type Array(UUID).
func idArray[I interface{ String() string }](ids []I) string {
	if len(ids) == 0 {
		return "[]"
	}
	var b strings.Builder
	for i, id := range ids {
		b.WriteString(map[bool]string{true: "['", false: "','"}[i == 0])
		b.WriteString(id.String())
	}
	return b.String() + "']"
}

// whose admits the rows that the question is about, whatever their time and zone.
// Conditions that admit all are left out, so that the warehouse can use its order.
func (q *Query) whose() string {
	where := "org = {org:UUID} AND location = {location:UUID}"
	if !q.Plan.IsZero() {
		where += " AND plan = {plan:UUID}"
	}
	if q.Chosen {
		where += " AND tag IN ({tags:Array(UUID)})"
	}
	return where
}

const (
	noID    = "toUUID('00000000-0000-0000-0000-000000000000')"
	fromAt  = "fromUnixTimestamp64Milli({from:Int64}, 'UTC')"
	toAt    = "fromUnixTimestamp64Milli({to:Int64}, 'UTC')"
	hasZone = " AND zone IN ({zones:Array(UUID)})"
)

// ask runs the statement and hands each row to do, with the bounds of every one.
func (a *Analytics) ask(ctx context.Context, what, sql string, s *statement, do func(driver.Rows) error) error {
	rows, err := a.warehouse.Query(ctx, sql+bounds, s.args...)
	if err != nil {
		return explain(ctx, err, what)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := do(rows); err != nil {
			return fmt.Errorf("read %s: %w", what, err)
		}
	}
	return explain(ctx, rows.Err(), what)
}

// Codes of ClickHouse for a statement that reached a bound.
const (
	codeTimeout = 159
	codeSlow    = 160
	codeMemory  = 241
	codeRows    = 158
	codeResult  = 396
)

// explain turns an error of the warehouse into what the caller can do about it.
func explain(ctx context.Context, err error, what string) error {
	if err == nil {
		return nil
	}
	var refused *ch.Exception
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("read %s: %w", what, err)
	case !errors.As(err, &refused):
		return &schema.Error{Kind: schema.Unavailable, Message: "the warehouse does not answer", Err: fmt.Errorf("read %s: %w", what, err)}
	}
	switch refused.Code {
	case codeTimeout, codeSlow, codeMemory, codeRows, codeResult:
		return &schema.Error{Kind: schema.TooLarge, Message: "the question asks for more than may be answered at once: take a shorter time, one plan or fewer tags", Err: err}
	}
	return fmt.Errorf("read %s: %w", what, err)
}

// seconds of milliseconds.
func seconds(ms int64) float64 { return float64(ms) / 1000 }
