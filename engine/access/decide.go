package access

import (
	"slices"

	"mybeacon/schema"
)

// Object is what an action is to be done to. The zero Object is "at all": it asks
// whether the action could be allowed on any object of the principal's own.
type Object struct {
	Organisation schema.OrganisationID
	// Location is where it is, or what it inherits its rights from; zero for what
	// belongs to the organisation as a whole.
	Location schema.LocationID
	// Unplaced says that it could be at a location and is at none: who sees only some
	// locations does not see it.
	Unplaced bool
	// Product is whose it is; empty for the core's.
	Product string
}

// Verdict is the answer.
type Verdict uint8

// The verdicts. A hidden object is answered like one that does not exist.
const (
	Forbidden Verdict = iota
	Hidden
	Allowed
)

// Why is a verdict with its reason, for people.
type Why struct {
	Verdict
	Reason string
}

// Decide answers whether the principal may do the action to the object. Everything
// that is not allowed here is not allowed.
func Decide(p Principal, a Action, o Object) Why {
	switch {
	case p.User.IsZero() && !p.Key:
		return Why{Forbidden, "log in first"}
	case p.Key && !slices.Contains(p.Only, a) && !(a == Watch && slices.Contains(p.Only, View)):
		return Why{Forbidden, "the API key or link was not made for this: " + string(a)}
	case p.SuperAdmin:
		return decideSuperAdmin(p, a, o)
	case p.Organisation.IsZero():
		return Why{Forbidden, "you belong to no organisation"}
	case !o.Organisation.IsZero() && o.Organisation != p.Organisation:
		return Why{Hidden, "there is no such object"}
	case o.Product != "" && !slices.Contains(p.Products, o.Product):
		return Why{Hidden, "there is nothing at this address"}
	case o.Unplaced && !p.Everywhere(), !o.Location.IsZero() && !p.Sees(o.Location):
		return Why{Hidden, "there is no such object"}
	}
	return decideRole(p, a, o)
}

func decideRole(p Principal, a Action, o Object) Why {
	if a == Watch {
		a = View
	}
	switch {
	case a == Administer || a == OpenTerminal:
		return Why{Forbidden, "only a super-admin may do this"}
	case !slices.Contains(table[p.Role], a):
		return Why{Forbidden, "the role " + string(p.Role) + " has no right to do this; ask an Owner"}
	case p.ReadOnly && a.Changes():
		return Why{Forbidden, "your account may look but not change; ask an Owner"}
	case a.Changes() && !o.Location.IsZero() && !p.Writes(o.Location):
		return Why{Forbidden, "you may look at this location but not change it; ask an Owner"}
	}
	return Why{Allowed, ""}
}

// decideSuperAdmin lets a super-admin look at everything, run the system, and change
// what is inside an organisation only after the logged switch into it.
func decideSuperAdmin(p Principal, a Action, o Object) Why {
	switch {
	case p.ReadOnly && a.Changes():
		return Why{Forbidden, "your account may look but not change"}
	case a == Administer, a == OpenTerminal, !a.Changes():
		return Why{Allowed, ""}
	case !p.Acting:
		return Why{Forbidden, "switch into the organisation first, with a reason: PUT /api/v1/auth/acting"}
	case !o.Organisation.IsZero() && o.Organisation != p.Organisation:
		return Why{Forbidden, "you act in another organisation"}
	}
	return Why{Allowed, ""}
}
