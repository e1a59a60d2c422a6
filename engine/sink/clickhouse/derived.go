package clickhouse

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/google/uuid"

	"mybeacon/engine/rederive"
	"mybeacon/schema"
	"mybeacon/schema/columnar"
)

const fixColumns = ` tag, at, location, plan, x_m, y_m, accuracy_m, accuracy95_m, zone, zone_p, receiver, rssi_cdbm, receivers, valid_for_ms, rev, keep_days `

const fixesSQL = `SELECT` + fixColumns + `FROM fixes FINAL WHERE` + inSpan + `AND tag IN {tags:Array(UUID)} ORDER BY tag, at`

// lookBack is how long a tag's past is looked at to learn since when it has shown its
// zone. Beyond it a longer stay makes no difference (see package actors/tag).
const lookBack = 80 * time.Minute

const shownSQL = `SELECT` + fixColumns + `FROM fixes FINAL
WHERE org = {org:UUID} AND at >= fromUnixTimestamp64Milli({back:Int64}, 'UTC') AND at < fromUnixTimestamp64Milli({from:Int64}, 'UTC') AND tag IN {tags:Array(UUID)}
ORDER BY tag, at`

// visitsSQL finds visits that overlap the span: they began by its end, and no earlier
// than the longest stay that is believed.
const visitsSQL = `SELECT tag, entered_at, visit_id, location, plan, zone, parent, left_at, rev, keep_days
FROM zone_visits FINAL
WHERE org = {org:UUID} AND tag IN {tags:Array(UUID)}
  AND entered_at <= fromUnixTimestamp64Milli({to:Int64}, 'UTC')
  AND (left_at IS NULL OR left_at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC'))
ORDER BY tag, entered_at, parent`

// Derived implements rederive.History.
func (s *Sink) Derived(ctx context.Context, span rederive.Span) (rederive.Derived, error) {
	d := rederive.Derived{Shown: make(map[schema.TagID]rederive.Shown)}
	fix := func(do func(schema.Fix)) func(driver.Rows) error {
		return func(rows driver.Rows) error {
			f, err := scanFix(rows, span.Organisation)
			do(f)
			return err
		}
	}
	err := s.each(ctx, "fixes", fixesSQL, fix(func(f schema.Fix) { d.Fixes = append(d.Fixes, f) }), spanArgs(span)...)
	if err != nil {
		return d, err
	}
	back := number("back", int64(span.From.Add(-lookBack)))
	if err := s.each(ctx, "fixes", shownSQL, fix(d.Show), append(spanArgs(span), back)...); err != nil {
		return d, err
	}
	err = s.each(ctx, "visits", visitsSQL, func(rows driver.Rows) error {
		v, err := scanVisit(rows, span.Organisation)
		d.Visits = append(d.Visits, v)
		return err
	}, spanArgs(span)...)
	return d, err
}

func scanFix(rows driver.Rows, org schema.OrganisationID) (schema.Fix, error) {
	f := schema.Fix{Organisation: org}
	var at time.Time
	var x, y, accuracy, accuracy95, p float32
	var validFor uint32
	err := rows.Scan((*uuid.UUID)(&f.Tag), &at, (*uuid.UUID)(&f.Location), (*uuid.UUID)(&f.Plan), &x, &y, &accuracy, &accuracy95,
		(*uuid.UUID)(&f.Zone), &p, (*uuid.UUID)(&f.Receiver), (*int16)(&f.RSSI), &f.Receivers, &validFor, &f.Rev, &f.KeepDays)
	f.At, f.ValidFor = schema.EventTimeOf(at), time.Duration(validFor)*time.Millisecond
	f.X, f.Y, f.AccuracyM, f.Accuracy95M, f.ZoneP = float64(x), float64(y), float64(accuracy), float64(accuracy95), float64(p)
	return f, err
}

