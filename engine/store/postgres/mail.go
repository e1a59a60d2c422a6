package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"mybeacon/schema"
)

// The states of a mail.
const (
	MailQueued = "queued" // a job sends it
	MailSent   = "sent"
	MailFailed = "failed" // nobody tries any more
	MailKept   = "kept"   // no mail server was set: people read it in the outbox
)

// Mail is one row of the outbox.
type Mail struct {
	ID           schema.MailID
	Organisation schema.OrganisationID // zero: of none
	To           string
	Language     string
	Template     string
	Data         map[string]string
	Secrets      *MailSecrets // nil: none, or wiped since
	Subject      string
	State        string
	Attempts     int
	Error        string // of the last attempt
	MessageID    string
	Job          int64 // 0: none
	CreatedAt    time.Time
	ExpiresAt    time.Time
	SentAt       time.Time // zero: not sent
	Text, HTML   string    // as it was sent, without its secrets
}

// MailSecrets are what a mail holds that opens something.
type MailSecrets struct {
	Link     string `json:"link,omitempty"`
	Password string `json:"password,omitempty"`
}

// MailFilter narrows a list; empty fields admit all.
type MailFilter struct{ State string }

const selectMail = `SELECT id, org, recipient, language, template, data, secrets, subject, state, attempts, error,
	message_id, coalesce(job, 0), created_at, expires_at, sent_at, text, html FROM mail`

func scanMail(row pgx.CollectableRow) (Mail, error) {
	var m Mail
	var sent *time.Time
	err := row.Scan(&m.ID, &m.Organisation, &m.To, &m.Language, &m.Template, &m.Data, &m.Secrets, &m.Subject, &m.State,
		&m.Attempts, &m.Error, &m.MessageID, &m.Job, &m.CreatedAt, &m.ExpiresAt, &sent, &m.Text, &m.HTML)
	if sent != nil {
		m.SentAt = *sent
	}
	return m, err
}

// InsertMail stores a mail with the change of the transaction. One of no organisation
// belongs to that of the transaction's scope.
func InsertMail(ctx context.Context, tx Tx, m Mail) error {
	const insert = `INSERT INTO mail (id, org, recipient, language, template, data, secrets, subject, state, job, expires_at)
		VALUES ($1, coalesce($2, current_organisation()), $3, $4, $5, $6, $7, $8, $9, nullif($10, 0), $11)`
	_, err := tx.Exec(ctx, insert, m.ID, m.Organisation, m.To, m.Language, m.Template, m.Data, m.Secrets, m.Subject, m.State, m.Job, m.ExpiresAt)
	return Explain(err, "insert mail", nil)
}

// Mails returns a page of the outbox, newest first.
func (db *DB) Mails(ctx context.Context, filter MailFilter, page Page) ([]Mail, Cursor, error) {
	var where Where
	if filter.State != "" {
		where.Add("state = ?", filter.State)
	}
	if page.After != (Cursor{}) {
		where.Add("id < ?::text::uuid", page.After.ID)
	}
	limit := page.limit()
	sql := selectMail + where.String() + " ORDER BY id DESC LIMIT " + where.Bind("?", limit+1)
	found, err := Collect(ctx, db.In(AllOrganisations()), scanMail, sql, where.Args()...)
	if err != nil || len(found) <= limit {
		return found, Cursor{}, err
	}
	found = found[:limit]
	return found, Cursor{ID: found[limit-1].ID.String()}, nil
}

// Mail returns one mail, or NotFound.
func (db *DB) Mail(ctx context.Context, id schema.MailID) (Mail, error) {
	return oneMail(ctx, db.In(AllOrganisations()), id, "")
}

// LockMail returns one mail, which nobody else changes until the transaction ends.
func LockMail(ctx context.Context, tx Tx, id schema.MailID) (Mail, error) {
	return oneMail(ctx, tx, id, " FOR UPDATE")
}

func oneMail(ctx context.Context, q Rows, id schema.MailID, lock string) (Mail, error) {
	rows, err := q.Query(ctx, selectMail+" WHERE id = $1"+lock, id)
	if err != nil {
		return Mail{}, Explain(err, "read mail", nil)
	}
	m, err := pgx.CollectExactlyOneRow(rows, scanMail)
	return m, Explain(err, "read mail", nil)
}

// RequeueMail has the job send the mail anew, within a transaction.
func RequeueMail(ctx context.Context, tx Tx, id schema.MailID, job int64) error {
	_, err := tx.Exec(ctx, `UPDATE mail SET state = 'queued', attempts = 0, error = '', job = nullif($2, 0) WHERE id = $1`, id, job)
	return Explain(err, "queue mail", nil)
}

// MailSent notes that the mail server took the mail: what it says without its secrets,
// which are wiped.
func (db *DB) MailSent(ctx context.Context, id schema.MailID, messageID, text, html string) error {
	const update = `UPDATE mail SET state = 'sent', attempts = attempts + 1, error = '', secrets = NULL, sent_at = now(),
		message_id = $2, text = $3, html = $4 WHERE id = $1 AND state = 'queued'`
	_, err := db.In(AllOrganisations()).Exec(ctx, update, id, messageID, text, html)
	return Explain(err, "note a sent mail", nil)
}

// MailRefused notes a failed attempt: why, and whether the mail stays queued, is kept
// or has failed for good.
func (db *DB) MailRefused(ctx context.Context, id schema.MailID, state, why string) error {
	const update = `UPDATE mail SET state = $2, attempts = attempts + 1, error = $3 WHERE id = $1 AND state = 'queued'`
	_, err := db.In(AllOrganisations()).Exec(ctx, update, id, state, why)
	return Explain(err, "note a refused mail", nil)
}

// SweepMails wipes the secrets of links that have ended and removes mails that are
// older than keep, which no job sends any more.
func (db *DB) SweepMails(ctx context.Context, keep time.Duration) error {
	q := db.In(AllOrganisations())
	if _, err := q.Exec(ctx, `UPDATE mail SET secrets = NULL WHERE secrets IS NOT NULL AND expires_at <= now()`); err != nil {
		return Explain(err, "wipe ended links", nil)
	}
	_, err := q.Exec(ctx, `DELETE FROM mail WHERE created_at < $1`, time.Now().Add(-keep))
	return Explain(err, "remove old mails", nil)
}

// MailsWaiting counts the mails that wait for the mail server, and returns since when
// the oldest does.
func (db *DB) MailsWaiting(ctx context.Context) (n int, since time.Time, err error) {
	var oldest *time.Time
	err = db.In(AllOrganisations()).QueryRow(ctx, `SELECT count(*), min(created_at) FROM mail WHERE state = 'queued'`).Scan(&n, &oldest)
	if oldest != nil {
		since = *oldest
	}
	return n, since, Explain(err, "count mails", nil)
}
