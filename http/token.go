package http

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

// Token is a personal API token as its owner sees it.
type Token struct {
	ID        postgres.TokenID `json:"id" format:"uuid"`
	Name      string           `json:"name"`
	CreatedAt time.Time        `json:"created_at"`
	ExpiresAt time.Time        `json:"expires_at"`
	LastUsed  *time.Time       `json:"last_used" doc:"Null: never"`
}

type tokenInput struct {
	Body struct {
		Name          string `json:"name" minLength:"1" maxLength:"100" doc:"What it is for"`
		ExpiresInDays int    `json:"expires_in_days,omitempty" minimum:"1" maximum:"365" default:"90"`
	}
}

type tokenOutput struct {
	Body struct {
		ID        postgres.TokenID `json:"id" format:"uuid"`
		Token     string           `json:"token" doc:"Send it as Authorization: Bearer …; it is shown once"`
		ExpiresAt time.Time        `json:"expires_at"`
	}
}

type tokenPath struct {
	ID postgres.TokenID `path:"id" format:"uuid"`
}

func (s *Server) registerTokens() {
	const path = "/api/v1/auth/tokens"
	tags := []string{"auth"}
	Route(s, SignedIn(), huma.Operation{
		OperationID: "list-api-tokens", Method: http.MethodGet, Path: path, Tags: tags,
		Summary: "List the API tokens of one's own account",
	}, s.listTokens)
	Route(s, SignedIn(), huma.Operation{
		OperationID: "create-api-token", Method: http.MethodPost, Path: path, Tags: tags,
		Summary: "Make an API token of one's own account", DefaultStatus: http.StatusCreated,
		Description: "It may what its owner may at the moment of use. An API token makes no tokens.",
	}, s.createToken)
	Route(s, SignedIn(), huma.Operation{
		OperationID: "delete-api-token", Method: http.MethodDelete, Path: path + "/{id}", Tags: tags,
		Summary: "End an API token of one's own account", DefaultStatus: http.StatusNoContent,
	}, s.deleteToken)
}

func (s *Server) listTokens(ctx context.Context, in *PageInput) (*ListOutput[Token], error) {
	found, err := s.db.APITokens(ctx, PrincipalOf(ctx).ID)
	if err != nil {
		return nil, err
	}
	return Paged(in, found, postgres.Cursor{}, tokenOf), nil
}

func tokenOf(t postgres.APIToken) Token {
	shown := Token{ID: t.ID, Name: t.Name, CreatedAt: t.CreatedAt.UTC(), ExpiresAt: t.ExpiresAt.UTC()}
	if !t.LastUsed.IsZero() {
		used := t.LastUsed.UTC()
		shown.LastUsed = &used
	}
	return shown
}

// createToken is for people only: a leaked token must not be able to outlive
// its expiry by making its own successor.
func (s *Server) createToken(ctx context.Context, in *tokenInput) (*tokenOutput, error) {
	p := PrincipalOf(ctx)
	if err := OnlySessions(p); err != nil {
		return nil, err
	}
	token := postgres.NewSecret(postgres.APITokenPrefix)
	expires := s.now().Add(time.Duration(in.Body.ExpiresInDays) * 24 * time.Hour).UTC().Truncate(time.Second)
	id, err := s.db.CreateAPIToken(ctx, p.Account, in.Body.Name, token, expires)
	if err != nil {
		return nil, err
	}
	out := &tokenOutput{}
	out.Body.ID, out.Body.Token, out.Body.ExpiresAt = id, token, expires
	return out, nil
}

func (s *Server) deleteToken(ctx context.Context, in *tokenPath) (*struct{}, error) {
	p := PrincipalOf(ctx)
	if err := s.db.DeleteAPIToken(ctx, p.Account, in.ID); err != nil {
		return nil, err
	}
	s.RightsChanged()
	return nil, nil
}

// OnlySessions is Forbidden for an API token: what guards the account itself is for
// people who logged in.
func OnlySessions(p Principal) error {
	if !p.Session {
		return schema.Errorf(schema.Forbidden, "", "an API token cannot do this; log in with the password")
	}
	return nil
}
