package accounthttp

import (
	"context"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"mybeacon/engine/access"
	"mybeacon/engine/audit"
	"mybeacon/engine/mail"
	"mybeacon/engine/store/postgres"
	shell "mybeacon/http"
	"mybeacon/schema"
)

type registerInput struct {
	Body struct {
		Email        string `json:"email" minLength:"3" maxLength:"254"`
		Password     string `json:"password" minLength:"1" maxLength:"512"`
		Organisation string `json:"organisation" minLength:"1" maxLength:"200"`
		Phone        string `json:"phone" minLength:"1" maxLength:"40"`
		Language     string `json:"language,omitempty" enum:"ru,en" default:"ru" doc:"Of mails"`
	}
}

type forgotInput struct {
	Body struct {
		Email string `json:"email" minLength:"3" maxLength:"254"`
	}
}

func (r *routes) registration(s *shell.Server) {
	register := op("auth", "register", "POST", "/api/v1/auth/register", "Register an organisation and oneself as its Owner")
	register.Description = "The answer is the same whether the e-mail has an account or not; a mail goes on from here."
	shell.Route(s, shell.Public(), answering(register, accepted), r.register)
	forgot := op("auth", "forgot-password", "POST", "/api/v1/auth/password/forgot", "Ask for a mail with a link that sets a new password")
	forgot.Description = "The answer is the same whether the e-mail has an account or not."
	shell.Route(s, shell.Public(), answering(forgot, accepted), r.forgot)
}

// register makes nothing but a link: an organisation and its Owner are made when the
// e-mail is confirmed, so that nobody takes an e-mail or a name by claiming it.
func (r *routes) register(ctx context.Context, in *registerInput) (*struct{}, error) {
	said, email, err := checkRegistration(in)
	if err != nil {
		return nil, err
	}
	may, err := r.shell.MayMail(ctx, email)
	if err != nil {
		return nil, err
	}
	if said.PasswordHash, err = r.shell.Passwords().Hash(ctx, in.Body.Password); err != nil || !may {
		return nil, err
	}
	return nil, r.DB.Write(ctx, postgres.AllOrganisations(), func(tx postgres.Tx) error {
		tx.Record(audit.Entry{Action: audit.Users, Object: audit.Object{Kind: audit.KindUser, Name: email}, Fields: []audit.Field{audit.Made("registration", "asked")}})
		return r.invite(ctx, tx, email, said)
	})
}

func checkRegistration(in *registerInput) (said postgres.Registration, email string, err error) {
	email = strings.TrimSpace(in.Body.Email)
	said.Language = in.Body.Language
	if err = shell.CheckEmail(email); err == nil {
		err = shell.CheckNewPassword("password", in.Body.Password, email)
	}
	if err == nil {
		said.Organisation, err = shell.CheckText("organisation", in.Body.Organisation, 1, 190)
	}
	if err == nil {
		said.Phone, err = checkPhone("phone", in.Body.Phone)
	}
	return said, email, err
}

// invite sends the link of a registration - or, to who has an account, a note. The
// link is stored in both cases, so that both cost the same; there it has ended already
// and nobody has its token.
func (r *routes) invite(ctx context.Context, tx postgres.Tx, email string, said postgres.Registration) error {
	person, err := postgres.PersonByEmail(ctx, tx, email)
	known := err == nil
	if err != nil && schema.KindOf(err) != schema.NotFound {
		return err
	}
	now := r.shell.Now()
	l := postgres.Link{Purpose: postgres.LinkConfirm, Email: email, Registered: &said, ExpiresAt: now.Add(mail.Lifetime(mail.Confirm))}
	if known {
		l.Registered, l.ExpiresAt = &postgres.Registration{}, now
	}
	token, err := postgres.InsertLink(ctx, tx, l, now)
	if err != nil {
		return err
	}
	if known {
		return r.send(ctx, tx, person, mail.Message{Template: mail.Registered, Link: "/login"})
	}
	return r.Mail.Send(ctx, tx, mail.Message{
		To: email, Language: said.Language, Template: mail.Confirm, Link: "/confirm#" + token, Expires: l.ExpiresAt,
		Data: map[string]string{"organisation": said.Organisation},
	})
}

