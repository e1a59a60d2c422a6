package analytics_test

import (
	"context"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	ch "github.com/ClickHouse/clickhouse-go/v2"

	"mybeacon/engine/modules/ble/analytics"
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
