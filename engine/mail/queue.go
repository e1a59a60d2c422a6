package mail

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"mybeacon/engine/audit"
	"mybeacon/engine/jobs"
	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

// Config of the mails of one process.
type Config struct {
	DB      *postgres.DB
	Jobs    *jobs.Jobs // does the sending; may be nil where Sender is
	Log     *slog.Logger
	Metrics *Metrics // nil: not measured
	BaseURL string   // where links lead
	Sender  *Sender  // nil: no mail server is set, and mails are kept in the outbox
	// Pause is how long to wait after the attempt, counted from 1; nil: [Pause].
	Pause func(attempt int) time.Duration
}

// attempts is how often a mail is tried: for a day and a bit, see [Pause].
const attempts = 12

// keepMails is for how long sent and failed mails are shown.
const keepMails = 90 * 24 * time.Hour

// Pause returns how long to wait after a failed attempt, counted from 1: a minute, twice
// as long each time, six hours at most, give or take a tenth, so that mails that failed
// together do not come back together.
func Pause(attempt int) time.Duration {
	const longest = 6 * time.Hour
	pause := longest
	if attempt < 10 { // 2^9 minutes are longer already
		pause = min(time.Minute<<max(attempt-1, 0), longest)
	}
	return pause*9/10 + rand.N(pause/5)
}

// Queue takes mails and has them sent. It is safe for concurrent use.
type Queue struct {
	cfg    Config
	writer *Writer

	mu sync.Mutex
	// taken are mails that the server took while it could not be noted: to send them
	// again for that reason would be a pity.
	taken map[schema.MailID]bool
}

// maxTaken bounds what is remembered while the database is away.
const maxTaken = 1000

// deliver is what the job is about.
type deliver struct {
	Mail schema.MailID `json:"mail"`
}

// Kind implements jobs.Args.
func (deliver) Kind() string { return "mail" }

// New returns a queue, and registers its kind of job.
func New(cfg Config) (*Queue, error) {
	switch {
	case cfg.DB == nil || cfg.Log == nil:
		return nil, errors.New("mail: Config.DB or Config.Log is missing")
	case cfg.Sender != nil && cfg.Jobs == nil:
		return nil, errors.New("mail: Config.Jobs is missing, nobody would send")
	}
	writer, err := NewWriter(cfg.BaseURL)
	if err != nil {
		return nil, err
	}
	if cfg.Pause == nil {
		cfg.Pause = Pause
	}
	q := &Queue{cfg: cfg, writer: writer, taken: map[schema.MailID]bool{}}
	if cfg.Jobs != nil {
		jobs.Register(cfg.Jobs, jobs.Kind[deliver]{Queue: jobs.MailQueue, Attempts: attempts, Pause: cfg.Pause, Do: q.deliver})
	}
	return q, nil
}

// Sweep removes old mails and wipes links that have ended.
func (q *Queue) Sweep(ctx context.Context) error { return q.cfg.DB.SweepMails(ctx, keepMails) }

// Configured reports whether a mail server is set, which it is, and who sends.
func (q *Queue) Configured() (yes bool, server, from string) {
	if q.cfg.Sender == nil {
		return false, "", ""
	}
	return true, q.cfg.Sender.Server.String(), q.cfg.Sender.From.String()
}

// Send stores the mail with the change of the transaction; it is sent after the commit,
// or kept in the outbox where no mail server is set. A message that is none is
// [schema.Invalid].
func (q *Queue) Send(ctx context.Context, tx postgres.Tx, m Message) error {
	_, err := q.Put(ctx, tx, m)
	return err
}

// Put is [Queue.Send] for who wants to know which mail of the outbox it became.
func (q *Queue) Put(ctx context.Context, tx postgres.Tx, m Message) (schema.MailID, error) {
	row, err := q.row(m)
	if err != nil {
		return row.ID, err
	}
	row.State = postgres.MailKept
	if q.cfg.Sender != nil {
		row.State = postgres.MailQueued
		if row.Job, err = q.cfg.Jobs.Insert(ctx, tx, deliver{row.ID}); err != nil {
			return row.ID, err
		}
	}
	q.cfg.Metrics.count(row.State)
	return row.ID, postgres.InsertMail(ctx, tx, row)
}

// row returns what is stored of a message: secrets apart from the rest.
func (q *Queue) row(m Message) (postgres.Mail, error) {
	if err := m.Validate(); err != nil {
		return postgres.Mail{}, err
	}
	rendered, err := q.writer.Write(m)
	if err != nil {
		return postgres.Mail{}, err
	}
	row := postgres.Mail{
		ID: schema.NewID[schema.MailID](), Organisation: m.Organisation, To: m.To, Language: language(m.Language),
		Template: m.Template, Data: map[string]string{}, Subject: rendered.Subject, ExpiresAt: m.Expires,
	}
	if row.ExpiresAt.IsZero() {
		row.ExpiresAt = time.Now().Add(Lifetime(m.Template))
	}
	maps.Copy(row.Data, m.Data)
	delete(row.Data, "password")
	if len(m.Lines) > 0 { // no line holds a line break
		row.Data[linesKey] = strings.Join(m.Lines, "\n")
	}
	secrets := postgres.MailSecrets{Password: m.Data["password"]}
	if secret(m.Link) {
		secrets.Link = m.Link
	} else if m.Link != "" {
		row.Data["link"] = m.Link
	}
	if secrets != (postgres.MailSecrets{}) {
		row.Secrets = &secrets
	}
	return row, nil
}

