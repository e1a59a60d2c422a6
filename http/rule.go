package http

import (
	"mybeacon/engine/access"
	"mybeacon/schema"
)

// Rule decides whether the caller may use an operation at all; which objects he
// reaches then is a matter of his [Principal.Scope] and [Principal.Decide]. The zero
// Rule is no rule and is refused at registration.
type Rule struct {
	level  level
	action access.Action // of level may
	// product, if not empty, must be switched on for the caller's organisation.
	product string
}

type level uint8

const (
	public level = iota + 1
	signedIn
	may
)

// Public admits everybody; [PrincipalOf] must not be asked there.
func Public() Rule { return Rule{level: public} }

// SignedIn admits every person who is known, to what is his own: profile, sessions,
// tokens. An API key is no person.
func SignedIn() Rule { return Rule{level: signedIn} }

// May admits who may do the action to something of his organisation.
func May(action access.Action) Rule { return Rule{level: may, action: action} }

// Admins admits super-admins, to what belongs to no organisation.
func Admins() Rule { return May(access.Administer) }

// Of returns the rule for a route of the product: while that is switched off for
// the caller's organisation there is nothing at the address.
func (r Rule) Of(product string) Rule {
	r.product = product
	return r
}

func (r Rule) check(p Principal) error {
	if r.level == may {
		return p.Decide(r.action, access.Object{Product: r.product})
	}
	if p.Rights.Key {
		return schema.Errorf(schema.Forbidden, "", "an API key has no account of its own; log in")
	}
	return nil
}
