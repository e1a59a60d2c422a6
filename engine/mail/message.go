package mail

import (
	"time"

	"mybeacon/schema"
)

// The templates, a closed set.
const (
	Confirm       = "confirm"        // the address of a new account is confirmed by the link
	Invitation    = "invitation"     // a colleague is invited; the link sets a password
	Password      = "password"       // a forgotten password is replaced by the link
	FirstPassword = "first_password" // an account was made: the link sets the password, or Data holds a generated one
	EmailChange   = "email_change"   // to the new address, which the link confirms
	EmailChanged  = "email_changed"  // to the old address: a note without a link
	Activated     = "activated"      // products were switched on
	Pending       = "pending"        // to the super-admins: an organisation waits for activation
	Registered    = "registered"     // somebody registered an address that has an account: a note
	Alerts        = "alerts"         // Lines say what happened
	WebhookOff    = "webhook_off"    // to the Owners: posts to a webhook were given up
	Test          = "test"           // shows the super-admin that mails arrive
)

// The languages of the templates.
const (
	Russian = "ru"
	English = "en"
)

// Message is one mail before it is written. The zero value is no message.
type Message struct {
	To       string // one address, without a name
	Language string // "ru" or "en"; empty is English
	Template string // one of the constants
	// Data fill the template. Known keys: "organisation", "name" (of who gets the
	// mail), "products" (names, separated by commas), "password" (generated), "email",
	// "phone", "by" (who invites), "first" (what happened first), "more" (how many more
	// things did), "webhook" (its name), "why". What a template does not know is not shown.
	Data map[string]string
	// Lines stand below what the template says, each in a paragraph of its own.
	Lines []string
	// Link is a path with a fragment, such as "/confirm#TOKEN"; the configured base URL
	// is put before it when the mail is written. Empty where the template has none.
	Link string
	// Expires is when the link ends, after which the mail is not sent and the link is
	// wiped. Zero is what the template promises, see [Lifetime].
	Expires time.Time
	// Organisation is whose affair it is, zero for none: who may be told of the mail.
	Organisation schema.OrganisationID
}

// Lifetime returns for how long the link of a mail of the template is good.
func Lifetime(template string) time.Duration {
	switch template {
	case Password:
		return time.Hour
	case Confirm, EmailChange:
		return 48 * time.Hour
	}
	return 7 * 24 * time.Hour
}
