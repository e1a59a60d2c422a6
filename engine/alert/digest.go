package alert

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

// maxItems is how many alerts one digest lists; beyond, they are counted.
const maxItems = 50

// The events of an alert that are told.
const (
	raised = "raised"
	ended  = "ended"
)

// digest is what one recipient is told at a time.
type digest struct {
	id        DeliveryID
	org       schema.OrganisationID
	channel   string
	recipient string // of mails
	webhook   WebhookID
	test      bool
	why       string // of a test: the rule
}

// recipient is who gets digests.
type recipient struct {
	org     schema.OrganisationID
	channel string
	email   string
	webhook WebhookID
}

// event is one thing to tell.
type event struct {
	alert ID
	what  string
}

// mailJob and postJob are what the jobs are about.
type (
	mailJob struct {
		Delivery DeliveryID `json:"delivery"`
	}
	postJob struct {
		Delivery DeliveryID `json:"delivery"`
	}
)

// Kind implements jobs.Args.
func (mailJob) Kind() string { return "alert_mail" }

// Kind implements jobs.Args.
func (postJob) Kind() string { return "alert_post" }

// tell puts the events into the digest that gathers for the recipient, or begins one.
func (s *Service) tell(ctx context.Context, tx postgres.Tx, to recipient, events []event) error {
	d := digest{org: to.org, channel: to.channel, recipient: to.email, webhook: to.webhook}
	const find = `SELECT d.id, (SELECT count(*) FROM alert_delivery_item i WHERE i.delivery = d.id) FROM alert_delivery d
		WHERE d.org = $1 AND d.recipient = $2 AND d.webhook IS NOT DISTINCT FROM $3 AND d.state = 'gathering' AND NOT d.test FOR UPDATE`
	listed := 0
	err := tx.QueryRow(ctx, find, to.org, to.email, to.webhook).Scan(&d.id, &listed)
	if errors.Is(err, pgx.ErrNoRows) {
		var due time.Time
		if due, err = s.due(ctx, tx, to); err == nil {
			err = s.begin(ctx, tx, &d, due)
		}
	}
	if err != nil {
		return postgres.Explain(err, "find a digest", nil)
	}
	room := max(min(maxItems-listed, len(events)), 0)
	for _, e := range events[:room] {
		const insert = `INSERT INTO alert_delivery_item (org, delivery, alert, event) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`
		if _, err := tx.Exec(ctx, insert, to.org, d.id, e.alert, e.what); err != nil {
			return postgres.Explain(err, "add to a digest", nil)
		}
	}
	if more := len(events) - room; more > 0 {
		_, err = tx.Exec(ctx, `UPDATE alert_delivery SET more = more + $2 WHERE id = $1`, d.id, more)
	}
	return postgres.Explain(err, "count in a digest", nil)
}

// due returns when the recipient may get the next digest.
func (s *Service) due(ctx context.Context, tx postgres.Tx, to recipient) (time.Time, error) {
	now := time.Now()
	const last = `SELECT max(due_at) FROM alert_delivery WHERE org = $1 AND recipient = $2 AND webhook IS NOT DISTINCT FROM $3
		AND NOT test AND created_at > $4`
	pause := s.cfg.Gather(to.channel)
	var before *time.Time
	err := tx.QueryRow(ctx, last, to.org, to.email, to.webhook, now.Add(-2*pause-time.Minute)).Scan(&before)
	if err != nil || before == nil || before.Add(pause).Before(now) {
		return now, err
	}
	return before.Add(pause), nil
}

// begin stores a digest with the job that sends it.
func (s *Service) begin(ctx context.Context, tx postgres.Tx, d *digest, due time.Time) error {
	d.id = schema.NewID[DeliveryID]()
	const insert = `INSERT INTO alert_delivery (id, org, channel, recipient, webhook, state, test, error, due_at)
		VALUES ($1, $2, $3, $4, $5, 'gathering', $6, $7, $8)`
	if _, err := tx.Exec(ctx, insert, d.id, d.org, d.channel, d.recipient, d.webhook, d.test, d.why, due); err != nil {
		return postgres.Explain(err, "begin a digest", nil)
	}
	if !due.After(time.Now()) {
		due = time.Time{}
	}
	var err error
	if d.channel == Mail {
		_, err = s.cfg.Jobs.InsertAt(ctx, tx, mailJob{d.id}, due)
	} else {
		_, err = s.cfg.Jobs.InsertAt(ctx, tx, postJob{d.id}, due)
	}
	return err
}

// item is an alert in a digest.
type item struct {
	Alert
	event string
	zone  *time.Location
}

// take returns the digest to send, and what it lists; from then on nothing is added. ok
// is false of one that is gone or done.
func (s *Service) take(ctx context.Context, tx postgres.Tx, id DeliveryID) (d Delivery, items []item, ok bool, err error) {
	rows, err := tx.Query(ctx, selectDelivery+" WHERE d.id = $1 FOR UPDATE OF d", id)
	if err != nil {
		return d, nil, false, err
	}
	d, err = pgx.CollectExactlyOneRow(rows, scanDelivery)
	if errors.Is(err, pgx.ErrNoRows) {
		return d, nil, false, nil // removed meanwhile, such as with its webhook
	}
	if err != nil || d.State != Gathering && d.State != Sending {
		return d, nil, false, err
	}
	if _, err := tx.Exec(ctx, `UPDATE alert_delivery SET state = 'sending' WHERE id = $1`, id); err != nil {
		return d, nil, false, err
	}
	items, err = listed(ctx, tx, id)
	return d, items, true, err
}

// listed returns what a digest lists, in the order in which it happened.
func listed(ctx context.Context, tx postgres.Tx, id DeliveryID) ([]item, error) {
	const in = ` JOIN alert_delivery_item i ON i.alert = a.id WHERE i.delivery = $1 ORDER BY a.at, a.id, i.event DESC`
	alerts, err := postgres.Collect(ctx, tx, scanAlert, selectAlert+in, id)
	if err != nil {
		return nil, err
	}
	const besides = `SELECT i.event, l.time_zone FROM alert a JOIN location l ON l.id = a.location` + in
	type more struct{ event, zone string }
	others, err := postgres.Collect(ctx, tx, func(row pgx.CollectableRow) (m more, err error) { return m, row.Scan(&m.event, &m.zone) }, besides, id)
	if err != nil || len(others) != len(alerts) {
		return nil, errors.Join(err, postgres.Explain(err, "read a digest", nil))
	}
	items := make([]item, len(alerts))
	for i, a := range alerts {
		zone, err := time.LoadLocation(others[i].zone)
		if err != nil {
			zone = time.UTC
		}
		items[i] = item{Alert: a, event: others[i].event, zone: zone}
	}
	return items, nil
}

// finish notes what became of an attempt.
func (s *Service) finish(ctx context.Context, id DeliveryID, state string, status int, why string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteTimeout)
	defer cancel()
	const update = `UPDATE alert_delivery SET state = $2, attempts = attempts + 1, status = $3, error = $4,
		finished_at = CASE WHEN $2 = 'sending' THEN NULL ELSE now() END WHERE id = $1`
	_, err := s.db.In(postgres.AllOrganisations()).Exec(ctx, update, id, state, status, why)
	return postgres.Explain(err, "note a delivery", nil)
}

// noteTimeout bounds noting what became of a delivery, also when the server stops.
const noteTimeout = 5 * time.Second
