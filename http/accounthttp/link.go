package accounthttp

import (
	"context"

	"mybeacon/engine/store/postgres"
	shell "mybeacon/http"
	"mybeacon/schema"
)

type linkInput struct {
	Body struct {
		Token string `json:"token" minLength:"1" maxLength:"100" doc:"What stands after # in the link"`
	}
}

type confirmInput struct {
	Body struct {
		Token    string `json:"token" minLength:"1" maxLength:"100" doc:"What stands after # in the link"`
		Password string `json:"password,omitempty" maxLength:"512" doc:"Of a registration: the one that was typed then. Somebody else may have registered with the address of who opens the link"`
	}
}

type linkOutput struct {
	Body struct {
		Purpose      string `json:"purpose" enum:"confirm,password,invitation,email"`
		Email        string `json:"email"`
		Organisation string `json:"organisation,omitempty" doc:"Its name"`
	}
}

type passwordInput struct {
	Body struct {
		Token    string `json:"token" minLength:"1" maxLength:"100" doc:"What stands after # in the link"`
		Password string `json:"password" minLength:"1" maxLength:"512"`
		Name     string `json:"name,omitempty" maxLength:"200" doc:"Of who was invited"`
	}
}

func errNoLink() error {
	return schema.Errorf(schema.NotFound, "token", "the link is unknown, was used or has ended; ask for a new one")
}

func (r *routes) links(s *shell.Server) {
	shell.Route(s, shell.Public(), op("auth", "look-at-link", "POST", "/api/v1/auth/links", "Say what a link of a mail is for, without using it"), r.lookLink)
	shell.Route(s, shell.Public(), answering(op("auth", "confirm", "POST", "/api/v1/auth/confirm",
		"Confirm an e-mail: of a registration, by its password, or of an account that moves to it"), done), r.confirm)
	shell.Route(s, shell.Public(), answering(op("auth", "set-password", "POST", "/api/v1/auth/password",
		"Set a password by a link; all sessions of the account end"), done), r.setPassword)
}

// look returns the link of the token without using it.
func (r *routes) look(ctx context.Context, token string) (postgres.Link, error) {
	if !postgres.IsSecret("", token) {
		return postgres.Link{}, errNoLink()
	}
	l, err := r.DB.LookLink(ctx, token, r.shell.Now())
	return l, noLink(err)
}

// take uses the link up.
func (r *routes) take(ctx context.Context, tx postgres.Tx, token string, purposes ...string) (postgres.Link, error) {
	l, err := postgres.TakeLink(ctx, tx, token, r.shell.Now(), purposes...)
	return l, noLink(err)
}

func noLink(err error) error {
	if schema.KindOf(err) == schema.NotFound {
		return errNoLink()
	}
	return err
}

func (r *routes) lookLink(ctx context.Context, in *linkInput) (*linkOutput, error) {
	out := &linkOutput{}
	return out, r.shell.AttemptLink(ctx, func(ctx context.Context) error {
		l, err := r.look(ctx, in.Body.Token)
		if err != nil {
			return err
		}
		out.Body.Purpose, out.Body.Email = l.Purpose, l.Email
		switch {
		case l.Registered != nil:
			out.Body.Organisation = l.Registered.Organisation
		case !l.Organisation.IsZero():
			o, err := r.DB.Organisation(ctx, postgres.In(l.Organisation), l.Organisation)
			out.Body.Organisation = o.Name
			return err
		}
		return nil
	})
}

func (r *routes) confirm(ctx context.Context, in *confirmInput) (*struct{}, error) {
	err := r.shell.AttemptLink(ctx, func(ctx context.Context) error {
		l, err := r.look(ctx, in.Body.Token)
		if err != nil {
			return err
		}
		if err := r.registrant(ctx, l, in.Body.Password); err != nil {
			return err
		}
		person := postgres.Person{Email: l.Email}
		if !l.Account.IsZero() {
			if person, err = r.DB.Person(ctx, postgres.AllOrganisations(), l.Account); err != nil {
				return noLink(err)
			}
		}
		ctx = as(ctx, person)
		return r.DB.Change(ctx, postgres.AllOrganisations(), postgres.CoreTopic, func(tx postgres.Tx) error {
			l, err := r.take(ctx, tx, in.Body.Token, postgres.LinkConfirm, postgres.LinkEmail)
			if err != nil {
				return err
			}
			if l.Purpose == postgres.LinkConfirm {
				return r.settle(ctx, tx, l)
			}
			return r.move(ctx, tx, l)
		})
	})
	if err == nil {
		r.changed(ctx)
	}
	return nil, err
}

