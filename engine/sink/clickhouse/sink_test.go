package clickhouse_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/google/go-cmp/cmp"

	"mybeacon/engine/embedded/embeddedtest"
	sink "mybeacon/engine/sink/clickhouse"
	store "mybeacon/engine/store/clickhouse"
	"mybeacon/schema"
	migrations "mybeacon/schema/clickhouse"
	"mybeacon/schema/columnar"
	"mybeacon/schema/wire"
)

func TestMain(m *testing.M) { embeddedtest.Main(m) }

func open(t testing.TB) driver.Conn {
	t.Helper()
	db, err := store.Open(embeddedtest.NewClickHouseDatabase(t), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if err := db.Migrate(t.Context(), migrations.FS); err != nil {
		t.Fatal(err)
	}
	return db.Conn()
}

func checked(t testing.TB) memory.Allocator {
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	t.Cleanup(func() { mem.AssertSize(t, 0) })
	return mem
}

// one returns the single value of a query.
func one[T any](t testing.TB, conn driver.Conn, query string) T {
	t.Helper()
	var v T
	if err := conn.QueryRow(t.Context(), query).Scan(&v); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return v
}

const base = schema.EventTime(1_767_225_600_000) // 2026-01-01T00:00:00Z

func source() schema.Source {
	return schema.Source{
		Organisation: schema.OrganisationID{1}, Device: schema.DeviceID{2}, Location: schema.LocationID{3},
		Plan: schema.PlanID{4}, Receiver: schema.ReceiverID{5}, KeepDays: schema.KeepForever,
	}
}

func frame(boot string, seq uint64, n int) schema.FrameAdmitted {
	f := schema.FrameAdmitted{Source: source(), BootID: boot, Seq: seq, SentAt: base + schema.EventTime(seq*1000), ArrivedAt: base.Time().Add(time.Hour)}
	for i := range n {
		f.Observations = append(f.Observations, schema.Heard{
			Observation: schema.Observation{At: f.SentAt + schema.EventTime(i), Transmitter: schema.IBeacon([16]byte{9}, 1, uint16(i%50)), RSSI: schema.CentiDBm(-6000 - i%100)},
			Tag:         schema.TagID{byte(i % 50)}, Late: i%2 == 1,
		})
		f.Indexes = append(f.Indexes, uint16(i))
	}
	return f
}

func insert(t testing.TB, conn driver.Conn, token string, frames ...schema.FrameAdmitted) {
	t.Helper()
	b := columnar.NewObservations(checked(t))
	defer b.Release()
	for _, f := range frames {
		b.Append(f)
	}
	rec := b.NewRecord()
	defer rec.Release()
	if err := sink.New(conn).Insert(t.Context(), columnar.ObservationsTable, rec, token); err != nil {
		t.Fatal(err)
	}
}

func TestObservationsArriveAsTheyWere(t *testing.T) {
	conn := open(t)
	insert(t, conn, "t1", frame("b1", 7, 3), frame("b2", 8, 1))
	got := one[string](t, conn, `SELECT arrayStringConcat(groupArray(concat(toString(org), ' ', toString(device), ' ', toString(at), ' ', boot_id, ' ', toString(seq), ' ', toString(idx), ' ',
		toString(tag), ' ', transmitter, ' ', toString(rssi_cdbm), ' ', toString(receiver), ' ', toString(location), ' ', toString(plan), ' ', toString(late), ' ', toString(arrived_at), ' ', toString(keep_days))), '\n')
		FROM (SELECT * FROM observations FINAL WHERE idx = 1 ORDER BY seq, idx)`)
	want := fmt.Sprintf("%s %s 2026-01-01 00:00:07.001 b1 7 1 %s ibeacon:09000000-0000-0000-0000-000000000000/1/1 -6001 %s %s %s true 2026-01-01 01:00:00.000 65535",
		source().Organisation, source().Device, schema.TagID{1}, source().Receiver, source().Location, source().Plan)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if n := one[uint64](t, conn, `SELECT count() FROM observations FINAL`); n != 4 {
		t.Errorf("%d rows, want 4", n)
	}
}

func TestDerivedFactsArriveAsTheyWere(t *testing.T) {
	conn, mem := open(t), checked(t)
	fixes, visits := columnar.NewFixes(mem), columnar.NewVisits(mem)
	defer fixes.Release()
	defer visits.Release()
	fixes.Append(schema.Fix{Organisation: source().Organisation, Tag: schema.TagID{7}, At: base, X: 1.5, Y: -2.5, AccuracyM: 2, Zone: schema.ZoneID{8}, RSSI: -5000, Receivers: 3, ValidFor: time.Second, Rev: 5, KeepDays: 65535})
	visit := schema.Visit{Organisation: source().Organisation, Tag: schema.TagID{7}, Zone: schema.ZoneID{8}, ID: schema.VisitID{9}, EnteredAt: base, Rev: 1, KeepDays: 65535}
	visits.Append(visit)
	visit.LeftAt, visit.Rev = base+90_500, 2
	other := visit
	other.ID, other.LeftAt = schema.VisitID{10}, 0
	visits.Append(other)
	visits.Append(visit)
	for table, rec := range map[string]arrow.Record{columnar.FixesTable: fixes.NewRecord(), columnar.VisitsTable: visits.NewRecord()} {
		if err := sink.New(conn).Insert(t.Context(), table, rec, "t"); err != nil {
			t.Error(err)
		}
		rec.Release()
	}
	if got := one[string](t, conn, `SELECT concat(toString(x_m), ' ', toString(y_m), ' ', toString(accuracy_m), ' ', toString(receivers), ' ', toString(valid_for_ms), ' ', toString(rev)) FROM fixes FINAL`); got != "1.5 -2.5 2 3 1000 5" {
		t.Errorf("the fix became %s", got)
	}
	got := one[string](t, conn, `SELECT arrayStringConcat(groupArray(concat(toString(open), ' ', toString(dwell_s))), ', ') FROM (SELECT * FROM visits ORDER BY open)`)
	if got != "0 90.5, 1 0" {
		t.Errorf("the visits became %s", got)
	}
}

// The same record with the same token is stored once, the same rows with another
// token twice, and FINAL folds them.
func TestTokenStoresOnce(t *testing.T) {
	conn := open(t)
	insert(t, conn, "same", frame("b", 1, 100))
	insert(t, conn, "same", frame("b", 1, 100))
	if n := one[uint64](t, conn, `SELECT count() FROM observations`); n != 100 {
		t.Errorf("%d rows after a repeated insert, want 100", n)
	}
	insert(t, conn, "other", frame("b", 1, 100))
	if n := one[uint64](t, conn, `SELECT count() FROM observations FINAL`); n != 100 {
		t.Errorf("%d rows under FINAL, want 100", n)
	}
}

func TestInsertErrors(t *testing.T) {
	conn := open(t)
	b := columnar.NewObservations(checked(t))
	defer b.Release()
	b.Append(frame("b", 1, 1))
	rec := b.NewRecord()
	defer rec.Release()
	if err := sink.New(conn).Insert(t.Context(), "absent", rec, "t"); err == nil {
		t.Error("an insert into no table succeeded")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := sink.New(conn).Insert(ctx, columnar.ObservationsTable, rec, "t"); err == nil {
		t.Error("an insert after its context succeeded")
	}
	bare := array.NewRecord(arrow.NewSchema([]arrow.Field{{Name: "x", Type: arrow.PrimitiveTypes.Int64}}, nil), nil, 0)
	defer bare.Release()
	if err := sink.New(conn).Insert(t.Context(), columnar.ObservationsTable, bare, "t"); err == nil {
		t.Error("a record without column types was inserted")
	}
	insert(t, conn, "after", frame("b", 1, 1)) // the pool still works
}

func TestStoredSeqs(t *testing.T) {
	conn := open(t)
	var frames []schema.FrameAdmitted
	for _, seq := range []uint64{1, 2, 3, 5, 9, 10} {
		frames = append(frames, frame("b", seq, 3))
	}
	other := frame("b", 4, 3)
	other.Organisation = schema.OrganisationID{99}
	insert(t, conn, "t", append(frames, frame("c", 6, 1), other)...)
	f := func(boot string, since schema.EventTime, want ...wire.SeqRange) {
		t.Helper()
		got, err := sink.New(conn).StoredSeqs(t.Context(), source(), boot, since)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s since %d: %s", boot, since, diff)
		}
	}
	f("b", base, wire.SeqRange{From: 1, To: 3}, wire.SeqRange{From: 5, To: 5}, wire.SeqRange{From: 9, To: 10})
	f("b", base+4000, wire.SeqRange{From: 5, To: 5}, wire.SeqRange{From: 9, To: 10})
	f("c", base, wire.SeqRange{From: 6, To: 6})
	f("d'; DROP TABLE observations", base)
}
