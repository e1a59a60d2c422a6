package accounthttp

import (
	"context"

	"mybeacon/engine/store/postgres"
	shell "mybeacon/http"
	"mybeacon/schema"
)

type organisationPeopleInput struct {
	shell.PageInput
	IDPath[schema.OrganisationID]
	Query string `query:"query" maxLength:"200" doc:"Part of the e-mail or the name"`
}

type usersInput struct {
	shell.PageInput
	Query string `query:"query" maxLength:"200" doc:"Part of the e-mail or the name"`
}

type changeUserInput struct {
	IDPath[schema.UserID]
	Body struct {
		Disabled *bool `json:"disabled,omitempty"`
	}
}

func (r *routes) users(s *shell.Server) {
	const path = "/api/v1/admin/users"
	shell.Route(s, shell.Admins(), op("organisations", "list-organisation-users", "GET", "/api/v1/admin/organisations/{id}/users", "List an organisation's people by e-mail"), r.listOrganisationPeople)
	shell.Route(s, shell.Admins(), op("organisations", "list-all-users", "GET", path, "List all people by e-mail"), r.listUsers)
	shell.Route(s, shell.Admins(), op("organisations", "change-any-user", "PATCH", path+"/{id}", "Disable an account, which ends all it opened, or enable it again"), r.changeUser)
	shell.Route(s, shell.Admins(), answering(op("organisations", "reset-any-user", "POST", path+"/{id}/reset", "Send a link that sets a new password"), accepted), r.resetUser)
}

func (r *routes) listOrganisationPeople(ctx context.Context, in *organisationPeopleInput) (*shell.ListOutput[Person], error) {
	id, err := in.parse()
	if err == nil {
		_, err = r.DB.Organisation(ctx, postgres.In(id), id)
	}
	if err != nil {
		return nil, err
	}
	return r.listAll(ctx, &in.PageInput, postgres.In(id), in.Query)
}

func (r *routes) listUsers(ctx context.Context, in *usersInput) (*shell.ListOutput[Person], error) {
	return r.listAll(ctx, &in.PageInput, postgres.AllOrganisations(), in.Query)
}

func (r *routes) listAll(ctx context.Context, in *shell.PageInput, scope postgres.Scope, query string) (*shell.ListOutput[Person], error) {
	page, err := in.Page()
	if err != nil {
		return nil, err
	}
	found, next, err := r.DB.People(ctx, scope, postgres.PersonFilter{Query: query}, page)
	return shell.Paged(in, found, next, personShown), err
}

// overAny runs do about a person of any organisation, while nobody else changes its
// people.
func (r *routes) overAny(ctx context.Context, path IDPath[schema.UserID], do func(postgres.Tx, postgres.Person) error) error {
	id, err := path.parse()
	if err != nil {
		return err
	}
	return r.DB.Change(ctx, postgres.AllOrganisations(), postgres.CoreTopic, func(tx postgres.Tx) error {
		p, err := postgres.PersonIn(ctx, tx, postgres.AllOrganisations(), id)
		if err != nil {
			return err
		}
		if err := postgres.LockPeople(ctx, tx, p.Organisation); err != nil {
			return err
		}
		if p, err = postgres.PersonIn(ctx, tx, postgres.AllOrganisations(), id); err != nil {
			return err
		}
		return do(tx, p)
	})
}

func (r *routes) changeUser(ctx context.Context, in *changeUserInput) (*personOutput, error) {
	var after postgres.Person
	err := r.overAny(ctx, in.IDPath, func(tx postgres.Tx, before postgres.Person) error {
		after = before
		if in.Body.Disabled != nil {
			after.Disabled = *in.Body.Disabled
		}
		tx.Unrecorded("nothing changed unless it was recorded")
		return postgres.ChangePerson(ctx, tx, before, after)
	})
	r.changed(ctx)
	return &personOutput{personShown(after)}, err
}

func (r *routes) resetUser(ctx context.Context, in *IDPath[schema.UserID]) (*struct{}, error) {
	return nil, r.overAny(ctx, *in, func(tx postgres.Tx, p postgres.Person) error {
		if p.Disabled {
			return schema.Errorf(schema.Conflict, "", "the account is disabled; enable it first")
		}
		postgres.NoteReset(tx, p)
		return r.sendReset(ctx, tx, p, p.Email)
	})
}
