package clickhouse_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mybeacon/engine/rederive"
	sink "mybeacon/engine/sink/clickhouse"
	"mybeacon/schema"
)

// What was in force in a span is read back: what began in it, and what was in force
// when it began, on each plan; a word that was stored again counts once, the newer one.
func TestOffsetsAreReadBack(t *testing.T) {
	s := sink.New(open(t))
	rev := uint64(0)
	put := func(plan byte, second int, offsets ...schema.CentiDBm) schema.Offsets {
		o := schema.Offsets{
			Organisation: source().Organisation, Location: source().Location, Plan: schema.PlanID{plan},
			From: base.Add(time.Duration(second) * time.Second), KeepDays: schema.KeepForever,
		}
		for i, dB := range offsets {
			o.Receivers = append(o.Receivers, schema.ReceiverOffset{Receiver: schema.ReceiverID{7, 15: byte(i + 1)}, Offset: dB})
		}
		rev++
		if err := s.Offsets(t.Context(), o, rev); err != nil {
			t.Fatal(err)
		}
		return o
	}
	put(1, 0, 25)
	before := put(1, 90, 50, -75)
	put(1, 120, 1)
	within := put(1, 120, 100, -100) // again
	none := put(1, 190)              // nobody has an offset any more
	put(1, 210, 300)
	other := put(2, 10, -50)
	put(3, 220, 50)

	got, err := s.Corrections(t.Context(), rederive.Span{Organisation: source().Organisation, From: base.Add(100 * time.Second), To: base.Add(200 * time.Second)})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]schema.Offsets{before, within, none, other}, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if got, err := s.Corrections(t.Context(), rederive.Span{Organisation: schema.OrganisationID{9}, From: base, To: base.Add(time.Hour)}); err != nil || len(got) != 0 {
		t.Errorf("another organisation's: %v, %v", got, err)
	}
}
