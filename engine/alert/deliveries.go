package alert

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"mybeacon/engine/store/postgres"
)

// A mail is Sent when the outbox has it; what the mail server then says of it is the
// outbox's to tell.
const selectDelivery = `SELECT d.id, d.org, d.channel, coalesce(w.name, d.recipient), d.webhook, d.state, d.test,
	(SELECT count(*) FROM alert_delivery_item n WHERE n.delivery = d.id), d.more, d.attempts, d.status, d.error, d.created_at, d.due_at, d.finished_at
	FROM alert_delivery d LEFT JOIN webhook w ON w.id = d.webhook`

func (d *Delivery) fields(finished **time.Time) []any {
	return []any{&d.ID, &d.Organisation, &d.Channel, &d.Recipient, &d.Webhook, &d.State, &d.Test, &d.Alerts, &d.More, &d.Attempts,
		&d.Status, &d.Error, &d.CreatedAt, &d.DueAt, finished}
}

func scanDelivery(row pgx.CollectableRow) (Delivery, error) {
	var d Delivery
	var finished *time.Time
	err := row.Scan(d.fields(&finished)...)
	if finished != nil {
		d.FinishedAt = *finished
	}
	return d, err
}

// addDeliveries says of each alert who was told that it was raised.
func (s *Store) addDeliveries(ctx context.Context, scope postgres.Scope, alerts []Alert) error {
	ids, at := make([]string, len(alerts)), make(map[ID]int, len(alerts))
	for i := range alerts {
		ids[i], at[alerts[i].ID] = alerts[i].ID.String(), i
	}
	if len(ids) == 0 {
		return nil
	}
	rows, err := s.db.In(scope).Query(ctx, `SELECT i.alert, f.* FROM alert_delivery_item i JOIN (`+selectDelivery+`) f ON f.id = i.delivery
		WHERE i.alert = ANY ($1::text[]::uuid[]) AND i.event = 'raised' ORDER BY f.channel, 5, f.id`, ids)
	if err != nil {
		return postgres.Explain(err, "read deliveries", nil)
	}
	defer rows.Close()
	for rows.Next() {
		var id ID
		var d Delivery
		var finished *time.Time
		if err := rows.Scan(append([]any{&id}, d.fields(&finished)...)...); err != nil {
			return postgres.Explain(err, "read deliveries", nil)
		}
		if finished != nil {
			d.FinishedAt = *finished
		}
		alerts[at[id]].Deliveries = append(alerts[at[id]].Deliveries, d)
	}
	return postgres.Explain(rows.Err(), "read deliveries", nil)
}

// Deliveries returns a page of what was posted to a webhook, the newest first; NotFound
// when there is none in scope.
func (s *Store) Deliveries(ctx context.Context, scope postgres.Scope, hook WebhookID, page postgres.Page) ([]Delivery, postgres.Cursor, error) {
	if _, err := s.Webhook(ctx, scope, hook); err != nil {
		return nil, postgres.Cursor{}, err
	}
	var where postgres.Where
	where.Scope("d.org", scope)
	where.Add("d.webhook = ?", hook)
	if page.After != (postgres.Cursor{}) {
		where.Add("(d.created_at, d.id) < (?::text::timestamptz, ?::text::uuid)", page.After.Key, page.After.ID)
	}
	limit := page.Limit
	if limit <= 0 || limit > postgres.MaxLimit {
		limit = postgres.DefaultLimit
	}
	sql := selectDelivery + where.String() + " ORDER BY d.created_at DESC, d.id DESC LIMIT " + where.Bind("?", limit+1)
	found, err := postgres.Collect(ctx, s.db.In(scope), scanDelivery, sql, where.Args()...)
	if err != nil || len(found) <= limit {
		return found, postgres.Cursor{}, err
	}
	last := found[limit-1]
	return found[:limit], postgres.Cursor{Key: last.CreatedAt.UTC().Format(cursorTime), ID: last.ID.String()}, nil
}
