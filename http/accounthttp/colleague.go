package accounthttp

import (
	"context"
	"strings"

	"mybeacon/engine/access"
	"mybeacon/engine/mail"
	"mybeacon/engine/store/postgres"
	shell "mybeacon/http"
	"mybeacon/schema"
)

// amongPeople runs do in a transaction in which nobody else changes the organisation's
// people, with what the caller may at that moment: who was demoted a moment ago must
// not demote others any more.
func (r *routes) amongPeople(ctx context.Context, do func(tx postgres.Tx, o postgres.Organisation, by access.Principal) error) error {
	organisation, scope, err := own(ctx)
	if err != nil {
		return err
	}
	return r.DB.Change(ctx, scope, postgres.CoreTopic, func(tx postgres.Tx) error {
		if err := postgres.LockPeople(ctx, tx, organisation); err != nil {
			return err
		}
		o, err := postgres.OrganisationIn(ctx, tx, scope, organisation)
		if err != nil {
			return err
		}
		by, err := r.rightsNow(ctx, tx, scope)
		if err != nil {
			return err
		}
		return do(tx, o, by)
	})
}

// rightsNow returns the caller's rights as the transaction sees them. A super-admin's
// and a key's are those of the request: no transaction of this organisation takes
// them.
func (r *routes) rightsNow(ctx context.Context, tx postgres.Tx, scope postgres.Scope) (access.Principal, error) {
	p := shell.PrincipalOf(ctx)
	if p.SuperAdmin || p.Rights.Key {
		return p.Rights, nil
	}
	person, err := postgres.PersonIn(ctx, tx, scope, p.ID)
	if err == nil && person.Disabled || schema.KindOf(err) == schema.NotFound {
		return access.Principal{}, schema.Errorf(schema.Forbidden, "", "your account was just disabled")
	}
	rights := person.Rights()
	if err == nil && access.Decide(rights, access.ManageUsers, access.Object{Organisation: person.Organisation}).Verdict != access.Allowed {
		err = schema.Errorf(schema.Forbidden, "", "your rights were just taken")
	}
	return rights, err
}

func (r *routes) invitePerson(ctx context.Context, in *inviteInput) (*personOutput, error) {
	p := postgres.Person{
		ID: schema.NewID[schema.UserID](), Email: strings.TrimSpace(in.Body.Email), Role: in.Body.Role, ReadOnly: in.Body.ReadOnly,
		InvitedAt: r.shell.Now(),
	}
	err := shell.CheckEmail(p.Email)
	if err == nil {
		p.Name, err = shell.CheckText("name", in.Body.Name, 0, 200)
	}
	if err != nil {
		return nil, err
	}
	in.Body.Locations.apply(&p)
	err = r.shell.AttemptInvitation(ctx, shell.PrincipalOf(ctx), func(ctx context.Context) error { return r.insertInvited(ctx, p) })
	if err != nil {
		return nil, err
	}
	return r.personChanged(ctx, p.ID)
}

func (r *routes) insertInvited(ctx context.Context, p postgres.Person) error {
	return r.amongPeople(ctx, func(tx postgres.Tx, o postgres.Organisation, by access.Principal) error {
		p.Organisation = o.ID
		if err := covers(by, p.Rights()); err != nil {
			return err
		}
		inviter, err := postgres.PersonIn(ctx, tx, postgres.In(o.ID), shell.PrincipalOf(ctx).ID)
		if err != nil && schema.KindOf(err) != schema.NotFound {
			return err
		}
		if p.Language = inviter.Language; p.Language == "" {
			p.Language = mail.Russian // a super-admin invites, who is not among the organisation's people
		}
		if err := postgres.InsertPerson(ctx, tx, p, ""); err != nil {
			return err
		}
		return r.sendInvitation(ctx, tx, p, o)
	})
}

// apply limits the person to the locations that were sent, if any were.
func (l Locations) apply(p *postgres.Person) {
	if !l.sent {
		return
	}
	p.Limited, p.Locations = l.limit, make([]postgres.PersonLocation, len(l.list))
	for i, g := range l.list {
		p.Locations[i] = postgres.PersonLocation{ID: g.ID, Write: g.Write}
	}
}

