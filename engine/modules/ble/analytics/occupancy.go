package analytics

import (
	"context"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"

	"mybeacon/schema"
)

// maxPoints is how many points an answer about occupancy may have.
const maxPoints = 200_000

// Point is how full a zone was in one step.
type Point struct {
	Zone schema.ZoneID
	At   int64   // ms; the step's beginning
	Mean float64 // tags, each for the time it was there
	Most uint64  // tags at once
}

// Steps of occupancy.
const (
	FiveMinutes = 5 * time.Minute
	Quarter     = 15 * time.Minute
	Hour        = time.Hour
	Day         = 24 * time.Hour // from local midnight to local midnight
)

// bucket is the expression of the beginning of a piece's step, in ms.
func (q *Query) bucket(step time.Duration) string {
	const local = "fromUnixTimestamp64Milli(a, {tz:String})"
	switch step {
	case Day:
		return "toUnixTimestamp(toStartOfDay(" + local + ")) * 1000"
	case Hour:
		return "toUnixTimestamp(toStartOfHour(" + local + ")) * 1000"
	}
	return fmt.Sprintf("intDiv(a, %[1]d) * %[1]d", step.Milliseconds())
}

// length returns how much of the step that begins at ms lies in the question's time.
func (q *Query) length(at int64, step time.Duration) int64 {
	end := at + step.Milliseconds()
	if step == Day {
		day := time.UnixMilli(at).In(q.in())
		end = time.Date(day.Year(), day.Month(), day.Day()+1, 0, 0, 0, 0, q.in()).UnixMilli()
	}
	return min(end, q.To.UnixMilli()) - max(at, q.From.UnixMilli())
}

// Occupancy tells how full each zone was, step by step, by zone and time; a tag in a
// part of a zone counts in both. Steps in which nobody was in a zone are left out.
func (a *Analytics) Occupancy(ctx context.Context, q *Query, step time.Duration) ([]Point, error) {
	table, s, err := a.stays(ctx, q)
	if err != nil {
		return nil, err
	}
	pieces := piecesOf(table, min(step.Milliseconds(), q.step()))
	sql := fmt.Sprintf(`SELECT zone, toInt64(%s) AS at, toInt64(sum(b - a)), toUInt64(maxIntersections(a, b)) FROM %s
WHERE b > a GROUP BY zone, at ORDER BY zone, at LIMIT %d`, q.bucket(step), pieces, maxPoints+1)
	var out []Point
	err = a.ask(ctx, "occupancy", sql, s, func(rows driver.Rows) error {
		var p Point
		var ms int64
		err := rows.Scan((*uuid.UUID)(&p.Zone), &p.At, &ms, &p.Most)
		p.Mean = float64(ms) / float64(q.length(p.At, step))
		if out = append(out, p); len(out) > maxPoints {
			return schema.Errorf(schema.TooLarge, "step", "there are more than %d points; take a longer step, a shorter time or fewer zones", maxPoints)
		}
		return err
	})
	return out, err
}

// Now is who is in a zone at this moment.
type Now struct {
	Zone schema.ZoneID
	Tags []schema.TagID
}

const nowSQL = `SELECT zone, groupUniqArray(10000)(toString(tag)) FROM zone_visits FINAL
WHERE %s AND left_at IS NULL GROUP BY zone ORDER BY zone`

// Now tells who is in which zone; the question's time does not matter.
func (a *Analytics) Now(ctx context.Context, q *Query) ([]Now, error) {
	where := q.whose()
	if len(q.Zones) > 0 {
		where += hasZone
	}
	var out []Now
	err := a.ask(ctx, "occupancy", fmt.Sprintf(nowSQL, where), q.statement(), func(rows driver.Rows) error {
		var n Now
		var tags []string
		if err := rows.Scan((*uuid.UUID)(&n.Zone), &tags); err != nil {
			return err
		}
		n.Tags = make([]schema.TagID, len(tags))
		for i, text := range tags {
			if err := n.Tags[i].UnmarshalText([]byte(text)); err != nil {
				return err
			}
		}
		out = append(out, n)
		return nil
	})
	return out, err
}
