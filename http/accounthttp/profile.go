package accounthttp

import (
	"context"
	"strings"

	"mybeacon/engine/mail"
	"mybeacon/engine/store/postgres"
	shell "mybeacon/http"
	"mybeacon/schema"
)

type profileInput struct {
	Body struct {
		Name     *string `json:"name,omitempty" maxLength:"200"`
		Phone    *string `json:"phone,omitempty" maxLength:"40"`
		Language *string `json:"language,omitempty" enum:"ru,en"`
	}
}

type ownPasswordInput struct {
	Body struct {
		Current  string `json:"current" minLength:"1" maxLength:"512"`
		Password string `json:"password" minLength:"1" maxLength:"512"`
	}
}

type ownEmailInput struct {
	Body struct {
		Email    string `json:"email" minLength:"3" maxLength:"254"`
		Password string `json:"password" minLength:"1" maxLength:"512"`
	}
}

func (r *routes) profile(s *shell.Server) {
	const path = "/api/v1/auth/me"
	shell.Route(s, shell.SignedIn(), op("auth", "change-me", "PATCH", path, "Change one's own name, phone or language"), r.changeMe)
	shell.Route(s, shell.SignedIn(), answering(op("auth", "change-password", "PUT", path+"/password",
		"Change one's own password; all other sessions end"), done), r.changePassword)
	email := op("auth", "change-email", "POST", path+"/email", "Move to another e-mail, which a mail there confirms")
	email.Description = "The answer is the same whether the e-mail has an account or not."
	shell.Route(s, shell.SignedIn(), answering(email, accepted), r.changeEmail)
}

func (r *routes) changeMe(ctx context.Context, in *profileInput) (*shell.MeOutput, error) {
	p := shell.PrincipalOf(ctx)
	// As a Change, so that If-Match is looked at behind the lock.
	err := r.DB.Change(ctx, postgres.AllOrganisations(), postgres.CoreTopic, func(tx postgres.Tx) error {
		if err := postgres.LockPeople(ctx, tx, p.Organisation); err != nil {
			return err
		}
		before, err := postgres.PersonIn(ctx, tx, postgres.AllOrganisations(), p.ID)
		if err != nil {
			return err
		}
		after := before
		if err := in.apply(&after); err != nil {
			return err
		}
		tx.Unrecorded("nothing changed unless it was recorded")
		return postgres.ChangePerson(ctx, tx, before, after)
	})
	if err != nil {
		return nil, err
	}
	me, err := r.shell.Me(ctx, p)
	return &shell.MeOutput{Body: me}, err
}

func (in *profileInput) apply(p *postgres.Person) error {
	err := change(in.Body.Name, &p.Name, func(v string) (string, error) { return shell.CheckText("name", v, 0, 200) })
	if err == nil {
		err = change(in.Body.Phone, &p.Phone, func(v string) (string, error) { return checkPhone("phone", v) })
	}
	if in.Body.Language != nil {
		p.Language = *in.Body.Language
	}
	return err
}

// prove asks for the password again: an open screen must not be enough to take an
// account over.
func (r *routes) prove(ctx context.Context, field, password string) (shell.Principal, error) {
	p := shell.PrincipalOf(ctx)
	if err := shell.OnlySessions(p); err != nil {
		return p, err
	}
	proven, err := r.shell.Proves(ctx, p, password)
	if err == nil && !proven {
		err = schema.Errorf(schema.Invalid, field, "is not the password of your account")
	}
	return p, err
}

func (r *routes) changePassword(ctx context.Context, in *ownPasswordInput) (*struct{}, error) {
	p, err := r.prove(ctx, "current", in.Body.Current)
	if err != nil {
		return nil, err
	}
	if err := shell.CheckNewPassword("password", in.Body.Password, p.Email); err != nil {
		return nil, err
	}
	hash, err := r.shell.Passwords().Hash(ctx, in.Body.Password)
	if err != nil {
		return nil, err
	}
	err = r.DB.Change(ctx, postgres.AllOrganisations(), postgres.CoreTopic, func(tx postgres.Tx) error {
		return postgres.SetPassword(ctx, tx, personOf(p), hash, p.Login)
	})
	r.changed(ctx)
	return nil, err
}

// personOf returns of the principal what links and the audit log need.
func personOf(p shell.Principal) postgres.Person {
	return postgres.Person{ID: p.ID, Organisation: p.Organisation, Email: p.Email, Name: p.Name, SuperAdmin: p.SuperAdmin, Role: p.Role}
}

func (r *routes) changeEmail(ctx context.Context, in *ownEmailInput) (*struct{}, error) {
	email := strings.TrimSpace(in.Body.Email)
	if err := shell.CheckEmail(email); err != nil {
		return nil, err
	}
	p, err := r.prove(ctx, "password", in.Body.Password)
	if err != nil {
		return nil, err
	}
	may, err := r.shell.MayMail(ctx, email)
	if err != nil || !may {
		return nil, err
	}
	return nil, r.DB.Write(ctx, postgres.AllOrganisations(), func(tx postgres.Tx) error {
		person, err := postgres.PersonIn(ctx, tx, postgres.AllOrganisations(), p.ID)
		if err != nil {
			return err
		}
		return r.sendMove(ctx, tx, person, email)
	})
}

// sendMove sends a link to the new e-mail and a note to the old one. Who has an account
// of the new e-mail gets a note instead of the link, which nobody then has.
func (r *routes) sendMove(ctx context.Context, tx postgres.Tx, p postgres.Person, email string) error {
	holder, err := postgres.PersonByEmail(ctx, tx, email)
	taken := err == nil
	if err != nil && schema.KindOf(err) != schema.NotFound {
		return err
	}
	moved := p
	moved.Email = email
	token, expires, err := r.link(ctx, tx, moved, postgres.LinkEmail, mail.EmailChange)
	if err != nil {
		return err
	}
	postgres.NoteMove(tx, p, email)
	if taken {
		err = r.send(ctx, tx, holder, mail.Message{Template: mail.Registered, Link: "/login"})
	} else {
		err = r.send(ctx, tx, moved, mail.Message{Template: mail.EmailChange, Link: "/confirm#" + token, Expires: expires})
	}
	if err != nil {
		return err
	}
	return r.send(ctx, tx, p, mail.Message{Template: mail.EmailChanged, Data: map[string]string{"email": email}})
}
