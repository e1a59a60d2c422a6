package mail_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"mybeacon/engine/audit"
	"mybeacon/engine/jobs"
	"mybeacon/engine/mail"
	"mybeacon/engine/mail/mailtest"
	"mybeacon/engine/store/postgres"
	"mybeacon/engine/store/postgres/postgrestest"
	"mybeacon/schema"
)

// office is a server's mails with the store behind them.
type office struct {
	*mail.Queue
	db   *postgres.DB
	jobs *jobs.Jobs
	stop func() // ends the doing of jobs before the test ends
}

// open returns a queue whose jobs are done until the test ends; without a sender mails
// are kept.
func open(t *testing.T, db *postgres.DB, sender *mail.Sender) office {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	work, err := jobs.New(jobs.Config{DB: db, Log: log, Poll: 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	q, err := mail.New(mail.Config{DB: db, Jobs: work, Log: log, BaseURL: base, Sender: sender, Pause: func(int) time.Duration { return 10 * time.Millisecond }})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- work.Run(ctx) }()
	stop := sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("stop the jobs: %v", err)
		}
	})
	t.Cleanup(stop)
	return office{q, db, work, stop}
}

// send asks for a mail in a change of its own.
func (o office) send(t *testing.T, m mail.Message) {
	t.Helper()
	err := o.db.Write(t.Context(), postgres.AllOrganisations(), func(tx postgres.Tx) error {
		tx.Unrecorded("a test")
		return o.Send(t.Context(), tx, m)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// only returns the one mail in the outbox.
func (o office) only(t *testing.T) postgres.Mail {
	t.Helper()
	rows, _, err := o.db.Mails(t.Context(), postgres.MailFilter{}, postgres.Page{})
	if err != nil || len(rows) != 1 {
		t.Fatalf("%d mails, %v", len(rows), err)
	}
	return rows[0]
}

// until waits for the one mail to be as wanted.
func (o office) until(t *testing.T, what string, ok func(postgres.Mail) bool) postgres.Mail {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		m := o.only(t)
		if ok(m) {
			return m
		}
		select {
		case <-ctx.Done():
			t.Fatalf("the mail is not %s: %+v", what, m)
		case <-tick.C:
		}
	}
}

func in(state string) func(postgres.Mail) bool {
	return func(m postgres.Mail) bool { return m.State == state }
}

func confirm() mail.Message {
	return mail.Message{To: "maria@example.org", Language: mail.Russian, Template: mail.Confirm, Data: map[string]string{"name": "Ёжик"}, Link: "/confirm#SECRET"}
}

// From the change to the mailbox; what opens something is gone from the store after it.
func TestQueue(t *testing.T) {
	server := mailtest.Start(t, mailtest.Config{StartTLS: true, User: "u", Password: "p"})
	o := open(t, postgrestest.Open(t), senderTo(t, server, server.URL("")))
	m := confirm()
	m.Data["password"] = "hunter2"
	o.send(t, m)
	got := server.Next()
	if got.To != "maria@example.org" || !strings.Contains(got.Part("text/plain"), base+"/confirm#SECRET") || !strings.Contains(got.Part("text/plain"), "Ёжик") {
		t.Errorf("arrived:\n%s", got.Raw)
	}
	row := o.until(t, "sent", in(postgres.MailSent))
	if row.Secrets != nil || strings.Contains(row.Text+row.HTML, "SECRET") || strings.Contains(row.Text+row.HTML, "hunter2") || row.SentAt.IsZero() || row.Attempts != 1 {
		t.Errorf("after sending the store holds %+v", row)
	}
	if want := row.ID.String() + "@beacon.example.org"; row.MessageID != want || got.Header.Get("Message-Id") != "<"+want+">" {
		t.Errorf("Message-ID %q, sent %q", row.MessageID, got.Header.Get("Message-Id"))
	}
	if text, link, err := o.View(row); err != nil || link != "" || text.Text != row.Text {
		t.Errorf("the outbox shows %q %q %v", link, text.Text, err)
	}
	if _, err := o.Retry(t.Context(), row.ID); schema.KindOf(err) != schema.Conflict {
		t.Errorf("a mail that was sent is sent again: %v", err)
	}
	server.None()
}

// A change that is rolled back sends nothing.
func TestRolledBack(t *testing.T) {
	server := mailtest.Start(t, mailtest.Config{})
	o := open(t, postgrestest.Open(t), senderTo(t, server, server.URL("")))
	failed := errors.New("no")
	err := o.db.Write(t.Context(), postgres.AllOrganisations(), func(tx postgres.Tx) error {
		if err := o.Send(t.Context(), tx, confirm()); err != nil {
			t.Error(err)
		}
		return failed
	})
	if !errors.Is(err, failed) {
		t.Fatal(err)
	}
	// Whatever comes first is the mail that was asked for after it.
	m := confirm()
	m.To = "second@example.org"
	o.send(t, m)
	if got := server.Next(); got.To != m.To {
		t.Errorf("a mail to %s was sent", got.To)
	}
	o.only(t)
}

// refuseFirst refuses the first n mails with the code.
func refuseFirst(n int32, code int) func(string) *smtp.SMTPError {
	var asked atomic.Int32
	return func(string) *smtp.SMTPError {
		if asked.Add(1) > n {
			return nil
		}
		return &smtp.SMTPError{Code: code, EnhancedCode: smtp.NoEnhancedCode, Message: "not now"}
	}
}

func TestRetries(t *testing.T) {
	server := mailtest.Start(t, mailtest.Config{Refuse: refuseFirst(2, 451)})
	o := open(t, postgrestest.Open(t), senderTo(t, server, server.URL("")))
	o.send(t, confirm())
	server.Next()
	if row := o.until(t, "sent", in(postgres.MailSent)); row.Attempts != 3 || row.Error != "" {
		t.Errorf("%+v", row)
	}
	server.None()
}

// A final refusal is not repeated, and says why; a person may try again.
func TestPermanentRefusal(t *testing.T) {
	server := mailtest.Start(t, mailtest.Config{Refuse: refuseFirst(1, 550)})
	o := open(t, postgrestest.Open(t), senderTo(t, server, server.URL("")))
	o.send(t, confirm())
	row := o.until(t, "failed", in(postgres.MailFailed))
	if row.Attempts != 1 || !strings.Contains(row.Error, `550 "not now"`) {
		t.Errorf("%+v", row)
	}
	if text, link, err := o.View(row); err != nil || link != "" || strings.Contains(text.Text, "SECRET") {
		t.Errorf("a failed mail shows its link: %q %v", text.Text, err)
	}
	ctx := audit.By(t.Context(), audit.Actor{Email: "admin@example.org"})
	if _, err := o.Retry(ctx, row.ID); err != nil {
		t.Fatal(err)
	}
	if got := server.Next(); !strings.Contains(got.Part("text/plain"), "SECRET") {
		t.Error("the second attempt has no link")
	}
	o.until(t, "sent", in(postgres.MailSent))
}

func TestServerAwayAndBack(t *testing.T) {
	server := mailtest.Start(t, mailtest.Config{})
	server.Stop()
	o := open(t, postgrestest.Open(t), senderTo(t, server, server.URL("")))
	o.send(t, confirm())
	row := o.until(t, "tried", func(m postgres.Mail) bool { return m.Attempts > 1 })
	if row.State != postgres.MailQueued || !strings.Contains(row.Error, "refused") {
		t.Errorf("%+v", row)
	}
	if figures, err := o.Look(t.Context()); err != nil || figures["queued"] != 1 {
		t.Errorf("the board says %v, %v", figures, err)
	}
	server.Resume()
	server.Next()
	o.until(t, "sent", in(postgres.MailSent))
}

// Without a mail server mails are kept, with their links, for the outbox; when one is
// set later, a person has them sent.
func TestKept(t *testing.T) {
	db := postgrestest.Open(t)
	o := open(t, db, nil)
	o.send(t, confirm())
	row := o.only(t)
	text, link, err := o.View(row)
	if err != nil || row.State != postgres.MailKept || link != base+"/confirm#SECRET" || !strings.Contains(text.HTML, link) {
		t.Errorf("%+v %q %v", row, link, err)
	}
	if _, err := o.Retry(t.Context(), row.ID); schema.KindOf(err) != schema.Conflict || !strings.Contains(err.Error(), "MYBEACON_SMTP") {
		t.Errorf("sent without a server: %v", err)
	}
	if yes, server, from := o.Configured(); yes || server+from != "" {
		t.Error("a mail server is said to be set")
	}
	o.stop() // the server is started anew with the setting
	server := mailtest.Start(t, mailtest.Config{})
	later := open(t, db, senderTo(t, server, server.URL("")))
	if _, err := later.Retry(t.Context(), row.ID); err != nil {
		t.Fatal(err)
	}
	server.Next()
	later.until(t, "sent", in(postgres.MailSent))
	server.None()
}

// A mail whose link has ended opens nothing: it is not sent, and its link is wiped.
func TestEndedLinks(t *testing.T) {
	server := mailtest.Start(t, mailtest.Config{})
	o := open(t, postgrestest.Open(t), senderTo(t, server, server.URL("")))
	m := confirm()
	m.Expires = time.Now().Add(-time.Second)
	o.send(t, m)
	row := o.until(t, "failed", in(postgres.MailFailed))
	if _, err := o.Retry(t.Context(), row.ID); schema.KindOf(err) != schema.Conflict {
		t.Errorf("sent again: %v", err)
	}
	if err := o.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if row = o.only(t); row.Secrets != nil {
		t.Error("the link is still there")
	}
	if err := o.db.SweepMails(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if rows, _, err := o.db.Mails(t.Context(), postgres.MailFilter{}, postgres.Page{}); err != nil || len(rows) != 0 {
		t.Errorf("%d old mails are left, %v", len(rows), err)
	}
	server.None()
}

func TestTestMail(t *testing.T) {
	server := mailtest.Start(t, mailtest.Config{Refuse: refuseFirst(1, 451)})
	o := open(t, postgrestest.Open(t), senderTo(t, server, server.URL("")))
	m := mail.Message{To: "admin@example.org", Template: mail.Test, Link: "/"}
	if row, err := o.Test(t.Context(), m); err != nil || row.State != postgres.MailFailed || !strings.Contains(row.Error, "not now") {
		t.Errorf("%+v, %v", row, err)
	}
	if row, err := o.Test(t.Context(), m); err != nil || row.State != postgres.MailSent {
		t.Errorf("%+v, %v", row, err)
	}
	server.Next()
	if _, err := o.Test(t.Context(), mail.Message{To: "nobody", Template: mail.Test}); schema.KindOf(err) != schema.Invalid {
		t.Errorf("%v", err)
	}
	if row, err := open(t, postgrestest.Open(t), nil).Test(t.Context(), m); err != nil || row.State != postgres.MailKept {
		t.Errorf("without a server: %+v, %v", row, err)
	}
}

// Hundreds of mails at once all arrive, each once.
func TestMany(t *testing.T) {
	server := mailtest.Start(t, mailtest.Config{})
	o := open(t, postgrestest.Open(t), senderTo(t, server, server.URL("")))
	const n = 200
	var all sync.WaitGroup
	for range n {
		all.Go(func() { o.send(t, confirm()) })
	}
	seen := map[string]bool{}
	for range n {
		seen[server.Next().Header.Get("Message-Id")] = true
	}
	all.Wait()
	if len(seen) != n {
		t.Errorf("%d different mails of %d", len(seen), n)
	}
	server.None()
}

// Pauses grow from a minute to hours, and a mail is tried for about a day.
func TestPause(t *testing.T) {
	var all time.Duration
	for attempt := 1; attempt < 12; attempt++ {
		pause := mail.Pause(attempt)
		if pause < 54*time.Second || pause > 6*time.Hour*11/10 {
			t.Errorf("after attempt %d: %v", attempt, pause)
		}
		all += pause
	}
	if mail.Pause(1) > 66*time.Second || mail.Pause(11) < 5*time.Hour || all < 18*time.Hour || all > 30*time.Hour {
		t.Errorf("first %v, last %v, all %v", mail.Pause(1), mail.Pause(11), all)
	}
}
