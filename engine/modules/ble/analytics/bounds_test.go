package analytics_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"mybeacon/engine/modules/ble/analytics"
	"mybeacon/schema"
)

// fill writes as many visits as there are numbers, of a tag and to an end by number.
func (p *past) fill(rows int, tag, left string) {
	p.tb.Helper()
	p.exec(fmt.Sprintf(`INSERT INTO zone_visits (org, tag, entered_at, visit_id, location, plan, zone, left_at, rev, keep_days)
SELECT '%s', %s, toDateTime64('2026-03-27 00:00:00', 3, 'UTC') + toIntervalSecond(number) AS entered, generateUUIDv4(), '%s', '%s', '%s', %s, 1, 65535 FROM numbers(%d)`,
		ours, tag, hall, ground, zoneOf(1), left, rows))
}

// What is more than a bound is refused; an answer never lacks a part silently.
func TestBoundsAreTold(t *testing.T) {
	from := time.Date(2026, 3, 27, 0, 0, 0, 0, time.UTC)
	q := &analytics.Query{Organisation: ours, Location: hall, From: from, To: from.Add(24 * time.Hour)}
	one := *q
	one.Chosen, one.Tags = true, []schema.TagID{tagOf(1)}
	for name, c := range map[string]struct {
		bound     int
		tag, left string
		ask       func(*analytics.Analytics) error
	}{
		"open visits": {20_000, "reinterpret(toUInt128(number + 1), 'UUID')", "NULL", func(a *analytics.Analytics) error {
			_, err := a.Dwell(t.Context(), q, analytics.ByZone)
			return err
		}},
		"stays": {10_000, "'" + tagOf(1).String() + "'", "entered", func(a *analytics.Analytics) error {
			_, err := a.Timeline(t.Context(), &one)
			return err
		}},
	} {
		t.Run(name, func(t *testing.T) {
			for more := range 2 {
				p := open(t)
				p.now = from.Add(12 * time.Hour)
				p.fill(c.bound+more, c.tag, c.left)
				var refused *schema.Error
				err := c.ask(p.analytics())
				if told := errors.As(err, &refused) && refused.Kind == schema.TooLarge; told != (more > 0) || err != nil && !told {
					t.Errorf("%d rows, %d may be: %v", c.bound+more, c.bound, err)
				}
			}
		})
	}
}

// An open visit counts to the last fix of its location, on any plan of it; where the tag
// was heard later says nothing.
func TestOpenVisitsEndWhereTheyAre(t *testing.T) {
	p := open(t)
	from := time.Date(2026, 3, 27, 8, 0, 0, 0, time.UTC)
	p.now = from.Add(12 * time.Hour)
	heard := func(l schema.LocationID, plan schema.PlanID, after time.Duration) fix {
		return fix{org: ours, location: l, plan: plan, tag: tagOf(1), at: from.Add(after).UnixMilli(), validMs: 5000}
	}
	elsewhere := schema.LocationID{9}
	p.store([]fix{heard(hall, ground, 0), heard(hall, upstairs, time.Minute), heard(elsewhere, schema.PlanID{10}, time.Hour)},
		[]visit{{org: ours, location: hall, plan: ground, tag: tagOf(1), zone: zoneOf(1), from: from.UnixMilli()}})
	q := &analytics.Query{Organisation: ours, Location: hall, Plan: ground, From: from, To: from.Add(6 * time.Hour)}
	found, err := p.analytics().Visits(t.Context(), q, analytics.VisitFilter{}, nil, 10)
	if err != nil || len(found) != 1 || found[0].Until.Time() != from.Add(time.Minute) {
		t.Errorf("got %+v, want one until %s, %v", found, from.Add(time.Minute), err)
	}
}
