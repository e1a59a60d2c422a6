package alert

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"mybeacon/engine/audit"
	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

// Filter narrows a list of alerts; zero fields admit all.
type Filter struct {
	State    string // [Open], [Acknowledged], [Closed]
	Rule     RuleID
	Location schema.LocationID
	Kind     Kind
	From, To time.Time // when they were raised
}

const selectAlert = `SELECT a.id, a.org, a.location, l.name, a.rule, a.rule_name, a.kind, a.plan, a.tag, a.tag_name, a.tag_type, a.zone, a.zone_name,
	a.receiver, a.receiver_name, a.began_at, a.at, a.raised_at, a.ended_at, a.value, a.bound, a.console, a.muted,
	a.acknowledged_by, a.acknowledged_at, a.note FROM alert a JOIN location l ON l.id = a.location`

func scanAlert(row pgx.CollectableRow) (Alert, error) {
	var a Alert
	var ended, acknowledged *time.Time
	err := row.Scan(&a.ID, &a.Organisation, &a.Location, &a.LocationName, &a.Rule, &a.RuleName, &a.Kind, &a.Plan, &a.Tag, &a.TagName, &a.TagType,
		&a.Zone, &a.ZoneName, &a.Receiver, &a.ReceiverName, &a.BeganAt, &a.At, &a.RaisedAt, &ended, &a.Value, &a.Bound, &a.Console, &a.Muted,
		&a.AcknowledgedBy, &acknowledged, &a.Note)
	if ended != nil {
		a.EndedAt = *ended
	}
	if acknowledged != nil {
		a.AcknowledgedAt = *acknowledged
	}
	return a, err
}

func (f Filter) where(scope postgres.Scope) *postgres.Where {
	where := alertScope(scope)
	switch f.State {
	case Open:
		where.Add("a.ended_at IS NULL AND a.acknowledged_at IS NULL")
	case Acknowledged:
		where.Add("a.ended_at IS NULL AND a.acknowledged_at IS NOT NULL")
	case Closed:
		where.Add("a.ended_at IS NOT NULL")
	}
	if !f.Rule.IsZero() {
		where.Add("a.rule = ?", f.Rule)
	}
	if !f.Location.IsZero() {
		where.Add("a.location = ?", f.Location)
	}
	if f.Kind != "" {
		where.Add("a.kind = ?", f.Kind)
	}
	if !f.From.IsZero() {
		where.Add("a.raised_at >= ?", f.From)
	}
	if !f.To.IsZero() {
		where.Add("a.raised_at < ?", f.To)
	}
	return where
}

func alertScope(scope postgres.Scope) *postgres.Where {
	var where postgres.Where
	where.Scope("a.org", scope)
	where.Location("a.location", scope)
	return &where
}

// cursorTime keeps all that the database has of a time.
const cursorTime = "2006-01-02T15:04:05.999999Z07:00"

// Alerts returns a page of alerts with who was told, the newest first.
func (s *Store) Alerts(ctx context.Context, scope postgres.Scope, filter Filter, page postgres.Page) ([]Alert, postgres.Cursor, error) {
	where := filter.where(scope)
	if page.After != (postgres.Cursor{}) {
		where.Add("(a.raised_at, a.id) < (?::text::timestamptz, ?::text::uuid)", page.After.Key, page.After.ID)
	}
	limit := page.Limit
	if limit <= 0 || limit > postgres.MaxLimit {
		limit = postgres.DefaultLimit
	}
	sql := selectAlert + where.String() + " ORDER BY a.raised_at DESC, a.id DESC LIMIT " + where.Bind("?", limit+1)
	found, err := postgres.Collect(ctx, s.db.In(scope), scanAlert, sql, where.Args()...)
	if err != nil {
		return nil, postgres.Cursor{}, err
	}
	var next postgres.Cursor
	if len(found) > limit {
		found = found[:limit]
		last := found[limit-1]
		next = postgres.Cursor{Key: last.RaisedAt.UTC().Format(cursorTime), ID: last.ID.String()}
	}
	return found, next, s.addDeliveries(ctx, scope, found)
}

// Alert returns one alert, or NotFound.
func (s *Store) Alert(ctx context.Context, scope postgres.Scope, id ID) (Alert, error) {
	where := alertScope(scope)
	where.Add("a.id = ?", id)
	found, err := postgres.Collect(ctx, s.db.In(scope), scanAlert, selectAlert+where.String(), where.Args()...)
	if err == nil && len(found) == 0 {
		err = schema.Errorf(schema.NotFound, "", "there is no such object")
	}
	if err != nil {
		return Alert{}, err
	}
	return found[0], s.addDeliveries(ctx, scope, found)
}

