package accounthttp

import (
	"context"
	"time"

	"mybeacon/engine/access"
	"mybeacon/engine/store/postgres"
	shell "mybeacon/http"
	"mybeacon/schema"
)

// Person is a colleague as an Owner sees him.
type Person struct {
	ID             schema.UserID         `json:"id" format:"uuid"`
	OrganisationID schema.OrganisationID `json:"organisation_id" doc:"Empty for a super-admin"`
	Organisation   string                `json:"organisation" doc:"Its name"`
	Email          string                `json:"email"`
	Name           string                `json:"name"`
	Phone          string                `json:"phone"`
	Role           string                `json:"role" doc:"owner, admin, manager, operator or viewer; empty for a super-admin"`
	SuperAdmin     bool                  `json:"super_admin"`
	ReadOnly       bool                  `json:"read_only"`
	Disabled       bool                  `json:"disabled"`
	Invited        bool                  `json:"invited" doc:"The invitation was not taken yet"`
	TOTP           bool                  `json:"totp" doc:"The second factor is on"`
	LastLogin      *time.Time            `json:"last_login" doc:"Null: never"`
	Limited        bool                  `json:"limited" doc:"To the locations; else the role decides"`
	Locations      []PersonLocation      `json:"locations" nullable:"false"`
}

// PersonLocation is a location that somebody is limited to.
type PersonLocation struct {
	ID    schema.LocationID `json:"id" format:"uuid"`
	Name  string            `json:"name"`
	Write bool              `json:"write" doc:"Else it may only be looked at"`
}

func personShown(p postgres.Person) Person {
	shown := Person{
		ID: p.ID, OrganisationID: p.Organisation, Organisation: p.OrganisationName, Email: p.Email, Name: p.Name, Phone: p.Phone,
		Role: p.Role, SuperAdmin: p.SuperAdmin, ReadOnly: p.ReadOnly, Disabled: p.Disabled, Invited: p.ConfirmedAt.IsZero(),
		TOTP: p.SecondFactor, LastLogin: optionalTime(p.LastLogin), Limited: p.Limited, Locations: locationsShown(p.Locations),
	}
	if p.SuperAdmin {
		shown.Role = ""
	}
	return shown
}

func locationsShown(found []postgres.PersonLocation) []PersonLocation {
	shown := make([]PersonLocation, len(found))
	for i, l := range found {
		shown[i] = PersonLocation(l)
	}
	return shown
}

// optionalTime is null in JSON while unset.
func optionalTime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

type personOutput struct{ Body Person }

type peopleInput struct {
	shell.PageInput
	Query string `query:"query" maxLength:"200" doc:"Part of the e-mail or the name"`
	Role  string `query:"role" enum:"owner,admin,manager,operator,viewer"`
}

type inviteInput struct {
	Body struct {
		Email     string    `json:"email" minLength:"3" maxLength:"254"`
		Name      string    `json:"name,omitempty" maxLength:"200"`
		Role      string    `json:"role" enum:"owner,admin,manager,operator,viewer"`
		ReadOnly  bool      `json:"read_only,omitempty"`
		Locations Locations `json:"locations,omitempty"`
	}
}

type changePersonInput struct {
	IDPath[schema.UserID]
	Body struct {
		Name      *string   `json:"name,omitempty" maxLength:"200"`
		Role      *string   `json:"role,omitempty" enum:"owner,admin,manager,operator,viewer"`
		ReadOnly  *bool     `json:"read_only,omitempty"`
		Disabled  *bool     `json:"disabled,omitempty"`
		Locations Locations `json:"locations,omitempty"`
	}
}

// RoleRights are the actions that a role has.
type RoleRights struct {
	Role    access.Role     `json:"role"`
	Actions []access.Action `json:"actions" nullable:"false"`
}

type rightsOutput struct {
	Body struct {
		Actions []access.Action `json:"actions" nullable:"false" doc:"In the order of the table"`
		Roles   []RoleRights    `json:"roles" nullable:"false" doc:"The mightiest first"`
	}
}

func (r *routes) people(s *shell.Server) {
	const path = "/api/v1/client/users"
	rule := shell.May(access.ManageUsers)
	shell.Route(s, rule, op("people", "list-users", "GET", path, "List the organisation's people by e-mail"), r.listPeople)
	shell.Route(s, rule, answering(op("people", "invite-user", "POST", path, "Invite a colleague by mail"), created), r.invitePerson)
	shell.Route(s, rule, op("people", "change-user", "PATCH", path+"/{id}", "Change a colleague's name, role or rights"), r.changePerson)
	shell.Route(s, rule, answering(op("people", "delete-user", "DELETE", path+"/{id}", "Remove a colleague, with his sessions, tokens and keys"), done), r.deletePerson)
	shell.Route(s, rule, answering(op("people", "repeat-invitation", "POST", path+"/{id}/invitation", "Send the invitation again; the older link ends"), accepted), r.repeatInvitation)
	shell.Route(s, shell.May(access.View), op("people", "list-rights", "GET", "/api/v1/client/rights", "Read the table of roles and what they may"), r.listRights)
}

// own returns the organisation that the caller looks after, and its scope.
func own(ctx context.Context) (schema.OrganisationID, postgres.Scope, error) {
	organisation, err := shell.PrincipalOf(ctx).Owner(schema.OrganisationID{})
	return organisation, postgres.In(organisation), err
}

func (r *routes) listPeople(ctx context.Context, in *peopleInput) (*shell.ListOutput[Person], error) {
	page, err := in.Page()
	if err != nil {
		return nil, err
	}
	_, scope, err := own(ctx)
	if err != nil {
		return nil, err
	}
	found, next, err := r.DB.People(ctx, scope, postgres.PersonFilter{Query: in.Query, Role: in.Role}, page)
	return shell.Paged(&in.PageInput, found, next, personShown), err
}

// listRights asks the function that decides, so that the table shown is the one in
// force.
func (r *routes) listRights(context.Context, *struct{}) (*rightsOutput, error) {
	out := &rightsOutput{}
	out.Body.Actions = access.Actions()
	organisation := schema.NewID[schema.OrganisationID]()
	for _, role := range access.Roles() {
		p := access.Principal{User: schema.NewID[schema.UserID](), Organisation: organisation, Role: role}
		row := RoleRights{Role: role, Actions: []access.Action{}}
		for _, a := range out.Body.Actions {
			if access.Decide(p, a, access.Object{Organisation: organisation}).Verdict == access.Allowed {
				row.Actions = append(row.Actions, a)
			}
		}
		out.Body.Roles = append(out.Body.Roles, row)
	}
	return out, nil
}
