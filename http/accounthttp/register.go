package accounthttp

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"mybeacon/engine/access"
	"mybeacon/engine/audit"
	"mybeacon/engine/mail"
	"mybeacon/engine/store/postgres"
	shell "mybeacon/http"
	"mybeacon/schema"
)

// Mailer stores a mail with the change of the transaction.
type Mailer interface {
	Send(context.Context, postgres.Tx, mail.Message) error
}

// Config is what the routes need besides the shell.
type Config struct {
	DB   *postgres.DB
	Mail Mailer
	// Changed is called after organisations or people changed and before the answer. It
	// must not fail; nil does nothing.
	Changed func(context.Context)
}

type routes struct {
	Config
	shell *shell.Server
}

// Register adds the routes to the server.
func Register(s *shell.Server, cfg Config) {
	r := &routes{cfg, s}
	r.registration(s)
	r.links(s)
	r.profile(s)
	r.sessions(s)
	r.factor(s)
	r.acting(s)
	r.people(s)
	r.keys(s)
	r.organisation(s)
	r.organisations(s)
	r.users(s)
}

// changed tells all who believe in rights that they may be others now.
func (r *routes) changed(ctx context.Context) {
	r.shell.RightsChanged()
	if r.Changed != nil {
		r.Changed(ctx)
	}
}

// as returns the context in which the person acts, who proved himself by a link.
func as(ctx context.Context, p postgres.Person) context.Context {
	return audit.By(ctx, audit.Actor{User: p.ID, Email: p.Email, Address: shell.AddressOf(ctx)})
}

// send stores a mail to the person, in his language.
func (r *routes) send(ctx context.Context, tx postgres.Tx, p postgres.Person, m mail.Message) error {
	if m.To == "" {
		m.To = p.Email
	}
	if m.Data == nil {
		m.Data = map[string]string{}
	}
	m.Language, m.Organisation, m.Data["name"] = p.Language, p.Organisation, p.Name
	return r.Mail.Send(ctx, tx, m)
}

// link stores a link of the template's lifetime for the person and returns its token.
func (r *routes) link(ctx context.Context, tx postgres.Tx, p postgres.Person, purpose, template string) (token string, expires time.Time, err error) {
	now := r.shell.Now()
	expires = now.Add(mail.Lifetime(template))
	token, err = postgres.InsertLink(ctx, tx, postgres.Link{
		Purpose: purpose, Organisation: p.Organisation, Account: p.ID, Email: p.Email, ExpiresAt: expires,
	}, now)
	return token, expires, err
}

// IDPath is the input of what acts on one object.
type IDPath[I ~[16]byte] struct {
	ID string `path:"id" format:"uuid"`
}

// parse returns the id; one that cannot be read names no object.
func (p IDPath[I]) parse() (I, error) { return shell.ParseID[I](p.ID) }

func errNoObject() error { return schema.Errorf(schema.NotFound, "", "there is no such object") }

// op returns the description of an operation.
func op(tag, id, method, path, summary string) huma.Operation {
	return huma.Operation{OperationID: id, Method: method, Path: path, Tags: []string{tag}, Summary: summary}
}

// answering returns the operation with the status of its success.
func answering(o huma.Operation, status int) huma.Operation {
	o.DefaultStatus = status
	return o
}

const (
	accepted = http.StatusAccepted
	created  = http.StatusCreated
	done     = http.StatusNoContent
)

// checkProducts refuses products that there are not: a misspelt one would look
// switched on and answer 404 everywhere. It returns them sorted, each once.
func (r *routes) checkProducts(ids []string) ([]string, error) {
	there := r.shell.Products()
	for _, id := range ids {
		if !slices.Contains(there, id) {
			return nil, schema.Errorf(schema.Invalid, "products", "there is no product %q: name some of %s", id, strings.Join(there, ", "))
		}
	}
	sorted := slices.Sorted(slices.Values(ids))
	return slices.Compact(sorted), nil
}

// covers refuses to give somebody - a person, a key - more than the giver has: rights
// to actions and to locations.
func covers(giver, given access.Principal) error {
	for _, a := range access.Actions() {
		o := access.Object{Organisation: given.Organisation}
		if access.Decide(given, a, o).Verdict == access.Allowed && access.Decide(giver, a, o).Verdict != access.Allowed {
			return schema.Errorf(schema.Forbidden, "", "nobody can give or take a right that he does not have himself: %s", a)
		}
	}
	if given.Everywhere() && !giver.Everywhere() {
		return schema.Errorf(schema.Forbidden, "locations", "you are limited to some locations, so name some of yours")
	}
	for _, g := range given.Grants {
		if !giver.Sees(g.Location) || g.Write && !giver.Writes(g.Location) {
			return schema.Errorf(schema.Forbidden, "locations", "nobody can give a location that he has no such right to himself")
		}
	}
	return nil
}
