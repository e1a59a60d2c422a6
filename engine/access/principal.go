package access

import (
	"slices"

	"mybeacon/schema"
)

// Role is what a person is in the organisation.
type Role string

// The roles.
const (
	Owner    Role = "owner"
	Admin    Role = "admin"
	Manager  Role = "manager"
	Operator Role = "operator"
	Viewer   Role = "viewer"
)

// Roles returns all roles, the mightiest first.
func Roles() []Role { return []Role{Owner, Admin, Manager, Operator, Viewer} }

// Grant is the right to one location.
type Grant struct {
	Location schema.LocationID
	Write    bool // else it may only be looked at
}

// Principal is who acts. The zero Principal may do nothing.
type Principal struct {
	User         schema.UserID
	Organisation schema.OrganisationID // zero for a super-admin who acts in none
	Role         Role
	SuperAdmin   bool
	// Acting is true of a super-admin who has switched into Organisation, which is
	// written down with his reason.
	Acting bool
	// ReadOnly takes all rights to change anything, whatever the role.
	ReadOnly bool
	// Limited says that Grants are the only locations; without it the role decides:
	// all for Owner, Admin and Manager, none for Operator and Viewer.
	Limited bool
	Grants  []Grant
	// Products are those switched on for Organisation.
	Products []string
	// Key says that an API key acts, or a link to a live map, and Only which actions it was made for.
	Key  bool
	Only []Action
}

// Everywhere reports whether the principal's locations are all of the organisation's.
func (p Principal) Everywhere() bool {
	if p.SuperAdmin {
		return true
	}
	return !p.Limited && (p.Role == Owner || p.Role == Admin || p.Role == Manager)
}

// Sees reports whether the location is one of the principal's.
func (p Principal) Sees(id schema.LocationID) bool {
	return p.Everywhere() || slices.ContainsFunc(p.Grants, func(g Grant) bool { return g.Location == id })
}

// Writes reports whether what is at the location may be changed, as far as locations
// decide.
func (p Principal) Writes(id schema.LocationID) bool {
	return p.Everywhere() || slices.ContainsFunc(p.Grants, func(g Grant) bool { return g.Location == id && g.Write })
}
