package corehttp

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

// Location is a site of an organisation.
type Location struct {
	ID               schema.LocationID     `json:"id" format:"uuid"`
	OrganisationID   schema.OrganisationID `json:"organisation_id" format:"uuid"`
	OrganisationName string                `json:"organisation_name"`
	Name             string                `json:"name"`
	Address          string                `json:"address"`
	TimeZone         string                `json:"time_zone" doc:"IANA name"`
	Plans            []schema.PlanRef      `json:"plans" nullable:"false" doc:"By level and name"`
	CreatedAt        time.Time             `json:"created_at"`
}

type locationOutput struct{ Body Location }

type locationList struct {
	shell.PageInput
	OrganisationID schema.OrganisationID `query:"organisation_id" format:"uuid"`
	Name           string                `query:"name" maxLength:"200" doc:"The whole name"`
}

type newLocation struct {
	Body struct {
		OrganisationID schema.OrganisationID `json:"organisation_id,omitempty" format:"uuid" doc:"Required of a super-admin"`
		Name           string                `json:"name"`
		Address        string                `json:"address,omitempty"`
		TimeZone       string                `json:"time_zone,omitempty" doc:"IANA name" default:"UTC"`
	}
}

type locationPatch struct {
	ID   string `path:"id" format:"uuid"`
	Body struct {
		Name     *string `json:"name,omitempty"`
		Address  *string `json:"address,omitempty"`
		TimeZone *string `json:"time_zone,omitempty" doc:"IANA name"`
	}
}

type locationRemoval struct {
	ID   string `path:"id" format:"uuid"`
	With string `query:"with" enum:"plans" doc:"Delete the location's plans too, with their receivers' places, zones and surveys; without it a location with plans is refused"`
}

func (r *routes) locations(s *shell.Server) {
	const path = "/api/v1/client/locations"
	tags := []string{"locations"}
	shell.Route(s, shell.May(access.Watch), huma.Operation{
		OperationID: "get-location", Method: http.MethodGet, Path: path + "/{id}", Tags: tags, Summary: "Read a location",
	}, r.getLocation)
	shell.Route(s, shell.May(access.EditPlans), huma.Operation{
		OperationID: "change-location", Method: http.MethodPatch, Path: path + "/{id}", Tags: tags, Summary: "Change a location; what is left out stays",
	}, r.changeLocation)
	shell.Route(s, shell.May(access.EditPlans), huma.Operation{
		OperationID: "delete-location", Method: http.MethodDelete, Path: path + "/{id}", Tags: tags, Summary: "Delete a location",
		Description:   "Its devices stay in the organisation, at no location. What was stored of what they heard stays in the warehouse until its time.",
		DefaultStatus: http.StatusNoContent,
	}, r.removeLocation)
	shell.Route(s, shell.May(access.Watch), huma.Operation{
		OperationID: "list-locations", Method: http.MethodGet, Path: path, Tags: tags, Summary: "List locations by name",
	}, r.listLocations)
	shell.Route(s, shell.May(access.EditPlans), huma.Operation{
		OperationID: "create-location", Method: http.MethodPost, Path: path, Tags: tags, Summary: "Create a location",
		DefaultStatus: http.StatusCreated,
	}, r.createLocation)
}

func (r *routes) listLocations(ctx context.Context, in *locationList) (*shell.ListOutput[Location], error) {
	page, err := in.Page()
	if err != nil {
		return nil, err
	}
	scope, err := shell.PrincipalOf(ctx).Within(in.OrganisationID)
	if err != nil {
		return nil, err
	}
	found, next, err := r.DB.Locations(ctx, scope, postgres.LocationFilter{Name: in.Name}, page)
	if err != nil {
		return nil, err
	}
	ids := make([]schema.LocationID, len(found))
	for i, l := range found {
		ids[i] = l.ID
	}
	plans, err := r.Plans.PlansOf(ctx, scope, ids)
	if err != nil {
		return nil, err
	}
	return shell.Paged(&in.PageInput, found, next, func(l postgres.Location) Location { return locationOf(l, plans[l.ID]) }), nil
}

