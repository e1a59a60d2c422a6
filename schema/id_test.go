package schema_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"mybeacon/schema"
)

func TestIDTextRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var want schema.TagID
		copy(want[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "bytes"))
		text, err := want.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		var got schema.TagID
		if err := got.UnmarshalText(text); err != nil || got != want {
			t.Fatalf("%q read back as %v, %v", text, got, err)
		}
	})
}

func TestParseIDRefusesWhatIsNoUUID(t *testing.T) {
	for _, s := range []string{"", "x", "01890a5d-ac96-774b-bcce-b302099a805", "01890a5d-ac96-774b-bcce-b302099a80577",
		"01890a5dac96774bbcceb302099a8057", "g1890a5d-ac96-774b-bcce-b302099a8057", "01890a5d-ac96-774b-bcce_b302099a8057"} {
		if _, err := schema.ParseID[schema.PlanID](s); schema.KindOf(err) != schema.Invalid {
			t.Errorf("ParseID(%q) = %v, want an error of kind invalid", s, err)
		}
	}
}

func TestNewIDIsUniqueAndVersion7(t *testing.T) {
	seen := map[schema.DeviceID]bool{}
	for range 10_000 {
		id := schema.NewID[schema.DeviceID]()
		if seen[id] {
			t.Fatalf("%v came twice", id)
		}
		if id[6]>>4 != 7 || id[8]>>6 != 2 {
			t.Fatalf("%v is not a UUID of version 7", id)
		}
		seen[id] = true
	}
}

func TestDeriveIDSeparatesParts(t *testing.T) {
	a := schema.DeriveID[schema.VisitID]([]byte("ab"), []byte("c"))
	b := schema.DeriveID[schema.VisitID]([]byte("a"), []byte("bc"))
	again := schema.DeriveID[schema.VisitID]([]byte("ab"), []byte("c"))
	if a == b {
		t.Error("moving a byte between parts gave the same id")
	}
	if a != again {
		t.Error("equal parts gave different ids")
	}
}

func TestIDScansWhatDriversGive(t *testing.T) {
	id := schema.NewID[schema.ZoneID]()
	f := func(src any, want schema.ZoneID) {
		t.Helper()
		got := schema.NewID[schema.ZoneID]()
		if err := got.Scan(src); err != nil || got != want {
			t.Errorf("Scan(%T) = %v, %v, want %v", src, got, err, want)
		}
	}
	f(nil, schema.ZoneID{})
	f(id.String(), id)
	f([]byte(id.String()), id)
	f(id[:], id)
	f([16]byte(id), id)
	var got schema.ZoneID
	if err := got.Scan(7); err == nil {
		t.Error("a number was taken for an id")
	}
}

func TestZeroIDIsNull(t *testing.T) {
	v, err := schema.OrganisationID{}.Value()
	if v != nil || err != nil {
		t.Errorf("Value of the zero id = %v, %v, want NULL", v, err)
	}
	b, err := json.Marshal(struct{ ID schema.OrganisationID }{})
	if err != nil || string(b) != `{"ID":""}` {
		t.Errorf("the zero id is written as %s, %v", b, err)
	}
}

func TestKindOfFindsTheErrorInTheChain(t *testing.T) {
	err := fmt.Errorf("read plan: %w", schema.Errorf(schema.NotFound, "plan", "there is no such plan"))
	if got := schema.KindOf(err); got != schema.NotFound {
		t.Errorf("KindOf = %v, want not_found", got)
	}
	if got := schema.KindOf(errors.New("disk on fire")); got != schema.Internal {
		t.Errorf("KindOf of a plain error = %v, want internal", got)
	}
	if got := err.Error(); got != "read plan: plan: there is no such plan" {
		t.Errorf("message = %q", got)
	}
}
