package schema

// Point is a position on a plan in metres; x to the right, y up, in the plan's
// own coordinates.
type Point struct {
	X float64 `json:"x"`
	Y float64 `json:"y"`
}

// Rect is an axis-parallel rectangle in metres, Min inclusive.
type Rect struct {
	Min Point `json:"min"`
	Max Point `json:"max"`
}

// Placement is a receiver's place on a plan; Z is its height above the floor.
type Placement struct {
	Receiver ReceiverID
	Device   DeviceID
	X, Y, Z  float64 // metres
	GainDB   float64 // by how much it hears louder than its siblings, as people know
}

// Zone is a named region of a plan. Polygon has at least three corners, is
// simple (no two edges cross) and is closed implicitly.
type Zone struct {
	ID      ZoneID
	Number  int // per plan, from 1, shown as "Zone #3"
	Name    string
	Parent  ZoneID // zero, or the zone of the same plan that this one is a part of: who is here is there too
	Polygon []Point

	Capacity int // how many tags are meant to be there at most; 0: any number
}

// SurveyReading is how loudly a receiver heard a transmitter at a known place: from
// a survey, or from a reference tag that hangs there.
type SurveyReading struct {
	At       Point // metres on the plan
	Receiver ReceiverID
	RSSI     CentiDBm
	Source   int // which transmitter; those of one source are equally loud
}

// Reading is how loudly a receiver heard a tag.
type Reading struct {
	Receiver ReceiverID
	RSSI     CentiDBm
}

// ZoneExample is what a plan's receivers heard of a tag within about a second in
// which it was known where it was. Who is not named heard nothing.
type ZoneExample struct {
	Zone  ZoneID // zero: outside zones
	Heard []Reading
}

// Layout is what the engine must know of one plan to place tags on it. It is
// immutable: an edited plan is a new Layout with a higher Version.
type Layout struct {
	Organisation OrganisationID
	Location     LocationID
	Plan         PlanID
	Version      uint64
	Bounds       Rect
	TagHeightM   float64 // usual height at which tags are carried
	Receivers    []Placement
	Zones        []Zone
	Survey       []SurveyReading // of any number, in no order; may be empty
	Examples     []ZoneExample   // when there are some, zones are told by them and not by positions
	NoGo         [][]Point       // polygons in which nobody can be: no fix ever lies in one
}

// Tag is a registered transmitter and what carries it.
type Tag struct {
	Organisation OrganisationID
	ID           TagID
	Transmitter  Transmitter
	Name         string
	Type         string // "person", "asset" or "vehicle"
}

// PlanRef is a plan as its location shows it, whatever product drew it.
type PlanRef struct {
	ID    PlanID `json:"id"`
	Name  string `json:"name"`
	Level int    `json:"level"` // storey, 0 = ground floor
}
