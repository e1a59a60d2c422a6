package analytics

import (
	"context"
	"fmt"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"mybeacon/schema"
)

// Summary is a time in a few figures. Visits are those that touch the time, each with
// its part inside; a visit to a part of a zone is not one more.
type Summary struct {
	Visits   uint64
	Tags     uint64
	MedianMs float64
	MeanMs   float64
	TotalMs  int64
	Peak     uint64           // tags in zones at once
	FirstIn  schema.EventTime // the first entry in the time; zero: none
	LastOut  schema.EventTime // the last end of a visit in the time; zero: none
}

// Summary tells the figures of the question's time.
func (a *Analytics) Summary(ctx context.Context, q *Query) (Summary, error) {
	table, s, err := a.stays(ctx, q)
	if err != nil {
		return Summary{}, err
	}
	sql := fmt.Sprintf(`SELECT count(), uniqExact(tag), ifNotFinite(quantileExactInclusive(0.5)(b - a), 0), ifNotFinite(avg(b - a), 0), sum(b - a),
    toUInt64(maxIntersectionsIf(a, b, b > a)), minIf(entered, entered >= {from:Int64}), maxIf(until, NOT open AND until < {to:Int64})
FROM %s WHERE %s`, table, q.once())
	var out Summary
	err = a.ask(ctx, "summary", sql, s, func(rows driver.Rows) error {
		var first, last int64
		err := rows.Scan(&out.Visits, &out.Tags, &out.MedianMs, &out.MeanMs, &out.TotalMs, &out.Peak, &first, &last)
		out.FirstIn, out.LastOut = schema.EventTime(first), schema.EventTime(last)
		return err
	})
	return out, err
}
