package analytics

import (
	"context"
	"fmt"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"

	"mybeacon/schema"
)

// Visit is a stay of a tag in a zone that touches the time asked for.
type Visit struct {
	ID      schema.VisitID
	Tag     schema.TagID
	Plan    schema.PlanID
	Zone    schema.ZoneID
	Parent  schema.ZoneID // the zone that Zone is a part of; zero: it is no part
	Entered schema.EventTime
	Until   schema.EventTime // when it was left; of an open one the tag's last fix in the location
	Open    bool
	Within  int64 // ms of it within the time asked for
}

// VisitFilter narrows visits. Zero fields admit all.
type VisitFilter struct {
	LeastMs int64 // how long they took, or take
	Open    *bool
	Newest  bool // the newest first
}

// VisitMark is the place in the order after which a page begins.
type VisitMark struct {
	Entered schema.EventTime
	Part    bool
	ID      schema.VisitID
}

// Mark returns the place of the visit.
func (v *Visit) Mark() VisitMark { return VisitMark{v.Entered, !v.Parent.IsZero(), v.ID} }

// Visits returns up to most visits in the order of entry; a part comes after its
// whole. With after, those behind it.
func (a *Analytics) Visits(ctx context.Context, q *Query, f VisitFilter, after *VisitMark, most int) ([]Visit, error) {
	var out []Visit
	err := a.EachVisit(ctx, q, f, after, most, func(v *Visit) error {
		out = append(out, *v)
		return nil
	})
	return out, err
}

// EachVisit hands visits to do in the order of [Analytics.Visits] as they come; most 0
// is all. The Visit is do's only until it returns.
func (a *Analytics) EachVisit(ctx context.Context, q *Query, f VisitFilter, after *VisitMark, most int, do func(*Visit) error) error {
	table, s, err := a.stays(ctx, q)
	if err != nil {
		return err
	}
	where := f.where(s)
	direction, beyond := "", ">"
	if f.Newest {
		direction, beyond = " DESC", "<"
	}
	if after != nil {
		where = append(where, "(entered, part, visit_id) "+beyond+" ({entered:Int64}, {part:UInt8}, {visit:UUID})")
		s.number("entered", int64(after.Entered)).number("part", map[bool]int64{true: 1}[after.Part]).set("visit", after.ID.String())
	}
	sql := "SELECT visit_id, tag, plan, zone, parent, entered, until, open, b - a, parent != " + noID + " AS part FROM " + table
	if len(where) > 0 {
		sql += "\nWHERE " + strings.Join(where, " AND ")
	}
	sql += fmt.Sprintf("\nORDER BY entered%[1]s, part%[1]s, visit_id%[1]s", direction)
	if most > 0 {
		sql += fmt.Sprintf(" LIMIT %d", most)
	}
	return a.ask(ctx, "visits", sql, s, func(rows driver.Rows) error {
		v, err := scanVisit(rows)
		if err != nil {
			return err
		}
		return do(&v)
	})
}

func (f *VisitFilter) where(s *statement) []string {
	var where []string
	if f.LeastMs > 0 {
		where = append(where, "until - entered >= {least:Int64}")
		s.number("least", f.LeastMs)
	}
	if f.Open != nil {
		where = append(where, map[bool]string{true: "open", false: "NOT open"}[*f.Open])
	}
	return where
}

func scanVisit(rows driver.Rows) (v Visit, err error) {
	var part uint8
	var open bool
	var entered, until int64
	err = rows.Scan((*uuid.UUID)(&v.ID), (*uuid.UUID)(&v.Tag), (*uuid.UUID)(&v.Plan), (*uuid.UUID)(&v.Zone), (*uuid.UUID)(&v.Parent),
		&entered, &until, &open, &v.Within, &part)
	v.Entered, v.Until, v.Open = schema.EventTime(entered), schema.EventTime(until), open
	return v, err
}
