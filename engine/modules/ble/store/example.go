package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"mybeacon/engine/audit"
	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

type exampleKind struct{}

// ExampleID names one zone example.
type ExampleID = schema.ID[exampleKind]

// Example says that a tag was in a zone of the plan, or outside of all, for some
// time, and what was heard of it meanwhile.
type Example struct {
	ID           ExampleID
	Organisation schema.OrganisationID // as it is read
	Plan         schema.PlanID
	Zone         schema.ZoneID // zero: outside zones
	Tag          schema.TagID
	From, To     time.Time
	Seconds      int // in which it was heard
	CreatedAt    time.Time
}

// Heard is what was heard in each second. It is stored by receivers' numbers,
// because their ids would be most of it.
type Heard [][]schema.Reading

// heardRow is the stored form of Heard: a row holds receivers' indexes and
// hundredths of a dBm by turns.
type heardRow struct {
	Receivers []schema.ReceiverID `json:"receivers"`
	Seconds   [][]int             `json:"seconds"`
}

func (h Heard) row() heardRow {
	index := map[schema.ReceiverID]int{}
	row := heardRow{Receivers: []schema.ReceiverID{}, Seconds: make([][]int, len(h))}
	for i, second := range h {
		for _, r := range second {
			n, known := index[r.Receiver]
			if !known {
				n = len(row.Receivers)
				index[r.Receiver] = n
				row.Receivers = append(row.Receivers, r.Receiver)
			}
			row.Seconds[i] = append(row.Seconds[i], n, int(r.RSSI))
		}
	}
	return row
}

func (r heardRow) heard() Heard {
	out := make(Heard, len(r.Seconds))
	for i, second := range r.Seconds {
		for j := 0; j+1 < len(second); j += 2 {
			out[i] = append(out[i], schema.Reading{Receiver: r.Receivers[second[j]], RSSI: schema.CentiDBm(second[j+1])})
		}
	}
	return out
}

func examples() postgres.List[Example] {
	return postgres.List[Example]{
		Select: `SELECT e.id, e.org, e.plan, e.zone, e.tag, e.from_at, e.to_at, e.seconds, e.created_at FROM ble_zone_example e`,
		Key:    "e.from_at", Cast: "timestamptz", ID: "e.id",
		Scan: func(row pgx.CollectableRow) (Example, error) {
			var e Example
			return e, row.Scan(&e.ID, &e.Organisation, &e.Plan, &e.Zone, &e.Tag, &e.From, &e.To, &e.Seconds, &e.CreatedAt)
		},
		At: func(e Example) postgres.Cursor {
			return postgres.Cursor{Key: e.From.UTC().Format(time.RFC3339Nano), ID: e.ID.String()}
		},
	}
}

// Examples returns a page of the plan's zone examples, by their beginnings.
func (s *Store) Examples(ctx context.Context, scope postgres.Scope, plan schema.PlanID, page postgres.Page) (found []Example, next postgres.Cursor, err error) {
	err = s.db.Read(ctx, scope, func(tx postgres.Tx) error {
		if err := seePlan(ctx, tx, scope, plan); err != nil {
			return err
		}
		var where postgres.Where
		where.Add("e.plan = ?", plan)
		found, next, err = examples().Read(ctx, tx, &where, page)
		return err
	})
	return found, next, err
}

// ExampleOwner returns whose an example would be, or NotFound about what is not
// in scope or does not belong together.
func (s *Store) ExampleOwner(ctx context.Context, scope postgres.Scope, e Example) (schema.OrganisationID, error) {
	var org schema.OrganisationID
	err := s.db.Read(ctx, scope, func(tx postgres.Tx) error {
		var where postgres.Where
		find := where.Bind(`SELECT p.org, EXISTS (SELECT FROM ble_tag t WHERE t.org = p.org AND t.id = ?),
			EXISTS (SELECT FROM ble_zone z WHERE z.plan = p.id AND z.id = ?) FROM ble_plan p`, e.Tag, e.Zone)
		where.Scope("p.org", scope)
		where.Location("p.location", scope)
		where.Add("p.id = ?", e.Plan)
		var tag, zone bool
		if err := tx.QueryRow(ctx, find+where.String(), where.Args()...).Scan(&org, &tag, &zone); err != nil {
			return postgres.Explain(err, "find plan", nil)
		}
		switch {
		case !tag:
			return schema.Errorf(schema.NotFound, "tag_id", "the plan's organisation has no such tag")
		case !zone && !e.Zone.IsZero():
			return schema.Errorf(schema.NotFound, "zone_id", "the plan has no such zone")
		}
		return nil
	})
	return org, err
}

