package alert

import (
	"context"
	"time"

	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

// The states of an alert, as lists are filtered by them.
const (
	Open         = "open"         // nobody has seen to it
	Acknowledged = "acknowledged" // somebody has, and the cause goes on
	Closed       = "closed"       // the cause has ended
)

// Subject is what an alert is about; which of them are set follows from the kind.
type Subject struct {
	Tag      schema.TagID
	Zone     schema.ZoneID
	Receiver schema.ReceiverID
}

// subjectID is what the database tells subjects apart by.
type subjectKind struct{}

func (s Subject) id() schema.ID[subjectKind] {
	return schema.DeriveID[schema.ID[subjectKind]](s.Tag[:], s.Zone[:], s.Receiver[:])
}

// Alert is one time that a rule was met.
type Alert struct {
	ID           ID
	Organisation schema.OrganisationID
	Location     schema.LocationID
	LocationName string // of an alert that was read
	Rule         RuleID
	RuleName     string
	Kind         Kind
	Subject
	Plan         schema.PlanID
	TagName      string
	TagType      string
	ZoneName     string
	ReceiverName string

	BeganAt  time.Time // event time: when the tag entered, was last heard, …
	At       time.Time // event time: when the condition was met
	RaisedAt time.Time
	EndedAt  time.Time // event time; zero: the cause goes on
	Value    int       // tags in the zone, per cent of the battery
	Bound    int       // seconds, tags or per cent: what the rule allows
	Console  bool
	Muted    bool // nobody was told

	AcknowledgedBy string // e-mail
	AcknowledgedAt time.Time
	Note           string
	Deliveries     []Delivery

	since time.Time // of the rule by which it was raised
}

// State returns what lists call it.
func (a *Alert) State() string {
	switch {
	case !a.EndedAt.IsZero():
		return Closed
	case !a.AcknowledgedAt.IsZero():
		return Acknowledged
	}
	return Open
}

// The channels by which people are told.
const (
	Mail = "mail"
	Hook = "webhook"
)

// The states of a delivery.
const (
	Gathering = "gathering" // waits for its minute
	Sending   = "sending"   // is tried, again and again
	Sent      = "sent"      // a webhook has taken it, or the outbox of mails has
	Failed    = "failed"    // given up
	Refused   = "refused"   // not sent: who was to get it may not see it any more, or the webhook is off
)

// Delivery is one digest for one recipient.
type Delivery struct {
	ID           DeliveryID
	Organisation schema.OrganisationID
	Channel      string
	Recipient    string // e-mail, or the name of the webhook
	Webhook      WebhookID
	State        string
	Test         bool
	Alerts, More int // that it lists, and beyond
	Attempts     int
	Status       int // of HTTP; 0: there was no answer
	Error        string
	CreatedAt    time.Time
	DueAt        time.Time
	FinishedAt   time.Time // zero: not yet
}

// Names are what people call things, by their ids.
type Names map[[16]byte]string

// Things knows what rules may name. A product implements it.
type Things interface {
	// AlertNames returns what the things are called; those that there are not, or not at
	// the location, have no name. A zone or receiver of another location is none.
	AlertNames(ctx context.Context, scope postgres.Scope, location schema.LocationID, c Condition) (Names, error)
}
