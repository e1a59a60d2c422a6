package store

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"mybeacon/engine/audit"
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
	CountedTo    time.Time // what was heard before is in its means
}

// Mean is how loudly a receiver hears a reference tag.
type Mean struct {
	Tag          schema.TagID
	Receiver     schema.ReceiverID
	RunningDBm   float64          // forgets what is long ago
	Weight       float64          // how many observations it stands for
	Observations int64            // how many there were
	Told         *schema.CentiDBm // what the engine knows; nil while there were too few
	MeasuredAt   time.Time
}

const selectReference = `SELECT f.tag, f.org, f.plan, f.x, f.y, f.since, f.counted_to FROM ble_reference f`

func scanReference(row pgx.CollectableRow) (Reference, error) {
	var r Reference
	return r, row.Scan(&r.Tag, &r.Organisation, &r.Plan, &r.X, &r.Y, &r.Since, &r.CountedTo)
}

// HangReference says that the tag hangs at the point of the plan, both of one
// organisation in scope, from now on. What was measured of it elsewhere is
// forgotten; saying again where it hangs already changes nothing.
func (s *Store) HangReference(ctx context.Context, scope postgres.Scope, r Reference) (Reference, error) {
	err := s.db.Change(ctx, scope, topic, func(tx postgres.Tx) error {
		of, err := lockPlan(ctx, tx, scope, r.Plan)
		switch {
		case err != nil && schema.KindOf(err) == schema.NotFound:
			return schema.Errorf(schema.NotFound, "plan_id", "there is no such plan")
		case err != nil:
			return err
		}
		tag, err := tagNow(ctx, tx, r.Tag)
		if err != nil || tag.Organisation != of.organisation {
			return firstOf(err, schema.Errorf(schema.NotFound, "", "the plan's organisation has no such tag"))
		}
		r.Organisation = of.organisation
		if err := of.holds("x", r.X, r.Y); err != nil {
			return err
		}
		of.record(tx, audit.Change, referenceObject(tag), audit.Made("place", point(r.X, r.Y)))
		return hang(ctx, tx, scope, &r)
	})
	return r, err
}

