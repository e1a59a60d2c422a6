package clickhouse

import (
	"context"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"

	"mybeacon/actors/tag"
	"mybeacon/engine/rederive"
	"mybeacon/schema"
)

// lately is how long before the newest arrival a tag must have been heard to be taken
// up after a start: longer than anything derived takes to be stored.
const lately = 10 * time.Minute

// newestArrivalSQL reads only what the index on arrived_at does not rule out, so that
// it is asked with wider and wider bounds.
const newestArrivalSQL = `SELECT max(arrived_at) FROM observations WHERE arrived_at > fromUnixTimestamp64Milli({since:Int64}, 'UTC')`

// newestArrival returns when anything arrived last, or the zero time.
func (s *Sink) newestArrival(ctx context.Context, now time.Time) (newest time.Time, err error) {
	const day = 24 * time.Hour
	for _, back := range []time.Duration{lately, day, 30 * day, 366 * day, 100 * 366 * day} {
		err = s.each(ctx, "the newest arrival", newestArrivalSQL, func(rows driver.Rows) error { return rows.Scan(&newest) },
			number("since", now.Add(-back).UnixMilli()))
		if err != nil || newest.Unix() > 0 {
			return newest, err
		}
	}
	return time.Time{}, nil
}

const activeSQL = `
SELECT o.org, o.tag, o.first, f.fixed
FROM
(
    SELECT org, tag, min(at) AS first FROM observations
    WHERE arrived_at > fromUnixTimestamp64Milli({since:Int64}, 'UTC') AND tag != toUUID('00000000-0000-0000-0000-000000000000')
    GROUP BY org, tag
    UNION ALL
    SELECT k.1, k.2, toDateTime64(0, 3, 'UTC') FROM (SELECT arrayJoin(arrayZip({orgs:Array(UUID)}, {tags:Array(UUID)})) AS k)
) AS o
LEFT JOIN
(
    SELECT org, tag, max(at) AS fixed FROM fixes FINAL
    WHERE (org, tag) IN
    (
        SELECT org, tag FROM observations WHERE arrived_at > fromUnixTimestamp64Milli({since:Int64}, 'UTC')
        UNION ALL
        SELECT k.1, k.2 FROM (SELECT arrayJoin(arrayZip({orgs:Array(UUID)}, {tags:Array(UUID)})) AS k)
    )
    GROUP BY org, tag
) AS f ON f.org = o.org AND f.tag = o.tag`

// Active implements rederive.Restart.
func (s *Sink) Active(ctx context.Context, now time.Time, also []tag.Key) ([]rederive.Active, time.Time, error) {
	newest, err := s.newestArrival(ctx, now)
	if err != nil {
		return nil, time.Time{}, err
	}
	since := newest.Add(-lately)
	orgs, tags := make([]string, len(also)), make([]string, len(also))
	for i, k := range also {
		orgs[i], tags[i] = k.Organisation.String(), k.Tag.String()
	}
	found := make(map[tag.Key]rederive.Active)
	err = s.each(ctx, "the active tags", activeSQL, func(rows driver.Rows) error {
		var a rederive.Active
		var first, fixed time.Time
		err := rows.Scan((*uuid.UUID)(&a.Organisation), (*uuid.UUID)(&a.Tag), &first, &fixed)
		a.Heard, a.Fixed = max(schema.EventTimeOf(first), found[a.Key].Heard), schema.EventTimeOf(fixed)
		found[a.Key] = a
		return err
	}, number("since", since.UnixMilli()), clickhouse.Named("orgs", uuidArray(orgs)), clickhouse.Named("tags", uuidArray(tags)))
	out := make([]rederive.Active, 0, len(found))
	for _, a := range found {
		out = append(out, a)
	}
	return out, since, err
}