// registrant refuses who does not know the password of the registration: he who reads
// the mail would confirm an account that a stranger can open.
func (r *routes) registrant(ctx context.Context, l postgres.Link, password string) error {
	if l.Purpose != postgres.LinkConfirm || l.Registered == nil {
		return nil
	}
	if password == "" {
		return schema.Errorf(schema.Invalid, "password", "is required: type the one that you chose when you registered")
	}
	proven, err := r.shell.Attempt(ctx, l.Email, func(ctx context.Context) (bool, error) {
		return r.shell.Passwords().Matches(ctx, password, l.Registered.PasswordHash)
	})
	if err == nil && !proven {
		err = schema.Errorf(schema.Invalid, "password", "is not the one that was typed at the registration; if it was not you who registered, close this page")
	}
	return err
}

// move gives the account the e-mail that the link was sent to.
func (r *routes) move(ctx context.Context, tx postgres.Tx, l postgres.Link) error {
	person, err := postgres.PersonIn(ctx, tx, postgres.AllOrganisations(), l.Account)
	if err != nil {
		return noLink(err)
	}
	if person.Disabled {
		return errNoLink()
	}
	return postgres.SetEmail(ctx, tx, person, l.Email)
}

// setPassword is the end of a reset and of an invitation. Whoever may have known the
// old password is out.
func (r *routes) setPassword(ctx context.Context, in *passwordInput) (*struct{}, error) {
	name, err := shell.CheckText("name", in.Body.Name, 0, 200)
	if err != nil {
		return nil, err
	}
	err = r.shell.AttemptLink(ctx, func(ctx context.Context) error {
		l, err := r.look(ctx, in.Body.Token)
		if err != nil {
			return err
		}
		if l.Account.IsZero() {
			return errNoLink()
		}
		if err := shell.CheckNewPassword("password", in.Body.Password, l.Email); err != nil {
			return err
		}
		hash, err := r.shell.Passwords().Hash(ctx, in.Body.Password)
		if err != nil {
			return err
		}
		return r.replacePassword(ctx, in.Body.Token, l, name, hash)
	})
	if err == nil {
		r.changed(ctx)
	}
	return nil, err
}

func (r *routes) replacePassword(ctx context.Context, token string, l postgres.Link, name, hash string) error {
	person, err := r.DB.Person(ctx, postgres.AllOrganisations(), l.Account)
	if err != nil || person.Disabled {
		return errNoLink()
	}
	ctx = as(ctx, person)
	return r.DB.Change(ctx, postgres.AllOrganisations(), postgres.CoreTopic, func(tx postgres.Tx) error {
		if _, err := r.take(ctx, tx, token, postgres.LinkPassword, postgres.LinkInvitation); err != nil {
			return err
		}
		person, err := r.locked(ctx, tx, person)
		if err != nil {
			return err
		}
		if named := person; name != "" {
			named.Name = name
			if err := postgres.ChangePerson(ctx, tx, person, named); err != nil {
				return err
			}
		}
		return postgres.SetPassword(ctx, tx, person, hash, postgres.LoginID{})
	})
}

// locked returns the person as he is now, with what he may, which nobody changes
// before the transaction ends.
func (r *routes) locked(ctx context.Context, tx postgres.Tx, p postgres.Person) (postgres.Person, error) {
	if err := postgres.LockPeople(ctx, tx, p.Organisation); err != nil {
		return p, err
	}
	now, err := postgres.PersonIn(ctx, tx, postgres.AllOrganisations(), p.ID)
	switch {
	case err != nil:
		return now, noLink(err)
	case now.Disabled:
		return now, errNoLink()
	}
	return now, nil
}