func hang(ctx context.Context, tx postgres.Tx, scope postgres.Scope, r *Reference) error {
	old, err := postgres.Collect(ctx, tx, scanReference, selectReference+" WHERE f.tag = $1 FOR UPDATE", r.Tag)
	if err != nil {
		return err
	}
	if len(old) > 0 {
		if r.Since, r.CountedTo = old[0].Since, old[0].CountedTo; old[0] == *r {
			return nil
		}
		if err := leave(ctx, tx, scope, old[0].Plan); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM ble_reference WHERE tag = $1`, r.Tag); err != nil {
			return postgres.Explain(err, "move reference", nil)
		}
	}
	if err := refuseMore(ctx, tx, "SELECT count(*) FROM ble_reference WHERE plan = $1", r.Plan, maxReferences); err != nil {
		return err
	}
	const insert = `INSERT INTO ble_reference (tag, org, plan, x, y, since, counted_to) VALUES ($1, $2, $3, $4, $5, now(), now()) RETURNING since, counted_to`
	if err := tx.QueryRow(ctx, insert, r.Tag, r.Organisation, r.Plan, r.X, r.Y).Scan(&r.Since, &r.CountedTo); err != nil {
		return postgres.Explain(err, "insert reference", nil)
	}
	return touchRadio(ctx, tx, r.Plan)
}

// leave marks the radio of the plan on which a reference hung until now.
func leave(ctx context.Context, tx postgres.Tx, scope postgres.Scope, plan schema.PlanID) error {
	_, err := lockPlan(ctx, tx, scope, plan)
	switch {
	case err != nil && (schema.KindOf(err) == schema.NotFound || schema.KindOf(err) == schema.Forbidden):
		return schema.Errorf(schema.Forbidden, "", "the tag hangs at another location, which you may not change; ask an Owner")
	case err != nil:
		return err
	}
	return touchRadio(ctx, tx, plan)
}

// RemoveReference says that the tag hangs nowhere any more; NotFound when it does
// not.
func (s *Store) RemoveReference(ctx context.Context, scope postgres.Scope, tag schema.TagID) error {
	return s.db.Change(ctx, scope, topic, func(tx postgres.Tx) error {
		var plan schema.PlanID
		where := theReference(scope, tag)
		where.Add("p.id = f.plan")
		err := tx.QueryRow(ctx, "DELETE FROM ble_reference f USING ble_plan p"+where.String()+" RETURNING f.plan", where.Args()...).Scan(&plan)
		if err != nil {
			return postgres.Explain(err, "delete reference", nil)
		}
		of, err := lockPlan(ctx, tx, scope, plan)
		if err != nil {
			return err
		}
		removed, err := tagNow(ctx, tx, tag)
		if err != nil {
			return err
		}
		of.record(tx, audit.Delete, referenceObject(removed))
		return touchRadio(ctx, tx, plan)
	})
}

// theReference admits the tag's reference f of the plan p when the scope sees it.
func theReference(scope postgres.Scope, tag schema.TagID) *postgres.Where {
	var where postgres.Where
	where.Scope("f.org", scope)
	where.Location("p.location", scope)
	where.Add("f.tag = ?", tag)
	return &where
}

// Reference returns where the tag hangs and what was measured of it, or NotFound.
func (s *Store) Reference(ctx context.Context, scope postgres.Scope, tag schema.TagID) (r Reference, means []Mean, err error) {
	err = s.db.Read(ctx, scope, func(tx postgres.Tx) error {
		where := theReference(scope, tag)
		rows, err := tx.Query(ctx, selectReference+" JOIN ble_plan p ON p.id = f.plan"+where.String(), where.Args()...)
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

const selectMean = `SELECT h.tag, h.receiver, h.mean_cdbm / 100, h.weight, h.observations, h.rssi_cdbm, h.measured_at FROM ble_reference_reading h`

func scanMean(row pgx.CollectableRow) (Mean, error) {
	var m Mean
	return m, row.Scan(&m.Tag, &m.Receiver, &m.RunningDBm, &m.Weight, &m.Observations, &m.Told, &m.MeasuredAt)
}

// References returns all reference tags by plan and tag, as they were at asOf, by
// the database's clock.
func (s *Store) References(ctx context.Context) (found []Reference, asOf time.Time, err error) {
	err = s.db.Read(ctx, postgres.AllOrganisations(), func(tx postgres.Tx) error {
		if err := tx.QueryRow(ctx, "SELECT now()").Scan(&asOf); err != nil {
			return err
		}
		found, err = postgres.Collect(ctx, tx, scanReference, selectReference+" WHERE f.org"+switchedOn+" ORDER BY f.plan, f.tag")
		return err
	})
	return found, asOf, err
}

// Measure replaces the means of the plan's references as they were at asOf by what
// count makes of them, and counts them to then. Only if count says so has the
// engine to be told: the rest is nobody's news. It reports what count said.
func (s *Store) Measure(ctx context.Context, plan schema.PlanID, asOf time.Time, count func(old []Mean) (all []Mean, tell bool)) (tell bool, err error) {
	err = s.db.Write(ctx, postgres.AllOrganisations(), func(tx postgres.Tx) error {
		of, err := lockPlan(ctx, tx, postgres.AllOrganisations(), plan)
		if err != nil {
			return err
		}
		old, err := postgres.Collect(ctx, tx, scanMean, selectMean+" WHERE h.plan = $1 ORDER BY h.tag, h.receiver", plan)
		if err != nil {
			return err
		}
		there, err := pairsOf(ctx, tx, plan, asOf)
		if err != nil {
			return err
		}
		all, told := count(old)
		tell = told
		if err := writeMeans(ctx, tx, of.organisation, plan, asOf, slices.DeleteFunc(all, func(m Mean) bool { return !there[pair{m.Tag, m.Receiver}] })); err != nil || !tell {
			return err
		}
		if err := touchRadio(ctx, tx, plan); err != nil {
			return err
		}
		return s.db.Announce(ctx, tx, topic)
	})
	return tell, postgres.Explain(err, "measure references", nil)
}

type pair struct {
	tag      schema.TagID
	receiver schema.ReceiverID
}

// pairsOf returns what can be measured: a reference that was moved and a receiver
// that was taken down since asOf was looked at cannot.
func pairsOf(ctx context.Context, tx postgres.Tx, plan schema.PlanID, asOf time.Time) (map[pair]bool, error) {
	const pairs = `SELECT f.tag, r.id FROM ble_reference f JOIN ble_receiver r ON r.plan = f.plan WHERE f.plan = $1 AND f.since <= $2`
	found, err := postgres.Collect(ctx, tx, func(row pgx.CollectableRow) (p pair, err error) {
		return p, row.Scan(&p.tag, &p.receiver)
	}, pairs, plan, asOf)
	there := make(map[pair]bool, len(found))
	for _, p := range found {
		there[p] = true
	}
	return there, err
}

func writeMeans(ctx context.Context, tx postgres.Tx, org schema.OrganisationID, plan schema.PlanID, asOf time.Time, means []Mean) error {
	batch := &pgx.Batch{}
	batch.Queue(`UPDATE ble_reference SET counted_to = $2 WHERE plan = $1 AND since <= $2`, plan, asOf)
	for _, m := range means {
		batch.Queue(`INSERT INTO ble_reference_reading (org, plan, tag, receiver, mean_cdbm, weight, observations, rssi_cdbm, measured_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
			ON CONFLICT (tag, receiver) DO UPDATE SET mean_cdbm = excluded.mean_cdbm, weight = excluded.weight,
				observations = excluded.observations, rssi_cdbm = excluded.rssi_cdbm, measured_at = excluded.measured_at`,
			org, plan, m.Tag, m.Receiver, 100*m.RunningDBm, m.Weight, m.Observations, m.Told, m.MeasuredAt)
	}
	return postgres.Explain(tx.SendBatch(ctx, batch).Close(), "store means", nil)
}
