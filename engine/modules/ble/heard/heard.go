// Package heard asks the warehouse what receivers of a plan heard of its tags.
//
// Its functions are safe for concurrent use. While the warehouse is away their
// errors are of the kind schema.Unavailable.
package heard

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"mybeacon/schema"
)

// Warehouse is what is needed of a connection pool of clickhouse-go.
type Warehouse interface {
	Query(ctx context.Context, query string, args ...any) (driver.Rows, error)
}

// Plan is whose observations are asked for.
type Plan struct {
	Organisation schema.OrganisationID
	Plan         schema.PlanID
}

// Interval is when which tag was heard.
type Interval struct {
	Tag      schema.TagID
	From, To schema.EventTime // To is not in it
}

// Sample is one observation of a tag.
type Sample struct {
	Receiver schema.ReceiverID
	At       schema.EventTime
	RSSI     schema.CentiDBm
}

const samplesSQL = `
SELECT toString(receiver), toUnixTimestamp64Milli(at), rssi_cdbm
FROM observations FINAL
WHERE org = {org:UUID} AND plan = {plan:UUID} AND tag = {tag:UUID}
  AND at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC') AND at < fromUnixTimestamp64Milli({to:Int64}, 'UTC')
  AND receiver != toUUID('00000000-0000-0000-0000-000000000000')
ORDER BY at, receiver, rssi_cdbm
LIMIT {most:UInt32}`

// Samples returns what the plan's receivers heard in the interval, by time; at
// most so many, the earliest.
func Samples(ctx context.Context, w Warehouse, plan Plan, in Interval, most int) ([]Sample, error) {
	rows, err := w.Query(ctx, samplesSQL, append(plan.args(),
		clickhouse.Named("tag", in.Tag.String()), clickhouse.Named("from", fmt.Sprint(int64(in.From))),
		clickhouse.Named("to", fmt.Sprint(int64(in.To))), clickhouse.Named("most", fmt.Sprint(most)))...)
	return collect(rows, err, "read observations", func(s *Sample, scan func(...any) error) error {
		var receiver string
		var at int64
		var rssi int16
		err := scan(&receiver, &at, &rssi)
		s.At, s.RSSI = schema.EventTime(at), schema.CentiDBm(rssi)
		return errors.Join(err, s.Receiver.UnmarshalText([]byte(receiver)))
	})
}

// Mean is how loudly a receiver heard a tag on average.
type Mean struct {
	Tag          schema.TagID
	Receiver     schema.ReceiverID
	DBm          float64
	Observations uint64
}

// An observation that was sent twice and is not folded yet counts twice, which
// moves a mean of many by nothing that matters; FINAL would cost more.
const meansSQL = `
SELECT toString(tag), toString(receiver), avg(rssi_cdbm) / 100, count()
FROM observations
WHERE org = {org:UUID} AND plan = {plan:UUID} AND tag IN ({tags:Array(UUID)})
  AND at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC') AND at < fromUnixTimestamp64Milli({to:Int64}, 'UTC')
  AND receiver != toUUID('00000000-0000-0000-0000-000000000000')
GROUP BY tag, receiver
ORDER BY tag, receiver`

// Means returns how loudly each of the plan's receivers heard each of the tags
// from one time to before another, by tag and receiver.
func Means(ctx context.Context, w Warehouse, plan Plan, tags []schema.TagID, from, to time.Time) ([]Mean, error) {
	ids := make([]string, len(tags))
	for i, id := range tags {
		ids[i] = id.String()
	}
	rows, err := w.Query(ctx, meansSQL, append(plan.args(), clickhouse.Named("tags", ids),
		clickhouse.Named("from", fmt.Sprint(from.UnixMilli())), clickhouse.Named("to", fmt.Sprint(to.UnixMilli())))...)
	return collect(rows, err, "read means", func(m *Mean, scan func(...any) error) error {
		var tag, receiver string
		err := scan(&tag, &receiver, &m.DBm, &m.Observations)
		return errors.Join(err, m.Tag.UnmarshalText([]byte(tag)), m.Receiver.UnmarshalText([]byte(receiver)))
	})
}

func (p Plan) args() []any {
	return []any{clickhouse.Named("org", p.Organisation.String()), clickhouse.Named("plan", p.Plan.String())}
}

// collect reads all rows of an answer.
func collect[T any](rows driver.Rows, err error, doing string, read func(*T, func(...any) error) error) ([]T, error) {
	if err != nil {
		return nil, explain(err, doing)
	}
	defer func() { _ = rows.Close() }()
	var out []T
	for rows.Next() {
		var v T
		if err := read(&v, rows.Scan); err != nil {
			return nil, fmt.Errorf("%s: %w", doing, err)
		}
		out = append(out, v)
	}
	return out, explain(rows.Err(), doing)
}

// explain tells an answer that refuses from no answer.
func explain(err error, doing string) error {
	var refused *clickhouse.Exception
	switch {
	case err == nil:
		return nil
	case errors.As(err, &refused), errors.Is(err, context.Canceled):
		return fmt.Errorf("%s: %w", doing, err)
	}
	return &schema.Error{Kind: schema.Unavailable, Message: "the warehouse does not answer, try again later", Err: fmt.Errorf("%s: %w", doing, err)}
}

// Sighting is where a tag was last.
type Sighting struct {
	Tag      schema.TagID
	At       schema.EventTime
	Location schema.LocationID
	Plan     schema.PlanID
	Zone     schema.ZoneID // zero: outside zones
	X, Y     float64       // metres
}

const lastSQL = `
SELECT toString(tag), toUnixTimestamp64Milli(at), toString(location), toString(plan), toString(zone), toFloat64(x_m), toFloat64(y_m)
FROM last_seen
WHERE org IN ({orgs:Array(UUID)}) AND tag IN ({tags:Array(UUID)})`

// Last returns where the tags of organisations were last, as far as fixes are kept, in
// no order.
func Last(ctx context.Context, w Warehouse, tags map[schema.OrganisationID][]schema.TagID) ([]Sighting, error) {
	var orgs, ids []string
	for organisation, some := range tags {
		orgs = append(orgs, organisation.String())
		for _, id := range some {
			ids = append(ids, id.String())
		}
	}
	rows, err := w.Query(ctx, lastSQL, clickhouse.Named("orgs", orgs), clickhouse.Named("tags", ids))
	return collect(rows, err, "read where tags were last", func(s *Sighting, scan func(...any) error) error {
		var tag, location, plan, zone string
		var at int64
		err := scan(&tag, &at, &location, &plan, &zone, &s.X, &s.Y)
		s.At = schema.EventTime(at)
		return errors.Join(err, s.Tag.UnmarshalText([]byte(tag)), s.Location.UnmarshalText([]byte(location)),
			s.Plan.UnmarshalText([]byte(plan)), s.Zone.UnmarshalText([]byte(zone)))
	})
}
