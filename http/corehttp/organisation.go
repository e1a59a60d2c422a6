package corehttp

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"mybeacon/engine/store/postgres"
	shell "mybeacon/http"
	"mybeacon/schema"
)

// Organisation is a tenant as the super-admin sees it.
type Organisation struct {
	ID        schema.OrganisationID `json:"id" format:"uuid"`
	Name      string                `json:"name"`
	TimeZone  string                `json:"time_zone" doc:"IANA name"`
	KeepDays  int                   `json:"keep_days" doc:"Retention of events in days, 65535 = for ever"`
	Products  []string              `json:"products" nullable:"false" doc:"The products that are switched on"`
	CreatedAt time.Time             `json:"created_at"`
}

func organisationOf(o postgres.Organisation) Organisation {
	return Organisation{
		ID: o.ID, Name: o.Name, TimeZone: o.TimeZone, KeepDays: int(o.KeepDays),
		Products: o.Products, CreatedAt: o.CreatedAt.UTC(),
	}
}

type organisationOutput struct{ Body Organisation }

type organisationList struct {
	shell.PageInput
	Name string `query:"name" maxLength:"200" doc:"The whole name"`
}

type newOrganisation struct {
	Body struct {
		Name     string   `json:"name"`
		TimeZone string   `json:"time_zone,omitempty" doc:"IANA name" default:"UTC"`
		KeepDays int      `json:"keep_days,omitempty" minimum:"1" maximum:"65535" default:"365" doc:"Retention of events in days, 65535 = for ever"`
		Products []string `json:"products,omitempty" nullable:"false" maxItems:"32" pattern:"^[a-z][a-z0-9_]{1,31}$" doc:"The products to switch on"`
	}
}

func (r *routes) organisations(s *shell.Server) {
	const path = "/api/v1/admin/organisations"
	tags := []string{"organisations"}
	shell.Route(s, shell.Admins(), huma.Operation{
		OperationID: "list-organisations", Method: http.MethodGet, Path: path, Tags: tags, Summary: "List organisations by name",
	}, r.listOrganisations)
	shell.Route(s, shell.Admins(), huma.Operation{
		OperationID: "create-organisation", Method: http.MethodPost, Path: path, Tags: tags, Summary: "Create an organisation",
		DefaultStatus: http.StatusCreated,
	}, r.createOrganisation)
	shell.Route(s, shell.Admins(), huma.Operation{
		OperationID: "get-organisation", Method: http.MethodGet, Path: path + "/{id}", Tags: tags, Summary: "Read an organisation",
	}, r.getOrganisation)
}

func (r *routes) listOrganisations(ctx context.Context, in *organisationList) (*shell.ListOutput[Organisation], error) {
	page, err := in.Page()
	if err != nil {
		return nil, err
	}
	found, next, err := r.DB.Organisations(ctx, shell.PrincipalOf(ctx).Scope(), postgres.OrganisationFilter{Name: in.Name}, page)
	return shell.Paged(&in.PageInput, found, next, organisationOf), err
}

func (r *routes) getOrganisation(ctx context.Context, in *idPath[schema.OrganisationID]) (*organisationOutput, error) {
	id, err := in.parse()
	if err != nil {
		return nil, err
	}
	o, err := r.DB.Organisation(ctx, shell.PrincipalOf(ctx).Scope(), id)
	return &organisationOutput{organisationOf(o)}, err
}

func (r *routes) createOrganisation(ctx context.Context, in *newOrganisation) (*organisationOutput, error) {
	name, err := checkText("name", in.Body.Name, 1, 200)
	if err != nil {
		return nil, err
	}
	zone, err := checkTimeZone(in.Body.TimeZone)
	if err != nil {
		return nil, err
	}
	if err := r.checkProducts(in.Body.Products); err != nil {
		return nil, err
	}
	o, err := r.DB.CreateOrganisation(ctx, postgres.Organisation{
		Name: name, TimeZone: zone, KeepDays: uint16(in.Body.KeepDays), Products: in.Body.Products,
	})
	if err == nil {
		r.Changed(ctx)
	}
	return &organisationOutput{organisationOf(o)}, err
}
