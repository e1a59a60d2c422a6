package accounthttp

import (
	"context"
	"crypto/rand"
	"slices"
	"strings"

	"mybeacon/engine/access"
	"mybeacon/engine/mail"
	"mybeacon/engine/store/postgres"
	shell "mybeacon/http"
	"mybeacon/schema"
)

// Organisation is a tenant as the super-admin sees it.
type Organisation struct {
	OwnOrganisation
	Email   string `json:"email" doc:"Of its first Owner; empty while it has none"`
	Pending bool   `json:"pending" doc:"No product is switched on"`
	Devices int    `json:"devices"`
	Users   int    `json:"users"`
}

func customerShown(c postgres.Customer) Organisation {
	return Organisation{OwnOrganisation: organisationShown(c.Organisation), Email: c.Email, Pending: c.Pending(), Devices: c.Devices, Users: c.Users}
}

// defaultKeepDays is the retention of events unless the super-admin says otherwise.
const defaultKeepDays = 365

type organisationOutput struct{ Body Organisation }

type organisationsInput struct {
	shell.PageInput
	Name    string `query:"name" maxLength:"200" doc:"The whole name"`
	Query   string `query:"query" maxLength:"200" doc:"Part of the name, the phone or an Owner's e-mail"`
	Pending bool   `query:"pending" doc:"Only those without any product"`
}

type newOrganisationInput struct {
	Body struct {
		Name     string   `json:"name"`
		Email    string   `json:"email,omitempty" maxLength:"254" doc:"Of its first Owner, who gets a mail; none is made without"`
		Phone    string   `json:"phone,omitempty" maxLength:"40"`
		Language string   `json:"language,omitempty" enum:"ru,en" default:"ru" doc:"Of mails to the Owner"`
		Password string   `json:"password,omitempty" enum:"link,mail" default:"link" doc:"The mail has a link that sets a password, or a generated password itself"`
		TimeZone string   `json:"time_zone,omitempty" doc:"IANA name" default:"UTC"`
		KeepDays int      `json:"keep_days,omitempty" minimum:"1" maximum:"65535" default:"365" doc:"Retention of events in days, 65535 = for ever"`
		Products []string `json:"products,omitempty" nullable:"false" maxItems:"32" pattern:"^[a-z][a-z0-9_]{1,31}$" doc:"The products to switch on"`
	}
}

type changeOrganisationInput struct {
	IDPath[schema.OrganisationID]
	Body struct {
		Name     *string   `json:"name,omitempty" maxLength:"200"`
		Phone    *string   `json:"phone,omitempty" maxLength:"40"`
		TimeZone *string   `json:"time_zone,omitempty" maxLength:"60" doc:"IANA name"`
		KeepDays *int      `json:"keep_days,omitempty" minimum:"1" maximum:"65535" doc:"Retention of events in days, 65535 = for ever"`
		Products *[]string `json:"products,omitempty" nullable:"false" maxItems:"32" pattern:"^[a-z][a-z0-9_]{1,31}$" doc:"All that are to be on"`
	}
}

// Product is one of all products there are.
type Product struct {
	ID string `json:"id"`
}

type productsOutput struct{ Body []Product }

func (r *routes) organisations(s *shell.Server) {
	const path = "/api/v1/admin/organisations"
	shell.Route(s, shell.Admins(), op("organisations", "list-organisations", "GET", path, "List organisations by name"), r.listOrganisations)
	shell.Route(s, shell.Admins(), answering(op("organisations", "create-organisation", "POST", path, "Create an organisation, with its first Owner"), created), r.createOrganisation)
	shell.Route(s, shell.Admins(), op("organisations", "get-organisation", "GET", path+"/{id}", "Read an organisation"), r.getOrganisation)
	shell.Route(s, shell.Admins(), op("organisations", "change-organisation", "PATCH", path+"/{id}", "Change an organisation; switching products on sends its Owners a mail"), r.changeOrganisation)
	shell.Route(s, shell.Admins(), op("organisations", "list-products", "GET", "/api/v1/admin/products", "List the products there are"), r.listProducts)
}

func (r *routes) listProducts(context.Context, *struct{}) (*productsOutput, error) {
	out := &productsOutput{Body: []Product{}}
	for _, id := range r.shell.Products() {
		out.Body = append(out.Body, Product{id})
	}
	return out, nil
}

func (r *routes) listOrganisations(ctx context.Context, in *organisationsInput) (*shell.ListOutput[Organisation], error) {
	page, err := in.Page()
	if err != nil {
		return nil, err
	}
	found, next, err := r.DB.Customers(ctx, postgres.OrganisationFilter{Name: in.Name, Query: in.Query, Pending: in.Pending}, page)
	return shell.Paged(&in.PageInput, found, next, customerShown), err
}

func (r *routes) getOrganisation(ctx context.Context, in *IDPath[schema.OrganisationID]) (*organisationOutput, error) {
	id, err := in.parse()
	if err != nil {
		return nil, err
	}
	c, err := r.DB.Customer(ctx, id)
	return &organisationOutput{customerShown(c)}, err
}

