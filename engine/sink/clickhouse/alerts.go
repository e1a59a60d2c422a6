package clickhouse

import (
	"context"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/google/uuid"

	"mybeacon/schema"
)

// visitsSince are the open visits and those that began or ended at a time or later.
const visitsSince = `SELECT org, tag, location, plan, zone, parent, visit_id, entered_at, left_at, rev, keep_days FROM zone_visits FINAL
	WHERE plan IN ({plans:Array(UUID)}) AND (left_at IS NULL OR left_at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')
		OR entered_at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')) ORDER BY entered_at, visit_id`

// VisitsSince returns the visits to the plans' zones that are open, and those that began
// or ended at the plan's time or later, in the order in which they began.
func (s *Sink) VisitsSince(ctx context.Context, plans map[schema.PlanID]schema.EventTime) ([]schema.Visit, error) {
	var ids []string
	var oldest schema.EventTime
	for id, since := range plans {
		ids = append(ids, id.String())
		if oldest == 0 || since < oldest {
			oldest = since
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	rows, err := s.conn.Query(ctx, visitsSince, clickhouse.Named("plans", uuidArray(ids)), number("since", int64(oldest)))
	if err != nil {
		return nil, fmt.Errorf("read visits since: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var visits []schema.Visit
	for rows.Next() {
		var v schema.Visit
		var entered time.Time
		var left *time.Time
		err := rows.Scan((*uuid.UUID)(&v.Organisation), (*uuid.UUID)(&v.Tag), (*uuid.UUID)(&v.Location), (*uuid.UUID)(&v.Plan),
			(*uuid.UUID)(&v.Zone), (*uuid.UUID)(&v.Parent), (*uuid.UUID)(&v.ID), &entered, &left, &v.Rev, &v.KeepDays)
		if err != nil {
			return nil, fmt.Errorf("read visits since: %w", err)
		}
		v.EnteredAt = schema.EventTimeOf(entered)
		if left != nil {
			v.LeftAt = schema.EventTimeOf(*left)
		}
		if since := plans[v.Plan]; left == nil || v.LeftAt >= since || v.EnteredAt >= since {
			visits = append(visits, v)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read visits since: %w", err)
	}
	return visits, nil
}