// forgot sends a link to who has an account, and does the same work for who has none,
// less the commit of it.
func (r *routes) forgot(ctx context.Context, in *forgotInput) (*struct{}, error) {
	email := strings.TrimSpace(in.Body.Email)
	if err := shell.CheckEmail(email); err != nil {
		return nil, err
	}
	may, err := r.shell.MayMail(ctx, email)
	if err != nil || !may {
		return nil, err
	}
	return nil, r.DB.Write(ctx, postgres.AllOrganisations(), func(tx postgres.Tx) error {
		person, err := postgres.PersonByEmail(ctx, tx, email)
		real := err == nil && !person.Disabled
		if err != nil && schema.KindOf(err) != schema.NotFound {
			return err
		}
		tx.Record(audit.Entry{
			Organisation: person.Organisation, Action: audit.Users,
			Object: audit.Object{Kind: audit.KindUser, ID: text(person.ID), Name: email}, Fields: []audit.Field{audit.Made("password_link", "asked")},
		})
		return keep(ctx, tx, real, func(part postgres.Tx) error { return r.sendReset(ctx, part, person, email) })
	})
}

// text is the id as text, empty for none.
func text(id schema.UserID) string {
	if id.IsZero() {
		return ""
	}
	return id.String()
}

// sendReset stores a link that sets a new password, and its mail.
func (r *routes) sendReset(ctx context.Context, tx postgres.Tx, p postgres.Person, email string) error {
	now := r.shell.Now()
	l := postgres.Link{Purpose: postgres.LinkPassword, Organisation: p.Organisation, Account: p.ID, Email: email, ExpiresAt: now.Add(mail.Lifetime(mail.Password))}
	if p.ID.IsZero() {
		l.Registered = &postgres.Registration{}
	}
	token, err := postgres.InsertLink(ctx, tx, l, now)
	if err != nil {
		return err
	}
	return r.send(ctx, tx, p, mail.Message{To: email, Template: mail.Password, Link: "/password#" + token, Expires: l.ExpiresAt})
}

// keep runs do in a part of the transaction and keeps what it did, or takes it back: who
// watches the clock sees no difference.
func keep(ctx context.Context, tx postgres.Tx, real bool, do func(postgres.Tx) error) error {
	inner, err := tx.Begin(ctx)
	if err != nil {
		return err
	}
	if err := do(part{inner, tx}); err != nil {
		return err
	}
	if real {
		return inner.Commit(ctx)
	}
	return inner.Rollback(ctx)
}

// part is a part of a transaction; what it records belongs to the whole.
type part struct {
	pgx.Tx
	whole postgres.Tx
}

// Record implements [postgres.Tx].
func (p part) Record(e audit.Entry) { p.whole.Record(e) }

// Unrecorded implements [postgres.Tx].
func (p part) Unrecorded(why string) { p.whole.Unrecorded(why) }

// settle makes the organisation and its Owner of a confirmed registration, and tells
// the super-admins that it waits.
func (r *routes) settle(ctx context.Context, tx postgres.Tx, l postgres.Link) error {
	_, err := postgres.PersonByEmail(ctx, tx, l.Email)
	if err == nil {
		return errNoLink() // there is an account meanwhile
	}
	if schema.KindOf(err) != schema.NotFound {
		return err
	}
	name, err := postgres.FreeName(ctx, tx, l.Registered.Organisation)
	if err != nil {
		return err
	}
	o := postgres.Organisation{ID: schema.NewID[schema.OrganisationID](), Name: name, Phone: l.Registered.Phone, TimeZone: "UTC", KeepDays: defaultKeepDays}
	if err := postgres.InsertOrganisation(ctx, tx, o); err != nil {
		return err
	}
	owner := postgres.Person{
		ID: schema.NewID[schema.UserID](), Organisation: o.ID, Email: l.Email, Phone: o.Phone, Language: l.Registered.Language,
		Role: string(access.Owner), ConfirmedAt: time.Now(),
	}
	if err := postgres.InsertPerson(ctx, tx, owner, l.Registered.PasswordHash); err != nil {
		return err
	}
	if err := postgres.EndRegistrations(ctx, tx, l.Email); err != nil {
		return err
	}
	return r.tellPending(ctx, tx, o, owner)
}

// maxTold bounds how many super-admins are told that an organisation waits.
const maxTold = 20

func (r *routes) tellPending(ctx context.Context, tx postgres.Tx, o postgres.Organisation, owner postgres.Person) error {
	admins, err := postgres.SuperAdminsIn(ctx, tx, maxTold)
	if err != nil {
		return err
	}
	for _, admin := range admins {
		data := map[string]string{"organisation": o.Name, "email": owner.Email, "phone": o.Phone}
		m := mail.Message{To: admin.Email, Language: admin.Language, Template: mail.Pending, Data: data, Link: "/organisations/" + o.ID.String(), Organisation: o.ID}
		if err := r.Mail.Send(ctx, tx, m); err != nil {
			return err
		}
	}
	return nil
}