func (r *routes) createOrganisation(ctx context.Context, in *newOrganisationInput) (*organisationOutput, error) {
	o := postgres.Organisation{ID: schema.NewID[schema.OrganisationID](), KeepDays: uint16(in.Body.KeepDays)}
	err := describe(&o, &in.Body.Name, &in.Body.Phone, &in.Body.TimeZone)
	if err == nil {
		o.Products, err = r.checkProducts(in.Body.Products)
	}
	email := strings.TrimSpace(in.Body.Email)
	if err == nil && email != "" {
		err = shell.CheckEmail(email)
	}
	if err != nil {
		return nil, err
	}
	owner := postgres.Person{
		ID: schema.NewID[schema.UserID](), Organisation: o.ID, Email: email, Phone: o.Phone, Language: in.Body.Language,
		Role: string(access.Owner), InvitedAt: r.shell.Now(),
	}
	first, err := r.firstPassword(ctx, &owner, in.Body.Password == "mail")
	if err != nil {
		return nil, err
	}
	err = r.DB.Change(ctx, postgres.AllOrganisations(), postgres.CoreTopic, func(tx postgres.Tx) error {
		if err := postgres.InsertOrganisation(ctx, tx, o); err != nil || email == "" {
			return err
		}
		return r.insertOwner(ctx, tx, owner, o, first)
	})
	if err != nil {
		return nil, err
	}
	r.changed(ctx)
	return r.getOrganisation(ctx, &IDPath[schema.OrganisationID]{ID: o.ID.String()})
}

// generated is a password that the server made up; the zero value is none.
type generated struct{ password, hash string }

// firstPassword makes up a password where one is to be sent. Only the mail has it, so
// who logs in with it has proven his e-mail.
func (r *routes) firstPassword(ctx context.Context, owner *postgres.Person, byMail bool) (generated, error) {
	if !byMail || owner.Email == "" {
		return generated{}, nil
	}
	owner.ConfirmedAt = r.shell.Now()
	g := generated{password: rand.Text()}
	var err error
	g.hash, err = r.shell.Passwords().Hash(ctx, g.password)
	return g, err
}

func (r *routes) insertOwner(ctx context.Context, tx postgres.Tx, owner postgres.Person, o postgres.Organisation, first generated) error {
	if err := postgres.InsertPerson(ctx, tx, owner, first.hash); err != nil {
		return err
	}
	m := mail.Message{Template: mail.FirstPassword, Data: map[string]string{"organisation": o.Name, "products": strings.Join(o.Products, ", ")}}
	if first.password != "" {
		m.Data["password"], m.Link = first.password, "/login"
		return r.send(ctx, tx, owner, m)
	}
	token, expires, err := r.link(ctx, tx, owner, postgres.LinkInvitation, mail.FirstPassword)
	if err != nil {
		return err
	}
	m.Link, m.Expires = "/invitation#"+token, expires
	return r.send(ctx, tx, owner, m)
}

func (r *routes) changeOrganisation(ctx context.Context, in *changeOrganisationInput) (*organisationOutput, error) {
	id, err := in.parse()
	if err != nil {
		return nil, err
	}
	err = r.DB.Change(ctx, postgres.AllOrganisations(), postgres.CoreTopic, func(tx postgres.Tx) error {
		before, err := postgres.LockOrganisation(ctx, tx, postgres.AllOrganisations(), id)
		if err != nil {
			return err
		}
		after, err := r.apply(in, before)
		if err != nil {
			return err
		}
		tx.Unrecorded("nothing changed unless it was recorded")
		if err := postgres.ChangeOrganisation(ctx, tx, before, after); err != nil {
			return err
		}
		return r.tellActivated(ctx, tx, before, after)
	})
	if err != nil {
		return nil, err
	}
	r.changed(ctx)
	return r.getOrganisation(ctx, &in.IDPath)
}

func (r *routes) apply(in *changeOrganisationInput, o postgres.Organisation) (postgres.Organisation, error) {
	err := describe(&o, in.Body.Name, in.Body.Phone, in.Body.TimeZone)
	if in.Body.KeepDays != nil {
		o.KeepDays = uint16(*in.Body.KeepDays)
	}
	if err == nil && in.Body.Products != nil {
		o.Products, err = r.checkProducts(*in.Body.Products)
	}
	return o, err
}

// tellActivated tells the Owners which products were switched on; those that were on
// before are not told of again.
func (r *routes) tellActivated(ctx context.Context, tx postgres.Tx, before, after postgres.Organisation) error {
	added := slices.DeleteFunc(slices.Clone(after.Products), func(id string) bool { return slices.Contains(before.Products, id) })
	if len(added) == 0 {
		return nil
	}
	owners, err := postgres.OwnersIn(ctx, tx, after.ID, maxTold)
	if err != nil {
		return err
	}
	for _, owner := range owners {
		data := map[string]string{"organisation": after.Name, "products": strings.Join(added, ", ")}
		if err := r.send(ctx, tx, owner, mail.Message{Template: mail.Activated, Link: "/", Data: data}); err != nil {
			return err
		}
	}
	return nil
}
