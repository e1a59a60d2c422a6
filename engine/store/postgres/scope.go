package postgres

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"mybeacon/engine/access"
	"mybeacon/schema"
)

// Scope is for whom a call acts: for one organisation or all, and within one for
// all locations or some. The zero Scope sees nothing.
type Scope struct {
	organisation schema.OrganisationID
	all          bool
	limited      bool
	grants       []access.Grant // of a limited one
}

// In returns the scope of one organisation.
func In(organisation schema.OrganisationID) Scope { return Scope{organisation: organisation} }

// AllOrganisations returns the scope of the super-admin and of the engine itself.
func AllOrganisations() Scope { return Scope{all: true} }

// At returns the scope without what is not at the locations: what is at none is not
// seen either, unless it is the organisation's as a whole, such as its tags.
func (s Scope) At(grants []access.Grant) Scope {
	s.limited, s.grants = true, grants
	return s
}

// Narrow returns the part of s within one organisation; ok is false when s does
// not reach into it.
func (s Scope) Narrow(organisation schema.OrganisationID) (Scope, bool) {
	if organisation.IsZero() || !s.all && s.organisation != organisation {
		return Scope{}, false
	}
	s.organisation, s.all = organisation, false
	return s, true
}

// Organisation returns the one organisation of s; ok is false for
// [AllOrganisations] and for the zero Scope.
func (s Scope) Organisation() (id schema.OrganisationID, ok bool) {
	return s.organisation, !s.all && !s.organisation.IsZero()
}

// All reports whether s reaches into all organisations.
func (s Scope) All() bool { return s.all }

// Everywhere reports whether s is not limited to some locations.
func (s Scope) Everywhere() bool { return !s.limited }

// Locations returns the locations that a limited s sees, as an argument of a
// statement: "= ANY (?::text[]::uuid[])".
func (s Scope) Locations() []string {
	ids := make([]string, len(s.grants))
	for i, g := range s.grants {
		ids[i] = g.Location.String()
	}
	return ids
}

// Sees reports whether the location is not hidden from s; the zero id, of what is
// at no location, is hidden from a limited one.
func (s Scope) Sees(location schema.LocationID) bool {
	return !s.limited || slices.ContainsFunc(s.grants, func(g access.Grant) bool { return g.Location == location })
}

// MayChange is Forbidden about what is at a location that s may only look at, and
// NotFound about what it does not see.
func (s Scope) MayChange(location schema.LocationID) error {
	switch {
	case !s.Sees(location):
		return schema.Errorf(schema.NotFound, "", "there is no such object")
	case s.limited && !slices.Contains(s.grants, access.Grant{Location: location, Write: true}):
		return schema.Errorf(schema.Forbidden, "", "you may look at this location but not change it; ask an Owner")
	}
	return nil
}

// String names the scope for logs.
func (s Scope) String() string {
	if s.all {
		return "all organisations"
	}
	return s.organisation.String()
}

// Where collects the conditions of a statement with their arguments. Text comes
// from the program only; what a caller typed goes into the arguments.
type Where struct {
	clauses []string
	args    []any
}

// Scope admits the rows of the scope, whose organisation stands in the column.
func (w *Where) Scope(column string, s Scope) {
	if s.all {
		return
	}
	// The zero organisation is NULL, and "= NULL" is never true.
	w.Add(column+" = ?", s.organisation)
}

// Location admits what is at a location that the scope sees; the location stands in
// the column.
func (w *Where) Location(column string, s Scope) {
	if !s.limited {
		return
	}
	w.Add(column+" = ANY (?::text[]::uuid[])", s.Locations())
}

// Add requires the clause, in which each ? stands for the next argument.
func (w *Where) Add(clause string, args ...any) {
	w.clauses = append(w.clauses, w.Bind(clause, args...))
}

// Bind returns the text with each ? replaced by the number of the next
// argument, for the parts of a statement that are no condition.
func (w *Where) Bind(text string, args ...any) string {
	parts := strings.Split(text, "?")
	if len(parts) != len(args)+1 {
		panic(fmt.Sprintf("BUG: %d arguments for %q", len(args), text))
	}
	var b strings.Builder
	for i, part := range parts {
		b.WriteString(part)
		if i < len(args) {
			w.args = append(w.args, args[i])
			b.WriteString("$" + strconv.Itoa(len(w.args)))
		}
	}
	return b.String()
}

// String returns " WHERE a AND b", or nothing when everything is admitted.
func (w *Where) String() string {
	if len(w.clauses) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(w.clauses, " AND ")
}

// Args returns the arguments in the order of their numbers.
func (w *Where) Args() []any { return w.args }
