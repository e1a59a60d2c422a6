package postgres

import (
	"fmt"
	"strconv"
	"strings"

	"mybeacon/schema"
)

// Scope is for which organisation a call acts. The zero Scope sees nothing.
type Scope struct {
	organisation schema.OrganisationID
	all          bool
}

// In returns the scope of one organisation.
func In(organisation schema.OrganisationID) Scope { return Scope{organisation: organisation} }

// AllOrganisations returns the scope of the super-admin and of the engine itself.
func AllOrganisations() Scope { return Scope{all: true} }

// Narrow returns the part of s within one organisation; ok is false when s does
// not reach into it.
func (s Scope) Narrow(organisation schema.OrganisationID) (Scope, bool) {
	if organisation.IsZero() || !s.all && s.organisation != organisation {
		return Scope{}, false
	}
	return In(organisation), true
}

// Organisation returns the one organisation of s; ok is false for
// [AllOrganisations] and for the zero Scope.
func (s Scope) Organisation() (id schema.OrganisationID, ok bool) {
	return s.organisation, !s.all && !s.organisation.IsZero()
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
