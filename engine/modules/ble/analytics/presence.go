package analytics

import (
	"context"
	"fmt"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"

	"mybeacon/schema"
)

// Presence is one tag's day.
type Presence struct {
	Tag      schema.TagID
	Day      string // YYYY-MM-DD in the question's zone
	First    schema.EventTime
	Last     schema.EventTime
	ZonesMs  int64
	OutMs    int64 // outside zones
	StillIn  bool  // a visit is open at the end of the day's part of the time
	Location schema.LocationID
}

// Presences tells per tag and day when it was there first and last and for how long, by
// day and tag. With zones in the question, in these zones.
func (a *Analytics) Presences(ctx context.Context, q *Query, after *Presence, most int) ([]Presence, error) {
	table, s, err := a.stays(ctx, q)
	if err != nil {
		return nil, err
	}
	const local = "fromUnixTimestamp64Milli(%s, {tz:String})"
	in := fmt.Sprintf("SELECT tag, toDate("+local+") AS day, a AS first, b AS last, b - a AS zoned, toInt64(0) AS out, open AND b >= until AS still FROM %s WHERE %s",
		"a", piecesOf(table, q.step()), q.once())
	if len(q.Zones) == 0 {
		heard, err := a.heard(ctx, q, s)
		if err != nil {
			return nil, err
		}
		in += fmt.Sprintf("\nUNION ALL SELECT tag, toDate("+local+") AS day, first, last, 0, ms, false FROM %s",
			"first", outsidePieces(heard, table, q.step()))
	}
	where := "1"
	if after != nil {
		where = "(day, tag) > (toDate({day:String}), {after:UUID})"
		s.set("day", after.Day).set("after", after.Tag.String())
	}
	sql := fmt.Sprintf(`SELECT tag, toString(day), min(first), max(last), sum(zoned), sum(out), max(still)
FROM (%s) WHERE %s GROUP BY day, tag ORDER BY day, tag LIMIT %d`, in, where, most)
	var out []Presence
	err = a.ask(ctx, "presence", sql, s, func(rows driver.Rows) error {
		p := Presence{Location: q.Location}
		var first, last int64
		err := rows.Scan((*uuid.UUID)(&p.Tag), &p.Day, &first, &last, &p.ZonesMs, &p.OutMs, &p.StillIn)
		p.First, p.Last = schema.EventTime(first), schema.EventTime(last)
		out = append(out, p)
		return err
	})
	return out, err
}
