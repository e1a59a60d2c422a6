package http

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"mybeacon/engine/audit"
	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

type loginInput struct {
	cookies
	Body struct {
		Email    string `json:"email" minLength:"1" maxLength:"254"`
		Password string `json:"password" minLength:"1" maxLength:"512"`
		Code     string `json:"code,omitempty" maxLength:"40" doc:"Of the second factor, or a recovery code; asked for by a 401 about code"`
	}
}

type loginOutput struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
	Body      struct {
		User User `json:"user"`
	}
}

type logoutOutput struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
}

// cookies is embedded in the inputs that need the session's cookie, whose name depends
// on how the server is reached.
type cookies struct{ sent []*http.Cookie }

// Resolve implements huma.Resolver.
func (c *cookies) Resolve(ctx huma.Context) []error {
	// A line that cannot be read holds no session.
	c.sent, _ = http.ParseCookie(ctx.Header("Cookie"))
	return nil
}

func (c *cookies) named(name string) string {
	for _, cookie := range c.sent {
		if cookie.Name == name {
			return cookie.Value
		}
	}
	return ""
}

func (s *Server) registerLogin() {
	Route(s, Public(), huma.Operation{
		OperationID: "login", Method: http.MethodPost, Path: "/api/v1/auth/login", Tags: []string{"auth"},
		Summary: "Log in with e-mail and password, and the code of the second factor where there is one",
	}, s.login)
	Route(s, Public(), huma.Operation{
		OperationID: "logout", Method: http.MethodPost, Path: "/api/v1/auth/logout", Tags: []string{"auth"},
		Summary: "End the session", DefaultStatus: http.StatusNoContent,
	}, s.logout)
	Route(s, SignedIn(), huma.Operation{
		OperationID: "me", Method: http.MethodGet, Path: "/api/v1/auth/me", Tags: []string{"auth"},
		Summary: "Who am I, and what may I",
	}, s.me)
}

// login answers every failure with the same words after the same work, so that
// nobody learns which accounts exist. Only who knows the password learns that there is
// a second factor.
func (s *Server) login(ctx context.Context, in *loginInput) (*loginOutput, error) {
	email := strings.TrimSpace(in.Body.Email)
	var who postgres.Account
	refusal := error(nil)
	proven, err := s.Attempt(ctx, email, func(ctx context.Context) (bool, error) {
		var err error
		who, refusal, err = s.verify(ctx, email, in.Body.Password, in.Body.Code)
		return refusal == nil, err
	})
	if err != nil {
		return nil, err
	}
	if !proven {
		return nil, s.failed(ctx, who, email, refusal)
	}
	token, expires, err := s.begin(ctx, in.named(s.sessions.Cookie.Name), who)
	if err != nil {
		return nil, err
	}
	person, err := s.db.Person(ctx, postgres.AllOrganisations(), who.ID)
	if err != nil {
		return nil, err
	}
	s.log.InfoContext(ctx, "logged in", "account", who.ID.String(), "address", addressOf(ctx).String())
	out := &loginOutput{SetCookie: s.cookieOf(token, expires)}
	out.Body.User = userOf(person)
	return out, nil
}

// verify returns the account of the e-mail; refusal says what was not proven of it.
func (s *Server) verify(ctx context.Context, email, password, code string) (account postgres.Account, refusal, err error) {
	account, hash, err := s.db.AccountByEmail(ctx, email)
	if err != nil && schema.KindOf(err) != schema.NotFound {
		return account, nil, err
	}
	ok, err := s.passwords.Matches(ctx, password, hash)
	if err != nil {
		return account, nil, err
	}
	if !ok || account.Disabled {
		return account, schema.Errorf(schema.Unauthorized, "", "the e-mail or the password is wrong, or the e-mail is not confirmed yet"), nil
	}
	has, right, err := s.factors.Check(ctx, account, code, s.now())
	switch {
	case err != nil || right:
		return account, nil, err
	case has && strings.TrimSpace(code) == "":
		// Not a failed guess, so nothing to count.
		return account, nil, schema.Errorf(schema.Unauthorized, "code", "type the code of your authenticator, or a recovery code")
	}
	return account, schema.Errorf(schema.Unauthorized, "code", "is wrong or was used already; wait for the next one"), nil
}

// failed writes the failed log-in down, in the log of whose account it is, and returns
// the refusal.
func (s *Server) failed(ctx context.Context, who postgres.Account, email string, refusal error) error {
	entry := audit.Entry{
		Organisation: who.Organisation, Action: audit.LoginFailed,
		Object: audit.Object{Kind: audit.KindUser, ID: who.ID.String(), Name: email},
	}
	if who.ID.IsZero() {
		entry.Object.ID = ""
	}
	ctx = audit.By(ctx, audit.Actor{User: who.ID, Email: email, Address: addressOf(ctx)})
	if err := s.db.Append(ctx, postgres.AllOrganisations(), entry); err != nil {
		return err
	}
	return refusal
}

// begin starts a session under a fresh token; a session that the browser brought
// along ends, whoever planted it.
func (s *Server) begin(ctx context.Context, old string, account postgres.Account) (string, time.Time, error) {
	ctx, err := s.sessions.Load(ctx, old)
	if err != nil {
		return "", time.Time{}, err
	}
	if err := s.sessions.RenewToken(ctx); err != nil {
		return "", time.Time{}, err
	}
	ctx = audit.By(ctx, audit.Actor{User: account.ID, Email: account.Email, Address: addressOf(ctx)})
	return s.sessions.Commit(postgres.WithLogin(ctx, postgres.NewLogin{Account: account, Address: addressOf(ctx).String(), Agent: agentOf(ctx)}))
}

func (s *Server) logout(ctx context.Context, in *struct{ cookies }) (*logoutOutput, error) {
	out := &logoutOutput{SetCookie: s.cookieOf("", time.Time{})}
	token := in.named(s.sessions.Cookie.Name)
	if token == "" {
		return out, nil
	}
	who, err := s.db.IdentityBySession(ctx, postgres.SessionHash(token))
	if schema.KindOf(err) == schema.NotFound {
		return out, nil // nobody's any more
	}
	if err == nil {
		err = s.db.Logout(audit.By(ctx, audit.Actor{User: who.ID, Email: who.Email, Address: addressOf(ctx)}), who)
	}
	if err != nil {
		return nil, err
	}
	s.RightsChanged()
	return out, nil
}
