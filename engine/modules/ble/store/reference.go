package store

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

// Reference is a tag that hangs at a known point of a plan.
type Reference struct {
	Tag          schema.TagID
	Organisation schema.OrganisationID
	Plan         schema.PlanID
	X, Y         float64   // metres
	Since        time.Time // what was heard before says nothing
}

// Mean is how loudly a receiver heard a reference tag of late.
type Mean struct {
	Tag          schema.TagID
	Receiver     schema.ReceiverID
	RSSI         schema.CentiDBm
	Observations int64
	MeasuredAt   time.Time // of one that is stored
}

const selectReference = `SELECT f.tag, f.org, f.plan, f.x, f.y, f.since FROM ble_reference f`

func scanReference(row pgx.CollectableRow) (Reference, error) {
	var r Reference
	return r, row.Scan(&r.Tag, &r.Organisation, &r.Plan, &r.X, &r.Y, &r.Since)
}

// HangReference says that the tag hangs at the point of the plan, both of one
// organisation in scope, from now on. What was measured of it elsewhere is
// forgotten; saying again where it hangs already changes nothing.
func (s *Store) HangReference(ctx context.Context, scope postgres.Scope, r Reference) (Reference, error) {
	err := s.db.Change(ctx, topic, func(tx postgres.Tx) error {
		of, err := lockPlan(ctx, tx, scope, r.Plan)
		switch {
		case err != nil && schema.KindOf(err) == schema.NotFound:
			return schema.Errorf(schema.NotFound, "plan_id", "there is no such plan")
		case err != nil:
			return err
		}
		var there bool
		if err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM ble_tag WHERE id = $1 AND org = $2)`, r.Tag, of.organisation).Scan(&there); err != nil {
			return err
		}
		if !there {
			return schema.Errorf(schema.NotFound, "", "the plan's organisation has no such tag")
		}
		r.Organisation = of.organisation
		if err := of.holds("x", r.X, r.Y); err != nil {
			return err
		}
		return hang(ctx, tx, &r)
	})
	return r, err
}

func hang(ctx context.Context, tx postgres.Tx, r *Reference) error {
	old, err := postgres.Collect(ctx, tx, scanReference, selectReference+" WHERE f.tag = $1 FOR UPDATE", r.Tag)
	if err != nil {
		return err
	}
	if len(old) > 0 {
		if r.Since = old[0].Since; old[0] == *r {
			return nil
		}
		if err := touchRadio(ctx, tx, old[0].Plan); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM ble_reference WHERE tag = $1`, r.Tag); err != nil {
			return postgres.Explain(err, "move reference", nil)
		}
	}
	if err := refuseMore(ctx, tx, "SELECT count(*) FROM ble_reference WHERE plan = $1", r.Plan, maxReferences); err != nil {
		return err
	}
	const insert = `INSERT INTO ble_reference (tag, org, plan, x, y, since) VALUES ($1, $2, $3, $4, $5, now()) RETURNING since`
	if err := tx.QueryRow(ctx, insert, r.Tag, r.Organisation, r.Plan, r.X, r.Y).Scan(&r.Since); err != nil {
		return postgres.Explain(err, "insert reference", nil)
	}
	return touchRadio(ctx, tx, r.Plan)
}

// RemoveReference says that the tag hangs nowhere any more; NotFound when it does
// not.
func (s *Store) RemoveReference(ctx context.Context, scope postgres.Scope, tag schema.TagID) error {
	return s.db.Change(ctx, topic, func(tx postgres.Tx) error {
		var where postgres.Where
		where.Scope("org", scope)
		where.Add("tag = ?", tag)
		var plan schema.PlanID
		err := tx.QueryRow(ctx, "DELETE FROM ble_reference"+where.String()+" RETURNING plan", where.Args()...).Scan(&plan)
		if err != nil {
			return postgres.Explain(err, "delete reference", nil)
		}
		return touchRadio(ctx, tx, plan)
	})
}

// Reference returns where the tag hangs and what was measured of it, or NotFound.
func (s *Store) Reference(ctx context.Context, scope postgres.Scope, tag schema.TagID) (r Reference, means []Mean, err error) {
	err = s.db.Read(ctx, func(tx postgres.Tx) error {
		var where postgres.Where
		where.Scope("f.org", scope)
		where.Add("f.tag = ?", tag)
		rows, err := tx.Query(ctx, selectReference+where.String(), where.Args()...)
		if err != nil {
			return err
		}
		if r, err = pgx.CollectExactlyOneRow(rows, scanReference); err != nil {
			return postgres.Explain(err, "read reference", nil)
		}
		means, err = postgres.Collect(ctx, tx, scanMean, selectMean+" WHERE h.tag = $1 ORDER BY h.receiver", tag)
		return err
	})
	return r, means, err
}

