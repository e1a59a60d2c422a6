package alert

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

// openAlerts returns the alerts of all organisations whose causes go on.
func (s *Store) openAlerts(ctx context.Context) ([]Alert, error) {
	return postgres.Collect(ctx, s.db.In(postgres.AllOrganisations()), scanAlert, selectAlert+" WHERE a.ended_at IS NULL")
}

// raise stores alerts with what tells of them, in one transaction, and returns how many
// were new.
func (s *Service) raise(ctx context.Context, alerts []Alert, rules map[RuleID]*Rule, things Things, now time.Time) (stored int, err error) {
	if err := name(ctx, alerts, things); err != nil {
		return 0, err
	}
	err = s.db.Write(ctx, postgres.AllOrganisations(), func(tx postgres.Tx) error {
		tx.Unrecorded("an alert is nobody's doing")
		fresh, err := insertAlerts(ctx, tx, alerts, rules, now)
		if err != nil {
			return err
		}
		stored = len(fresh)
		return s.tellAll(ctx, tx, fresh, raised)
	})
	if err != nil {
		return 0, err
	}
	return stored, nil
}

// name puts in what things are called now: the history says what they were called then.
func name(ctx context.Context, alerts []Alert, things Things) error {
	type site struct {
		org schema.OrganisationID
		at  schema.LocationID
	}
	wanted := map[site]*Condition{}
	for i := range alerts {
		a := &alerts[i]
		at := site{a.Organisation, a.Location}
		if wanted[at] == nil {
			wanted[at] = &Condition{}
		}
		c := wanted[at]
		c.Tags, c.Zones, c.Receivers = append(c.Tags, a.Tag), append(c.Zones, a.Zone), append(c.Receivers, a.Receiver)
	}
	for at, c := range wanted {
		names, err := things.AlertNames(ctx, postgres.In(at.org), at.at, *c)
		if err != nil {
			return err
		}
		for i := range alerts {
			if a := &alerts[i]; a.Location == at.at {
				a.TagName, a.ZoneName, a.ReceiverName = names[a.Tag], names[a.Zone], names[a.Receiver]
			}
		}
	}
	return nil
}

// insertAlerts stores those that are not there yet and whose rule is, as it was: one that
// was removed or changed a moment ago tells nobody.
func insertAlerts(ctx context.Context, tx postgres.Tx, alerts []Alert, rules map[RuleID]*Rule, now time.Time) ([]Alert, error) {
	const insert = `INSERT INTO alert (id, org, location, rule, rule_name, kind, subject, plan, tag, tag_name, tag_type, zone, zone_name, receiver,
			receiver_name, began_at, at, value, bound, console, muted)
		SELECT $1, r.org, r.location, r.id, r.name, $5, $6, $7, $8, $9, coalesce($10, ''), $11, $12, $13, $14, $15, $16, $17, $18, r.console, $19
		FROM alert_rule r WHERE r.id = $4 AND r.org = $2 AND r.location = $3 AND r.enabled AND r.since = $20
		FOR KEY SHARE OF r ON CONFLICT DO NOTHING`
	all := &pgx.Batch{}
	for i := range alerts {
		a := &alerts[i]
		if r := rules[a.Rule]; r != nil {
			a.Muted = r.muted(now)
		}
		all.Queue(insert, a.ID, a.Organisation, a.Location, a.Rule, a.Kind, a.Subject.id(), a.Plan, a.Tag, a.TagName, a.TagType, a.Zone, a.ZoneName,
			a.Receiver, a.ReceiverName, a.BeganAt, a.At, a.Value, a.Bound, a.Muted, a.since)
	}
	results := tx.SendBatch(ctx, all)
	var fresh []Alert
	for i := range alerts {
		done, err := results.Exec()
		if err != nil {
			_ = results.Close()
			return nil, postgres.Explain(err, "insert alerts", nil)
		}
		if done.RowsAffected() == 1 {
			fresh = append(fresh, alerts[i])
		}
	}
	return fresh, results.Close()
}

// tellAll puts the alerts into the digests of all who are to be told, by their rules as
// they are now.
func (s *Service) tellAll(ctx context.Context, tx postgres.Tx, alerts []Alert, what string) error {
	const find = `SELECT r.id, r.emails, array(SELECT w.id FROM webhook w WHERE w.org = r.org AND w.id = ANY (r.webhooks) AND w.enabled)
		FROM alert_rule r WHERE r.id = ANY ($1::text[]::uuid[])`
	ids := make([]string, 0, len(alerts))
	for i := range alerts {
		ids = append(ids, alerts[i].Rule.String())
	}
	rows, err := tx.Query(ctx, find, ids)
	if err != nil {
		return postgres.Explain(err, "read who is told", nil)
	}
	notify := map[RuleID]Notify{}
	var id RuleID
	var n Notify
	if _, err := pgx.ForEachRow(rows, []any{&id, &n.Emails, &n.Webhooks}, func() error {
		notify[id] = n
		n = Notify{}
		return nil
	}); err != nil {
		return postgres.Explain(err, "read who is told", nil)
	}
	var order []recipient
	events := map[recipient][]event{}
	add := func(to recipient, e event) {
		if events[to] == nil {
			order = append(order, to)
		}
		events[to] = append(events[to], e)
	}
	for i := range alerts {
		a := &alerts[i]
		if a.Muted {
			continue
		}
		if what == raised { // that something is over is for programs
			for _, email := range notify[a.Rule].Emails {
				add(recipient{org: a.Organisation, channel: Mail, email: email}, event{a.ID, what})
			}
		}
		for _, hook := range notify[a.Rule].Webhooks {
			add(recipient{org: a.Organisation, channel: Hook, webhook: hook}, event{a.ID, what})
		}
	}
	for _, to := range order {
		if err := s.tell(ctx, tx, to, events[to]); err != nil {
			return err
		}
	}
	return nil
}

