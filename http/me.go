package http

import (
	"context"
	"time"

	"mybeacon/engine/access"
	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

// User is an account as its owner sees it.
type User struct {
	ID             schema.UserID         `json:"id" format:"uuid"`
	Email          string                `json:"email"`
	Name           string                `json:"name"`
	Phone          string                `json:"phone"`
	Language       string                `json:"language" enum:"ru,en"`
	SuperAdmin     bool                  `json:"super_admin"`
	Role           string                `json:"role" doc:"owner, admin, manager, operator or viewer; empty for a super-admin"`
	ReadOnly       bool                  `json:"read_only" doc:"May look but not change, whatever the role"`
	TOTP           bool                  `json:"totp" doc:"The second factor is on"`
	OrganisationID schema.OrganisationID `json:"organisation_id" doc:"Empty for a super-admin"`
}

func userOf(p postgres.Person) User {
	u := User{
		ID: p.ID, Email: p.Email, Name: p.Name, Phone: p.Phone, Language: p.Language, SuperAdmin: p.SuperAdmin,
		Role: p.Role, ReadOnly: p.ReadOnly, TOTP: p.SecondFactor, OrganisationID: p.Organisation,
	}
	if p.SuperAdmin {
		u.Role = ""
	}
	return u
}

// OrganisationRef is an organisation as its members see it.
type OrganisationRef struct {
	ID       schema.OrganisationID `json:"id" format:"uuid"`
	Name     string                `json:"name"`
	TimeZone string                `json:"time_zone"`
	Phone    string                `json:"phone"`
}

// Grant is the right to one location.
type Grant struct {
	ID    schema.LocationID `json:"id" format:"uuid"`
	Write bool              `json:"write" doc:"Else it may only be looked at"`
}

// Rights are what the caller may now.
type Rights struct {
	Actions    []access.Action `json:"actions" nullable:"false" doc:"What of the table of rights is allowed, as far as no location decides"`
	Everywhere bool            `json:"everywhere" doc:"At all locations; else at these only"`
	Locations  []Grant         `json:"locations" nullable:"false"`
}

// Acting says inside which organisation a super-admin acts.
type Acting struct {
	OrganisationID schema.OrganisationID `json:"organisation_id" format:"uuid"`
	Organisation   string                `json:"organisation"`
	Reason         string                `json:"reason"`
	Since          time.Time             `json:"since"`
}

// Me is who the caller is and what he may.
type Me struct {
	User         User             `json:"user"`
	Organisation *OrganisationRef `json:"organisation,omitempty" doc:"The one he acts in; missing for a super-admin who acts in none"`
	Products     []string         `json:"products" nullable:"false" doc:"The products that are switched on; all for a super-admin"`
	Rights       Rights           `json:"rights"`
	Acting       *Acting          `json:"acting,omitempty" doc:"A super-admin's switch"`
	Activated    bool             `json:"activated" doc:"False while no product was switched on yet"`
}

// MeOutput is the answer of who the caller is.
type MeOutput struct{ Body Me }

func (s *Server) me(ctx context.Context, _ *struct{}) (*MeOutput, error) {
	me, err := s.Me(ctx, PrincipalOf(ctx))
	return &MeOutput{Body: me}, err
}

// Me returns who the principal is and what he may.
func (s *Server) Me(ctx context.Context, p Principal) (Me, error) {
	person, err := s.db.Person(ctx, postgres.AllOrganisations(), p.ID)
	if err != nil {
		return Me{}, err
	}
	me := Me{User: userOf(person), Products: p.Products, Rights: rightsOf(p.Rights), Activated: p.SuperAdmin || len(p.Products) > 0}
	if p.SuperAdmin {
		me.Products = s.Products()
	}
	if p.Rights.Organisation.IsZero() {
		return me, nil
	}
	o, err := s.db.Organisation(ctx, postgres.In(p.Rights.Organisation), p.Rights.Organisation)
	if err != nil {
		return Me{}, err
	}
	me.Organisation = &OrganisationRef{ID: o.ID, Name: o.Name, TimeZone: o.TimeZone, Phone: o.Phone}
	if p.SuperAdmin {
		me.Acting = &Acting{OrganisationID: o.ID, Organisation: o.Name, Reason: p.Reason, Since: p.Since.UTC()}
	}
	return me, nil
}

func rightsOf(p access.Principal) Rights {
	r := Rights{Actions: []access.Action{}, Everywhere: p.Everywhere(), Locations: []Grant{}}
	actions := access.Actions()
	if p.SuperAdmin {
		actions = append(actions, access.OpenTerminal, access.Administer)
	}
	for _, a := range actions {
		if access.Decide(p, a, access.Object{Organisation: p.Organisation}).Verdict == access.Allowed {
			r.Actions = append(r.Actions, a)
		}
	}
	if !r.Everywhere {
		for _, g := range p.Grants {
			r.Locations = append(r.Locations, Grant{ID: g.Location, Write: g.Write})
		}
	}
	return r
}