func (r *routes) sendInvitation(ctx context.Context, tx postgres.Tx, p postgres.Person, o postgres.Organisation) error {
	token, expires, err := r.link(ctx, tx, p, postgres.LinkInvitation, mail.Invitation)
	if err != nil {
		return err
	}
	by := shell.PrincipalOf(ctx)
	data := map[string]string{"organisation": o.Name, "by": by.Name}
	if by.Name == "" {
		data["by"] = by.Email
	}
	return r.send(ctx, tx, p, mail.Message{Template: mail.Invitation, Link: "/invitation#" + token, Expires: expires, Data: data})
}

func (r *routes) personChanged(ctx context.Context, id schema.UserID) (*personOutput, error) {
	r.changed(ctx)
	_, scope, err := own(ctx)
	if err != nil {
		return nil, err
	}
	p, err := r.DB.Person(ctx, scope, id)
	return &personOutput{personShown(p)}, err
}

// overPerson runs do about a colleague whom the caller may look after: one who has no
// more rights than he.
func (r *routes) overPerson(ctx context.Context, path IDPath[schema.UserID], do func(postgres.Tx, postgres.Organisation, access.Principal, postgres.Person) error) error {
	id, err := path.parse()
	if err != nil {
		return err
	}
	return r.amongPeople(ctx, func(tx postgres.Tx, o postgres.Organisation, by access.Principal) error {
		p, err := postgres.PersonIn(ctx, tx, postgres.In(o.ID), id)
		if err != nil {
			return err
		}
		if err := covers(by, p.Rights()); err != nil {
			return err
		}
		return do(tx, o, by, p)
	})
}

func (r *routes) changePerson(ctx context.Context, in *changePersonInput) (*personOutput, error) {
	var id schema.UserID
	err := r.overPerson(ctx, in.IDPath, func(tx postgres.Tx, _ postgres.Organisation, by access.Principal, before postgres.Person) error {
		after := before
		if err := in.apply(&after); err != nil {
			return err
		}
		if err := covers(by, after.Rights()); err != nil {
			return err
		}
		id = before.ID
		tx.Unrecorded("nothing changed unless it was recorded")
		return postgres.ChangePerson(ctx, tx, before, after)
	})
	if err != nil {
		return nil, err
	}
	return r.personChanged(ctx, id)
}

func (in *changePersonInput) apply(p *postgres.Person) error {
	if in.Body.Role != nil {
		p.Role = *in.Body.Role
	}
	if in.Body.ReadOnly != nil {
		p.ReadOnly = *in.Body.ReadOnly
	}
	if in.Body.Disabled != nil {
		p.Disabled = *in.Body.Disabled
	}
	in.Body.Locations.apply(p)
	return change(in.Body.Name, &p.Name, func(v string) (string, error) { return shell.CheckText("name", v, 0, 200) })
}

func (r *routes) deletePerson(ctx context.Context, in *IDPath[schema.UserID]) (*struct{}, error) {
	err := r.overPerson(ctx, *in, func(tx postgres.Tx, _ postgres.Organisation, _ access.Principal, p postgres.Person) error {
		return postgres.DeletePerson(ctx, tx, p)
	})
	r.changed(ctx)
	return nil, err
}

func (r *routes) repeatInvitation(ctx context.Context, in *IDPath[schema.UserID]) (*struct{}, error) {
	return nil, r.overPerson(ctx, *in, func(tx postgres.Tx, o postgres.Organisation, _ access.Principal, p postgres.Person) error {
		if !p.ConfirmedAt.IsZero() || p.Disabled {
			return schema.Errorf(schema.Conflict, "", "the invitation was taken already, or the account is disabled")
		}
		if err := postgres.NoteInvited(ctx, tx, p, r.shell.Now()); err != nil {
			return err
		}
		return r.sendInvitation(ctx, tx, p, o)
	})
}
