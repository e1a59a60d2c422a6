package blehttp

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"mybeacon/engine/access"
	"mybeacon/engine/store/postgres"
	shell "mybeacon/http"
	"mybeacon/schema"
)

// Share is a link to the live map of one location, for somebody without an account.
type Share struct {
	ID             postgres.ShareID      `json:"id" format:"uuid"`
	OrganisationID schema.OrganisationID `json:"organisation_id" format:"uuid"`
	Location       schema.LocationID     `json:"location" format:"uuid"`
	LocationName   string                `json:"location_name"`
	Plan           *schema.PlanID        `json:"plan" format:"uuid" doc:"Which the page opens first; null: any"`
	Names          bool                  `json:"names" doc:"Whether tags are called by their names"`
	CreatedBy      string                `json:"created_by" doc:"E-mail of who made it; it ends with his account and his rights"`
	CreatedAt      time.Time             `json:"created_at"`
	ExpiresAt      time.Time             `json:"expires_at"`
	Sessions       int                   `json:"sessions" doc:"Browsers that looked within a day"`
	LastSeen       *time.Time            `json:"last_seen" doc:"To the minute; null: nobody looked within a day"`
	URL            string                `json:"url,omitempty" doc:"The link from the server's root on; it is shown once, when it is made"`
}

func shareOf(x postgres.Share) Share {
	out := Share{
		ID: x.ID, OrganisationID: x.Organisation, Location: x.Location, LocationName: x.LocationName, Names: x.Names,
		CreatedBy: x.CreatedByEmail, CreatedAt: x.CreatedAt.UTC(), ExpiresAt: x.ExpiresAt.UTC(), Sessions: x.Sessions,
	}
	if !x.Plan.IsZero() {
		out.Plan = &x.Plan
	}
	if !x.LastSeen.IsZero() {
		seen := x.LastSeen.UTC()
		out.LastSeen = &seen
	}
	return out
}

type shareList struct {
	shell.PageInput
	OrganisationID schema.OrganisationID `query:"organisation_id" format:"uuid"`
	Location       schema.LocationID     `query:"location" format:"uuid"`
}

type newShare struct {
	Body struct {
		Location       schema.LocationID `json:"location" format:"uuid"`
		Plan           schema.PlanID     `json:"plan,omitempty" format:"uuid" doc:"Of the location: which the page opens first"`
		ExpiresInHours int               `json:"expires_in_hours" minimum:"1" maximum:"720" doc:"1 hour to 30 days"`
		Names          bool              `json:"names,omitempty" doc:"Call tags by their names, for which the right to export is needed; else they are numbered and called by no id that another link or the console knows"`
	}
}

type shareOutput struct{ Body Share }

// SharePath names a link.
type SharePath struct {
	ID string `path:"id" format:"uuid" doc:"The link"`
}

// shares are the routes of links to live maps.
type shares struct {
	*routes
	shell *shell.Server
}

func (r *routes) shares(s *shell.Server) {
	const path = root + "/shares"
	x := &shares{r, s}
	tags := []string{"ble shares"}
	shell.Route(s, r.planner, huma.Operation{
		OperationID: "list-ble-shares", Method: http.MethodGet, Path: path, Tags: tags,
		Summary: "List the links to live maps that have not ended, the oldest first",
	}, x.list)
	shell.Route(s, r.planner, huma.Operation{
		OperationID: "create-ble-share", Method: http.MethodPost, Path: path, Tags: tags, Summary: "Make a link to a location's live map",
		Description:   "Who has the link sees the location's plans and who is on them now, and nothing else. It never shows more than who made it may see at the moment, and ends with his account.",
		DefaultStatus: http.StatusCreated,
	}, x.create)
	shell.Route(s, r.planner, huma.Operation{
		OperationID: "delete-ble-share", Method: http.MethodDelete, Path: path + "/{id}", Tags: tags,
		Summary: "Revoke a link; who looks by it sees no more within seconds", DefaultStatus: http.StatusNoContent,
	}, x.revoke)
}

func (r *shares) list(ctx context.Context, in *shareList) (*shell.ListOutput[Share], error) {
	page, err := in.Page()
	if err != nil {
		return nil, err
	}
	scope, err := shell.PrincipalOf(ctx).Within(in.OrganisationID)
	if err != nil {
		return nil, err
	}
	if !in.Location.IsZero() {
		if _, err := r.shell.DB().Location(ctx, scope, in.Location); err != nil {
			return nil, err
		}
	}
	found, next, err := r.shell.DB().Shares(ctx, scope, r.module.ID(), in.Location, r.shell.Now(), page)
	return shell.Paged(&in.PageInput, found, next, shareOf), err
}

// create is for people only: a leaked key must not be able to leave a link behind.
func (r *shares) create(ctx context.Context, in *newShare) (*shareOutput, error) {
	p, b := shell.PrincipalOf(ctx), &in.Body
	if p.Rights.Key {
		return nil, schema.Errorf(schema.Forbidden, "", "an API key cannot make links; log in")
	}
	at, err := r.shell.DB().Location(ctx, p.Scope(), b.Location)
	if err != nil {
		return nil, err
	}
	object := access.Object{Organisation: at.Organisation, Location: at.ID, Product: r.module.ID()}
	if err := p.Decide(access.EditPlans, object); err != nil {
		return nil, err
	}
	if b.Names && p.Decide(access.Export, object) != nil {
		return nil, schema.Errorf(schema.Forbidden, "names", "must be false: names would leave the system, which needs the right to export")
	}
	if err := r.hasPlan(ctx, p, at.ID, b.Plan); err != nil {
		return nil, err
	}
	now := r.shell.Now().UTC().Truncate(time.Second)
	x := postgres.Share{
		ID: schema.NewID[postgres.ShareID](), Organisation: at.Organisation, Product: r.module.ID(), Location: at.ID, LocationName: at.Name,
		Plan: b.Plan, Names: b.Names, CreatedBy: p.ID, CreatedAt: now, ExpiresAt: now.Add(time.Duration(b.ExpiresInHours) * time.Hour),
	}
	if p.Rights.SuperAdmin { // the link must not outlive what he gave a reason for
		x.ExpiresAt = sooner(x.ExpiresAt, p.Since.Add(postgres.ActingLife).UTC().Truncate(time.Second))
	}
	secret := postgres.NewSecret(postgres.ShareTokenPrefix)
	if x, err = r.shell.DB().CreateShare(ctx, x, secret); err != nil {
		return nil, err
	}
	out := &shareOutput{shareOf(x)}
	out.Body.URL = "/shared#" + secret
	return out, nil
}

func sooner(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// hasPlan is NotFound for a plan that is not the location's; the zero plan is any.
func (r *shares) hasPlan(ctx context.Context, p shell.Principal, location schema.LocationID, plan schema.PlanID) error {
	if plan.IsZero() {
		return nil
	}
	d, err := r.module.Drawing(ctx, p.Scope(), plan)
	if err == nil && d.Plan.Location != location {
		err = schema.Errorf(schema.NotFound, "plan", "the location has no such plan")
	}
	return err
}

func (r *shares) revoke(ctx context.Context, in *SharePath) (*struct{}, error) {
	id, err := shell.ParseID[postgres.ShareID](in.ID)
	if err != nil {
		return nil, err
	}
	err = r.shell.DB().RevokeShare(ctx, shell.PrincipalOf(ctx).Scope(), r.module.ID(), id, r.shell.Now().UTC())
	r.shell.RightsChanged() // also after an error, whose change may have been made
	return nil, err
}
