package clickhouse

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"mybeacon/schema"
)

// openVisits are the stays that have no end; a tag has one at a time, so their
// number is bounded by that of the tags.
const openVisits = `SELECT org, tag, location, plan, zone, parent, visit_id, entered_at, rev, keep_days
	FROM zone_visits FINAL WHERE left_at IS NULL`

// OpenVisits returns the visits that were open when the server stopped.
func (s *Sink) OpenVisits(ctx context.Context) ([]schema.Visit, error) {
	rows, err := s.conn.Query(ctx, openVisits)
	if err != nil {
		return nil, fmt.Errorf("read open visits: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var visits []schema.Visit
	for rows.Next() {
		var v schema.Visit
		var entered time.Time
		err := rows.Scan((*uuid.UUID)(&v.Organisation), (*uuid.UUID)(&v.Tag), (*uuid.UUID)(&v.Location), (*uuid.UUID)(&v.Plan),
			(*uuid.UUID)(&v.Zone), (*uuid.UUID)(&v.Parent), (*uuid.UUID)(&v.ID), &entered, &v.Rev, &v.KeepDays)
		if err != nil {
			return nil, fmt.Errorf("read open visits: %w", err)
		}
		v.EnteredAt = schema.EventTimeOf(entered)
		visits = append(visits, v)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read open visits: %w", err)
	}
	return visits, nil
}
