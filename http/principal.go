package http

import (
	"context"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"mybeacon/engine/access"
	"mybeacon/engine/audit"
	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

// Principal is who a request acts for. The zero Principal may do nothing.
type Principal struct {
	postgres.Identity
	// Session is true for a login by password, false for an API token.
	Session bool

	// action is what the route that was called is for; it decides how far a
	// super-admin reaches.
	action access.Action
	// proof proves the identity anew: with the same session or token.
	proof func(context.Context) (Principal, error)
	// from is where a socket was opened.
	from netip.Addr
}

// Decide returns nil when the principal may do the action to the object, NotFound
// when he may not even know of it, else Forbidden with the reason.
func (p Principal) Decide(action access.Action, object access.Object) error {
	switch why := access.Decide(p.Rights, action, object); why.Verdict {
	case access.Allowed:
		return nil
	case access.Hidden:
		return schema.Errorf(schema.NotFound, "", "%s", why.Reason)
	default:
		return schema.Errorf(schema.Forbidden, "", "%s", why.Reason)
	}
}

// Scope returns which objects the principal reaches with what he called: those of
// his organisation, at his locations. A super-admin looks everywhere, and changes
// what is in the organisation he acts in.
func (p Principal) Scope() postgres.Scope {
	r := p.Rights
	switch {
	case r.SuperAdmin && (r.Organisation.IsZero() || !p.action.Changes() || p.action == access.Administer):
		return postgres.AllOrganisations()
	case r.Everywhere():
		return postgres.In(r.Organisation)
	}
	return postgres.In(r.Organisation).At(r.Grants)
}

// Within returns the part of the principal's scope that a list asks for: one
// organisation, or for the zero id all of it - of a super-admin who acts in an
// organisation, that one. A foreign one is NotFound.
func (p Principal) Within(organisation schema.OrganisationID) (postgres.Scope, error) {
	if organisation.IsZero() {
		organisation = p.Rights.Organisation
	}
	if organisation.IsZero() {
		return p.Scope(), nil
	}
	scope, ok := p.Scope().Narrow(organisation)
	if !ok {
		return scope, schema.Errorf(schema.NotFound, "organisation_id", "there is no such organisation")
	}
	return scope, nil
}

// WithinOne is [Principal.Within] for what leaves the system as a file: it belongs into
// the log of one organisation, so that a super-admin names it.
func (p Principal) WithinOne(organisation schema.OrganisationID) (postgres.Scope, error) {
	scope, err := p.Within(organisation)
	if _, one := scope.Organisation(); err == nil && !one {
		err = schema.Errorf(schema.Invalid, "organisation_id", "is required: an export is written into the log of the organisation whose data it holds")
	}
	return scope, err
}

// Owner returns the organisation that a new object will belong to: the one
// asked for, or the one the principal acts in.
func (p Principal) Owner(asked schema.OrganisationID) (schema.OrganisationID, error) {
	if asked.IsZero() {
		asked = p.Rights.Organisation
	}
	if asked.IsZero() {
		return asked, schema.Errorf(schema.Invalid, "organisation_id", "is required: a super-admin belongs to no organisation")
	}
	if _, err := p.Within(asked); err != nil {
		return schema.OrganisationID{}, err
	}
	return asked, nil
}

// actor is how the audit log names the principal.
func (p Principal) actor(from netip.Addr) audit.Actor {
	return audit.Actor{User: p.ID, Email: p.Email, Key: p.KeyName, Address: from, Reason: p.Reason}
}

type principalKey struct{}

// PrincipalOf returns the caller of a request that passed a [Rule].
func PrincipalOf(ctx context.Context) Principal {
	p, ok := ctx.Value(principalKey{}).(Principal)
	if !ok {
		panic("BUG: the route has no rule, so nobody authenticated the caller")
	}
	return p
}

// Authenticate returns who sent the request, or Unauthorized. An Authorization
// header decides alone: a cookie beside it is not looked at, so that the checks
// against cross-site requests cannot be talked away by adding a header.
func (s *Server) Authenticate(r *http.Request) (Principal, error) {
	if header := r.Header.Get("Authorization"); header != "" {
		return s.byHeader(r.Context(), header)
	}
	cookie, err := r.Cookie(s.sessions.Cookie.Name)
	if err != nil || cookie.Value == "" {
		return Principal{}, errSignIn() // showed nothing: everybody's first request
	}
	p, err := s.bySession(r.Context(), cookie.Value)
	return p, s.counted(badSession, err)
}

// counted counts a failed proof of identity and returns its error.
func (s *Server) counted(why authFailure, err error) error {
	if schema.KindOf(err) == schema.Unauthorized {
		s.cfg.Metrics.refused(why)
	}
	return err
}

// Viewer returns who opens a socket: by ?ticket=, which is used up, else as
// [Server.Authenticate]. byCookie says that a cookie proved it, so that the
// Origin must be checked.
func (s *Server) Viewer(r *http.Request) (p Principal, byCookie bool, err error) {
	if text := r.URL.Query().Get("ticket"); text != "" {
		p, err = s.TakeTicket(r.Context(), text)
		p.from = s.clientAddress(r)
		return p, false, s.counted(badTicket, err)
	}
	p, err = s.Authenticate(r)
	p.from = s.clientAddress(r)
	return p, p.Session, err
}

// MayWatch reports whether the principal may still see the product's live positions
// at the location: Unauthorized when the session or token ended or the account was
// disabled since, Forbidden when he may look at nothing, NotFound when there is no
// such location, or no such product, for him now.
func (s *Server) MayWatch(ctx context.Context, p Principal, product string, location schema.LocationID) error {
	_, err := s.watched(ctx, p, product, location)
	return err
}

// watched returns the location that the principal may watch.
func (s *Server) watched(ctx context.Context, p Principal, product string, location schema.LocationID) (postgres.Location, error) {
	if p.proof == nil {
		return postgres.Location{}, errSignIn()
	}
	ctx = postgres.Prompt(ctx) // a socket's: its pings must go on
	now, err := p.proof(ctx)
	if err != nil {
		return postgres.Location{}, err
	}
	now.action = access.Watch
	at, err := s.db.Location(ctx, now.Scope(), location)
	if err != nil {
		return at, err
	}
	return at, now.Decide(access.Watch, access.Object{Organisation: at.Organisation, Location: at.ID, Product: product})
}

// Looking returns [Server.MayWatch] for who asks for positions again and again instead
// of keeping a socket; it is written down once an hour.
func (s *Server) Looking(p Principal, product string) func(context.Context, schema.LocationID) error {
	return func(ctx context.Context, location schema.LocationID) error {
		if err := s.spendCaller(http.Header{}, p); err != nil { // a request like others
			return err
		}
		at, err := s.watched(ctx, p, product, location)
		if err != nil || !p.Share.IsZero() {
			return err
		}
		key := p.Caller() + " " + location.String()
		if _, first := s.looks.take(s.now(), key); !first {
			return nil
		}
		if err := s.sawMap(ctx, p, at); err != nil {
			s.looks.forget(key) // nothing is written down yet
			return err
		}
		return nil
	}
}

// sawMap writes down that the principal looks at the location's live map.
func (s *Server) sawMap(ctx context.Context, p Principal, at postgres.Location) error {
	return s.Viewed(audit.By(ctx, p.actor(p.from)), audit.Entry{
		Organisation: at.Organisation, Action: audit.View, Object: audit.Object{Kind: "location", ID: at.ID.String(), Name: at.Name},
		Fields: []audit.Field{audit.Made("map", "live")},
	})
}

// rightsAge is for how long rights are believed while nobody tells of a change:
// sessions and tokens also end by themselves.
const rightsAge = time.Minute

// RightsChanged tells that accounts, organisations or locations may have changed:
// what was found out before is asked anew.
func (s *Server) RightsChanged() { s.rights.Add(1) }

// Watching returns [Server.MayWatch] for a socket, which asks every few seconds, and
// writes down which maps are looked at. The store is asked only after [Server.RightsChanged] or a minute. The function
// is for one goroutine at a time.
func (s *Server) Watching(p Principal, product string) func(context.Context, schema.LocationID) error {
	var seen uint64
	var asked time.Time
	var about schema.LocationID
	return func(ctx context.Context, location schema.LocationID) error {
		now := s.rights.Load() // before asking: a change meanwhile is asked about again
		ended := !p.Until.IsZero() && !s.now().Before(p.Until)
		if !asked.IsZero() && about == location && seen == now && !ended && time.Since(asked) < rightsAge {
			return nil
		}
		at, err := s.watched(ctx, p, product, location)
		if err == nil && about != location && p.Share.IsZero() { // a link's session was written down as it began
			err = s.sawMap(ctx, p, at)
		}
		if err != nil {
			return err
		}
		seen, asked, about = now, time.Now(), location
		return nil
	}
}

func (s *Server) byHeader(ctx context.Context, header string) (Principal, error) {
	scheme, token, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return Principal{}, s.counted(badToken, errUnknownToken())
	}
	p, err := s.byToken(ctx, token)
	return p, s.counted(badToken, err)
}

