package analytics

import (
	"context"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"

	"mybeacon/schema"
)

// MaxTracks is how many fixes a page of tracks may have.
const MaxTracks = 20_000

// Fix is where a tag was, from At on for ValidMs.
type Fix struct {
	Tag     schema.TagID
	At      schema.EventTime
	X, Y    float32
	Radius  float32 // holds the tag with 68 %
	Zone    schema.ZoneID
	ValidMs uint32
}

// FixMark is the place in the order after which a page begins.
type FixMark struct {
	At  schema.EventTime
	Tag schema.TagID
}

// Tracks returns up to most fixes of the question's plan by time and tag. With every,
// the last of each tag in each stretch of that length. What began before the time and
// held into it comes first, so that a playback begins with everybody in his place.
func (a *Analytics) Tracks(ctx context.Context, q *Query, every time.Duration, after *FixMark, most int) ([]Fix, error) {
	where := q.whose()
	if len(q.Zones) > 0 {
		where += hasZone
	}
	s, past := q.statement(), ""
	if after != nil {
		past = " AND (at, tag) > (fromUnixTimestamp64Milli({after:Int64}, 'UTC'), {last:UUID})"
		s.number("after", int64(after.At)).set("last", after.Tag.String())
	}
	sql := fmt.Sprintf(`SELECT tag, toUnixTimestamp64Milli(at), x_m, y_m, accuracy_m, zone, valid_for_ms
FROM fixes FINAL
WHERE %s AND at >= %s - INTERVAL 1 HOUR AND at < %s AND toUnixTimestamp64Milli(at) + valid_for_ms > {from:Int64}%s
ORDER BY at, tag`, where, fromAt, toAt, past)
	if every > 0 {
		s.number("every", every.Milliseconds())
		sql = fmt.Sprintf(`SELECT tag, at, x, y, r, z, v FROM
(
    SELECT tag, max(toUnixTimestamp64Milli(f.at)) AS at, argMax(x_m, f.at) AS x, argMax(y_m, f.at) AS y, argMax(accuracy_m, f.at) AS r, argMax(zone, f.at) AS z,
        toUInt32(least(max(toUnixTimestamp64Milli(f.at) + valid_for_ms) - at, 4294967295)) AS v
    FROM fixes AS f FINAL
    WHERE %s AND f.at >= %s - INTERVAL 1 HOUR AND f.at < %s AND toUnixTimestamp64Milli(f.at) + valid_for_ms > {from:Int64}
    GROUP BY tag, intDiv(toUnixTimestamp64Milli(f.at), {every:Int64})
)
WHERE 1%s ORDER BY at, tag`, where, fromAt, toAt, map[bool]string{true: " AND (at, tag) > ({after:Int64}, {last:UUID})"}[after != nil])
	}
	var out []Fix
	err := a.ask(ctx, "tracks", fmt.Sprintf("%s LIMIT %d", sql, most), s, func(rows driver.Rows) error {
		var f Fix
		var at int64
		err := rows.Scan((*uuid.UUID)(&f.Tag), &at, &f.X, &f.Y, &f.Radius, (*uuid.UUID)(&f.Zone), &f.ValidMs)
		f.At = schema.EventTime(at)
		out = append(out, f)
		return err
	})
	return out, err
}
