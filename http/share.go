package http

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

type shareInput struct {
	Body struct {
		Token string `json:"token" minLength:"1" maxLength:"100" doc:"What stands after # in the link"`
	}
}

type shareOutput struct {
	Cache string `header:"Cache-Control"`
	Body  struct {
		Session  string `json:"session" doc:"Send it as Authorization: Bearer …; it may look at one location's live map and ends with the link"`
		Location struct {
			ID       schema.LocationID `json:"id" format:"uuid"`
			Name     string            `json:"name"`
			TimeZone string            `json:"time_zone" doc:"IANA name"`
		} `json:"location"`
		Plan      *schema.PlanID `json:"plan" format:"uuid" doc:"To open first; null: any"`
		Names     bool           `json:"names" doc:"Whether tags are called by their names"`
		ExpiresAt time.Time      `json:"expires_at"`
	}
}

func (s *Server) registerShares() {
	Route(s, Public(), huma.Operation{
		OperationID: "open-share", Method: http.MethodPost, Path: "/api/v1/auth/share", Tags: []string{"auth"},
		Summary: "Open a link to a live map",
		Description: "No cookie is set and none is looked at: who is logged in stays so. A link that has ended is a 403 about token, whose value says how: " +
			"expired or revoked. A browser that stays away for a day comes by the link again.",
	}, s.openShare)
}

// openShare counts guesses like those of other links; a link that is known to have
// ended is no guess.
func (s *Server) openShare(ctx context.Context, in *shareInput) (*shareOutput, error) {
	unknown := schema.Errorf(schema.NotFound, "token", "there is no such link; look whether all of it was copied")
	out := &shareOutput{Cache: "no-store"}
	err := s.AttemptLink(ctx, func(ctx context.Context) error {
		if !postgres.IsSecret(postgres.ShareTokenPrefix, in.Body.Token) {
			return unknown
		}
		if err := s.opens.take(s.now(), addressKeyOf(ctx)); err != nil {
			return err
		}
		x, session, err := s.db.OpenShare(ctx, in.Body.Token, s.now())
		if err != nil {
			s.opens.refund(addressKeyOf(ctx)) // it was not opened
		}
		if schema.KindOf(err) == schema.NotFound {
			return unknown
		}
		if err != nil {
			return err
		}
		b := &out.Body
		b.Session, b.Names, b.ExpiresAt = session, x.Names, x.ExpiresAt.UTC()
		b.Location.ID, b.Location.Name, b.Location.TimeZone = x.Location, x.LocationName, x.TimeZone
		if !x.Plan.IsZero() {
			b.Plan = &x.Plan
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}
