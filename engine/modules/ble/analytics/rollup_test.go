package analytics_test

import (
	"context"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	ch "github.com/ClickHouse/clickhouse-go/v2"

	"mybeacon/engine/modules/ble/analytics"
	"mybeacon/schema"
)

// lived returns a warehouse with two days of fixes, each in several parts.
func lived(t *testing.T) *past {
	p := open(t)
	p.now = time.Now().Add(time.Hour)
	from := time.Date(2026, 3, 26, 22, 0, 0, 0, time.UTC)
	p.store(live(rand.New(rand.NewPCG(7, 8)), 1, from, from.Add(4*time.Hour)))
	return p
}

func (p *past) exec(sql string) {
	p.tb.Helper()
	if err := p.db.Conn().Exec(p.tb.Context(), sql); err != nil {
		p.tb.Fatalf("%s: %v", sql, err)
	}
}

// rollUp checks how many days are made, and how many then are of how many there are.
func (p *past) rollUp(wantNew, wantMade, wantDays int) {
	p.tb.Helper()
	if made, err := p.analytics().RollUp(p.tb.Context(), 100); err != nil || made != wantNew {
		p.tb.Errorf("%d days rolled up, want %d, %v", made, wantNew, err)
	}
	p.rolledUp(wantMade, wantDays)
}

func (p *past) rolledUp(wantMade, wantDays int) {
	p.tb.Helper()
	if days, made, err := p.analytics().RolledUp(p.tb.Context()); err != nil || made != wantMade || days != wantDays {
		p.tb.Errorf("%d of %d days are rolled up, want %d of %d, %v", made, days, wantMade, wantDays, err)
	}
}

// Merges unmake no roll-up; mutations do, and merges after them again none.
func TestMergesLeaveRollUps(t *testing.T) {
	p := lived(t)
	p.rollUp(2, 2, 2)
	p.exec("OPTIMIZE TABLE fixes FINAL")
	p.rolledUp(2, 2)
	p.exec("DELETE FROM fixes WHERE at < '2026-03-26 23:30:00'")
	p.rolledUp(0, 2)
	p.rollUp(2, 2, 2)
	p.exec("OPTIMIZE TABLE fixes FINAL")
	p.rolledUp(2, 2)
}

// A day of which a mutation is under way is rolled up when it is over.
func TestMutationsAreWaitedFor(t *testing.T) {
	p := lived(t)
	const never = "ALTER TABLE fixes DELETE IN PARTITION '2026-03-27' WHERE throwIf(valid_for_ms < 1000000) = 0"
	if err := p.db.Conn().Exec(t.Context(), never); err == nil || !strings.Contains(err.Error(), "UNFINISHED") {
		t.Fatalf("%s: %v", never, err)
	}
	p.rollUp(1, 1, 2)
}

// ill is a warehouse in which nothing can be put in the place of a day.
type ill struct {
	analytics.Warehouse
	day string
}

func (w ill) Exec(ctx context.Context, query string, args ...any) error {
	if strings.Contains(query, "REPLACE PARTITION '"+w.day) {
		return &ch.Exception{Code: 76, Message: "cannot open a file"}
	}
	return w.Warehouse.Exec(ctx, query, args...)
}

// A day that cannot be rolled up does not keep those before it from being.
func TestDaysFailAlone(t *testing.T) {
	p := lived(t)
	a := analytics.New(ill{p.db.Conn(), "2026-03-27"}, func() time.Time { return p.now })
	if made, err := a.RollUp(t.Context(), 100); made != 1 || err == nil || !strings.Contains(err.Error(), "2026-03-27") {
		t.Errorf("%d days rolled up, %v", made, err)
	}
	p.rolledUp(1, 2)
	p.rollUp(1, 2, 2)
}

// A moment in which a tag was heard twice counts once: by a fix that holds over midnight,
// and by one of each plan; so does one in which two visits are known.
func TestOverlapsCountOnce(t *testing.T) {
	p := open(t)
	p.now = time.Now().Add(time.Hour)
	night := time.Date(2026, 3, 27, 0, 0, 0, 0, time.UTC)
	heard := func(plan schema.PlanID, at, seconds int64) fix {
		return fix{org: ours, location: hall, plan: plan, tag: tagOf(1), at: night.UnixMilli() + at*1000, validMs: seconds * 1000}
	}
	in := func(zone int, from, to int64) visit {
		return visit{org: ours, location: hall, plan: ground, tag: tagOf(1), zone: zoneOf(zone), from: night.UnixMilli() + from*1000, to: night.UnixMilli() + to*1000}
	}
	p.store([]fix{heard(ground, -10, 30), heard(ground, 10, 20), heard(upstairs, 25, 15), heard(ground, 60, 60)}, []visit{in(1, 70, 90), in(2, 80, 100)})
	q := analytics.Query{Organisation: ours, Location: hall, From: night.Add(-time.Hour), To: night.Add(time.Hour)}
	for _, made := range []int{0, 2} {
		if made > 0 {
			p.rollUp(2, 2, 2)
		}
		for _, by := range []analytics.By{analytics.ByTag, analytics.ByHour} {
			outside := int64(0)
			rows, err := p.analytics().Dwell(t.Context(), &q, by)
			for _, d := range rows {
				outside += d.OutsideMs
			}
			if outside != 80_000 || err != nil {
				t.Errorf("by %s with %d days rolled up: %d ms outside, want 50 s and 30 s, %v", by, made, outside, err)
			}
		}
	}
}
