package analytics

import (
	"context"
	"fmt"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"

	"mybeacon/schema"
)

// Event is one end of a visit.
type Event struct {
	At    schema.EventTime
	Leave bool
	Visit schema.VisitID
	Tag   schema.TagID
	Plan  schema.PlanID
	Zone  schema.ZoneID
}

// EventKinds says which ends of visits are wanted.
type EventKinds struct{ Enter, Leave bool }

// Events returns up to most entries and exits within the question's time, by time; at
// the same time exits come before entries. With after, those behind it.
func (a *Analytics) Events(ctx context.Context, q *Query, kinds EventKinds, after *Event, most int) ([]Event, error) {
	table, s, err := a.stays(ctx, q)
	if err != nil {
		return nil, err
	}
	where := "at >= {from:Int64} AND at < {to:Int64}"
	if after != nil {
		where += " AND (at, enters, visit_id) > ({after:Int64}, {enters:UInt8}, {visit:UUID})"
		s.number("after", int64(after.At)).number("enters", map[bool]int64{false: 1}[after.Leave]).set("visit", after.Visit.String())
	}
	sql := fmt.Sprintf(`SELECT at, enters, visit_id, tag, plan, zone FROM
(
    SELECT visit_id, tag, plan, zone, arrayJoin(arrayConcat(if(%t, [(entered, toUInt8(1))], []), if(%t AND NOT open, [(until, toUInt8(0))], []))) AS e, e.1 AS at, e.2 AS enters
    FROM %s
)
WHERE %s ORDER BY at, enters, visit_id LIMIT %d`, kinds.Enter, kinds.Leave, table, where, most)
	var out []Event
	err = a.ask(ctx, "events", sql, s, func(rows driver.Rows) error {
		var e Event
		var at int64
		var enters uint8
		err := rows.Scan(&at, &enters, (*uuid.UUID)(&e.Visit), (*uuid.UUID)(&e.Tag), (*uuid.UUID)(&e.Plan), (*uuid.UUID)(&e.Zone))
		e.At, e.Leave = schema.EventTime(at), enters == 0
		out = append(out, e)
		return err
	})
	return out, err
}
