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
//
// Days are read one after the other, as far as the page reaches: fixes are kept by tag,
// so that to find the first of a month all of it would be sorted.
func (a *Analytics) Tracks(ctx context.Context, q *Query, every time.Duration, after *FixMark, most int) ([]Fix, error) {
	begin := q.From.Add(-reach)
	if after != nil && after.At.Time().After(begin) {
		begin = after.At.Time()
	}
	var out []Fix
	for begin.Before(q.To) && len(out) < most {
		end := begin.UTC().Truncate(24 * time.Hour).Add(24 * time.Hour)
		if end.After(q.To) {
			end = q.To
		}
		found, err := a.tracksOf(ctx, q, begin, end, every, after, most-len(out))
		if err != nil {
			return nil, err
		}
		out = append(out, found...)
		begin = end
	}
	return out, nil
}

// tracksOf returns up to most fixes of a part of a day.
func (a *Analytics) tracksOf(ctx context.Context, q *Query, begin, end time.Time, every time.Duration, after *FixMark, most int) ([]Fix, error) {
	where := q.whose()
	if len(q.Zones) > 0 {
		where += hasZone
	}
	s, past := q.statement().number("begin", begin.UnixMilli()).number("end", end.UnixMilli()), "1"
	if after != nil {
		past = "(ms, tag) > ({after:Int64}, {last:UUID})"
		s.number("after", int64(after.At)).set("last", after.Tag.String())
	}
	rows := fmt.Sprintf(`SELECT tag, toUnixTimestamp64Milli(at) AS ms, x_m, y_m, accuracy_m, zone, valid_for_ms
    FROM fixes FINAL
    WHERE %s AND at >= fromUnixTimestamp64Milli({begin:Int64}, 'UTC') AND at < fromUnixTimestamp64Milli({end:Int64}, 'UTC') AND ms + valid_for_ms > {from:Int64}`, where)
	if every > 0 {
		s.number("every", every.Milliseconds())
		rows = `SELECT tag, max(f.ms) AS ms, argMax(x_m, f.ms) AS x_m, argMax(y_m, f.ms) AS y_m, argMax(accuracy_m, f.ms) AS accuracy_m, argMax(zone, f.ms) AS zone,
        toUInt32(least(max(f.ms + valid_for_ms) - ms, 4294967295)) AS valid_for_ms
    FROM (` + rows + `) AS f GROUP BY tag, intDiv(f.ms, {every:Int64})`
	}
	var out []Fix
	sql := fmt.Sprintf("SELECT tag, ms, x_m, y_m, accuracy_m, zone, valid_for_ms FROM\n(\n    %s\n)\nWHERE %s ORDER BY ms, tag LIMIT %d", rows, past, most)
	err := a.ask(ctx, "tracks", sql, s, func(rows driver.Rows) error {
		var f Fix
		var at int64
		err := rows.Scan((*uuid.UUID)(&f.Tag), &at, &f.X, &f.Y, &f.Radius, (*uuid.UUID)(&f.Zone), &f.ValidMs)
		f.At = schema.EventTime(at)
		out = append(out, f)
		return err
	})
	return out, err
}
