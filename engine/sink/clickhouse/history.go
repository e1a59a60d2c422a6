package clickhouse

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"

	"mybeacon/engine/rederive"
	"mybeacon/schema"
)

// lateSQL finds the rows that are late or owed and that no entry of the log covers.
// Rows of the log that were written twice say the same. Those without a tag are the
// stretches that are owed.
const lateSQL = `
WITH
(
    SELECT groupArray((from_at, to_at)) FROM rederivations
    WHERE tag = toUUID('00000000-0000-0000-0000-000000000000') AND to_at > fromUnixTimestamp64Milli({since:Int64}, 'UTC')
) AS owed
SELECT o.org, o.tag, min(o.at), max(o.at), max(o.arrived_at), count()
FROM observations AS o
LEFT JOIN (SELECT org, tag, max(through) AS through FROM rederivations GROUP BY org, tag) AS d ON d.org = o.org AND d.tag = o.tag
WHERE (o.late OR arrayExists(s -> o.arrived_at > s.1 AND o.arrived_at <= s.2, owed)) AND o.tag != toUUID('00000000-0000-0000-0000-000000000000')
  AND o.arrived_at > fromUnixTimestamp64Milli({since:Int64}, 'UTC') AND o.arrived_at <= fromUnixTimestamp64Milli({through:Int64}, 'UTC')
  AND o.arrived_at > d.through
GROUP BY o.org, o.tag
ORDER BY min(o.at)
LIMIT {most:UInt32}`

// Late implements rederive.History.
func (s *Sink) Late(ctx context.Context, since, through time.Time, limit int) (out []rederive.Late, err error) {
	err = s.each(ctx, "late observations", lateSQL, func(rows driver.Rows) error {
		var d rederive.Late
		var from, to time.Time
		err := rows.Scan((*uuid.UUID)(&d.Organisation), (*uuid.UUID)(&d.Tag), &from, &to, &d.Through, &d.Rows)
		d.From, d.To = schema.EventTimeOf(from), schema.EventTimeOf(to)
		out = append(out, d)
		return err
	}, number("since", since.UnixMilli()), number("through", through.UnixMilli()), number("most", int64(limit)))
	return out, err
}

