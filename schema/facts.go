package schema

import "time"

// KeepForever in KeepDays means that retention never removes the row.
const KeepForever uint16 = 65535

// Source says from where an admitted frame came and how its rows are kept. It
// was resolved at event time: rebinding a device later changes nothing.
type Source struct {
	Organisation OrganisationID
	Device       DeviceID
	Location     LocationID // zero while the device is at no location
	Plan         PlanID     // zero while the receiver is on no plan
	Receiver     ReceiverID // zero while the receiver is on no plan
	KeepDays     uint16
}

// Heard is one observation after admission: Tag is zero when the transmitter
// belongs to no registered tag.
type Heard struct {
	Observation
	Tag  TagID
	Late bool // older than the tag's watermark allows: stored, never moves the live tag
}

// FrameAdmitted is a frame that passed every check and was not seen before.
type FrameAdmitted struct {
	Source
	BootID       string
	Seq          uint64
	SentAt       EventTime
	ArrivedAt    time.Time // server's clock: for health and online, never for positions
	Observations []Heard
	Indexes      []uint16 // of each observation in the frame as sent; refused ones leave holes
}

// Fix is a position estimate of one tag for one event second.
type Fix struct {
	Organisation OrganisationID
	Tag          TagID
	Location     LocationID
	Plan         PlanID
	At           EventTime // whole second
	X, Y         float64   // metres on the plan
	AccuracyM    float64   // radius that holds the tag with 68 %
	Accuracy95M  float64   // radius that holds the tag with 95 %
	Zone         ZoneID    // where it shows at once; a visit begins and ends with delays. Zero: outside zones
	ZoneP        float64   // how probable Zone is, 0 to 1
	Receiver     ReceiverID
	RSSI         CentiDBm // of Receiver, the strongest heard
	Receivers    uint8    // how many receivers took part
	ValidFor     time.Duration
	Rev          uint64
	KeepDays     uint16
}

// ReceiverOffset is by how much one receiver hears louder than its siblings.
type ReceiverOffset struct {
	Receiver ReceiverID
	Offset   CentiDBm // hundredths of a dB
}

// Offsets is what a plan's traffic has taught about its receivers, in force for
// its fixes from From on until the next. A receiver that is not named has none.
type Offsets struct {
	Organisation OrganisationID
	Location     LocationID
	Plan         PlanID
	From         EventTime // whole second
	Receivers    []ReceiverOffset
	KeepDays     uint16
}

// Visit is one stay of a tag in a zone. LeftAt is zero while it is open. ID is
// derived from organisation, tag, zone and EnteredAt.
type Visit struct {
	Organisation OrganisationID
	Tag          TagID
	Location     LocationID
	Plan         PlanID
	Zone         ZoneID
	Parent       ZoneID // the zone that Zone is a part of: a visit to it is open meanwhile. Zero: Zone is no part
	ID           VisitID
	EnteredAt    EventTime
	LeftAt       EventTime
	Rev          uint64
	KeepDays     uint16
}

// NewVisitID returns the id of the visit that began then.
func NewVisitID(org OrganisationID, tag TagID, zone ZoneID, enteredAt EventTime) VisitID {
	at := []byte(enteredAt.Time().Format(time.RFC3339Nano))
	return DeriveID[VisitID](org[:], tag[:], zone[:], at)
}

// Presence says what is known of a tag's whereabouts.
type Presence uint8

// The presences of a tag.
const (
	Present Presence = iota // heard within its timeout
	Absent                  // every receiver that could hear it has delivered past the timeout without it
)

// TagMoved is the live form of a fix: every fix is sent, also those that
// storage thins out.
type TagMoved struct {
	Fix
	Presence Presence
}

// Occupancy is how many tags are in a zone since At.
type Occupancy struct {
	Organisation OrganisationID
	Location     LocationID
	Plan         PlanID
	Zone         ZoneID
	Tags         int
	At           EventTime
}

// DeviceHealth is a device's state for the lists: online means that a frame or
// a ping arrived within the last 30 s of the server's clock.
type DeviceHealth struct {
	Organisation OrganisationID
	Device       DeviceID
	Location     LocationID
	Online       bool
	LastSeen     time.Time
	ClockOffset  time.Duration // device minus server, last learned
	FramesTotal  uint64
}
