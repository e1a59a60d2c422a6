package columnar_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"mybeacon/schema"
	"mybeacon/schema/columnar"
)

func checked(t testing.TB) memory.Allocator {
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	t.Cleanup(func() { mem.AssertSize(t, 0) })
	return mem
}

// text returns column name of the record as people would write it.
func text(t testing.TB, rec arrow.Record, name string) []string {
	t.Helper()
	i := rec.Schema().FieldIndices(name)
	if len(i) != 1 {
		t.Fatalf("no column %s", name)
	}
	col := rec.Column(i[0])
	out := make([]string, col.Len())
	for row := range out {
		out[row] = value(col, row)
	}
	return out
}

func value(col arrow.Array, row int) string {
	if col.IsNull(row) {
		return "null"
	}
	switch c := col.(type) {
	case *array.FixedSizeBinary:
		return schema.TagID(c.Value(row)).String()
	case *array.Dictionary:
		return c.Dictionary().(*array.String).Value(c.GetValueIndex(row))
	case *array.Timestamp:
		return fmt.Sprint(int64(c.Value(row)))
	default:
		return col.ValueStr(row)
	}
}

func id(n byte) [16]byte { return [16]byte{15: n} }

func frame(boot string, seq uint64, transmitters ...schema.Transmitter) schema.FrameAdmitted {
	f := schema.FrameAdmitted{
		Source: schema.Source{Organisation: id(1), Device: id(2), Location: id(3), Plan: id(4), Receiver: id(5), KeepDays: 30},
		BootID: boot, Seq: seq, SentAt: 5000, ArrivedAt: time.UnixMilli(6000),
	}
	for i, tr := range transmitters {
		f.Observations = append(f.Observations, schema.Heard{
			Observation: schema.Observation{At: schema.EventTime(4000 + i), Transmitter: tr, RSSI: schema.CentiDBm(-6000 - i)},
			Tag:         id(byte(10 + i)), Late: i == 1,
		})
		f.Indexes = append(f.Indexes, uint16(2*i))
	}
	return f
}

func TestObservations(t *testing.T) {
	b := columnar.NewObservations(checked(t))
	defer b.Release()
	mac, beacon := schema.MACTransmitter([6]byte{1}), schema.IBeacon(id(9), 1, 2)
	b.Append(frame("b1", 7, mac, beacon))
	b.Append(frame("b1", 8)) // empty: no row
	b.Append(frame("b2", 9, beacon))
	if b.Len() != 3 {
		t.Fatalf("%d rows, want 3", b.Len())
	}
	rec := b.NewRecord()
	defer rec.Release()
	u := func(n byte) string { return schema.TagID(id(n)).String() }
	for name, want := range map[string][]string{
		"org": {u(1), u(1), u(1)}, "device": {u(2), u(2), u(2)}, "at": {"4000", "4001", "4000"}, "boot_id": {"b1", "b1", "b2"},
		"seq": {"7", "7", "9"}, "idx": {"0", "2", "0"}, "tag": {u(10), u(11), u(10)},
		"transmitter": {mac.String(), beacon.String(), beacon.String()}, "rssi_cdbm": {"-6000", "-6001", "-6000"},
		"receiver": {u(5), u(5), u(5)}, "location": {u(3), u(3), u(3)}, "plan": {u(4), u(4), u(4)},
		"late": {"false", "true", "false"}, "arrived_at": {"6000", "6000", "6000"}, "keep_days": {"30", "30", "30"},
	} {
		if diff := cmp.Diff(want, text(t, rec, name)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	if n := len(rec.Columns()); n != 15 {
		t.Errorf("%d columns, want 15 of which each was compared", n)
	}
}

// A record stays as it was while the builder goes on, whatever the sizes.
func TestRecordsAreIndependent(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
		b := columnar.NewObservations(mem)
		var records []arrow.Record
		var want [][]string
		for r := range rapid.IntRange(1, 4).Draw(rt, "records") {
			var seqs []string
			for range rapid.IntRange(0, 6).Draw(rt, "frames") {
				n := rapid.IntRange(0, 70).Draw(rt, "rows")
				transmitters := make([]schema.Transmitter, n)
				for i := range transmitters {
					transmitters[i] = schema.MACTransmitter([6]byte{byte(r), byte(i % 7)})
					seqs = append(seqs, transmitters[i].String())
				}
				b.Append(frame("b", uint64(r+1), transmitters...))
			}
			if b.Len() != len(seqs) {
				rt.Fatalf("%d rows, want %d", b.Len(), len(seqs))
			}
			records, want = append(records, b.NewRecord()), append(want, seqs)
		}
		for i, rec := range records {
			if got := text(t, rec, "transmitter"); len(got)+len(want[i]) > 0 && !cmp.Equal(got, want[i]) {
				rt.Fatalf("record %d: %s", i, cmp.Diff(want[i], got))
			}
			rec.Release()
		}
		b.Release()
		if n := mem.CurrentAlloc(); n != 0 {
			rt.Fatalf("%d bytes were not released", n)
		}
	})
}