// each runs a query and hands each row to do.
func (s *Sink) each(ctx context.Context, what, sql string, do func(driver.Rows) error, args ...any) error {
	rows, err := s.conn.Query(ctx, sql, args...)
	if err != nil {
		return fmt.Errorf("read %s: %w", what, err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := do(rows); err != nil {
			return fmt.Errorf("read %s: %w", what, err)
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read %s: %w", what, err)
	}
	return nil
}

func number(name string, v int64) driver.NamedValue { return clickhouse.Named(name, fmt.Sprint(v)) }

// spanArgs are the parameters that every query about a span takes.
func spanArgs(span rederive.Span) []any {
	tags := make([]string, len(span.Tags))
	for i, id := range span.Tags {
		tags[i] = id.String()
	}
	return []any{
		clickhouse.Named("org", span.Organisation.String()), clickhouse.Named("tags", uuidArray(tags)),
		number("from", int64(span.From)), number("to", int64(span.To)), number("arrived", span.Arrived.UnixMilli()),
	}
}

// uuidArray writes ids as a parameter of type Array(UUID).
func uuidArray(ids []string) string {
	if len(ids) == 0 {
		return "[]"
	}
	return "['" + strings.Join(ids, "','") + "']"
}

const inSpan = ` org = {org:UUID} AND at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC') AND at <= fromUnixTimestamp64Milli({to:Int64}, 'UTC') `

const arrivedBy = ` arrived_at <= fromUnixTimestamp64Milli({arrived:Int64}, 'UTC') `

// heardSQL takes a row that is stored twice once. The order is whole, so that a piece
// that was cut off by the limit has all of its seconds but the last.
const heardSQL = `
SELECT tag, at, rssi_cdbm, device, receiver, location, plan, keep_days
FROM observations
WHERE` + inSpan + `AND tag IN {tags:Array(UUID)} AND` + arrivedBy + `
ORDER BY at, device, boot_id, seq, idx
LIMIT 1 BY at, device, boot_id, seq, idx
LIMIT {most:UInt32}`

// Heard implements rederive.Radio.
func (s *Sink) Heard(ctx context.Context, span rederive.Span, limit int) (out []rederive.Heard, err error) {
	sources := make(map[schema.Source]*schema.Source)
	err = s.each(ctx, "observations", heardSQL, func(rows driver.Rows) error {
		h, src, at := rederive.Heard{}, schema.Source{Organisation: span.Organisation}, time.Time{}
		err := rows.Scan((*uuid.UUID)(&h.Tag), &at, (*int16)(&h.RSSI), (*uuid.UUID)(&src.Device), (*uuid.UUID)(&src.Receiver),
			(*uuid.UUID)(&src.Location), (*uuid.UUID)(&src.Plan), &src.KeepDays)
		if h.At, h.Source = schema.EventTimeOf(at), sources[src]; h.Source == nil {
			h.Source = &src
			sources[src] = &src
		}
		out = append(out, h)
		return err
	}, append(spanArgs(span), number("most", int64(limit)))...)
	return out, err
}

const stintsSQL = `
SELECT device, boot_id, min(at), max(at), argMin(seq, at), max(arrived_at), argMax(receiver, at), argMax(location, at), argMax(plan, at), argMax(keep_days, at)
FROM observations
WHERE org = {org:UUID} AND at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC') AND at <= fromUnixTimestamp64Milli({to:Int64}, 'UTC') + INTERVAL 1 HOUR AND` + arrivedBy + `
  AND (empty({tags:Array(UUID)}) OR device IN (SELECT device FROM observations WHERE` + inSpan + `AND tag IN {tags:Array(UUID)}))
GROUP BY device, boot_id`

// Stints implements rederive.Radio.
func (s *Sink) Stints(ctx context.Context, span rederive.Span) (out []rederive.Stint, err error) {
	err = s.each(ctx, "when devices listened", stintsSQL, func(rows driver.Rows) error {
		st := rederive.Stint{Source: schema.Source{Organisation: span.Organisation}}
		var from, to time.Time
		err := rows.Scan((*uuid.UUID)(&st.Source.Device), &st.Boot, &from, &to, &st.FirstSeq, &st.Arrived,
			(*uuid.UUID)(&st.Source.Receiver), (*uuid.UUID)(&st.Source.Location), (*uuid.UUID)(&st.Source.Plan), &st.Source.KeepDays)
		st.From, st.To = schema.EventTimeOf(from), schema.EventTimeOf(to)
		out = append(out, st)
		return err
	}, spanArgs(span)...)
	return out, err
}

const correctionsSQL = `
SELECT plan, from_at, receiver, location, offset_cdb, keep_days
FROM receiver_offsets FINAL
WHERE org = {org:UUID} AND from_at <= fromUnixTimestamp64Milli({to:Int64}, 'UTC')
  AND (plan, from_at) IN
  (
      SELECT plan, from_at FROM receiver_offsets
      WHERE org = {org:UUID} AND from_at > fromUnixTimestamp64Milli({from:Int64}, 'UTC') AND from_at <= fromUnixTimestamp64Milli({to:Int64}, 'UTC')
      UNION ALL
      SELECT plan, max(from_at) FROM receiver_offsets
      WHERE org = {org:UUID} AND from_at <= fromUnixTimestamp64Milli({from:Int64}, 'UTC')
      GROUP BY plan
  )
ORDER BY plan, from_at, receiver`

// Corrections implements rederive.Radio.
func (s *Sink) Corrections(ctx context.Context, span rederive.Span) (out []schema.Offsets, err error) {
	err = s.each(ctx, "learned offsets", correctionsSQL, func(rows driver.Rows) error {
		o, r, from := schema.Offsets{Organisation: span.Organisation}, schema.ReceiverOffset{}, time.Time{}
		err := rows.Scan((*uuid.UUID)(&o.Plan), &from, (*uuid.UUID)(&r.Receiver), (*uuid.UUID)(&o.Location), (*int16)(&r.Offset), &o.KeepDays)
		o.From = schema.EventTimeOf(from)
		if n := len(out); n == 0 || out[n-1].Plan != o.Plan || out[n-1].From != o.From {
			out = append(out, o)
		}
		if !r.Receiver.IsZero() {
			last := &out[len(out)-1]
			last.Receivers = append(last.Receivers, r)
		}
		return err
	}, spanArgs(span)...)
	return out, err
}