// Counted is how many alerts ask for somebody.
type Counted struct {
	Open, Acknowledged int
	Newest             ID // of the open ones that are shown in the console; zero: none
}

// maxCounted bounds what is counted: a badge that says 1000 has said enough.
const maxCounted = 1000

// Count returns how many alerts for the console have not ended, up to [maxCounted] each.
func (s *Store) Count(ctx context.Context, scope postgres.Scope, filter Filter) (Counted, error) {
	var c Counted
	for state, into := range map[string]*int{Open: &c.Open, Acknowledged: &c.Acknowledged} {
		filter.State = state
		where := filter.where(scope)
		where.Add("a.console AND NOT a.muted")
		sql := `SELECT count(*) FROM (SELECT FROM alert a` + where.String() + ` LIMIT ` + where.Bind("?", maxCounted) + `) found`
		if err := s.db.In(scope).QueryRow(ctx, sql, where.Args()...).Scan(into); err != nil {
			return c, postgres.Explain(err, "count alerts", nil)
		}
	}
	filter.State = Open
	where := filter.where(scope)
	where.Add("a.console AND NOT a.muted")
	ids, err := postgres.Collect(ctx, s.db.In(scope), func(row pgx.CollectableRow) (id ID, err error) { return id, row.Scan(&id) },
		`SELECT a.id FROM alert a`+where.String()+` ORDER BY a.raised_at DESC, a.id DESC LIMIT 1`, where.Args()...)
	if len(ids) > 0 {
		c.Newest = ids[0]
	}
	return c, err
}

// Acknowledge notes that somebody has seen to the alert, with what he has to say. Who
// does so first stays; another note replaces the one before.
func (s *Store) Acknowledge(ctx context.Context, scope postgres.Scope, id ID, by, note string) (Alert, error) {
	err := s.db.Change(ctx, scope, "alerts", func(tx postgres.Tx) error {
		where := alertScope(scope)
		where.Add("a.id = ?", id)
		rows, err := tx.Query(ctx, selectAlert+where.String()+" FOR UPDATE OF a", where.Args()...)
		if err != nil {
			return postgres.Explain(err, "read alert", nil)
		}
		a, err := pgx.CollectExactlyOneRow(rows, scanAlert)
		if err != nil {
			return postgres.Explain(err, "read alert", nil)
		}
		if err := scope.MayChange(a.Location); err != nil {
			return err
		}
		var fields audit.Changes
		fields.Text("state", a.State(), Acknowledged)
		fields.Text("note", a.Note, note)
		tx.Record(audit.Entry{Organisation: a.Organisation, Action: audit.Change, Object: audit.Object{Kind: "alert", ID: a.ID.String(), Name: a.RuleName}, Fields: fields})
		const update = `UPDATE alert SET acknowledged_at = coalesce(acknowledged_at, now()), note = $3,
			acknowledged_by = CASE WHEN acknowledged_at IS NULL THEN $2 ELSE acknowledged_by END WHERE id = $1`
		_, err = tx.Exec(ctx, update, id, by, note)
		return postgres.Explain(err, "acknowledge", nil)
	})
	if err != nil {
		return Alert{}, err
	}
	return s.Alert(ctx, scope, id)
}

// keepAlerts and keepDeliveries are for how long what is over is shown.
const (
	keepAlerts     = 400 * 24 * time.Hour
	keepDeliveries = 90 * 24 * time.Hour
)

// Sweep removes what is over and old.
func (s *Store) Sweep(ctx context.Context) error {
	q := s.db.In(postgres.AllOrganisations())
	if _, err := q.Exec(ctx, `DELETE FROM alert_delivery WHERE created_at < $1`, time.Now().Add(-keepDeliveries)); err != nil {
		return postgres.Explain(err, "remove old deliveries", nil)
	}
	if _, err := q.Exec(ctx, `DELETE FROM alert WHERE ended_at IS NOT NULL AND raised_at < $1`, time.Now().Add(-keepAlerts)); err != nil {
		return postgres.Explain(err, "remove old alerts", nil)
	}
	_, err := q.Exec(ctx, `UPDATE webhook SET old_secret = NULL, old_until = NULL WHERE old_until < now()`)
	return postgres.Explain(err, "remove old secrets", nil)
}
