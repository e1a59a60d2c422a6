package schema

import (
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// CentiDBm is a power in hundredths of a dBm: some sources average, so whole
// decibels would lose what they know. The valid range of a received signal is
// [MinRSSI]…[MaxRSSI].
type CentiDBm int16

// The range of RSSI that Bluetooth defines, -127…+20 dBm. 127 means "not
// available" on the air and is refused before it gets here.
const (
	MinRSSI CentiDBm = -12700
	MaxRSSI CentiDBm = 2000
)

// CentiDBmOf rounds a power in dBm to hundredths. The caller has checked the range.
func CentiDBmOf(dbm float64) CentiDBm { return CentiDBm(math.Round(dbm * 100)) }

// DBm returns the power in dBm.
func (p CentiDBm) DBm() float64 { return float64(p) / 100 }

// TransmitterKind says by which identity a transmitter was recognised.
type TransmitterKind uint8

// The kinds of identity. Their numbers are stored and never change.
const (
	TransmitterNone         TransmitterKind = 0
	TransmitterMAC          TransmitterKind = 1 // the advertiser's address, for what sends no identity of its own
	TransmitterIBeacon      TransmitterKind = 2 // UUID, major, minor
	TransmitterEddystoneUID TransmitterKind = 3 // 10 bytes namespace, 6 bytes instance
)

// Transmitter is the identity that was heard. It is comparable and is the key
// under which a tag is found. A MAC address occupies the first six bytes of ID.
type Transmitter struct {
	Kind  TransmitterKind
	ID    [16]byte
	Major uint16
	Minor uint16
}

// MACTransmitter returns the identity of a bare address.
func MACTransmitter(mac [6]byte) Transmitter {
	t := Transmitter{Kind: TransmitterMAC}
	copy(t.ID[:], mac[:])
	return t
}

// IBeacon returns the identity of an iBeacon.
func IBeacon(uuid [16]byte, major, minor uint16) Transmitter {
	return Transmitter{Kind: TransmitterIBeacon, ID: uuid, Major: major, Minor: minor}
}

// String returns "mac:aa:bb:cc:dd:ee:ff", "ibeacon:UUID/major/minor" or
// "eddystone:namespace/instance", the form that [ParseTransmitter] reads and
// that columns store.
func (t Transmitter) String() string {
	switch t.Kind {
	case TransmitterMAC:
		return fmt.Sprintf("mac:%02x:%02x:%02x:%02x:%02x:%02x", t.ID[0], t.ID[1], t.ID[2], t.ID[3], t.ID[4], t.ID[5])
	case TransmitterIBeacon:
		return "ibeacon:" + ID[tagKind](t.ID).String() + "/" + strconv.Itoa(int(t.Major)) + "/" + strconv.Itoa(int(t.Minor))
	case TransmitterEddystoneUID:
		return "eddystone:" + hex.EncodeToString(t.ID[:10]) + "/" + hex.EncodeToString(t.ID[10:])
	default:
		return ""
	}
}

// MarshalText implements [encoding.TextMarshaler].
func (t Transmitter) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (t *Transmitter) UnmarshalText(b []byte) error {
	v, err := ParseTransmitter(string(b))
	if err == nil {
		*t = v
	}
	return err
}

// ParseTransmitter reads what [Transmitter.String] writes.
func ParseTransmitter(s string) (Transmitter, error) {
	kind, rest, _ := strings.Cut(s, ":")
	var t Transmitter
	var err error
	switch kind {
	case "mac":
		t, err = parseMAC(rest)
	case "ibeacon":
		t, err = parseIBeacon(rest)
	case "eddystone":
		t, err = parseEddystone(rest)
	default:
		err = fmt.Errorf("unknown kind")
	}
	if err != nil {
		return Transmitter{}, Errorf(Invalid, "transmitter", "%.80q is none of mac:aa:bb:cc:dd:ee:ff, ibeacon:UUID/major/minor, eddystone:namespace/instance", s)
	}
	return t, nil
}

func parseMAC(s string) (Transmitter, error) {
	t := Transmitter{Kind: TransmitterMAC}
	if len(s) != 17 {
		return t, fmt.Errorf("length %d", len(s))
	}
	for i := range 6 {
		if i < 5 && s[i*3+2] != ':' {
			return t, fmt.Errorf("separator")
		}
		if _, err := hex.Decode(t.ID[i:i+1], []byte(s[i*3:i*3+2])); err != nil {
			return t, err
		}
	}
	return t, nil
}

func parseIBeacon(s string) (Transmitter, error) {
	parts := strings.Split(s, "/")
	if len(parts) != 3 {
		return Transmitter{}, fmt.Errorf("%d parts", len(parts))
	}
	uuid, err := ParseID[TagID](parts[0])
	if err != nil {
		return Transmitter{}, err
	}
	major, err := strconv.ParseUint(parts[1], 10, 16)
	if err != nil {
		return Transmitter{}, err
	}
	minor, err := strconv.ParseUint(parts[2], 10, 16)
	return IBeacon(uuid, uint16(major), uint16(minor)), err
}

func parseEddystone(s string) (Transmitter, error) {
	t := Transmitter{Kind: TransmitterEddystoneUID}
	ns, inst, _ := strings.Cut(s, "/")
	if len(ns) != 20 || len(inst) != 12 {
		return t, fmt.Errorf("length")
	}
	_, err := hex.Decode(t.ID[:], []byte(ns+inst))
	return t, err
}

// Observation is one transmitter heard once by one receiver.
type Observation struct {
	At          EventTime // at the receiver, fixed once when the frame was made
	Transmitter Transmitter
	RSSI        CentiDBm
}

// Address is what a transmitter advertised from. Zero: unknown.
type Address [6]byte

// String returns "aa:bb:cc:dd:ee:ff".
func (a Address) String() string {
	return MACTransmitter(a).String()[len("mac:"):]
}

// ParseAddress reads what [Address.String] writes.
func ParseAddress(s string) (Address, error) {
	t, err := parseMAC(s)
	if err != nil {
		return Address{}, Errorf(Invalid, "address", "%.40q is not an address such as aa:bb:cc:dd:ee:ff", s)
	}
	return Address(t.ID[:6]), nil
}

// NoBattery in Battery: the transmitter did not say.
const NoBattery int8 = -1

// Detail is what else an observation said. It locates nothing, and few transmitters
// say any: so it stands beside the observations.
type Detail struct {
	Index   uint16  // of the observation in the frame as sent
	Battery int8    // percent, 0 to 100, or [NoBattery]
	Address Address // that it was advertised from
}

// Frame is the immutable unit that a scanner spools and sends: its bytes never
// change, so (device, BootID, Seq, index) names an observation for ever.
type Frame struct {
	BootID       string // one start of the scanner: 1…64 of [A-Za-z0-9_-]
	Seq          uint64 // from 1, without holes within a boot
	SentAt       EventTime
	Observations []Observation // may be empty: "I listened and heard nothing until SentAt"
	Details      []Detail      // by Index, at most one of each observation; mostly empty
}