// end stores that causes have ended, and tells of it those who were told that they began.
func (s *Service) end(ctx context.Context, ends []End) error {
	return s.db.Write(ctx, postgres.AllOrganisations(), func(tx postgres.Tx) error {
		tx.Unrecorded("an alert is nobody's doing")
		var over []Alert
		for _, e := range ends {
			const update = `UPDATE alert SET ended_at = greatest(began_at, $2) WHERE id = $1 AND ended_at IS NULL RETURNING org, rule, muted`
			a := Alert{ID: e.Alert}
			err := tx.QueryRow(ctx, update, e.Alert, e.At).Scan(&a.Organisation, &a.Rule, &a.Muted)
			switch {
			case errors.Is(err, pgx.ErrNoRows): // its rule ended it
			case err != nil:
				return postgres.Explain(err, "end alerts", nil)
			default:
				over = append(over, a)
			}
		}
		return s.tellAll(ctx, tx, over, ended)
	})
}

// absences returns who was away when it was last noted.
func (s *Store) absences(ctx context.Context) ([]sight, error) {
	const find = `SELECT tag, org, location, plan, heard_at FROM alert_absence`
	return postgres.Collect(ctx, s.db.In(postgres.AllOrganisations()), func(row pgx.CollectableRow) (sight, error) {
		at := sight{absent: true}
		var heard time.Time
		err := row.Scan(&at.tag, &at.org, &at.location, &at.plan, &heard)
		at.heard = schema.EventTimeOf(heard)
		return at, err
	}, find)
}

// progress returns up to when each plan's events were looked at.
func (s *Store) progress(ctx context.Context) (map[schema.PlanID]schema.EventTime, error) {
	rows, err := s.db.In(postgres.AllOrganisations()).Query(ctx, `SELECT plan, through FROM alert_progress`)
	if err != nil {
		return nil, postgres.Explain(err, "read the progress of alerts", nil)
	}
	found := map[schema.PlanID]schema.EventTime{}
	var plan schema.PlanID
	var through time.Time
	_, err = pgx.ForEachRow(rows, []any{&plan, &through}, func() error { found[plan] = schema.EventTimeOf(through); return nil })
	return found, postgres.Explain(err, "read the progress of alerts", nil)
}

// note stores who is away of those who moved, and up to when events were looked at.
func (s *Store) note(ctx context.Context, moved map[schema.TagID]bool, absent map[schema.TagID]sight, through map[schema.PlanID]schema.EventTime) error {
	return s.db.Write(ctx, postgres.AllOrganisations(), func(tx postgres.Tx) error {
		tx.Unrecorded("how far alerts have come is nobody's doing")
		all := &pgx.Batch{}
		for id := range moved {
			if at, away := absent[id]; away {
				all.Queue(`INSERT INTO alert_absence (tag, org, location, plan, heard_at) SELECT $1, l.org, l.id, $4, $5 FROM location l WHERE l.org = $2 AND l.id = $3
					ON CONFLICT (tag) DO UPDATE SET org = excluded.org, location = excluded.location, plan = excluded.plan, heard_at = excluded.heard_at`,
					id, at.org, at.location, at.plan, at.heard.Time())
			} else {
				all.Queue(`DELETE FROM alert_absence WHERE tag = $1`, id)
			}
		}
		for plan, at := range through {
			all.Queue(`INSERT INTO alert_progress (plan, through) VALUES ($1, $2) ON CONFLICT (plan) DO UPDATE SET through = excluded.through`, plan, at.Time())
		}
		return postgres.Explain(tx.SendBatch(ctx, all).Close(), "note the progress of alerts", nil)
	})
}

// Spoke returns the devices that have spoken since they were enrolled.
func (s *Store) Spoke(ctx context.Context) (map[schema.DeviceID]bool, error) {
	ids, err := postgres.Collect(ctx, s.db.In(postgres.AllOrganisations()), func(row pgx.CollectableRow) (id schema.DeviceID, err error) {
		return id, row.Scan(&id)
	}, `SELECT id FROM device WHERE last_seen IS NOT NULL`)
	spoke := make(map[schema.DeviceID]bool, len(ids))
	for _, id := range ids {
		spoke[id] = true
	}
	return spoke, err
}