var exampleConstraints = postgres.Constraints{
	"ble_zone_example_plan_zone_fkey": schema.Errorf(schema.NotFound, "zone_id", "the plan has no such zone"),
	"ble_zone_example_org_tag_fkey":   schema.Errorf(schema.NotFound, "tag_id", "the plan's organisation has no such tag"),
}

// AddExample stores a zone example of the plan.
func (s *Store) AddExample(ctx context.Context, scope postgres.Scope, e Example, heard Heard) (Example, error) {
	e.ID, e.Seconds = schema.NewID[ExampleID](), len(heard)
	err := s.changeRadio(ctx, scope, e.Plan, func(tx postgres.Tx, of owner) error {
		var intervals, seconds int
		const count = `SELECT count(*), coalesce(sum(seconds), 0) FROM ble_zone_example WHERE plan = $1`
		if err := tx.QueryRow(ctx, count, e.Plan).Scan(&intervals, &seconds); err != nil {
			return err
		}
		if intervals >= maxExampleIntervals || seconds+e.Seconds > maxExampleSeconds {
			return schema.Errorf(schema.TooLarge, "to", "the plan has %d examples with %d seconds and this one has %d; at most %d with %d are kept: delete some or take a shorter time",
				intervals, seconds, e.Seconds, maxExampleIntervals, maxExampleSeconds)
		}
		const insert = `INSERT INTO ble_zone_example (id, org, plan, zone, tag, from_at, to_at, seconds, heard)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING created_at`
		row := tx.QueryRow(ctx, insert, e.ID, of.organisation, e.Plan, e.Zone, e.Tag, e.From, e.To, e.Seconds, heard.row())
		if err := row.Scan(&e.CreatedAt); err != nil {
			return postgres.Explain(err, "insert zone example", exampleConstraints)
		}
		fields, err := exampleFields(ctx, tx, e)
		of.record(tx, audit.Create, exampleObject(e.ID), fields...)
		return err
	})
	return e, err
}

// RemoveExample deletes a zone example of the plan.
func (s *Store) RemoveExample(ctx context.Context, scope postgres.Scope, plan schema.PlanID, id ExampleID) error {
	return s.changeRadio(ctx, scope, plan, func(tx postgres.Tx, of owner) error {
		old := Example{Plan: plan}
		const remove = `DELETE FROM ble_zone_example WHERE id = $1 AND plan = $2 RETURNING tag, zone, from_at, to_at`
		if err := tx.QueryRow(ctx, remove, id, plan).Scan(&old.Tag, &old.Zone, &old.From, &old.To); err != nil {
			return postgres.Explain(err, "delete zone example", nil)
		}
		fields, err := exampleFields(ctx, tx, old)
		of.record(tx, audit.Delete, exampleObject(id), fields...)
		return err
	})
}

func readExamples(ctx context.Context, tx postgres.Tx, plan schema.PlanID) ([]schema.ZoneExample, error) {
	type stored struct {
		zone  schema.ZoneID
		heard heardRow
	}
	scan := func(row pgx.CollectableRow) (stored, error) {
		var e stored
		return e, row.Scan(&e.zone, &e.heard)
	}
	found, err := postgres.Collect(ctx, tx, scan, `SELECT zone, heard FROM ble_zone_example WHERE plan = $1 ORDER BY id`, plan)
	var out []schema.ZoneExample
	for _, e := range found {
		for _, heard := range e.heard.heard() {
			out = append(out, schema.ZoneExample{Zone: e.zone, Heard: heard})
		}
	}
	return out, err
}