func TestFixes(t *testing.T) {
	b := columnar.NewFixes(checked(t))
	defer b.Release()
	b.Append(schema.Fix{
		Organisation: id(1), Tag: id(2), Location: id(3), Plan: id(4), At: 9000, X: 1.5, Y: -2.25, AccuracyM: 3, Zone: id(5),
		Receiver: id(6), RSSI: -7010, Receivers: 4, ValidFor: 30 * time.Second, Rev: 1 << 60, KeepDays: schema.KeepForever,
	})
	b.Append(schema.Fix{ValidFor: 1 << 62})
	rec := b.NewRecord()
	defer rec.Release()
	for name, want := range map[string]string{
		"org": schema.TagID(id(1)).String(), "tag": schema.TagID(id(2)).String(), "location": schema.TagID(id(3)).String(),
		"plan": schema.TagID(id(4)).String(), "zone": schema.TagID(id(5)).String(), "receiver": schema.TagID(id(6)).String(),
		"at": "9000", "x_m": "1.5", "y_m": "-2.25", "accuracy_m": "3", "rssi_cdbm": "-7010", "receivers": "4",
		"valid_for_ms": "30000", "rev": "1152921504606846976", "keep_days": "65535",
	} {
		if got := text(t, rec, name)[0]; got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	if got := text(t, rec, "valid_for_ms")[1]; got != "4294967295" {
		t.Errorf("an endless validity became %s ms", got)
	}
}

func TestVisits(t *testing.T) {
	b := columnar.NewVisits(checked(t))
	defer b.Release()
	open := schema.Visit{Organisation: id(1), Tag: id(2), Location: id(3), Plan: id(4), Zone: id(5), ID: id(6), EnteredAt: 1000, Rev: 1, KeepDays: 7}
	closed := open
	closed.LeftAt, closed.Rev = 4000, 2
	for range 40 { // beyond the first allocation of the bitmaps
		b.Append(open)
		b.Append(closed)
	}
	rec := b.NewRecord()
	defer rec.Release()
	left, revs := text(t, rec, "left_at"), text(t, rec, "rev")
	for i := range left {
		want := []string{"null", "4000"}[i%2]
		if left[i] != want || revs[i] != fmt.Sprint(1+i%2) {
			t.Fatalf("row %d: left_at %s, want %s; rev %s", i, left[i], want, revs[i])
		}
	}
	if got := text(t, rec, "visit_id")[79]; got != schema.TagID(id(6)).String() {
		t.Errorf("visit_id is %s", got)
	}
}

// Builders give back rows that nobody took.
func TestReleaseWithoutRecord(t *testing.T) {
	b := columnar.NewObservations(checked(t))
	b.Append(frame("b", 1, schema.MACTransmitter([6]byte{1})))
	b.Release()
}

func TestEveryFieldDeclaresItsColumn(t *testing.T) {
	for _, s := range []*arrow.Schema{columnar.ObservationsSchema(), columnar.FixesSchema(), columnar.VisitsSchema()} {
		for _, f := range s.Fields() {
			if columnar.ClickHouseType(f) == "" {
				t.Errorf("%s declares no column type", f.Name)
			}
		}
	}
	if columnar.ClickHouseType(arrow.Field{Name: "x"}) != "" {
		t.Error("a foreign field has a type")
	}
}
