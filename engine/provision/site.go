package provision

import (
	"net"

	"mybeacon/schema"
)

// Site describes what shall be there. Names are found again exactly as written.
type Site struct {
	Organisation string
	KeepDays     uint16 // retention of a new organisation; zero: the server's default
	Location     string
	TimeZone     string // of a new organisation and location; empty: UTC
	Plan         Plan
	Zones        []Zone
	Receivers    []Receiver
	Tags         []Tag
	Surveys      []Survey
	// Clock of new devices: "device" (compared with the server's) or "source"
	// (event times are taken as given, as for a recording).
	Clock string
}

// Plan is a floor. Walls are polylines; all lengths are metres.
type Plan struct {
	Name       string
	Level      int
	Bounds     schema.Rect
	TagHeightM float64
	Walls      [][]schema.Point
}

// Zone is a named polygon on the plan. An empty Color lets the server choose.
type Zone struct {
	Name    string
	Color   string // "#RRGGBB"
	Polygon []schema.Point
}

// Receiver is a device that hangs on the plan; Z is its height in metres,
// Rotation in degrees clockwise.
type Receiver struct {
	Name              string
	X, Y, Z, Rotation float64
}

// Tag is a transmitter and what carries it.
type Tag struct {
	Transmitter schema.Transmitter
	Type        string // "person", "asset" or "vehicle"
	Name        string
	Description string
}

// Result is what is there now.
type Result struct {
	Organisation schema.OrganisationID
	Location     schema.LocationID
	Plan         schema.PlanID
	Devices      []Device // in the order of Site.Receivers
	Created      int      // objects that were not there before
}

// Device is a receiver's device with its newest token, which is secret and kept
// in memory only.
type Device struct {
	ID     schema.DeviceID
	Number int64
	Token  string
}

// MAC returns the address of a device that exists only in software: locally
// administered, so that it can never be a real one's, and the same for the same
// names.
func MAC(site, receiver string) string {
	id := schema.DeriveID[schema.DeviceID]([]byte("mybeacon device"), []byte(site), []byte(receiver))
	mac := net.HardwareAddr(id[:6])
	mac[0] = mac[0]&^0x01 | 0x02
	return mac.String()
}