func scanVisit(rows driver.Rows, org schema.OrganisationID) (schema.Visit, error) {
	v := schema.Visit{Organisation: org}
	var entered time.Time
	var left *time.Time
	err := rows.Scan((*uuid.UUID)(&v.Tag), &entered, (*uuid.UUID)(&v.ID), (*uuid.UUID)(&v.Location), (*uuid.UUID)(&v.Plan),
		(*uuid.UUID)(&v.Zone), (*uuid.UUID)(&v.Parent), &left, &v.Rev, &v.KeepDays)
	v.EnteredAt = schema.EventTimeOf(entered)
	if left != nil {
		v.LeftAt = schema.EventTimeOf(*left)
	}
	return v, err
}

// Write implements rederive.History. Rows come before what says that they are there.
func (s *Sink) Write(ctx context.Context, c rederive.Changes) error {
	mem := memory.NewGoAllocator()
	fixes, visits := columnar.NewFixes(mem), columnar.NewVisits(mem)
	defer fixes.Release()
	defer visits.Release()
	for _, f := range c.Fixes {
		fixes.Append(f)
	}
	for _, f := range c.GoneFixes {
		fixes.Retract(f)
	}
	for _, v := range c.Visits {
		visits.Append(v)
	}
	for _, v := range c.GoneVisits {
		visits.Retract(v)
	}
	if err := s.insertAll(ctx, columnar.FixesTable, fixes); err != nil {
		return err
	}
	if err := s.insertAll(ctx, columnar.VisitsTable, visits); err != nil {
		return err
	}
	return s.log(ctx, c.Done)
}

// builder is one of package columnar.
type builder interface {
	Len() int
	NewRecord() arrow.Record
}

// insertAll stores what the builder holds, if anything.
func (s *Sink) insertAll(ctx context.Context, table string, b builder) error {
	if b.Len() == 0 {
		return nil
	}
	rec := b.NewRecord()
	defer rec.Release()
	var id [16]byte
	if _, err := rand.Read(id[:]); err != nil {
		panic("BUG: crypto/rand failed: " + err.Error())
	}
	return s.Insert(ctx, table, rec, fmt.Sprintf("again-%s-%x", table, id))
}

// Owe implements rederive.History.
func (s *Sink) Owe(ctx context.Context, o rederive.Owed) error {
	return s.log(ctx, []rederive.Done{{
		Late: rederive.Late{From: schema.EventTimeOf(o.From), Through: o.Until}, Until: schema.EventTimeOf(o.Until), At: o.Until,
	}})
}

// log notes which stretches are worked in.
func (s *Sink) log(ctx context.Context, done []rederive.Done) error {
	if len(done) == 0 {
		return nil
	}
	batch, err := s.conn.PrepareBatch(ctx, "INSERT INTO rederivations (org, tag, from_at, to_at, through, done_at, late_rows, fixes, visits)")
	if err != nil {
		return fmt.Errorf("insert rederivations: %w", err)
	}
	defer func() { _ = batch.Close() }()
	for _, d := range done {
		err := batch.Append(uuid.UUID(d.Organisation), uuid.UUID(d.Tag), d.From.Time(), d.Until.Time(), d.Through, d.At, d.Rows, uint32(d.Fixes), uint32(d.Visits))
		if err != nil {
			return fmt.Errorf("insert rederivations: %w", err)
		}
	}
	if err := batch.Send(); err != nil {
		return fmt.Errorf("insert rederivations: %w", err)
	}
	return nil
}

// Offsets stores what was learned of a plan's receivers; a higher rev replaces what
// was stored for the same moment.
func (s *Sink) Offsets(ctx context.Context, o schema.Offsets, rev uint64) error {
	b := columnar.NewOffsets(memory.NewGoAllocator())
	defer b.Release()
	b.Append(columnar.Learned{Offsets: o, Rev: rev})
	return s.insertAll(ctx, columnar.OffsetsTable, b)
}
