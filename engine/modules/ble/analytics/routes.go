package analytics

import (
	"context"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"

	"mybeacon/schema"
)

// Link is how often tags went from one zone to another; zero is outside zones.
type Link struct {
	From, To schema.ZoneID
	Count    uint64
	Tags     uint64
}

// Path is a way through zones, and how often it was taken.
type Path struct {
	Zones []schema.ZoneID
	Count uint64
	Tags  uint64
}

// maxPaths is how many different links or paths an answer may have; the commonest are kept.
const maxPaths = 5_000

// MaxDepth is how many zones a path may have.
const MaxDepth = 8

// steps is a table of consecutive visits to zones that are no parts, by tag: where the
// tag was before and what came next, and whether it was outside for longer than through
// between. A visit that touches the time by no more than through is there too, so that
// the steps of two times that meet are those of both together.
func (a *Analytics) steps(ctx context.Context, q *Query, through time.Duration) (string, *statement, error) {
	wide := *q
	wide.Zones = nil
	wide.From, wide.To = q.From.Add(-through), q.To.Add(through)
	table, s, err := a.stays(ctx, &wide)
	if err != nil {
		return "", nil, err
	}
	s.number("begin", q.From.UnixMilli()).number("end", q.To.UnixMilli()).number("through", through.Milliseconds())
	sql := fmt.Sprintf(`
(
    SELECT tag, zone, entered, until, open,
        lagInFrame(zone) OVER w AS before, lagInFrame(until, 1, toInt64(-9000000000000)) OVER w AS left_before,
        leadInFrame(zone) OVER w AS next, leadInFrame(entered, 1, toInt64(9000000000000)) OVER w AS enters_next,
        entered - left_before > {through:Int64} AS from_outside, enters_next - until > {through:Int64} AS to_outside
    FROM %s WHERE parent = %s
    WINDOW w AS (PARTITION BY tag ORDER BY entered, visit_id ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
)`, table, noID)
	return sql, s, nil
}

// Links counts the steps from zone to zone in the question's time, the commonest first. A
// tag that is outside for no longer than through between two zones went from one to the
// other; else it went outside, and came from there. A step is counted when the zone is
// entered, or left for the outside. With zones in the question, steps that touch one.
func (a *Analytics) Links(ctx context.Context, q *Query, through time.Duration) ([]Link, error) {
	table, s, err := a.steps(ctx, q, through)
	if err != nil {
		return nil, err
	}
	where := "f != t"
	if len(q.Zones) > 0 {
		where += " AND (f IN ({zones:Array(UUID)}) OR t IN ({zones:Array(UUID)}))"
		s.set("zones", idArray(q.Zones))
	}
	sql := fmt.Sprintf(`SELECT f, t, count() AS n, uniqExact(tag) FROM
(
    SELECT tag, arrayJoin(arrayConcat(
        if(entered >= {begin:Int64} AND entered < {end:Int64}, [(if(from_outside, %[1]s, before), zone)], []),
        if(NOT open AND to_outside AND until >= {begin:Int64} AND until < {end:Int64}, [(zone, %[1]s)], [])
    )) AS link, link.1 AS f, link.2 AS t FROM %[2]s
)
WHERE %[3]s GROUP BY f, t ORDER BY n DESC, f, t LIMIT %[4]d`, noID, table, where, maxPaths)
	var out []Link
	err = a.ask(ctx, "routes", sql, s, func(rows driver.Rows) error {
		var l Link
		err := rows.Scan((*uuid.UUID)(&l.From), (*uuid.UUID)(&l.To), &l.Count, &l.Tags)
		out = append(out, l)
		return err
	})
	return out, err
}

// Paths counts the ways through depth zones that tags took without being outside for
// longer than through, the commonest first. A way is counted when its first zone is
// entered; coming back into the same zone is no step.
func (a *Analytics) Paths(ctx context.Context, q *Query, through time.Duration, depth int) ([]Path, error) {
	if depth < 2 || depth > MaxDepth {
		return nil, schema.Errorf(schema.Invalid, "depth", "%d must be 2 to %d", depth, MaxDepth)
	}
	wide := *q
	wide.To = q.To.Add(24 * time.Hour) // a way that begins in the time may end after it
	table, s, err := a.steps(ctx, &wide, through)
	if err != nil {
		return nil, err
	}
	s.number("last", q.To.UnixMilli())
	where := ""
	if len(q.Zones) > 0 {
		where = " AND hasAny(way, {zones:Array(UUID)})"
		s.set("zones", idArray(q.Zones))
	}
	sql := fmt.Sprintf(`SELECT arrayMap(z -> toString(z), way), count() AS n, uniqExact(tag) FROM
(
    SELECT tag, entered, groupArray(zone) OVER (PARTITION BY tag, trip ORDER BY entered ROWS BETWEEN CURRENT ROW AND %[1]d FOLLOWING) AS way
    FROM
    (
        SELECT tag, entered, zone, sum(from_outside) OVER (PARTITION BY tag ORDER BY entered ROWS UNBOUNDED PRECEDING) AS trip
        FROM %[2]s WHERE from_outside OR zone != before
    )
)
WHERE length(way) = %[3]d AND entered >= {begin:Int64} AND entered < {last:Int64}%[4]s GROUP BY way ORDER BY n DESC, way LIMIT %[5]d`,
		depth-1, table, depth, where, maxPaths)
	var out []Path
	err = a.ask(ctx, "paths", sql, s, func(rows driver.Rows) error {
		var p Path
		var zones []string
		if err := rows.Scan(&zones, &p.Count, &p.Tags); err != nil {
			return err
		}
		p.Zones = make([]schema.ZoneID, len(zones))
		for i, text := range zones {
			if err := p.Zones[i].UnmarshalText([]byte(text)); err != nil {
				return err
			}
		}
		out = append(out, p)
		return nil
	})
	return out, err
}
