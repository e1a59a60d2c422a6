package node

import (
	"context"
	"crypto/tls"
	"net/url"
	"time"

	"mybeacon/engine/jobs"
	"mybeacon/engine/mail"
	"mybeacon/http/opshttp"
	"mybeacon/schema"
)

// validateMail asks for all that a mail needs as soon as there is a mail server: a link
// that leads to this machine's own address would reach nobody.
func (c Config) validateMail() error {
	server, err := mail.ParseServer(c.SMTP)
	switch {
	case err != nil:
		return err
	case server.IsZero():
		return nil
	case c.BaseURL == "":
		return schema.Errorf(schema.Invalid, "base-url", "is needed with smtp: the links in mails lead there, such as https://beacon.example.org")
	case c.MailFrom == "":
		return schema.Errorf(schema.Invalid, "mail-from", "is needed with smtp: who the mails are from, such as MyBeacon <beacon@example.org>")
	}
	_, err = mail.ParseFrom(c.MailFrom)
	return err
}

// Sender returns what sends mails by the validated settings, nil where no mail server
// is set. roots may be nil.
func (c Config) Sender(roots *tls.Config) (*mail.Sender, error) {
	server, err := mail.ParseServer(c.SMTP)
	if err != nil || server.IsZero() {
		return nil, err
	}
	from, err := mail.ParseFrom(c.MailFrom)
	if err != nil {
		return nil, err
	}
	sender := &mail.Sender{Server: server, From: from, TLS: roots}
	if u, err := url.Parse(c.BaseURL); err == nil {
		sender.Helo = u.Hostname()
	}
	return sender, nil
}

// buildMail makes the queues of jobs and mails, before the routes that use them.
func (n *Node) buildMail() error {
	n.demo = &demoSite{node: n}
	var err error
	n.jobs, err = jobs.New(jobs.Config{DB: n.stores.relational, Log: n.log.With("part", "jobs"), Metrics: jobs.NewMetrics(n.metrics), Sweeps: n.sweeps()})
	if err != nil {
		return err
	}
	sender, err := n.cfg.Sender(nil)
	if err != nil {
		return err
	}
	n.mails, err = mail.New(mail.Config{
		DB: n.stores.relational, Jobs: n.jobs, Log: n.log.With("part", "mail"), Metrics: mail.NewMetrics(n.metrics),
		BaseURL: n.url, Sender: sender,
	})
	return err
}

// routeOps opens the routes of who runs the server, and has jobs done from now on.
func (n *Node) routeOps() {
	opshttp.Register(n.shell, opshttp.Config{DB: n.stores.relational, Mail: n.mails, Jobs: n.jobs, Demo: n.demo})
	n.life.background("jobs", n.jobs.Run)
}

// NeedsSetup reports whether the first-run assistant still waits for a super-admin. It
// may be asked once Ready is closed.
func (n *Node) NeedsSetup(ctx context.Context) bool {
	done, err := opshttp.SetupDone(ctx, n.stores.relational)
	return err == nil && !done
}

// How long what has ended is kept, so that people can be told that it has.
const keepLinks = 30 * 24 * time.Hour

// sweeps are what is removed once a day. A part with rows that have their time adds its
// line here.
func (n *Node) sweeps() []jobs.Sweep {
	db := n.stores.relational
	return []jobs.Sweep{
		{Name: "mails", Do: func(ctx context.Context) error { return n.mails.Sweep(ctx) }},
		{Name: "sessions", Do: db.SweepSessions},
		{Name: "links", Do: func(ctx context.Context) error { return db.SweepLinks(ctx, keepLinks) }},
		{Name: "idempotency keys", Do: db.SweepAttempts},
		{Name: "alerts", Do: n.alerts.store.Sweep},
		n.sweepFiles(),
	}
}
