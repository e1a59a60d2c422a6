package analytics

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"

	"mybeacon/schema"
)

// maxOpen is how many tags with an open visit a question may meet.
const maxOpen = 20_000

const openSQL = `SELECT tag, min(entered_at) FROM zone_visits FINAL
WHERE %s AND left_at IS NULL AND entered_at < ` + toAt + `
GROUP BY tag LIMIT {most:UInt32}`

const lastSQL = `SELECT tag, toUnixTimestamp64Milli(max(at)) FROM fixes FINAL
WHERE org = {org:UUID} AND location = {location:UUID} AND tag IN ({open:Array(UUID)}) AND at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')
GROUP BY tag`

// lookBacks are how far a tag's last fix is sought at first: a tag with an open visit
// was heard lately, unless the engine stopped. To look through months for a thousand
// tags that were heard a minute ago would cost seconds.
func lookBacks() []time.Duration {
	return []time.Duration{time.Hour, 24 * time.Hour, 7 * 24 * time.Hour}
}

// ends finds the last fixes of the tags that have an open visit, as a parameter of the
// type Array(Tuple(UUID, Int64)).
func (a *Analytics) ends(ctx context.Context, q *Query) (string, error) {
	open, oldest := map[schema.TagID]bool{}, a.clock()
	s := q.statement().number("most", maxOpen+1)
	err := a.ask(ctx, "open visits", fmt.Sprintf(openSQL, q.whose()), s, func(rows driver.Rows) error {
		var tag schema.TagID
		var entered time.Time
		err := rows.Scan((*uuid.UUID)(&tag), &entered)
		open[tag] = true
		if entered.Before(oldest) {
			oldest = entered
		}
		return err
	})
	if err != nil {
		return "", err
	}
	if len(open) > maxOpen {
		return "", schema.Errorf(schema.TooLarge, "tag", "more than %d tags are in a zone now; choose a narrower type, fewer tags or one plan", maxOpen)
	}
	var found []string
	for step := 0; len(open) > 0 && step <= len(lookBacks()); step++ {
		since := oldest
		if step < len(lookBacks()) {
			since = a.clock().Add(-lookBacks()[step])
		}
		if since.Before(oldest) {
			since, step = oldest, len(lookBacks())
		}
		if found, err = a.lastFixes(ctx, q, open, since, found); err != nil {
			return "", err
		}
	}
	return "[" + strings.Join(found, ",") + "]", nil
}

// lastFixes appends those of the open tags that had a fix since then, and takes the
// tags out of open.
func (a *Analytics) lastFixes(ctx context.Context, q *Query, open map[schema.TagID]bool, since time.Time, found []string) ([]string, error) {
	ids := make([]schema.TagID, 0, len(open))
	for id := range open {
		ids = append(ids, id)
	}
	s := new(statement).set("org", q.Organisation.String()).set("location", q.Location.String()).set("open", idArray(ids)).number("since", since.UnixMilli())
	err := a.ask(ctx, "last fixes", lastSQL, s, func(rows driver.Rows) error {
		var tag schema.TagID
		var at int64
		err := rows.Scan((*uuid.UUID)(&tag), &at)
		delete(open, tag)
		found = append(found, fmt.Sprintf("('%s',%d)", tag, at))
		return err
	})
	return found, err
}

// staysSQL is a table of the visits that touch the time: entered and until are ms of
// event time, a and b what is of them within [from, to).
const staysSQL = `
(
    SELECT *, greatest(entered, {from:Int64}) AS a, greatest(least(until, {to:Int64}), a) AS b
    FROM
    (
        SELECT v.visit_id AS visit_id, v.tag AS tag, v.plan AS plan, v.zone AS zone, v.parent AS parent,
            v.left_at IS NULL AS open, toUnixTimestamp64Milli(v.entered_at) AS entered,
            if(open, greatest(l.last, entered), toUnixTimestamp64Milli(assumeNotNull(v.left_at))) AS until
        FROM
        (
            SELECT visit_id, tag, plan, zone, parent, entered_at, left_at FROM zone_visits FINAL
            WHERE %s AND entered_at < ` + toAt + ` AND (left_at IS NULL OR left_at >= ` + fromAt + `)
        ) AS v
        LEFT JOIN (SELECT e.1 AS tag, e.2 AS last FROM (SELECT arrayJoin({ends:Array(Tuple(UUID, Int64))}) AS e)) AS l ON l.tag = v.tag
    )
    WHERE until > {from:Int64} OR entered >= {from:Int64}
)`

// stays returns the table of the visits that the question is about, and a statement
// with its parameters.
func (a *Analytics) stays(ctx context.Context, q *Query) (table string, s *statement, err error) {
	ends, err := a.ends(ctx, q)
	if err != nil {
		return "", nil, err
	}
	where := q.whose()
	if len(q.Zones) > 0 {
		where += hasZone
	}
	return fmt.Sprintf(staysSQL, where), q.statement().set("ends", ends), nil
}

// once admits each moment of a tag once: a visit to a part is left out where the visit
// to the whole is there too.
func (q *Query) once() string {
	if len(q.Zones) == 0 {
		return "parent = " + noID
	}
	return "parent NOT IN ({zones:Array(UUID)})"
}
