package heard_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mybeacon/engine/embedded/embeddedtest"
	"mybeacon/engine/modules/ble/heard"
	"mybeacon/engine/store/clickhouse"
	"mybeacon/schema"
	migrations "mybeacon/schema/clickhouse"
)

func open(t *testing.T) *clickhouse.DB {
	t.Helper()
	db, err := clickhouse.Open(embeddedtest.NewClickHouseDatabase(t), clickhouse.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if err := db.Migrate(t.Context(), migrations.FS); err != nil {
		t.Fatal(err)
	}
	return db
}

const base = schema.EventTime(1_767_225_600_000) // 2026-01-01T00:00:00Z

// row is an observation, as far as it matters here.
type row struct {
	org      byte
	plan     byte
	tag      byte
	receiver byte
	at       schema.EventTime
	rssi     schema.CentiDBm
}

var (
	mine     = heard.Plan{Organisation: schema.OrganisationID{1}, Plan: schema.PlanID{2}}
	tag      = schema.TagID{3}
	receiver = schema.ReceiverID{4}
)

// store stores the rows under the numbers from seq on; equal numbers are one
// observation that was sent twice.
func store(t *testing.T, db *clickhouse.DB, seq int, rows ...row) {
	t.Helper()
	for i, r := range rows {
		const insert = `INSERT INTO observations (org, plan, tag, receiver, at, rssi_cdbm, keep_days, boot_id, seq, transmitter)
			VALUES ('%s', '%s', '%s', '%s', fromUnixTimestamp64Milli(%d, 'UTC'), %d, 65535, 'b', %d, 't')`
		sql := fmt.Sprintf(insert, uuid(r.org), uuid(r.plan), uuid(r.tag), uuid(r.receiver), r.at, r.rssi, seq+i)
		if err := db.Conn().Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
}

func uuid(first byte) string { return fmt.Sprintf("%02x000000-0000-0000-0000-000000000000", first) }

// Only what the plan's receivers heard of the tag in the interval counts, once.
func TestSamples(t *testing.T) {
	db := open(t)
	sent := []row{{1, 2, 3, 4, base + 500, -5000}, {1, 2, 3, 5, base, -7000}, {1, 2, 3, 4, base + 999, -5100}}
	store(t, db, 1, sent...)
	store(t, db, 1, sent[0])
	store(t, db, 100,
		row{9, 2, 3, 4, base, -1}, row{1, 9, 3, 4, base, -1}, row{1, 2, 9, 4, base, -1}, row{1, 2, 3, 0, base, -1},
		row{1, 2, 3, 4, base - 1, -1}, row{1, 2, 3, 4, base + 1000, -1})
	in := heard.Interval{Tag: tag, From: base, To: base + 1000}
	got, err := heard.Samples(t.Context(), db.Conn(), mine, in, 100)
	want := []heard.Sample{{Receiver: schema.ReceiverID{5}, At: base, RSSI: -7000}, {Receiver: receiver, At: base + 500, RSSI: -5000}, {Receiver: receiver, At: base + 999, RSSI: -5100}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
	if some, err := heard.Samples(t.Context(), db.Conn(), mine, in, 2); len(some) != 2 || err != nil {
		t.Errorf("got %d, %v", len(some), err)
	}
}

func TestMeans(t *testing.T) {
	db := open(t)
	store(t, db, 1,
		row{1, 2, 3, 4, base, -5000}, row{1, 2, 3, 4, base + 999, -5101},
		row{1, 2, 3, 5, base, -7000},
		row{1, 2, 6, 4, base, -8000}, row{1, 2, 6, 4, base, -8001},
		row{1, 2, 7, 4, base, -8000}, // nobody asked
		row{1, 2, 3, 4, base - 1, 0}, row{1, 2, 3, 4, base + 1000, 0}, row{9, 2, 3, 4, base, 0}, row{1, 9, 3, 4, base, 0}, row{1, 2, 3, 0, base, 0})
	got, err := heard.Means(t.Context(), db.Conn(), mine, []schema.TagID{{6}, tag}, base.Time(), base.Time().Add(time.Second))
	want := []heard.Mean{
		{Tag: tag, Receiver: receiver, DBm: -50.505, Observations: 2}, {Tag: tag, Receiver: schema.ReceiverID{5}, DBm: -70, Observations: 1},
		{Tag: schema.TagID{6}, Receiver: receiver, DBm: -80.005, Observations: 2},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
}

// An answer that refuses is ours; no answer is the warehouse's.
func TestErrors(t *testing.T) {
	db := open(t)
	if err := db.Conn().Exec(t.Context(), "DROP TABLE observations"); err != nil {
		t.Fatal(err)
	}
	ask := func(ctx context.Context, db *clickhouse.DB) error {
		_, err := heard.Samples(ctx, db.Conn(), mine, heard.Interval{Tag: tag, From: base, To: base + 1}, 1)
		return err
	}
	if err := ask(t.Context(), db); err == nil || schema.KindOf(err) != schema.Internal {
		t.Errorf("no such table: %v", err)
	}
	away, err := clickhouse.Open("http://127.0.0.1:1/mybeacon", clickhouse.Options{DialTimeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = away.Close() }()
	if err := ask(t.Context(), away); schema.KindOf(err) != schema.Unavailable {
		t.Errorf("away: %v", err)
	}
}
