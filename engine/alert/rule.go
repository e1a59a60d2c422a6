package alert

import (
	"slices"
	"time"

	"mybeacon/schema"
)

type (
	ruleKind     struct{}
	alertKind    struct{}
	webhookKind  struct{}
	deliveryKind struct{}
)

type (
	// RuleID names a rule.
	RuleID = schema.ID[ruleKind]
	// ID names an alert.
	ID = schema.ID[alertKind]
	// WebhookID names a webhook.
	WebhookID = schema.ID[webhookKind]
	// DeliveryID names one digest for one recipient.
	DeliveryID = schema.ID[deliveryKind]
)

// Kind is what a rule looks at, a closed set.
type Kind string

// The kinds of rules.
const (
	Enter          Kind = "enter"           // a tag enters a zone
	Leave          Kind = "leave"           // a tag leaves a zone
	Stay           Kind = "stay"            // a tag is in a zone for longer than After
	Capacity       Kind = "capacity"        // more tags are in a zone than Most or the zone's capacity
	TagLost        Kind = "tag_lost"        // no receiver has heard a tag for After
	ReceiverSilent Kind = "receiver_silent" // nothing has come from a receiver's device for After
	BatteryLow     Kind = "battery_low"     // a tag's battery is below Below
)

// Kinds returns all kinds.
func Kinds() []Kind {
	return []Kind{Enter, Leave, Stay, Capacity, TagLost, ReceiverSilent, BatteryLow}
}

// Condition is when a rule is met, at one location.
type Condition struct {
	Kind      Kind
	Location  schema.LocationID
	Zones     []schema.ZoneID     // empty: each zone of the location
	Tags      []schema.TagID      // these and those of Types; both empty: all tags
	Types     []string            // "person", "asset", "vehicle"
	Receivers []schema.ReceiverID // empty: all of the location
	After     time.Duration
	Most      int // tags in a zone; 0: the capacity of the zone
	Below     int // per cent
}

// Notify is who is told.
type Notify struct {
	Console  bool        // in the list with a badge and a toast; the list has all alerts anyway
	Emails   []string    // of people of the organisation who may see the location
	Webhooks []WebhookID // of the organisation
}

// Rule says when to tell whom.
type Rule struct {
	ID           RuleID
	Organisation schema.OrganisationID
	Name         string
	Enabled      bool
	Condition
	Schedule   *Schedule // nil: always
	Notify     Notify
	MutedUntil time.Time // zero: not muted
	Since      time.Time // what was entered or left before says nothing
	CreatedBy  string    // e-mail
	CreatedAt  time.Time

	LocationName string // of a rule that was read
	TimeZone     string // of the location
}

// The bounds of a rule.
const (
	maxNamed    = 200 // zones, tags or receivers
	maxEmails   = 50
	maxWebhooks = 10
	maxRules    = 500 // of one organisation
	minSilence  = time.Minute
	maxAfter    = 30 * 24 * time.Hour
)

