package mail

import (
	"context"
	"errors"
	"time"

	"mybeacon/engine/jobs"
	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

// noteTimeout bounds noting what became of a mail, also when the server stops: a mail
// that was taken and not noted is sent twice.
const noteTimeout = 5 * time.Second

// deliver sends one mail. An error has it tried again; one of jobs.Stop does not.
//
// A mail is sent at least once: a process that dies after the mail server took it and
// before that is noted leaves a job that sends it again, under the same Message-ID, by
// which many mailboxes show it once.
func (q *Queue) deliver(ctx context.Context, args deliver, try jobs.Try) error {
	row, err := q.cfg.DB.Mail(ctx, args.Mail)
	switch {
	case schema.KindOf(err) == schema.NotFound:
		return nil // removed meanwhile, such as with its organisation
	case err != nil:
		return err
	case row.State != postgres.MailQueued:
		return nil // sent by an attempt that could not say so, or by hand
	case q.cfg.Sender == nil:
		return q.refused(ctx, row, postgres.MailKept, "no mail server is set any more")
	case !time.Now().Before(row.ExpiresAt):
		const why = "the link ended before the mail server took the mail"
		return errors.Join(q.refused(ctx, row, postgres.MailFailed, why), jobs.Stop(errors.New(why)))
	}
	m := messageOf(row)
	messageID := row.ID.String() + "@" + q.writer.Host()
	if !q.wasTaken(row.ID) {
		if err := q.give(ctx, m, messageID); err != nil {
			return q.failed(ctx, row, err, try)
		}
		q.setTaken(row.ID, true)
	}
	return q.sent(ctx, row, m, messageID)
}

// give writes the mail and gives it to the server.
func (q *Queue) give(ctx context.Context, m Message, messageID string) error {
	rendered, err := q.writer.Write(m)
	if err != nil {
		return &Refusal{Permanent: true, Words: err.Error()}
	}
	return q.cfg.Sender.Send(ctx, m.To, messageID, rendered)
}

func (q *Queue) sent(ctx context.Context, row postgres.Mail, m Message, messageID string) error {
	redacted, err := q.writer.WriteRedacted(m)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteTimeout)
	defer cancel()
	if err := q.cfg.DB.MailSent(ctx, row.ID, messageID, redacted.Text, redacted.HTML); err != nil {
		return err
	}
	q.setTaken(row.ID, false)
	q.cfg.Metrics.count(postgres.MailSent)
	return nil
}

// failed notes the attempt and decides about the next one.
func (q *Queue) failed(ctx context.Context, row postgres.Mail, err error, try jobs.Try) error {
	var refusal *Refusal
	final := try.Last || errors.As(err, &refusal) && refusal.Permanent
	state := postgres.MailQueued
	if final {
		state = postgres.MailFailed
	}
	noted := q.refused(ctx, row, state, err.Error())
	if final {
		q.cfg.Log.WarnContext(ctx, "a mail could not be sent", "mail", row.ID, "template", row.Template, "attempt", try.Attempt, "error", err)
		return errors.Join(noted, jobs.Stop(err))
	}
	return errors.Join(err, noted)
}

func (q *Queue) refused(ctx context.Context, row postgres.Mail, state, why string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteTimeout)
	defer cancel()
	err := q.cfg.DB.MailRefused(ctx, row.ID, state, why)
	if err == nil {
		q.cfg.Metrics.refused(state)
	}
	return err
}

func (q *Queue) wasTaken(id schema.MailID) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.taken[id]
}

func (q *Queue) setTaken(id schema.MailID, taken bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case !taken:
		delete(q.taken, id)
	case len(q.taken) < maxTaken:
		q.taken[id] = true
	}
}
