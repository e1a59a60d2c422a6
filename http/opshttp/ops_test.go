package opshttp_test

import (
	"context"
	"log/slog"
	netmail "net/mail"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"mybeacon/engine/jobs"
	"mybeacon/engine/mail"
	"mybeacon/engine/mail/mailtest"
	"mybeacon/engine/store/postgres"
	"mybeacon/engine/store/postgres/postgrestest"
	"mybeacon/http/opshttp"
	"mybeacon/http/shelltest"
)

// demo counts what it is told. It implements opshttp.Demo.
type demo struct{ running atomic.Bool }

func (d *demo) Available() bool             { return true }
func (d *demo) Running() bool               { return d.running.Load() }
func (d *demo) Start(context.Context) error { d.running.Store(true); return nil }
func (d *demo) Stop(context.Context) error  { d.running.Store(false); return nil }
func (d *demo) Organisations() []string     { return []string{"Demo"} }

// office is a server with its own affairs.
type office struct {
	*shelltest.Server
	mails *mail.Queue
}

// start runs a server by the mail server, nil for none, whose jobs are done.
func start(t *testing.T, server *mailtest.Server) office {
	t.Helper()
	var o office
	o.Server = shelltest.Start(t, nil, func(s *shelltest.Server) {
		log := slog.New(slog.DiscardHandler)
		work, err := jobs.New(jobs.Config{DB: s.DB, Log: log, Poll: 20 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		cfg := mail.Config{DB: s.DB, Jobs: work, Log: log, BaseURL: "https://beacon.example.org"}
		if server != nil {
			parsed, err := mail.ParseServer(server.URL(""))
			if err != nil {
				t.Fatal(err)
			}
			cfg.Sender = &mail.Sender{Server: parsed, From: netmail.Address{Name: "MyBeacon", Address: "beacon@example.org"}}
		}
		if o.mails, err = mail.New(cfg); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() { ended <- work.Run(ctx) }()
		t.Cleanup(func() {
			cancel()
			if err := <-ended; err != nil {
				t.Error(err)
			}
		})
		opshttp.Register(s.Server, opshttp.Config{DB: s.DB, Mail: o.mails, Jobs: work, Demo: &demo{}})
	})
	return o
}

func (o office) admin() *shelltest.Client { return o.Login("admin@example.com") }

func (o office) send(t *testing.T) {
	t.Helper()
	err := o.DB.Write(t.Context(), postgres.AllOrganisations(), func(tx postgres.Tx) error {
		tx.Unrecorded("a test")
		return o.mails.Send(t.Context(), tx, mail.Message{To: "maria@example.org", Template: mail.Confirm, Link: "/confirm#SECRET"})
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Where no mail server is set, the outbox shows mails with their links.
func TestOutbox(t *testing.T) {
	o := start(t, nil)
	o.send(t)
	admin := o.admin()
	var settings opshttp.MailSettings
	admin.Want(200, "GET", "/api/v1/admin/mail", nil, &settings)
	if settings.Configured {
		t.Errorf("%+v", settings)
	}
	var list struct{ Items []opshttp.Mail }
	admin.Want(200, "GET", "/api/v1/admin/mails?state=kept", nil, &list)
	if len(list.Items) != 1 || list.Items[0].Subject == "" || list.Items[0].To != "maria@example.org" {
		t.Fatalf("%+v", list)
	}
	var one opshttp.MailText
	path := "/api/v1/admin/mails/" + list.Items[0].ID.String()
	admin.Want(200, "GET", path, nil, &one)
	if one.Link != "https://beacon.example.org/confirm#SECRET" || !strings.Contains(one.HTML, one.Link) {
		t.Errorf("%+v", one)
	}
	if p := admin.Refuse(409, "POST", path+"/retry", nil); !strings.Contains(p.Detail, "MYBEACON_SMTP") {
		t.Errorf("%+v", p)
	}
	admin.Refuse(404, "GET", "/api/v1/admin/mails/00000000-0000-7000-8000-000000000000", nil)
	admin.Refuse(400, "POST", "/api/v1/admin/mail/test", map[string]any{"to": "nobody"})
}

// With one, a test mail is answered with what the server said, and jobs are listed.
func TestSending(t *testing.T) {
	server := mailtest.Start(t, mailtest.Config{})
	o := start(t, server)
	admin := o.admin()
	var sent opshttp.Mail
	admin.Want(200, "POST", "/api/v1/admin/mail/test", map[string]any{"to": "me@example.org", "language": "ru"}, &sent)
	if got := server.Next(); sent.State != "sent" || got.To != "me@example.org" || got.Subject() != sent.Subject {
		t.Errorf("%+v", sent)
	}
	o.send(t)
	server.Next()
	var list struct{ Items []opshttp.Job }
	admin.Want(200, "GET", "/api/v1/admin/jobs?kind=mail", nil, &list)
	if len(list.Items) != 1 {
		t.Fatalf("%+v", list)
	}
	admin.Want(200, "POST", "/api/v1/admin/jobs/"+list.Items[0].ID+"/cancel", nil, nil)
	admin.Refuse(404, "POST", "/api/v1/admin/jobs/none/retry", nil)
	admin.Refuse(400, "GET", "/api/v1/admin/jobs?state=lost", nil)
}

// The assistant waits until a super-admin ends it, and sees what was done without it.
func TestSetup(t *testing.T) {
	o := start(t, nil)
	admin := o.admin()
	look := func() (setup opshttp.Setup) {
		t.Helper()
		admin.Want(200, "GET", "/api/v1/admin/setup", nil, &setup)
		return setup
	}
	steps := func(s opshttp.Setup) (done int) {
		for _, step := range s.Steps {
			if step.Done {
				done++
			}
		}
		return done
	}
	postgrestest.Organisation(t, o.DB, "Demo", "ble")
	if s := look(); s.Done || len(s.Steps) != 3 || steps(s) != 0 || !s.Demo.Available || s.Demo.Running {
		t.Errorf("%+v", s)
	}
	first := postgrestest.Organisation(t, o.DB, "Canteen", "ble")
	if s := look(); steps(s) != 2 {
		t.Errorf("%+v", s)
	}
	postgrestest.Device(t, o.DB, first, "02:00:00:00:00:01")
	if s := look(); steps(s) != 3 || s.Done {
		t.Errorf("%+v", s)
	}
	admin.Want(202, "POST", "/api/v1/admin/demo", nil, nil)
	admin.Want(200, "PUT", "/api/v1/admin/setup", map[string]any{"done": true}, nil)
	if s := look(); !s.Done || !s.Demo.Running {
		t.Errorf("%+v", s)
	}
	admin.Want(204, "DELETE", "/api/v1/admin/demo", nil, nil)
	admin.Want(200, "PUT", "/api/v1/admin/setup", map[string]any{"done": false}, nil)
	if s := look(); s.Done || s.Demo.Running {
		t.Errorf("%+v", s)
	}
}

// Mails and jobs are the super-admins' alone: a link opens any account.
func TestOnlySuperAdmins(t *testing.T) {
	o := start(t, nil)
	organisation := postgrestest.Organisation(t, o.DB, "Canteen", "ble")
	o.Account(organisation, "owner@example.com", "owner")
	owner := o.Login("owner@example.com")
	for _, path := range []string{"mail", "mails", "jobs", "setup"} {
		owner.Refuse(403, "GET", "/api/v1/admin/"+path, nil)
		o.Nobody().Refuse(401, "GET", "/api/v1/admin/"+path, nil)
	}
	owner.Refuse(403, "POST", "/api/v1/admin/demo", nil)
}