const selectMean = `SELECT h.tag, h.receiver, h.rssi_cdbm, h.observations, h.measured_at FROM ble_reference_reading h`

func scanMean(row pgx.CollectableRow) (Mean, error) {
	var m Mean
	return m, row.Scan(&m.Tag, &m.Receiver, &m.RSSI, &m.Observations, &m.MeasuredAt)
}

// References returns all reference tags by plan and tag, as they were at asOf, by
// the database's clock.
func (s *Store) References(ctx context.Context) (found []Reference, asOf time.Time, err error) {
	err = s.db.Read(ctx, func(tx postgres.Tx) error {
		if err := tx.QueryRow(ctx, "SELECT now()").Scan(&asOf); err != nil {
			return err
		}
		found, err = postgres.Collect(ctx, tx, scanReference, selectReference+" WHERE f.org"+switchedOn+" ORDER BY f.plan, f.tag")
		return err
	})
	return found, asOf, err
}

// StoreMeans stores what was measured of the plan's references as they were at
// asOf, and reports whether it did: what differs by less than enough from what is
// stored is no news. What is measured no more stays as it was last.
func (s *Store) StoreMeans(ctx context.Context, plan schema.PlanID, asOf time.Time, means []Mean, enough schema.CentiDBm) (changed bool, err error) {
	old, there, err := s.measured(ctx, plan, asOf)
	if err != nil {
		return false, err
	}
	means = slices.DeleteFunc(slices.Clone(means), func(m Mean) bool { return !there[m.pair()] })
	if !news(old, means, enough) {
		return false, nil
	}
	err = s.changeRadio(ctx, postgres.AllOrganisations(), plan, func(tx postgres.Tx, _ owner) error {
		batch := &pgx.Batch{}
		for _, m := range means {
			// What was moved or taken down since it was looked at is left out.
			batch.Queue(`INSERT INTO ble_reference_reading (plan, tag, receiver, rssi_cdbm, observations, measured_at)
				SELECT f.plan, f.tag, r.id, $4, $5, $6 FROM ble_reference f JOIN ble_receiver r ON r.plan = f.plan
				WHERE f.plan = $1 AND f.tag = $2 AND f.since <= $6 AND r.id = $3
				ON CONFLICT (tag, receiver) DO UPDATE
				SET rssi_cdbm = excluded.rssi_cdbm, observations = excluded.observations, measured_at = excluded.measured_at`,
				plan, m.Tag, m.Receiver, int16(m.RSSI), m.Observations, asOf)
		}
		return postgres.Explain(tx.SendBatch(ctx, batch).Close(), "store reference readings", nil)
	})
	return err == nil, err
}

// pair is what is measured.
type pair struct {
	tag      schema.TagID
	receiver schema.ReceiverID
}

func (m Mean) pair() pair { return pair{m.Tag, m.Receiver} }

// measured returns what is stored of the plan's references, and what may be: of
// the receivers that hang there and the references as they were at asOf.
func (s *Store) measured(ctx context.Context, plan schema.PlanID, asOf time.Time) (old []Mean, there map[pair]bool, err error) {
	there = map[pair]bool{}
	err = s.db.Read(ctx, func(tx postgres.Tx) error {
		if old, err = postgres.Collect(ctx, tx, scanMean, selectMean+" WHERE h.plan = $1", plan); err != nil {
			return err
		}
		const pairs = `SELECT f.tag, r.id FROM ble_reference f JOIN ble_receiver r ON r.plan = f.plan WHERE f.plan = $1 AND f.since <= $2`
		found, err := postgres.Collect(ctx, tx, func(row pgx.CollectableRow) (p pair, err error) {
			return p, row.Scan(&p.tag, &p.receiver)
		}, pairs, plan, asOf)
		for _, p := range found {
			there[p] = true
		}
		return err
	})
	return old, there, err
}

// news reports whether the new means differ from the old ones by enough.
func news(old, fresh []Mean, enough schema.CentiDBm) bool {
	was := make(map[pair]schema.CentiDBm, len(old))
	for _, m := range old {
		was[m.pair()] = m.RSSI
	}
	for _, m := range fresh {
		before, ok := was[m.pair()]
		if !ok || m.RSSI-before >= enough || before-m.RSSI >= enough {
			return true
		}
	}
	return false
}
