package columnar_test

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mybeacon/schema"
	"mybeacon/schema/columnar"
)

func TestQuarantine(t *testing.T) {
	b := columnar.NewQuarantine(checked(t))
	defer b.Release()
	row := schema.Quarantined{
		Source: schema.Source{Organisation: id(1), Device: id(2)}, BootID: "b", Seq: 7, Index: 3,
		At: 5000, ArrivedAt: 6000, Reason: "at_future", Transmitter: schema.MACTransmitter([6]byte{1}), RSSI: -6000,
	}
	b.Append(row)
	row.At, row.Transmitter, row.Reason = math.MaxInt64, schema.Transmitter{}, "sent_at_future"
	b.Append(row)
	row.At = math.MinInt64
	b.Append(row)
	rec := b.NewRecord()
	defer rec.Release()
	f := func(name string, want ...string) {
		t.Helper()
		if diff := cmp.Diff(want, text(t, rec, name)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	f("at", "5000", "9904550400000", "0")
	f("arrived_at", "6000", "6000", "6000")
	f("boot_id", "b", "b", "b")
	f("seq", "7", "7", "7")
	f("idx", "3", "3", "3")
	f("reason", "at_future", "sent_at_future", "sent_at_future")
	f("rssi_cdbm", "-6000", "-6000", "-6000")
	f("keep_days", "30", "30", "30")
	if len(rec.Columns()) != len(columnar.QuarantineSchema().Fields()) {
		t.Error("the record has other columns than the schema")
	}
}
