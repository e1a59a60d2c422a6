package alert

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"
	"unicode"

	"github.com/jackc/pgx/v5"

	"mybeacon/engine/jobs"
	"mybeacon/engine/mail"
	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

// Page is where the console shows alerts.
const Page = "/alerts"

// sendMail gives one digest to the outbox, which goes on to try.
func (s *Service) sendMail(ctx context.Context, args mailJob, _ jobs.Try) error {
	err := s.db.Write(ctx, postgres.AllOrganisations(), func(tx postgres.Tx) error {
		tx.Unrecorded("telling of an alert")
		d, items, ready, err := s.take(ctx, tx, args.Delivery)
		if err != nil || !ready {
			return err
		}
		return s.writeMail(ctx, tx, d, items)
	})
	return err
}

// writeMail leaves out what the reader may not see any more.
func (s *Service) writeMail(ctx context.Context, tx postgres.Tx, d Delivery, items []item) error {
	const done = `UPDATE alert_delivery SET state = $2, attempts = attempts + 1, error = $3, mail = $4, finished_at = now() WHERE id = $1`
	language, kept, err := visible(ctx, tx, d, items)
	if err != nil {
		return err
	}
	if language == "" {
		_, err := tx.Exec(ctx, done, d.ID, Refused, "the address is nobody's any more who may see this", schema.MailID{})
		return postgres.Explain(err, "note a delivery", nil)
	}
	var name string
	if err := tx.QueryRow(ctx, `SELECT name FROM organisation WHERE id = $1`, d.Organisation).Scan(&name); err != nil {
		return err
	}
	m := mail.Message{
		To: d.Recipient, Language: language, Template: mail.Alerts, Link: Page, Organisation: d.Organisation,
		Data: map[string]string{"organisation": line(name)},
	}
	for _, i := range kept {
		m.Lines = append(m.Lines, line(i.text(language)))
	}
	if d.Test {
		m.Lines = []string{line(testSentence(language, d.Error))} // a test carries the rule's name there
	}
	m.Data["first"] = m.Lines[0]
	if more := len(m.Lines) - 1 + d.More; more > 0 {
		m.Data["more"] = strconv.Itoa(more)
	}
	id, err := s.cfg.Mail.Put(ctx, tx, m)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, done, d.ID, Sent, "", id)
	return postgres.Explain(err, "note a delivery", nil)
}

func (i item) text(language string) string { return Sentence(language, i.Alert, i.zone) }

// visible returns those of the alerts that the reader may see now, and the language in
// which he reads; "" when there are none, or he is nobody any more.
func visible(ctx context.Context, tx postgres.Tx, d Delivery, items []item) (language string, kept []item, err error) {
	if d.Test { // the rule was open to him a moment ago
		const find = `SELECT language FROM account WHERE org = $1 AND lower(email) = $2 AND NOT disabled AND confirmed_at IS NOT NULL`
		err := tx.QueryRow(ctx, find, d.Organisation, d.Recipient).Scan(&language)
		if errors.Is(err, pgx.ErrNoRows) {
			err = nil
		}
		return language, nil, err
	}
	may := map[schema.LocationID]string{}
	for _, i := range items {
		spoken, asked := may[i.Location]
		if !asked {
			found, err := readers(ctx, tx, d.Organisation, i.Location, []string{d.Recipient})
			if err != nil {
				return "", nil, err
			}
			spoken = found[d.Recipient]
			may[i.Location] = spoken
		}
		if spoken != "" {
			language, kept = spoken, append(kept, i)
		}
	}
	return language, kept, nil
}

// tellOwners writes to those who look after the organisation that a webhook is off.
func (s *Service) tellOwners(ctx context.Context, tx postgres.Tx, hook Webhook, why string) error {
	const find = `SELECT a.email, a.name, a.language, o.name FROM account a JOIN organisation o ON o.id = a.org
		WHERE a.org = $1 AND a.role = 'owner' AND NOT a.disabled AND a.confirmed_at IS NOT NULL ORDER BY a.email LIMIT 20`
	owners, err := postgres.Collect(ctx, tx, func(row pgx.CollectableRow) (m mail.Message, err error) {
		var name, organisation string
		err = row.Scan(&m.To, &name, &m.Language, &organisation)
		m.Data = map[string]string{"name": line(name), "organisation": line(organisation), "webhook": line(hook.Name), "why": line(why)}
		return m, err
	}, find, hook.Organisation)
	if err != nil {
		return err
	}
	for _, m := range owners {
		m.Template, m.Link, m.Organisation = mail.WebhookOff, Page+"/webhooks", hook.Organisation
		if err := s.cfg.Mail.Send(ctx, tx, m); err != nil {
			return err
		}
	}
	return nil
}

// maxLine is what fits into a subject, in characters.
const maxLine = 200

// line makes a text one that a mail can hold: names are what people typed.
func line(text string) string {
	clean := []rune{}
	for _, r := range text {
		if unicode.IsPrint(r) || unicode.Is(unicode.Zs, r) {
			clean = append(clean, r)
		}
	}
	if len(clean) > maxLine {
		clean = append(slices.Clip(clean[:maxLine-1]), '…')
	}
	return string(clean)
}

// clock is how a time is written in a sentence.
func clock(language string, at time.Time, zone *time.Location) string {
	if language == mail.Russian {
		return at.In(zone).Format("02.01 15:04")
	}
	return at.In(zone).Format("2 Jan 15:04")
}
