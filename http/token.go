package http

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

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

func (s *Server) registerTokens() {
	Route(s, SignedIn(), huma.Operation{
		OperationID: "create-api-token", Method: http.MethodPost, Path: "/api/v1/auth/tokens", Tags: []string{"auth"},
		Summary: "Make an API token of one's own account", DefaultStatus: http.StatusCreated,
	}, s.createToken)
}

// createToken is for people only: a leaked token must not be able to outlive
// its expiry by making its own successor.
func (s *Server) createToken(ctx context.Context, in *tokenInput) (*tokenOutput, error) {
	p := PrincipalOf(ctx)
	if !p.Session {
		return nil, schema.Errorf(schema.Forbidden, "", "an API token cannot make tokens; log in with the password")
	}
	token := postgres.NewSecret(postgres.APITokenPrefix)
	expires := time.Now().Add(time.Duration(in.Body.ExpiresInDays) * 24 * time.Hour).UTC().Truncate(time.Second)
	id, err := s.db.CreateAPIToken(ctx, p.Account, in.Body.Name, token, expires)
	if err != nil {
		return nil, err
	}
	out := &tokenOutput{}
	out.Body.ID, out.Body.Token, out.Body.ExpiresAt = id, token, expires
	return out, nil
}