// linesKey is where the lines of a message stand among its data.
const linesKey = "lines"

// messageOf puts a stored mail together again.
func messageOf(row postgres.Mail) Message {
	m := Message{
		To: row.To, Language: row.Language, Template: row.Template, Data: map[string]string{},
		Link: row.Data["link"], Expires: row.ExpiresAt, Organisation: row.Organisation,
	}
	maps.Copy(m.Data, row.Data)
	delete(m.Data, "link")
	if lines, ok := m.Data[linesKey]; ok {
		m.Lines = strings.Split(lines, "\n")
		delete(m.Data, linesKey)
	}
	if row.Secrets != nil {
		m.Link = cmp.Or(row.Secrets.Link, m.Link)
		m.Data["password"] = row.Secrets.Password
	}
	return m
}

// View returns a mail as people read it, and its link while it waits or is kept. Only
// who may open every account may see it.
func (q *Queue) View(row postgres.Mail) (Rendered, string, error) {
	m := messageOf(row)
	switch row.State {
	case postgres.MailSent:
		return Rendered{Subject: row.Subject, Text: row.Text, HTML: row.HTML}, "", nil
	case postgres.MailFailed:
		r, err := q.writer.WriteRedacted(m)
		return r, "", err
	}
	r, err := q.writer.Write(m)
	return r, q.writer.Link(m.Link), err
}

// overdue is how old a waiting mail is when something is wrong.
const overdue = 30 * time.Minute

// Look says how many mails wait, for the health board; it is an error that some have
// waited long.
func (q *Queue) Look(ctx context.Context) (map[string]float64, error) {
	n, since, err := q.cfg.DB.MailsWaiting(ctx)
	if err != nil {
		return nil, err
	}
	q.cfg.Metrics.waiting(float64(n))
	figures := map[string]float64{"queued": float64(n)}
	if n == 0 {
		return figures, nil
	}
	waits := time.Since(since)
	figures["oldest_seconds"] = waits.Seconds()
	if waits > overdue {
		return figures, fmt.Errorf("mails have waited for %s: look at the outbox for what the mail server says", waits.Round(time.Minute))
	}
	return figures, nil
}

// Retry has a mail sent that was kept, has failed or waits for its next attempt. It is
// Conflict where it cannot be sent: it was, its link has ended, or no server is set.
func (q *Queue) Retry(ctx context.Context, id schema.MailID) (postgres.Mail, error) {
	err := q.cfg.DB.Write(ctx, postgres.AllOrganisations(), func(tx postgres.Tx) error {
		row, err := postgres.LockMail(ctx, tx, id)
		if err == nil {
			err = q.mayRetry(row)
		}
		if err != nil {
			return err
		}
		tx.Record(entryOf(row, "sent again"))
		if row.State == postgres.MailQueued && row.Job != 0 {
			if _, err = q.cfg.Jobs.Retry(ctx, tx, row.Job); schema.KindOf(err) != schema.NotFound {
				return err
			}
		}
		job, err := q.cfg.Jobs.Insert(ctx, tx, deliver{row.ID})
		if err != nil {
			return err
		}
		return postgres.RequeueMail(ctx, tx, row.ID, job)
	})
	if err != nil {
		return postgres.Mail{}, err
	}
	return q.cfg.DB.Mail(ctx, id)
}

func (q *Queue) mayRetry(row postgres.Mail) error {
	switch {
	case q.cfg.Sender == nil:
		return schema.Errorf(schema.Conflict, "", "no mail server is set: start the server with MYBEACON_SMTP, or copy the link from the mail")
	case row.State == postgres.MailSent:
		return schema.Errorf(schema.Conflict, "", "the mail was sent already")
	case !time.Now().Before(row.ExpiresAt):
		return schema.Errorf(schema.Conflict, "", "the mail is too old, its link has ended: have a new one sent")
	}
	return nil
}

func entryOf(row postgres.Mail, done string) audit.Entry {
	return audit.Entry{
		Organisation: row.Organisation, Action: audit.Change,
		Object: audit.Object{Kind: "mail", ID: row.ID.String(), Name: row.Subject},
		Fields: []audit.Field{{Name: "to", New: row.To, Personal: true}, {Name: "state", Old: row.State, New: done}},
	}
}

// Test sends a mail to the address now and returns what became of it: sent, failed with
// the server's words, or kept where no server is set.
func (q *Queue) Test(ctx context.Context, m Message) (postgres.Mail, error) {
	row, err := q.row(m)
	if err != nil {
		return postgres.Mail{}, err
	}
	row.State = postgres.MailQueued
	if q.cfg.Sender == nil {
		row.State = postgres.MailKept
	}
	err = q.cfg.DB.Write(ctx, postgres.AllOrganisations(), func(tx postgres.Tx) error {
		tx.Record(audit.Entry{Action: audit.Create, Object: audit.Object{Kind: "mail", ID: row.ID.String(), Name: row.Subject},
			Fields: []audit.Field{{Name: "to", New: row.To, Personal: true}}})
		return postgres.InsertMail(ctx, tx, row)
	})
	if err != nil {
		return postgres.Mail{}, err
	}
	// What the server says is in the mail.
	if err := q.deliver(ctx, deliver{row.ID}, jobs.Try{Attempt: 1, Last: true}); schema.KindOf(err) == schema.Unavailable {
		return postgres.Mail{}, err
	}
	return q.cfg.DB.Mail(ctx, row.ID)
}