func (r *routes) createLocation(ctx context.Context, in *newLocation) (*locationOutput, error) {
	p := shell.PrincipalOf(ctx)
	organisation, err := p.Owner(in.Body.OrganisationID)
	if err != nil {
		return nil, err
	}
	if !p.Rights.Everywhere() {
		return nil, schema.Errorf(schema.Forbidden, "", "you are limited to some locations and could not see a new one; ask an Owner or Admin")
	}
	l := postgres.Location{}
	if l.Name, err = shell.CheckText("name", in.Body.Name, 1, 200); err != nil {
		return nil, err
	}
	if l.Address, err = shell.CheckText("address", in.Body.Address, 0, 500); err != nil {
		return nil, err
	}
	if l.TimeZone, err = shell.CheckTimeZone(in.Body.TimeZone); err != nil {
		return nil, err
	}
	l, err = r.DB.CreateLocation(ctx, organisation, l)
	if err != nil {
		return nil, err
	}
	r.Changed(ctx)
	return &locationOutput{locationOf(l, nil)}, nil
}

func (r *routes) getLocation(ctx context.Context, in *idPath[schema.LocationID]) (*locationOutput, error) {
	id, err := in.parse()
	if err != nil {
		return nil, err
	}
	scope := shell.PrincipalOf(ctx).Scope()
	l, err := r.DB.Location(ctx, scope, id)
	if err != nil {
		return nil, err
	}
	return r.withPlans(ctx, scope, l)
}

func (r *routes) withPlans(ctx context.Context, scope postgres.Scope, l postgres.Location) (*locationOutput, error) {
	plans, err := r.Plans.PlansOf(ctx, scope, []schema.LocationID{l.ID})
	return &locationOutput{locationOf(l, plans[l.ID])}, err
}

func (r *routes) changeLocation(ctx context.Context, in *locationPatch) (*locationOutput, error) {
	id, err := shell.ParseID[schema.LocationID](in.ID)
	if err != nil {
		return nil, err
	}
	scope := shell.PrincipalOf(ctx).Scope()
	l, err := r.DB.ChangeLocation(ctx, scope, id, in.apply)
	if err != nil {
		return nil, err
	}
	r.Changed(ctx)
	return r.withPlans(ctx, scope, l)
}

func (in *locationPatch) apply(l *postgres.Location) (err error) {
	if in.Body.Name != nil {
		if l.Name, err = shell.CheckText("name", *in.Body.Name, 1, 200); err != nil {
			return err
		}
	}
	if in.Body.Address != nil {
		if l.Address, err = shell.CheckText("address", *in.Body.Address, 0, 500); err != nil {
			return err
		}
	}
	if in.Body.TimeZone != nil {
		l.TimeZone, err = shell.CheckTimeZone(*in.Body.TimeZone)
	}
	return err
}

func (r *routes) removeLocation(ctx context.Context, in *locationRemoval) (*struct{}, error) {
	id, err := shell.ParseID[schema.LocationID](in.ID)
	if err != nil {
		return nil, err
	}
	scope := shell.PrincipalOf(ctx).Scope()
	may := func(ctx context.Context, l postgres.Location) error {
		plans, err := r.Plans.PlansOf(ctx, scope, []schema.LocationID{id})
		if n := len(plans[id]); err == nil && n > 0 && in.With != "plans" {
			err = schema.Errorf(schema.Conflict, "with", "the location has %d plans, such as %q; delete them first, or with it by ?with=plans", n, plans[id][0].Name)
		}
		return err
	}
	if err := r.DB.RemoveLocation(ctx, scope, id, may); err != nil {
		return nil, err
	}
	r.Changed(ctx)
	if r.PlansGone != nil {
		r.PlansGone(ctx)
	}
	return nil, nil
}

func locationOf(l postgres.Location, plans []schema.PlanRef) Location {
	if plans == nil {
		plans = []schema.PlanRef{}
	}
	return Location{
		ID: l.ID, OrganisationID: l.Organisation, OrganisationName: l.OrganisationName,
		Name: l.Name, Address: l.Address, TimeZone: l.TimeZone, Plans: plans, CreatedAt: l.CreatedAt.UTC(),
	}
}
