package nearby

import (
	"cmp"
	"slices"
	"time"

	"mybeacon/schema"
)

// How addresses are told apart.
const (
	maxAddresses = 8
	// A transmitter is away from an address when it was not heard from it for so long.
	addressGap = 10 * time.Minute
	// Clocks of two devices differ by less.
	sharedOverlap = 20 * time.Second
	sharedLeast   = 3 // hearings of each address
	sharedAgain   = 10 * time.Minute
	batteryAgain  = 10 * time.Minute
)

// From is an address that a tag advertised from.
type From struct {
	Address schema.Address
	First   time.Time // of the stretch without a longer pause
	Last    time.Time
	heard   int // in it
}

// tag is what is known of a registered tag.
type tag struct {
	organisation schema.OrganisationID
	at           time.Time
	battery      int8
	batteryAt    time.Time
	from         []From
	sharedAt     time.Time

	fresh  bool      // something changed that was not told
	toldAt time.Time // at, when it was told last
}

func (e *Ears) tag(h hearing) {
	t := e.tags[h.Tag]
	if t == nil || t.organisation != h.Organisation {
		if t == nil && len(e.tags) >= maxTags {
			return
		}
		t = &tag{organisation: h.Organisation, battery: schema.NoBattery, fresh: true}
		e.tags[h.Tag] = t
	}
	if h.at.After(t.at) {
		t.at = h.at
	}
	if h.battery != schema.NoBattery && !h.at.Before(t.batteryAt) {
		t.fresh = t.fresh || h.battery != t.battery || h.at.Sub(t.batteryAt) >= batteryAgain
		t.battery = h.battery
		if t.fresh {
			t.batteryAt = h.at
		}
	}
	if h.address != (schema.Address{}) && h.Transmitter.Kind != schema.TransmitterMAC {
		t.hearFrom(h.address, h.at)
	}
}

// hearFrom notes the address and whether another one is heard at the same time.
func (t *tag) hearFrom(address schema.Address, at time.Time) {
	i := slices.IndexFunc(t.from, func(f From) bool { return f.Address == address })
	if i < 0 {
		if len(t.from) == maxAddresses {
			oldest := slices.MinFunc(t.from, func(a, b From) int { return a.Last.Compare(b.Last) })
			t.from = slices.DeleteFunc(t.from, func(f From) bool { return f.Address == oldest.Address })
		}
		t.from = append(t.from, From{Address: address, First: at, Last: at})
		i, t.fresh = len(t.from)-1, true
	}
	f := &t.from[i]
	if at.Sub(f.Last) > addressGap {
		f.First, f.heard = at, 0
	}
	f.heard++
	f.First, f.Last = earlier(f.First, at), later(f.Last, at)
	for j := range t.from {
		if j != i && overlap(t.from[j], *f) && at.Sub(t.sharedAt) >= sharedAgain {
			t.sharedAt, t.fresh = at, true
		}
	}
}

func overlap(a, b From) bool {
	both := earlier(a.Last, b.Last).Sub(later(a.First, b.First))
	return both >= sharedOverlap && a.heard >= sharedLeast && b.heard >= sharedLeast
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func (t *tag) isNews(refresh time.Duration) bool {
	return t.fresh || refresh > 0 && t.at.Sub(t.toldAt) >= refresh
}

func (t *tag) told(id schema.TagID) Tag {
	out := Tag{
		ID: id, Organisation: t.organisation, At: t.at, Battery: t.battery, BatteryAt: t.batteryAt,
		Addresses: slices.Clone(t.from), SharedAt: t.sharedAt,
	}
	slices.SortFunc(out.Addresses, func(a, b From) int {
		return cmp.Or(b.Last.Compare(a.Last), slices.Compare(a.Address[:], b.Address[:]))
	})
	return out
}
