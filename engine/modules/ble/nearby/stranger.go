package nearby

import (
	"time"

	"mybeacon/schema"
)

// How strangers are taken and told.
const (
	maxFamily   = MaxStrangers / 2
	newRate     = 20.0 // new identities a second of one organisation
	newBurst    = 300.0
	loudFor     = 10 * time.Second // the loudest hearing is shown for so long
	staysFor    = time.Minute      // what is heard longer than this is not one of a sensor's readings
	silentFor   = 10 * time.Second // what is crowded out earlier may be there still
	changingMin = 32               // identities of a UUID, from which on it may be a sensor
	// Private addresses change every quarter of an hour.
	privateFor = 20 * time.Minute
)

// Stranger is a transmitter at a location that is no tag.
type Stranger struct {
	Transmitter  schema.Transmitter
	Source       schema.Source // of the device that heard it loudest just now
	RSSI         schema.CentiDBm
	First, Last  time.Time
	Observations uint64 // that were noticed
	Address      schema.Address
	Battery      int8 // percent, or [schema.NoBattery]
	// Random: a bare address that seems to be a private one, as phones use: it will be
	// another one soon.
	Random bool
	// Group is how many identities of its UUID there were that came and went: not 0 for a
	// sensor that hides readings in major and minor, of which this is the newest.
	Group int

	loudAt time.Time
}

type key struct {
	transmitter schema.Transmitter
	location    schema.LocationID
}

// family is what fills at most half of the places: an iBeacon's UUID, or all bare
// addresses.
type family struct {
	kind schema.TransmitterKind
	uuid [16]byte
}

func familyOf(t schema.Transmitter) family {
	switch t.Kind {
	case schema.TransmitterIBeacon:
		return family{t.Kind, t.ID}
	case schema.TransmitterEddystoneUID:
		f := family{kind: t.Kind}
		copy(f.uuid[:10], t.ID[:10])
		return f
	default:
		return family{kind: t.Kind}
	}
}

// kin is what is known of a family.
type kin struct {
	members int
	made    int // identities ever, while it is remembered
	passed  int // of these, who came, went silent and were let go
}

// area is the strangers of one organisation.
type area struct {
	strangers map[key]*place
	families  map[family]*kin
	oldest    *place // heard least recently
	newest    *place

	tokens   float64 // for new identities
	filledAt time.Time
}

// place is a stranger in the list by when they were heard.
type place struct {
	Stranger
	key
	older, newer *place
}

func (e *Ears) stranger(h hearing, now time.Time) {
	if h.Organisation.IsZero() {
		return
	}
	a := e.areas[h.Organisation]
	if a == nil {
		if len(e.areas) >= maxAreas {
			return
		}
		a = &area{strangers: map[key]*place{}, families: map[family]*kin{}, tokens: newBurst, filledAt: now}
		e.areas[h.Organisation] = a
	}
	k := key{h.Transmitter, h.Location}
	p := a.strangers[k]
	if p == nil {
		if !a.admit(now) {
			return
		}
		e.all -= a.makeRoom(familyOf(h.Transmitter), e.all >= maxAll)
		if e.all >= maxAll {
			return
		}
		p = a.add(k, h)
		e.all++
	}
	p.hear(h)
	a.toEnd(p)
}

// admit takes a new identity from the rate.
func (a *area) admit(now time.Time) bool {
	if passed := now.Sub(a.filledAt).Seconds(); passed > 0 {
		a.tokens, a.filledAt = min(newBurst, a.tokens+passed*newRate), now
	}
	if a.tokens < 1 {
		return false
	}
	a.tokens--
	return true
}

// makeRoom removes who was heard least recently, of the family when that fills its
// share, and returns how many.
func (a *area) makeRoom(f family, crowded bool) int {
	switch kin := a.families[f]; {
	case kin != nil && kin.members >= maxFamily:
		for p := a.oldest; p != nil; p = p.newer {
			if familyOf(p.transmitter) == f {
				return a.drop(p)
			}
		}
		panic("BUG: a family has members that are in no list")
	case len(a.strangers) >= MaxStrangers || crowded && a.oldest != nil:
		return a.drop(a.oldest)
	}
	return 0
}

