package schema_test

import (
	"encoding/json"
	"testing"
	"time"

	"pgregory.net/rapid"

	"mybeacon/schema"
)

func drawTransmitter(t *rapid.T) schema.Transmitter {
	var b [16]byte
	copy(b[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "id"))
	switch rapid.IntRange(1, 3).Draw(t, "kind") {
	case 1:
		return schema.MACTransmitter([6]byte(b[:6]))
	case 2:
		return schema.IBeacon(b, rapid.Uint16().Draw(t, "major"), rapid.Uint16().Draw(t, "minor"))
	default:
		return schema.Transmitter{Kind: schema.TransmitterEddystoneUID, ID: b}
	}
}

func TestTransmitterTextRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := drawTransmitter(t)
		got, err := schema.ParseTransmitter(want.String())
		if err != nil || got != want {
			t.Fatalf("%q read back as %+v, %v", want, got, err)
		}
	})
}

func TestTransmitterForms(t *testing.T) {
	f := func(s string, ok bool) {
		t.Helper()
		got, err := schema.ParseTransmitter(s)
		if (err == nil) != ok {
			t.Errorf("ParseTransmitter(%q) = %v, %v", s, got, err)
		}
		if !ok && got != (schema.Transmitter{}) {
			t.Errorf("ParseTransmitter(%q) failed and yet returned %v", s, got)
		}
	}
	f("mac:aa:bb:cc:dd:ee:ff", true)
	f("mac:AA:BB:CC:DD:EE:FF", true)
	f("ibeacon:fda50693-a4e2-4fb1-afcf-c6eb07647825/10/65535", true)
	f("eddystone:00112233445566778899/aabbccddeeff", true)
	f("", false)
	f("mac:", false)
	f("mac:aa:bb:cc:dd:ee", false)
	f("mac:aa-bb-cc-dd-ee-ff", false)
	f("mac:aa:bb:cc:dd:ee:fg", false)
	f("ibeacon:fda50693-a4e2-4fb1-afcf-c6eb07647825/10", false)
	f("ibeacon:fda50693-a4e2-4fb1-afcf-c6eb07647825/10/65536", false)
	f("ibeacon:fda50693-a4e2-4fb1-afcf-c6eb07647825/-1/1", false)
	f("eddystone:0011/aabb", false)
	f("eddystone:0011223344556677889z/aabbccddeeff", false)
	f("wifi:aa:bb:cc:dd:ee:ff", false)
}

func FuzzParseTransmitter(f *testing.F) {
	f.Add("mac:aa:bb:cc:dd:ee:ff")
	f.Add("ibeacon:fda50693-a4e2-4fb1-afcf-c6eb07647825/1/2")
	f.Add("eddystone:00112233445566778899/aabbccddeeff")
	f.Fuzz(func(t *testing.T, s string) {
		tx, err := schema.ParseTransmitter(s)
		if err != nil {
			return
		}
		again, err := schema.ParseTransmitter(tx.String())
		if err != nil || again != tx {
			t.Fatalf("%q -> %v -> %v, %v", s, tx, again, err)
		}
	})
}

func TestCentiDBmRounds(t *testing.T) {
	f := func(dbm float64, want schema.CentiDBm) {
		t.Helper()
		if got := schema.CentiDBmOf(dbm); got != want {
			t.Errorf("CentiDBmOf(%v) = %v, want %v", dbm, got, want)
		}
	}
	f(-61.5, -6150)
	f(-61.005, -6101)
	f(0, 0)
	f(20, schema.MaxRSSI)
	f(-127, schema.MinRSSI)
}

func TestEventTimeSecondRoundsDown(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := schema.EventTime(rapid.Int64Range(-1<<40, 1<<42).Draw(t, "at"))
		s := at.Second()
		if s > at || at-s >= 1000 || s%1000 != 0 {
			t.Fatalf("second of %d = %d", at, s)
		}
	})
}

func TestEventTimeJSON(t *testing.T) {
	at := schema.EventTimeOf(time.Date(2026, 1, 31, 12, 0, 0, 250e6, time.UTC))
	b, err := json.Marshal(at)
	if err != nil || string(b) != `"2026-01-31T12:00:00.250Z"` {
		t.Fatalf("written as %s, %v", b, err)
	}
	var back schema.EventTime
	if err := json.Unmarshal([]byte(`"2026-01-31T15:00:00.25+03:00"`), &back); err != nil || back != at {
		t.Fatalf("read as %v, %v, want %v", back, err, at)
	}
	if err := json.Unmarshal([]byte(`"yesterday"`), &back); err == nil {
		t.Fatal("a word was taken for a time")
	}
}

func TestVisitIDNamesTheStay(t *testing.T) {
	org, tag, zone := schema.NewID[schema.OrganisationID](), schema.NewID[schema.TagID](), schema.NewID[schema.ZoneID]()
	a := schema.NewVisitID(org, tag, zone, 1000)
	if a != schema.NewVisitID(org, tag, zone, 1000) {
		t.Error("the same stay has two ids")
	}
	if a == schema.NewVisitID(org, tag, zone, 1001) {
		t.Error("two stays have one id")
	}
}