// Validate is [schema.Invalid] with the field of what is wrong. It checks the form;
// whether the things there are is for who knows them.
func (r *Rule) Validate() error {
	checks := []func() error{r.checkKind, r.checkNamed, r.checkAfter, r.checkAmounts, r.checkNotify, r.Schedule.validate}
	for _, check := range checks {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func (r *Rule) checkKind() error {
	if !slices.Contains(Kinds(), r.Kind) {
		return schema.Errorf(schema.Invalid, "condition.kind", "%.40q is none of enter, leave, stay, capacity, tag_lost, receiver_silent, battery_low", string(r.Kind))
	}
	if r.Location.IsZero() {
		return schema.Errorf(schema.Invalid, "condition.location", "say at which location: a rule belongs to one")
	}
	return nil
}

// zonal reports whether the kind is about zones.
func (k Kind) zonal() bool { return k == Enter || k == Leave || k == Stay || k == Capacity }

func (r *Rule) checkNamed() error {
	for field, n := range map[string]int{"zones": len(r.Zones), "tags": len(r.Tags), "receivers": len(r.Receivers)} {
		if n > maxNamed {
			return schema.Errorf(schema.Invalid, "condition."+field, "has %d, at most %d: leave it empty for all of the location", n, maxNamed)
		}
	}
	switch {
	case len(r.Zones) > 0 && !r.Kind.zonal():
		return schema.Errorf(schema.Invalid, "condition.zones", "rules of kind %s are not about zones: leave it empty", r.Kind)
	case len(r.Receivers) > 0 && r.Kind != ReceiverSilent:
		return schema.Errorf(schema.Invalid, "condition.receivers", "only rules of kind receiver_silent are about receivers: leave it empty")
	case len(r.Tags)+len(r.Types) > 0 && r.Kind == ReceiverSilent:
		return schema.Errorf(schema.Invalid, "condition.tags", "rules of kind receiver_silent are not about tags: leave tags and types empty")
	}
	for _, t := range r.Types {
		if t != "person" && t != "asset" && t != "vehicle" {
			return schema.Errorf(schema.Invalid, "condition.types", "%.40q is none of person, asset, vehicle", t)
		}
	}
	return nil
}

func (r *Rule) checkAfter() error {
	silence := r.Kind == TagLost || r.Kind == ReceiverSilent
	switch {
	case r.After < 0 || r.After > maxAfter:
		return schema.Errorf(schema.Invalid, "condition.after_s", "must be 0 to %d seconds", int(maxAfter.Seconds()))
	case silence && r.After < minSilence:
		return schema.Errorf(schema.Invalid, "condition.after_s", "must be %d or more: who is not heard for less is not missing yet", int(minSilence.Seconds()))
	case r.Kind == Stay && r.After == 0:
		return schema.Errorf(schema.Invalid, "condition.after_s", "say for how many seconds a stay is allowed; to be told at once, use the kind enter")
	case r.After != 0 && (r.Kind == Enter || r.Kind == Leave || r.Kind == BatteryLow):
		return schema.Errorf(schema.Invalid, "condition.after_s", "rules of kind %s are told at once: leave it out, or use the kind stay", r.Kind)
	}
	return nil
}

func (r *Rule) checkAmounts() error {
	switch {
	case r.Most < 0 || r.Most > 100_000:
		return schema.Errorf(schema.Invalid, "condition.limit", "must be 1 to 100000 tags, or 0 for the capacity of the zone")
	case r.Most > 0 && r.Kind != Capacity:
		return schema.Errorf(schema.Invalid, "condition.limit", "only rules of kind capacity have one: leave it out")
	case r.Kind == BatteryLow && (r.Below < 1 || r.Below > 99):
		return schema.Errorf(schema.Invalid, "condition.below_percent", "must be 1 to 99")
	case r.Kind != BatteryLow && r.Below != 0:
		return schema.Errorf(schema.Invalid, "condition.below_percent", "only rules of kind battery_low have one: leave it out")
	}
	return nil
}

func (r *Rule) checkNotify() error {
	if n := len(r.Notify.Emails); n > maxEmails {
		return schema.Errorf(schema.Invalid, "notify.emails", "has %d addresses, at most %d", n, maxEmails)
	}
	if n := len(r.Notify.Webhooks); n > maxWebhooks {
		return schema.Errorf(schema.Invalid, "notify.webhooks", "has %d, at most %d", n, maxWebhooks)
	}
	if !r.Notify.Console && len(r.Notify.Emails)+len(r.Notify.Webhooks) == 0 {
		return schema.Errorf(schema.Invalid, "notify", "nobody is told: switch on the console, or name an address or a webhook")
	}
	return nil
}

// concerns reports whether the rule is about the tag.
func (r *Rule) concerns(id schema.TagID, kind string) bool {
	return len(r.Tags)+len(r.Types) == 0 || slices.Contains(r.Tags, id) || slices.Contains(r.Types, kind)
}

// covers reports whether the rule is about the zone of its location.
func (r *Rule) covers(id schema.ZoneID) bool {
	return len(r.Zones) == 0 || slices.Contains(r.Zones, id)
}

// muted reports whether nobody is to be told now.
func (r *Rule) muted(now time.Time) bool { return now.Before(r.MutedUntil) }
