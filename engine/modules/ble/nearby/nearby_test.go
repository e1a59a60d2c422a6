package nearby_test

import (
	"testing"
	"time"

	"mybeacon/engine/ingest"
	"mybeacon/engine/modules/ble/nearby"
	"mybeacon/schema"
)

var (
	base = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	mine = schema.OrganisationID{1}
	hall = schema.LocationID{2}
	yard = schema.LocationID{3}
)

func everywhere(schema.LocationID) bool { return true }

// heard is one transmitter in a frame of its own.
type heard struct {
	transmitter schema.Transmitter
	tag         schema.TagID
	at          time.Duration // after base
	rssi        schema.CentiDBm
	address     byte // 0: not said
	battery     int8 // 0: not said
	location    schema.LocationID
}

func (h heard) notice() ingest.Notice {
	at := base.Add(h.at)
	n := ingest.Notice{FrameAdmitted: schema.FrameAdmitted{
		Source: schema.Source{Organisation: mine, Device: schema.DeviceID{9}, Location: h.location}, ArrivedAt: at,
		Observations: []schema.Heard{{Observation: schema.Observation{At: schema.EventTimeOf(at), Transmitter: h.transmitter, RSSI: h.rssi}, Tag: h.tag}},
		Indexes:      []uint16{3},
	}}
	if h.address != 0 || h.battery != 0 {
		d := schema.Detail{Index: 3, Battery: schema.NoBattery}
		if h.battery != 0 {
			d.Battery = h.battery
		}
		if h.address != 0 {
			d.Address = schema.Address{2, h.address}
		}
		// A detail of an observation that was refused belongs to nobody.
		n.Details = []schema.Detail{{Index: 1, Battery: 99}, d}
	}
	return n
}

func hear(e *nearby.Ears, all ...heard) {
	for _, h := range all {
		e.Hear(h.notice())
	}
}

func beacon(minor int) schema.Transmitter {
	return schema.IBeacon([16]byte{7}, uint16(minor>>16), uint16(minor))
}

var tag = schema.TagID{5}

// What a tag says is kept, with when; what an older frame says later changes nothing.
func TestBattery(t *testing.T) {
	e := nearby.New()
	hear(e, heard{tag: tag, transmitter: beacon(1), at: time.Minute, battery: 40}, heard{tag: tag, transmitter: beacon(1), battery: 90})
	got, ok := e.Tag(tag)
	if !ok || got.Battery != 40 || !got.At.Equal(base.Add(time.Minute)) || !got.BatteryAt.Equal(got.At) {
		t.Errorf("got %+v", got)
	}
	hear(e, heard{tag: tag, transmitter: beacon(1), at: 2 * time.Minute})
	if got, _ := e.Tag(tag); got.Battery != 40 {
		t.Error("a frame without a word of it emptied the battery")
	}
}

// Two addresses one after the other are one transmitter; two whose times overlap are
// two, also when one of them pauses.
func TestSharedIdentity(t *testing.T) {
	f := func(name string, shared bool, addresses string) {
		t.Helper()
		e := nearby.New()
		for i, a := range addresses {
			if a != '.' {
				hear(e, heard{tag: tag, transmitter: beacon(1), at: time.Duration(i) * 5 * time.Second, address: byte(a)})
			}
		}
		if got, _ := e.Tag(tag); got.SharedAt.IsZero() == shared {
			t.Errorf("%s: shared at %v", name, got.SharedAt)
		}
	}
	f("one", false, "aaaaaaaaaaaaaaaa")
	f("one that changes its address", false, "aaaaaaaabbbbbbbbbcccccccc")
	f("one that changes it, heard by two clocks", false, "aaaaaaababbbbbbbbbb")
	f("two", true, "abababababababab")
	f("two, one of them seldom", true, "aaabaaaaabaaaaaabaaa")
	f("back after a long time", false, "aaaa"+string(make([]rune, 200))+"bbbb")
}

// At most eight addresses are kept, the newest first.
func TestAddressesAreBounded(t *testing.T) {
	e := nearby.New()
	for i := range 50 {
		hear(e, heard{tag: tag, transmitter: beacon(1), at: time.Duration(i) * time.Hour, address: byte(i + 1)})
	}
	got, _ := e.Tag(tag)
	if len(got.Addresses) != 8 || got.Addresses[0].Address != (schema.Address{2, 50}) {
		t.Errorf("got %v", got.Addresses)
	}
}

