package http

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"mybeacon/engine/audit"
	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

// User is an account as its owner sees it.
type User struct {
	ID             schema.UserID         `json:"id" format:"uuid"`
	Email          string                `json:"email"`
	Name           string                `json:"name"`
	SuperAdmin     bool                  `json:"super_admin"`
	Role           string                `json:"role" doc:"owner, admin, manager, operator or viewer; empty for a super-admin"`
	OrganisationID schema.OrganisationID `json:"organisation_id" doc:"Empty for a super-admin"`
}

func userOf(a postgres.Account) User {
	u := User{ID: a.ID, Email: a.Email, Name: a.Name, SuperAdmin: a.SuperAdmin, Role: a.Role, OrganisationID: a.Organisation}
	if a.SuperAdmin {
		u.Role = ""
	}
	return u
}

type loginInput struct {
	Session string `cookie:"mybeacon_session" hidden:"true"`
	Body    struct {
		Email    string `json:"email" minLength:"1" maxLength:"254"`
		Password string `json:"password" minLength:"1" maxLength:"512"`
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

type meOutput struct {
	Body struct {
		User         User             `json:"user"`
		Organisation *OrganisationRef `json:"organisation,omitempty" doc:"Missing for a super-admin"`
		Products     []string         `json:"products" nullable:"false" doc:"The products that are switched on"`
	}
}

// OrganisationRef is an organisation as its members see it.
type OrganisationRef struct {
	ID       schema.OrganisationID `json:"id" format:"uuid"`
	Name     string                `json:"name"`
	TimeZone string                `json:"time_zone"`
}

func (s *Server) registerLogin() {
	Route(s, Public(), huma.Operation{
		OperationID: "login", Method: http.MethodPost, Path: "/api/v1/auth/login", Tags: []string{"auth"},
		Summary: "Log in with e-mail and password",
	}, s.login)
	Route(s, Public(), huma.Operation{
		OperationID: "logout", Method: http.MethodPost, Path: "/api/v1/auth/logout", Tags: []string{"auth"},
		Summary: "End the session", DefaultStatus: http.StatusNoContent,
	}, s.logout)
	Route(s, SignedIn(), huma.Operation{
		OperationID: "me", Method: http.MethodGet, Path: "/api/v1/auth/me", Tags: []string{"auth"},
		Summary: "Who am I",
	}, s.me)
}

// login answers every failure with the same words after the same work, so that
// nobody learns which accounts exist.
func (s *Server) login(ctx context.Context, in *loginInput) (*loginOutput, error) {
	email := strings.TrimSpace(in.Body.Email)
	account, address := "account "+strings.ToLower(email), "address "+limitKey(addressOf(ctx))
	if err := s.failures.take(time.Now(), account, address); err != nil {
		s.cfg.Metrics.refused(tooManyBad)
		return nil, err
	}
	who, err := s.verify(ctx, email, in.Body.Password)
	if err != nil {
		if schema.KindOf(err) != schema.Unauthorized {
			s.failures.refund(account, address)
		}
		return nil, s.counted(badPassword, err)
	}
	s.failures.succeed(account, address)
	token, expires, err := s.begin(ctx, in.Session, who)
	if err != nil {
		return nil, err
	}
	s.log.InfoContext(ctx, "logged in", "account", who.ID.String(), "address", addressOf(ctx).String())
	out := &loginOutput{SetCookie: s.cookieOf(token, expires)}
	out.Body.User = userOf(who)
	return out, nil
}

// verify returns the account of the e-mail when the password is right.
func (s *Server) verify(ctx context.Context, email, password string) (postgres.Account, error) {
	account, hash, err := s.db.AccountByEmail(ctx, email)
	if err != nil && schema.KindOf(err) != schema.NotFound {
		return account, err
	}
	ok, err := s.passwords.Matches(ctx, password, hash)
	if err != nil {
		return account, err
	}
	if !ok || account.Disabled {
		return account, schema.Errorf(schema.Unauthorized, "", "the e-mail or the password is wrong")
	}
	return account, nil
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

func (s *Server) logout(ctx context.Context, in *struct {
	Session string `cookie:"mybeacon_session" hidden:"true"`
}) (*logoutOutput, error) {
	if in.Session != "" {
		ctx, err := s.sessions.Load(ctx, in.Session)
		if err == nil {
			err = s.sessions.Destroy(ctx)
		}
		if err != nil {
			return nil, err
		}
		s.RightsChanged()
	}
	return &logoutOutput{SetCookie: s.cookieOf("", time.Time{})}, nil
}

func (s *Server) me(ctx context.Context, _ *struct{}) (*meOutput, error) {
	p := PrincipalOf(ctx)
	out := &meOutput{}
	out.Body.User = userOf(p.Account)
	out.Body.Products = p.Products
	if p.SuperAdmin {
		out.Body.Products = s.cfg.Products
		return out, nil
	}
	o, err := s.db.Organisation(ctx, p.Scope(), p.Organisation)
	if err != nil {
		return nil, fmt.Errorf("read the caller's organisation: %w", err)
	}
	out.Body.Organisation = &OrganisationRef{ID: o.ID, Name: o.Name, TimeZone: o.TimeZone}
	return out, nil
}
