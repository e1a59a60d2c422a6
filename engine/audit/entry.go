package audit

import (
	"context"
	"net/netip"

	"mybeacon/schema"
)

// Action is the kind of what was done, a closed set.
type Action string

// The actions.
const (
	Login       Action = "login"
	LoginFailed Action = "login_failed"
	Logout      Action = "logout"
	View        Action = "view"   // a page was opened or data were looked at
	Create      Action = "create" // of an object
	Change      Action = "change" // of an object, old -> new
	Delete      Action = "delete" // of an object
	Export      Action = "export"
	Users       Action = "users"  // people, roles, rights, keys
	Tunnel      Action = "tunnel" // to a device
	Switch      Action = "switch" // a super-admin began or ended to act in an organisation
	System      Action = "system" // the server itself
)

// KindUser is the kind of people, whose names are personal.
const KindUser = "user"

// Actions returns all actions.
func Actions() []Action {
	return []Action{Login, LoginFailed, Logout, View, Create, Change, Delete, Export, Users, Tunnel, Switch, System}
}

// Object is what something was done to, as it was called then.
type Object struct {
	Kind string // "location", "plan", "zone", "tag", "device", [KindUser], "organisation", "page", …
	ID   string // its id; empty where it has none, such as a page
	Name string // "Receiver #5", "Canteen", "/devices"
	// Personal says that Name names a person, as [Field.Personal] does; it always does
	// of a [KindUser].
	Personal bool
}

// Field is one value that changed. Old or New is empty where there was or is none.
type Field struct {
	Name     string
	Old, New string
	// Personal marks values that name or reach a person: the chain holds salted digests
	// of them, so that they can be erased and the chain still be verified.
	Personal bool
}

// Entry is one line of the audit log before it is stored. When, by whom and from where
// are added as it is stored.
type Entry struct {
	// Organisation is whose log it belongs to; zero is the system's own.
	Organisation schema.OrganisationID
	Action       Action
	Object       Object
	Fields       []Field // what changed, or what was looked at or exported: period, format
}

// Actor is who does something, and from where.
type Actor struct {
	User    schema.UserID // zero: the server itself, or nobody who is known
	Email   string
	Key     string // name of the API key that acts; empty for a login
	Address netip.Addr
	// Reason is why a super-admin acts inside the organisation, empty unless he does.
	Reason string
}

type actorKey struct{}

// By returns a context in which the actor acts.
func By(ctx context.Context, a Actor) context.Context { return context.WithValue(ctx, actorKey{}, a) }

// ActorOf returns who acts; the zero Actor is the server itself.
func ActorOf(ctx context.Context) Actor {
	a, _ := ctx.Value(actorKey{}).(Actor)
	return a
}
