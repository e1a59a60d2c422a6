package store

import (
	"time"

	"mybeacon/schema"
)

// Plan is a drawn floor of a location. Coordinates are metres in the plan's own
// frame.
type Plan struct {
	ID           schema.PlanID
	Organisation schema.OrganisationID
	Location     schema.LocationID
	Name         string
	Level        int // storey, 0 = ground floor
	Bounds       schema.Rect
	TagHeightM   float64 // usual height at which tags are carried
	Walls        [][]Corner
	NoGo         [][]Corner // areas in which nobody can be
	Figures      Figures
	Image        *Image // nil: there is none
	ZonesBy      string // [ZonesByPosition] or [ZonesByExamples]
	Version      uint64 // grows with every change of the plan, its receivers or zones
	Radio        uint64 // grows with every change of what is known of its radio
	CreatedAt    time.Time
}

// How zones are told: by where a tag is, or by what each zone sounds like, as
// learned from examples - as soon as there are some.
const (
	ZonesByPosition = "position"
	ZonesByExamples = "examples"
)

// Corner is a point as it is stored and sent: [x, y] in metres.
type Corner = [2]float64

// Receiver is a device's place on a plan. Number and Name are the device's.
type Receiver struct {
	ID       schema.ReceiverID
	Plan     schema.PlanID
	Device   schema.DeviceID
	Number   int64
	Name     string
	X, Y, Z  float64 // metres; Z is the height above the floor
	Rotation float64 // degrees clockwise, drawn only
	GainDB   float64 // by how much it hears louder than its siblings

	PlanVersion uint64 // of a receiver that was just changed: what the plan's version is since
}

// Zone is a named region of a plan.
type Zone struct {
	ID      schema.ZoneID
	Plan    schema.PlanID
	Number  int // per plan, from 1
	Name    string
	Color   string        // "#rrggbb"
	Parent  schema.ZoneID // zero, or the zone of the same plan that this one is a part of
	Polygon []Corner
	// Capacity is how many are meant to be there at most; nil: any number.
	Capacity *int

	PlanVersion uint64 // of a zone that was just changed: what the plan's version is since
}

// PlanFilter narrows a list of plans; zero fields admit all.
type PlanFilter struct {
	Location schema.LocationID
	Name     string // exact
}