// A tag is told once, and again when something changes or after the refresh.
func TestNews(t *testing.T) {
	e := nearby.New()
	f := func(what string, want int, h heard) {
		t.Helper()
		h.tag, h.transmitter = tag, beacon(1)
		hear(e, h)
		if got := e.News(10*time.Minute, 100); len(got) != want {
			t.Errorf("%s: %d news", what, len(got))
		}
	}
	f("new", 1, heard{})
	f("the same", 0, heard{at: time.Second})
	f("a battery", 1, heard{at: 2 * time.Second, battery: 50})
	f("the same battery", 0, heard{at: 3 * time.Second, battery: 50})
	f("another one", 1, heard{at: 4 * time.Second, battery: 49})
	f("an address", 1, heard{at: 5 * time.Second, address: 1})
	f("after a while", 1, heard{at: 11 * time.Minute})
	hear(e, heard{tag: tag, transmitter: beacon(1), at: 12 * time.Minute, battery: 10})
	e.Again(e.News(0, 100))
	if got := e.News(0, 100); len(got) != 1 {
		t.Error("what could not be stored is no news any more")
	}
}

func TestActive(t *testing.T) {
	e := nearby.New()
	hear(e, heard{tag: tag, transmitter: beacon(1)}, heard{tag: schema.TagID{6}, transmitter: beacon(2), at: time.Hour})
	if got := e.Active(mine, base.Add(time.Minute)); len(got) != 1 || got[0] != (schema.TagID{6}) {
		t.Errorf("got %v", got)
	}
	if got := e.Active(schema.OrganisationID{8}, base); len(got) != 0 {
		t.Errorf("another organisation's: %v", got)
	}
}

// However many transmitters there are, at most a thousand are remembered, half of
// them of one UUID, and the rate of new ones is bounded.
func TestStrangersAreBounded(t *testing.T) {
	e := nearby.New()
	hear(e, heard{transmitter: schema.Transmitter{Kind: schema.TransmitterEddystoneUID, ID: [16]byte{1}}, rssi: -9000})
	for i := range 40_000 {
		hear(e, heard{transmitter: beacon(i), at: time.Duration(i) * 50 * time.Millisecond, rssi: -6000})
	}
	// The beacon of another family is there still, though it was silent meanwhile.
	got := e.Strangers(mine, everywhere)
	if len(got) != 2 || got[0].Group == 0 || got[1].Transmitter.Kind != schema.TransmitterEddystoneUID || got[1].Group != 0 {
		t.Fatalf("got %d: %+v", len(got), got[:min(len(got), 3)])
	}
	burst := nearby.New()
	for i := range 5_000 {
		hear(burst, heard{transmitter: schema.IBeacon([16]byte{byte(i), byte(i >> 8)}, 1, 1)})
	}
	if n := len(burst.Strangers(mine, everywhere)); n > 301 {
		t.Errorf("%d new ones were taken in one moment", n)
	}
}

// Beacons of one UUID that stay are shown one by one, however many they are.
func TestABoxOfBeaconsIsNoSensor(t *testing.T) {
	e := nearby.New()
	for second := range 300 {
		for i := range 100 {
			hear(e, heard{transmitter: beacon(i), at: time.Duration(second) * time.Second, rssi: schema.CentiDBm(-6000 - i)})
		}
	}
	got := e.Strangers(mine, everywhere)
	if len(got) != 100 || got[0].Group != 0 || got[0].Transmitter != beacon(0) || got[0].Observations != 300 {
		t.Errorf("got %d, first %+v", len(got), got[0])
	}
}

// Who looks at one location is told of what is heard there.
func TestStrangersOfALocation(t *testing.T) {
	e := nearby.New()
	hear(e, heard{transmitter: beacon(1), location: hall}, heard{transmitter: beacon(1), location: yard}, heard{transmitter: beacon(2), location: yard})
	only := e.Strangers(mine, func(at schema.LocationID) bool { return at == hall })
	if len(only) != 1 || only[0].Source.Location != hall {
		t.Errorf("got %+v", only)
	}
	e.Registered(mine, beacon(1))
	if got := e.Strangers(mine, everywhere); len(got) != 1 || got[0].Transmitter != beacon(2) {
		t.Errorf("got %+v", got)
	}
	e.Forget(base.Add(time.Hour))
	if got := e.Strangers(mine, everywhere); len(got) != 0 {
		t.Errorf("got %+v", got)
	}
}

// Private addresses, as phones use, are told from those that stay.
func TestRandomAddresses(t *testing.T) {
	f := func(first byte, heardFor time.Duration, random bool) {
		t.Helper()
		e := nearby.New()
		transmitter := schema.MACTransmitter([6]byte{first, 1, 2, 3, 4, 5})
		hear(e, heard{transmitter: transmitter}, heard{transmitter: transmitter, at: heardFor})
		if got := e.Strangers(mine, everywhere); len(got) != 1 || got[0].Random != random {
			t.Errorf("%02x for %v: %+v", first, heardFor, got)
		}
	}
	f(0xc2, time.Second, false)  // static random
	f(0x42, time.Hour, true)     // resolvable private: no maker's address has this bit
	f(0x5c, time.Minute, true)   // may be either, and is new
	f(0x5c, time.Hour, false)    // a private one would have changed
	f(0x00, 2*time.Second, true) // the same
	f(0x00, 30*time.Minute, false)
}