func (a *area) add(k key, h hearing) *place {
	p := &place{key: k, Stranger: Stranger{Transmitter: k.transmitter, First: h.at, Last: h.at, Battery: schema.NoBattery}}
	a.strangers[k] = p
	f := familyOf(k.transmitter)
	if a.families[f] == nil {
		a.families[f] = &kin{}
	}
	a.families[f].members++
	a.families[f].made++
	return p
}

func (p *place) hear(h hearing) {
	p.First, p.Last = earlier(p.First, h.at), later(p.Last, h.at)
	p.Observations++
	if h.RSSI >= p.RSSI || p.loudAt.IsZero() || h.at.Sub(p.loudAt) > loudFor {
		p.RSSI, p.Source, p.loudAt = h.RSSI, *h.Source, h.at
	}
	if h.address != (schema.Address{}) {
		p.Address = h.address
	}
	if h.battery != schema.NoBattery {
		p.Battery = h.battery
	}
}

// toEnd makes the place the newest.
func (a *area) toEnd(p *place) {
	if p == a.newest {
		return
	}
	a.unlink(p)
	p.older, p.newer = a.newest, nil
	if a.newest != nil {
		a.newest.newer = p
	} else {
		a.oldest = p
	}
	a.newest = p
}

func (a *area) unlink(p *place) {
	if p.older != nil {
		p.older.newer = p.newer
	} else if a.oldest == p {
		a.oldest = p.newer
	}
	if p.newer != nil {
		p.newer.older = p.older
	} else if a.newest == p {
		a.newest = p.older
	}
	p.older, p.newer = nil, nil
}

// isBrief reports whether it was heard for a moment only.
func (p *place) isBrief() bool { return p.Last.Sub(p.First) < staysFor }

// drop removes the place and returns how many that is: one.
func (a *area) drop(p *place) int {
	a.unlink(p)
	delete(a.strangers, p.key)
	f := familyOf(p.transmitter)
	if kin := a.families[f]; kin.members == 1 {
		delete(a.families, f)
	} else {
		kin.members--
		if p.isBrief() && a.newest.Last.Sub(p.Last) >= silentFor {
			kin.passed++
		}
	}
	return 1
}

// remove forgets the identity at all locations.
func (a *area) remove(t schema.Transmitter) (removed int) {
	for p := a.oldest; p != nil; {
		next := p.newer
		if p.transmitter == t {
			removed += a.drop(p)
		}
		p = next
	}
	return removed
}

// forget removes who was not heard since.
func (a *area) forget(before time.Time) (removed int) {
	for p := a.oldest; p != nil; {
		next := p.newer
		if p.Last.Before(before) {
			removed += a.drop(p)
		}
		p = next
	}
	return removed
}

// told returns the strangers at the locations, each changing family as one.
func (a *area) told(sees func(schema.LocationID) bool) []Stranger {
	changing := a.changing()
	shown := map[key]bool{} // of changing families, by the family's first identity and the location
	var found []Stranger
	for p := a.newest; p != nil; p = p.older {
		if !sees(p.location) {
			continue
		}
		s := p.Stranger
		if made := changing[familyOf(p.transmitter)]; made > 0 {
			f := familyOf(p.transmitter)
			one := key{schema.Transmitter{Kind: f.kind, ID: f.uuid}, p.location}
			if shown[one] {
				continue
			}
			shown[one], s.Group = true, made
		}
		s.Random = isRandom(&s)
		found = append(found, s)
	}
	return found
}

// changing returns the families whose identities come and go, with how many there were.
func (a *area) changing() map[family]int {
	short := map[family]int{}
	for p := a.oldest; p != nil; p = p.newer {
		if p.isBrief() && p.Last.Before(a.newest.Last.Add(-staysFor)) {
			short[familyOf(p.transmitter)]++
		}
	}
	found := map[family]int{}
	for f, k := range a.families {
		if f.kind != schema.TransmitterMAC && k.made >= changingMin && 4*(short[f]+k.passed) >= 3*k.made {
			found[f] = k.made
		}
	}
	return found
}

// isRandom tells private addresses from those of devices. The two highest bits say
// so of random ones, but any public one may have them too; of those, makers set neither
// of the two lowest, and they stay.
func isRandom(s *Stranger) bool {
	if s.Transmitter.Kind != schema.TransmitterMAC {
		return false
	}
	first := s.Transmitter.ID[0]
	if first>>6 == 3 { // static random: until the battery is changed at least
		return false
	}
	return first&3 != 0 || s.Last.Sub(s.First) < privateFor
}