func (s *Server) byToken(ctx context.Context, token string) (Principal, error) {
	find := s.db.IdentityByToken
	switch {
	case postgres.IsSecret(postgres.ShareSessionPrefix, token):
		find = func(ctx context.Context, session string) (postgres.Identity, error) {
			return s.db.IdentityByShare(ctx, session, s.now())
		}
	case postgres.IsSecret(postgres.APIKeyPrefix, token):
		find = s.db.IdentityByKey
	case !postgres.IsSecret(postgres.APITokenPrefix, token):
		return Principal{}, errUnknownToken()
	}
	found, err := find(ctx, token)
	switch {
	case schema.KindOf(err) == schema.NotFound:
		return Principal{}, errUnknownToken()
	case err != nil:
		return Principal{}, err
	}
	again := func(ctx context.Context) (Principal, error) { return s.byToken(ctx, token) }
	return Principal{Identity: found, proof: again}, nil
}

// bySession looks at the account itself at every request, so that disabling it
// or changing its role works at once.
func (s *Server) bySession(ctx context.Context, cookie string) (Principal, error) {
	found, err := s.db.IdentityBySession(ctx, postgres.SessionHash(cookie))
	switch {
	case schema.KindOf(err) == schema.NotFound:
		return Principal{}, errSignIn()
	case err != nil:
		return Principal{}, err
	}
	again := func(ctx context.Context) (Principal, error) { return s.bySession(ctx, cookie) }
	return Principal{Identity: found, Session: true, proof: again}, nil
}

func errSignIn() error { return schema.Errorf(schema.Unauthorized, "", "log in first") }

func errUnknownToken() error {
	return schema.Errorf(schema.Unauthorized, "", "the API token or key is unknown or has expired")
}

// Again proves the identity anew: what the principal may now.
func (p Principal) Again(ctx context.Context) (Principal, error) { return p.proof(ctx) }
