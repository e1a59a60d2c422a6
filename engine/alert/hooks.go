package alert

import (
	"context"
	"net/url"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"mybeacon/engine/audit"
	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

// SecretPrefix begins every secret of a webhook.
const SecretPrefix = "mbw_"

// rotation is for how long the secret before signs as well.
const rotation = 24 * time.Hour

// maxHooks bounds the webhooks of one organisation.
const maxHooks = 50

// Webhook is an address to which alerts are posted.
type Webhook struct {
	ID           WebhookID
	Organisation schema.OrganisationID
	Name         string
	URL          string
	Enabled      bool
	OffWhy       string    // why the server switched it off
	OldUntil     time.Time // the secret before signs as well until then; zero: there is none
	CreatedBy    string
	CreatedAt    time.Time

	secret, old []byte // sealed
}

// Host is the part of the address that is no secret: some services put one in the path.
func (w *Webhook) Host() string {
	u, err := url.Parse(w.URL)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// checkURL refuses what cannot be an address of a webhook. Where its name leads is
// checked when it is connected to.
func (s *Store) checkURL(text string) error {
	u, err := url.Parse(text)
	switch {
	case err == nil && u.Scheme == "http" && !s.plain:
		return schema.Errorf(schema.Invalid, "url", "must begin with https: what is posted tells where people are")
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return schema.Errorf(schema.Invalid, "url", "must be an address such as https://example.org/alerts")
	case len(text) > 2000:
		return schema.Errorf(schema.Invalid, "url", "has %d characters, at most 2000", len(text))
	case u.User != nil:
		return schema.Errorf(schema.Invalid, "url", "must not hold a user or password: the signature proves who sends")
	case u.Fragment != "":
		return schema.Errorf(schema.Invalid, "url", "must not have a part after #: it is never sent")
	}
	return nil
}

var hookConstraints = postgres.Constraints{
	"webhook_org_name_key": schema.Errorf(schema.Conflict, "name", "the organisation has a webhook of this name already"),
	"webhook_org_fkey":     schema.Errorf(schema.NotFound, "organisation_id", "there is no such organisation"),
}

const selectHook = `SELECT w.id, w.org, w.name, w.url, w.enabled, w.off_why, w.old_until, w.created_by, w.created_at, w.secret, w.old_secret FROM webhook w`

func scanHook(row pgx.CollectableRow) (Webhook, error) {
	var w Webhook
	var until *time.Time
	err := row.Scan(&w.ID, &w.Organisation, &w.Name, &w.URL, &w.Enabled, &w.OffWhy, &until, &w.CreatedBy, &w.CreatedAt, &w.secret, &w.old)
	if until != nil && until.After(time.Now()) {
		w.OldUntil = *until
	} else {
		w.old = nil
	}
	return w, err
}

func hooks() postgres.List[Webhook] {
	return postgres.List[Webhook]{
		Select: selectHook, Key: "w.name", Cast: "text", ID: "w.id", Scan: scanHook,
		At: func(w Webhook) postgres.Cursor { return postgres.Cursor{Key: w.Name, ID: w.ID.String()} },
	}
}

// Webhooks returns a page of the webhooks in scope, by name.
func (s *Store) Webhooks(ctx context.Context, scope postgres.Scope, page postgres.Page) ([]Webhook, postgres.Cursor, error) {
	var where postgres.Where
	where.Scope("w.org", scope)
	return hooks().Read(ctx, s.db.In(scope), &where, page)
}

// Webhook returns one webhook, or NotFound.
func (s *Store) Webhook(ctx context.Context, scope postgres.Scope, id WebhookID) (Webhook, error) {
	var where postgres.Where
	where.Scope("w.org", scope)
	where.Add("w.id = ?", id)
	return hooks().One(ctx, s.db.In(scope), &where)
}

// CreateWebhook stores a new webhook and returns its secret, which nobody is shown again.
func (s *Store) CreateWebhook(ctx context.Context, w Webhook) (Webhook, string, error) {
	w.ID = schema.NewID[WebhookID]()
	secret := postgres.NewSecret(SecretPrefix)
	sealed, err := s.box.seal(secret, w.ID)
	if err == nil {
		err = s.checkURL(w.URL)
	}
	if err != nil {
		return w, "", err
	}
	scope := postgres.In(w.Organisation)
	err = s.db.Change(ctx, scope, Topic, func(tx postgres.Tx) error {
		if err := oneAtATime(ctx, tx, w.Organisation); err != nil {
			return err
		}
		var n int
		if err := tx.QueryRow(ctx, `SELECT count(*) FROM webhook WHERE org = $1`, w.Organisation).Scan(&n); err != nil {
			return err
		}
		if n >= maxHooks {
			return schema.Errorf(schema.TooLarge, "", "the organisation has %d webhooks, which is the most", n)
		}
		tx.Record(audit.Entry{Organisation: w.Organisation, Action: audit.Create, Object: hookObject(w), Fields: []audit.Field{audit.Made("host", w.Host())}})
		const insert = `INSERT INTO webhook (id, org, name, url, secret, created_by) VALUES ($1, $2, $3, $4, $5, $6)`
		_, err := tx.Exec(ctx, insert, w.ID, w.Organisation, w.Name, w.URL, sealed, w.CreatedBy)
		return postgres.Explain(err, "insert webhook", hookConstraints)
	})
	if err != nil {
		return w, "", err
	}
	w, err = s.Webhook(ctx, scope, w.ID)
	return w, secret, err
}

// HookChange is what is changed of a webhook; nil fields stay.
type HookChange struct {
	Name, URL *string
	Enabled   *bool
	Rotate    bool // a new secret; the one before signs as well for a day
}

// ChangeWebhook changes a webhook; secret is the new one, if that was asked for. The
// audit log names hosts only: a path may hold a secret.
func (s *Store) ChangeWebhook(ctx context.Context, scope postgres.Scope, id WebhookID, change HookChange) (now Webhook, secret string, err error) {
	err = s.db.Change(ctx, scope, Topic, func(tx postgres.Tx) error {
		old, err := lockHook(ctx, tx, scope, id)
		if err != nil {
			return err
		}
		now = change.apply(old)
		if now.URL != old.URL {
			if err := s.checkURL(now.URL); err != nil {
				return err
			}
		}
		fields := audit.Changes{}
		if change.Rotate {
			if secret, err = s.rotate(ctx, tx, old); err != nil {
				return err
			}
			fields = append(fields, audit.Made("secret", "changed"))
		}
		fields.Text("name", old.Name, now.Name)
		fields.Text("host", old.Host(), now.Host())
		fields.Flag("address_changed", false, old.URL != now.URL)
		fields.Flag("enabled", old.Enabled, now.Enabled)
		tx.Record(audit.Entry{Organisation: old.Organisation, Action: audit.Change, Object: hookObject(now), Fields: fields})
		const update = `UPDATE webhook SET name = $2, url = $3, enabled = $4, off_why = CASE WHEN $4 THEN '' ELSE off_why END WHERE id = $1`
		_, err = tx.Exec(ctx, update, id, now.Name, now.URL, now.Enabled)
		return postgres.Explain(err, "change webhook", hookConstraints)
	})
	if err != nil {
		return now, "", err
	}
	now, err = s.Webhook(ctx, scope, id)
	return now, secret, err
}

func (c HookChange) apply(w Webhook) Webhook {
	if c.Name != nil {
		w.Name = strings.TrimSpace(*c.Name)
	}
	if c.URL != nil {
		w.URL = *c.URL
	}
	if c.Enabled != nil {
		w.Enabled = *c.Enabled
	}
	return w
}

func (s *Store) rotate(ctx context.Context, tx postgres.Tx, w Webhook) (string, error) {
	secret := postgres.NewSecret(SecretPrefix)
	sealed, err := s.box.seal(secret, w.ID)
	if err != nil {
		return "", err
	}
	_, err = tx.Exec(ctx, `UPDATE webhook SET old_secret = secret, old_until = $3, secret = $2 WHERE id = $1`, w.ID, sealed, time.Now().Add(rotation))
	return secret, postgres.Explain(err, "change the secret", nil)
}

func lockHook(ctx context.Context, tx postgres.Tx, scope postgres.Scope, id WebhookID) (Webhook, error) {
	var where postgres.Where
	where.Scope("w.org", scope)
	where.Add("w.id = ?", id)
	rows, err := tx.Query(ctx, selectHook+where.String()+" FOR UPDATE OF w", where.Args()...)
	if err != nil {
		return Webhook{}, postgres.Explain(err, "read webhook", nil)
	}
	w, err := pgx.CollectExactlyOneRow(rows, scanHook)
	return w, postgres.Explain(err, "read webhook", nil)
}

// DeleteWebhook removes the webhook, also from the rules that name it: one that then
// tells nobody is shown in the console at least.
func (s *Store) DeleteWebhook(ctx context.Context, scope postgres.Scope, id WebhookID) error {
	return s.db.Change(ctx, scope, Topic, func(tx postgres.Tx) error {
		w, err := lockHook(ctx, tx, scope, id)
		if err != nil {
			return err
		}
		tx.Record(audit.Entry{Organisation: w.Organisation, Action: audit.Delete, Object: hookObject(w), Fields: []audit.Field{audit.Gone("host", w.Host())}})
		const forget = `UPDATE alert_rule SET webhooks = array_remove(webhooks, $2),
			console = console OR (cardinality(array_remove(webhooks, $2)) = 0 AND cardinality(emails) = 0) WHERE org = $1 AND $2 = ANY (webhooks)`
		if _, err := tx.Exec(ctx, forget, w.Organisation, id); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `DELETE FROM webhook WHERE id = $1`, id)
		return postgres.Explain(err, "delete webhook", nil)
	})
}

func hookObject(w Webhook) audit.Object {
	return audit.Object{Kind: "webhook", ID: w.ID.String(), Name: w.Name}
}
