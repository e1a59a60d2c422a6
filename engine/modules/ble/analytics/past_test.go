package analytics_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"mybeacon/engine/embedded/embeddedtest"
	"mybeacon/engine/modules/ble/analytics"
	"mybeacon/engine/store/clickhouse"
	"mybeacon/schema"
	migrations "mybeacon/schema/clickhouse"
)

// The ids of the tests; others are somebody else's.
var (
	ours     = schema.OrganisationID{1}
	theirs   = schema.OrganisationID{2}
	hall     = schema.LocationID{3}
	ground   = schema.PlanID{4}
	upstairs = schema.PlanID{5}
)

func tagOf(n int) schema.TagID { return schema.TagID{6, byte(n >> 8), byte(n)} }

func zoneOf(n int) schema.ZoneID {
	if n == 0 {
		return schema.ZoneID{}
	}
	return schema.ZoneID{7, byte(n)}
}

// past is a warehouse and what was written into it.
type past struct {
	tb     testing.TB
	db     *clickhouse.DB
	now    time.Time
	fixes  []fix
	visits []visit
}

// fix and visit are rows, in ms of event time.
type fix struct {
	org      schema.OrganisationID
	location schema.LocationID
	plan     schema.PlanID
	tag      schema.TagID
	zone     schema.ZoneID
	at       int64
	validMs  int64
	x, y     float32
	gone     bool
}

type visit struct {
	org      schema.OrganisationID
	location schema.LocationID
	plan     schema.PlanID
	tag      schema.TagID
	zone     schema.ZoneID
	parent   schema.ZoneID
	from     int64
	to       int64 // 0: open
	gone     bool
}

func (v *visit) id() schema.VisitID {
	return schema.NewVisitID(v.org, v.tag, v.zone, schema.EventTime(v.from))
}

func open(tb testing.TB) *past {
	tb.Helper()
	db, err := clickhouse.Open(embeddedtest.NewClickHouseDatabase(tb), clickhouse.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = db.Close() })
	if err := db.Migrate(tb.Context(), migrations.FS); err != nil {
		tb.Fatal(err)
	}
	return &past{tb: tb, db: db}
}

func (p *past) analytics() *analytics.Analytics {
	return analytics.New(p.db.Conn(), func() time.Time { return p.now })
}

// store writes rows as the engine does: a visit at its entry and again at its end, and
// what is taken back once more.
func (p *past) store(fixes []fix, visits []visit) {
	p.tb.Helper()
	p.fixes, p.visits = append(p.fixes, fixes...), append(p.visits, visits...)
	for rev := range uint64(3) {
		p.storeFixes(fixes, rev)
		p.storeVisits(visits, rev)
	}
}

func (p *past) storeFixes(fixes []fix, rev uint64) {
	p.tb.Helper()
	batch, err := p.db.Conn().PrepareBatch(p.tb.Context(), "INSERT INTO fixes (org, tag, at, location, plan, x_m, y_m, accuracy_m, zone, valid_for_ms, rev, is_deleted, keep_days)")
	if err != nil {
		p.tb.Fatal(err)
	}
	for _, f := range fixes {
		if rev == 2 && !f.gone {
			continue
		}
		valid := f.validMs
		if rev == 0 {
			valid = 30_000 // what it was promised to hold
		}
		err := batch.Append(uuid.UUID(f.org), uuid.UUID(f.tag), time.UnixMilli(f.at).UTC(), uuid.UUID(f.location), uuid.UUID(f.plan), f.x, f.y, float32(1),
			uuid.UUID(f.zone), uint32(valid), rev, uint8(rev/2), uint16(65535))
		if err != nil {
			p.tb.Fatal(err)
		}
	}
	if err := batch.Send(); err != nil {
		p.tb.Fatal(err)
	}
}

func (p *past) storeVisits(visits []visit, rev uint64) {
	p.tb.Helper()
	batch, err := p.db.Conn().PrepareBatch(p.tb.Context(), "INSERT INTO zone_visits (org, tag, entered_at, visit_id, location, plan, zone, parent, left_at, rev, is_deleted, keep_days)")
	if err != nil {
		p.tb.Fatal(err)
	}
	for i := range visits {
		v := &visits[i]
		var left *time.Time
		if rev > 0 && v.to != 0 {
			at := time.UnixMilli(v.to).UTC()
			left = &at
		}
		if rev == 1 && v.to == 0 || rev == 2 && !v.gone {
			continue
		}
		err := batch.Append(uuid.UUID(v.org), uuid.UUID(v.tag), time.UnixMilli(v.from).UTC(), uuid.UUID(v.id()), uuid.UUID(v.location), uuid.UUID(v.plan),
			uuid.UUID(v.zone), uuid.UUID(v.parent), left, rev, uint8(rev/2), uint16(65535))
		if err != nil {
			p.tb.Fatal(err)
		}
	}
	if err := batch.Send(); err != nil {
		p.tb.Fatal(err)
	}
}
