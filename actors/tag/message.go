package tag

import (
	"time"

	"mybeacon/actors/mailbox"
	"mybeacon/schema"
)

// Key names a tag. Tags of different organisations never meet.
type Key struct {
	Organisation schema.OrganisationID
	Tag          schema.TagID
}

// Sample is one observation of the tag by the receiver of the [Frame].
type Sample struct {
	At   schema.EventTime
	RSSI schema.CentiDBm
}

// Frame is what all messages of one frame have in common.
type Frame struct {
	Source    schema.Source
	Before    schema.EventTime // up to when the device had delivered everything before this frame; zero when that is not known
	Delivered schema.EventTime // and with it
	ArrivedAt time.Time        // on the server's clock
}

// Heard is what one frame says of the tag: one message per tag and frame. It and
// what it points to are immutable.
type Heard struct {
	Frame   *Frame
	Samples []Sample
}

// Droppable lets an over-full mailbox drop the oldest: storage has its own copy.
func (*Heard) Droppable() {}

// Progress says that a device which heard the tag lately has delivered
// everything up to a time, and not heard it since.
type Progress struct {
	Device    schema.DeviceID
	Delivered schema.EventTime
}

// progressKind is the mailbox key of a [Progress].
const progressKind = 1

// MailboxKey lets newer progress of a device replace older.
func (p *Progress) MailboxKey() mailbox.Key { return mailbox.Key{Kind: progressKind, ID: p.Device} }

// Tide says that a plan has been heard up to a time: whatever its receivers heard
// of the tag before has been told, except by those that are late beyond the grace.
type Tide struct {
	Plan    schema.PlanID
	Through schema.EventTime // a whole second
	Living  int              // receivers of the plan that speak; 0 when nobody counts

	Corrections []Correction // the newest of the plan's, oldest first; shared
}

// Droppable lets an over-full mailbox drop the oldest. A newer tide does not
// replace an older one: it would move to the back again and again, and a tag with
// a backlog would never fix anything.
func (*Tide) Droppable() {}

// Recheck says that a plan changed or went: a visit to a zone that is no more
// ends.
type Recheck struct{ Plan schema.PlanID }

// Sweep tells the tag the server's time, about every few seconds. Nothing about
// its position follows from it, only what it keeps in memory.
type Sweep struct{ Now time.Time }

// sweepKind is the mailbox key of a [Sweep].
const sweepKind = 2

// MailboxKey lets a newer sweep replace an older.
func (*Sweep) MailboxKey() mailbox.Key { return mailbox.Key{Kind: sweepKind} }
