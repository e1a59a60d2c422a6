package analytics

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"

	"mybeacon/schema"
)

// Stay is a stretch of one tag's time in one place; the zero zone is outside of all.
type Stay struct {
	Plan schema.PlanID
	Zone schema.ZoneID
	From schema.EventTime
	To   schema.EventTime
	Open bool
}

// maxStays is how many stays in zones a timeline may have, and how many times outside:
// one every ten seconds of a day.
const maxStays = 10_000

// Timeline tells where the question's one tag was, stay by stay, within the time: in
// zones that are no parts, and outside of all. Between stays it was not heard.
func (a *Analytics) Timeline(ctx context.Context, q *Query) ([]Stay, error) {
	if !q.Chosen || len(q.Tags) != 1 {
		return nil, schema.Errorf(schema.Invalid, "tag", "name one tag")
	}
	whole := *q
	whole.Zones = nil
	table, s, err := a.stays(ctx, &whole)
	if err != nil {
		return nil, err
	}
	in, err := a.readStays(ctx, fmt.Sprintf("SELECT plan, zone, a, b, open AND b >= until FROM %s WHERE parent = %s ORDER BY a, b LIMIT %d", table, noID, maxStays+1), s)
	if err != nil {
		return nil, err
	}
	s = q.statement()
	if table, err = a.heard(ctx, q, s); err != nil {
		return nil, err
	}
	heard, err := a.readStays(ctx, fmt.Sprintf("SELECT plan, %s, a, b, false FROM %s ORDER BY a, b LIMIT %d", noID, table, maxStays+1), s)
	if err != nil {
		return nil, err
	}
	return merge(in, heard), nil
}

func (a *Analytics) readStays(ctx context.Context, sql string, s *statement) ([]Stay, error) {
	var out []Stay
	err := a.ask(ctx, "the timeline", sql, s, func(rows driver.Rows) error {
		var y Stay
		var from, to int64
		err := rows.Scan((*uuid.UUID)(&y.Plan), (*uuid.UUID)(&y.Zone), &from, &to, &y.Open)
		y.From, y.To = schema.EventTime(from), schema.EventTime(to)
		if out = append(out, y); len(out) > maxStays {
			return schema.Errorf(schema.TooLarge, "from", "there are more than %d stays; take a shorter time", maxStays)
		}
		return err
	})
	return out, err
}

// merge puts between the stays in zones what was heard outside of them. Both are by time.
// After a stay that is open nothing follows.
func merge(in, heard []Stay) []Stay {
	out, heard := slices.Clone(in), joined(heard)
	next := 0
	for _, h := range heard {
		for next < len(in) && in[next].To <= h.From && !in[next].Open {
			next++
		}
		at := h.From
		for i := next; i < len(in) && in[i].From < h.To; i++ {
			if in[i].From > at {
				out = append(out, Stay{Plan: h.Plan, From: at, To: in[i].From})
			}
			at = max(at, in[i].To)
			if in[i].Open {
				at = h.To
			}
		}
		if at < h.To {
			out = append(out, Stay{Plan: h.Plan, From: at, To: h.To})
		}
	}
	slices.SortStableFunc(out, func(x, y Stay) int { return cmp.Compare(x.From, y.From) })
	return out
}

// joined puts stretches together that meet: they are cut at midnight.
func joined(heard []Stay) []Stay {
	var out []Stay
	for _, h := range heard {
		if n := len(out); n > 0 && out[n-1].Plan == h.Plan && out[n-1].To >= h.From {
			out[n-1].To = max(out[n-1].To, h.To)
			continue
		}
		out = append(out, h)
	}
	return out
}
