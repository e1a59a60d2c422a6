package accounthttp

import (
	"context"
	"time"

	"mybeacon/engine/access"
	"mybeacon/engine/store/postgres"
	shell "mybeacon/http"
	"mybeacon/schema"
)

// OwnOrganisation is an organisation as its people see it.
type OwnOrganisation struct {
	ID        schema.OrganisationID `json:"id" format:"uuid"`
	Name      string                `json:"name"`
	Phone     string                `json:"phone"`
	TimeZone  string                `json:"time_zone" doc:"IANA name"`
	KeepDays  int                   `json:"keep_days" doc:"Retention of events in days, 65535 = for ever"`
	Products  []string              `json:"products" nullable:"false" doc:"The products that are switched on"`
	CreatedAt time.Time             `json:"created_at"`
}

func organisationShown(o postgres.Organisation) OwnOrganisation {
	return OwnOrganisation{
		ID: o.ID, Name: o.Name, Phone: o.Phone, TimeZone: o.TimeZone, KeepDays: int(o.KeepDays), Products: o.Products, CreatedAt: o.CreatedAt.UTC(),
	}
}

type ownOrganisationOutput struct{ Body OwnOrganisation }

type changeOwnInput struct {
	Body struct {
		Name     *string `json:"name,omitempty" maxLength:"200"`
		Phone    *string `json:"phone,omitempty" maxLength:"40"`
		TimeZone *string `json:"time_zone,omitempty" maxLength:"60" doc:"IANA name"`
	}
}

func (r *routes) organisation(s *shell.Server) {
	const path = "/api/v1/client/organisation"
	shell.Route(s, shell.May(access.View), op("people", "get-own-organisation", "GET", path, "Read one's own organisation"), r.getOwn)
	shell.Route(s, shell.May(access.ManageUsers), op("people", "change-own-organisation", "PATCH", path, "Change one's own organisation's name, phone or time zone"), r.changeOwn)
}

func (r *routes) getOwn(ctx context.Context, _ *struct{}) (*ownOrganisationOutput, error) {
	organisation, scope, err := own(ctx)
	if err != nil {
		return nil, err
	}
	o, err := r.DB.Organisation(ctx, scope, organisation)
	return &ownOrganisationOutput{organisationShown(o)}, err
}

func (r *routes) changeOwn(ctx context.Context, in *changeOwnInput) (*ownOrganisationOutput, error) {
	organisation, scope, err := own(ctx)
	if err != nil {
		return nil, err
	}
	err = r.DB.Change(ctx, scope, postgres.CoreTopic, func(tx postgres.Tx) error {
		before, err := postgres.LockOrganisation(ctx, tx, scope, organisation)
		if err != nil {
			return err
		}
		after := before
		if err := describe(&after, in.Body.Name, in.Body.Phone, in.Body.TimeZone); err != nil {
			return err
		}
		tx.Unrecorded("nothing changed unless it was recorded")
		return postgres.ChangeOrganisation(ctx, tx, before, after)
	})
	if err != nil {
		return nil, err
	}
	r.changed(ctx)
	return r.getOwn(ctx, nil)
}

// describe applies what was sent of an organisation.
func describe(o *postgres.Organisation, name, phone, zone *string) error {
	err := change(name, &o.Name, func(v string) (string, error) { return shell.CheckText("name", v, 1, 200) })
	if err == nil {
		err = change(phone, &o.Phone, func(v string) (string, error) { return checkPhone("phone", v) })
	}
	if err == nil {
		err = change(zone, &o.TimeZone, shell.CheckTimeZone)
	}
	return err
}
