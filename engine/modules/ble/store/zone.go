package store

import (
	"context"
	"errors"
	"reflect"

	"github.com/jackc/pgx/v5"

	"mybeacon/engine/audit"
	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

const selectZone = `SELECT z.id, z.plan, z.number, z.name, z.color, z.parent, z.polygon, z.capacity FROM ble_zone z`

func scanZone(row pgx.CollectableRow) (Zone, error) {
	var z Zone
	return z, row.Scan(&z.ID, &z.Plan, &z.Number, &z.Name, &z.Color, &z.Parent, &z.Polygon, &z.Capacity)
}

// ZoneRules is what a change of a zone must keep to and the database cannot say
// itself. Both see the plan's other zones as they are under the plan's lock.
type ZoneRules interface {
	// Color chooses the colour of a zone that has none, by its number.
	Color(number int) string
	// Family checks the zone against its parent, which is nil for a zone that is
	// part of none, and its own parts.
	Family(z Zone, parent *Zone, parts []Zone) error
}

// AddZone stores a new zone under the plan's next number.
func (s *Store) AddZone(ctx context.Context, scope postgres.Scope, z Zone, rules ZoneRules) (Zone, error) {
	z.ID = schema.NewID[schema.ZoneID]()
	err := s.changePlan(ctx, scope, z.Plan, wordZones, func(tx postgres.Tx, of owner) error {
		if err := refuseMore(ctx, tx, "SELECT count(*) FROM ble_zone WHERE plan = $1", z.Plan, maxZones); err != nil {
			return err
		}
		if err := checkFamily(ctx, tx, z, rules); err != nil {
			return err
		}
		const next = `SELECT coalesce(max(number), 0) + 1 FROM ble_zone WHERE plan = $1`
		if err := tx.QueryRow(ctx, next, z.Plan).Scan(&z.Number); err != nil {
			return err
		}
		if z.Color == "" {
			z.Color = rules.Color(z.Number)
		}
		const insert = `INSERT INTO ble_zone (id, org, plan, number, name, color, parent, polygon, capacity) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`
		of.record(tx, audit.Create, zoneObject(z), audit.Made("color", z.Color))
		_, err := tx.Exec(ctx, insert, z.ID, of.organisation, z.Plan, z.Number, z.Name, z.Color, z.Parent, z.Polygon, z.Capacity)
		z.PlanVersion = of.version
		return postgres.Explain(err, "insert zone", nil)
	})
	return z, err
}

// ChangeZone lets change alter the zone id of the plan as it is now and stores
// the result; an error of change leaves all as it was, and so does one that alters
// nothing.
func (s *Store) ChangeZone(ctx context.Context, scope postgres.Scope, plan schema.PlanID, id schema.ZoneID, rules ZoneRules, change func(*Zone) error) (Zone, error) {
	var z Zone
	err := s.changePlan(ctx, scope, plan, wordZones, func(tx postgres.Tx, of owner) error {
		var err error
		if z, err = zoneOf(ctx, tx, plan, id); err != nil {
			return postgres.Explain(err, "read zone", nil)
		}
		old := z
		if err := change(&z); err != nil {
			return err
		}
		if reflect.DeepEqual(old, z) {
			z.PlanVersion = of.version - 1
			return errUnchanged
		}
		of.record(tx, audit.Change, zoneObject(old), changesOfZone(old, z)...)
		if err := checkFamily(ctx, tx, z, rules); err != nil {
			return err
		}
		const update = `UPDATE ble_zone SET name = $3, color = $4, parent = $5, polygon = $6, capacity = $7 WHERE id = $1 AND plan = $2`
		_, err = tx.Exec(ctx, update, id, plan, z.Name, z.Color, z.Parent, z.Polygon, z.Capacity)
		z.PlanVersion = of.version
		return postgres.Explain(err, "update zone", nil)
	})
	if errors.Is(err, errUnchanged) {
		err = nil
	}
	return z, err
}

func zoneOf(ctx context.Context, tx postgres.Tx, plan schema.PlanID, id schema.ZoneID) (Zone, error) {
	rows, err := tx.Query(ctx, selectZone+" WHERE z.plan = $1 AND z.id = $2", plan, id)
	if err != nil {
		return Zone{}, err
	}
	return pgx.CollectExactlyOneRow(rows, scanZone)
}

// checkFamily looks up the zone's relatives; the plan is locked, so they stay
// what they are until the change is committed.
func checkFamily(ctx context.Context, tx postgres.Tx, z Zone, rules ZoneRules) error {
	var parent *Zone
	if !z.Parent.IsZero() {
		found, err := zoneOf(ctx, tx, z.Plan, z.Parent)
		switch err = postgres.Explain(err, "read parent", nil); {
		case err != nil && schema.KindOf(err) == schema.NotFound:
			return schema.Errorf(schema.NotFound, "parent_id", "the plan has no such zone")
		case err != nil:
			return err
		}
		parent = &found
	}
	parts, err := postgres.Collect(ctx, tx, scanZone, selectZone+" WHERE z.parent = $1 ORDER BY z.number", z.ID)
	if err != nil {
		return err
	}
	return rules.Family(z, parent, parts)
}

var zoneConstraints = postgres.Constraints{
	"ble_zone_parent": schema.Errorf(schema.Conflict, "", "other zones are parts of this one; delete them or give them another parent first"),
}

// RemoveZone deletes a zone of the plan with its examples; one that others are
// parts of is a Conflict.
func (s *Store) RemoveZone(ctx context.Context, scope postgres.Scope, plan schema.PlanID, id schema.ZoneID) error {
	return s.changePlan(ctx, scope, plan, wordZones, func(tx postgres.Tx, of owner) error {
		old, err := zoneOf(ctx, tx, plan, id)
		if err != nil {
			return postgres.Explain(err, "read zone", nil)
		}
		of.record(tx, audit.Delete, zoneObject(old))
		if err := forget(ctx, tx, plan, `DELETE FROM ble_zone_example WHERE plan = $1 AND zone = $2`, id); err != nil {
			return err
		}
		err = affected(tx.Exec(ctx, `DELETE FROM ble_zone WHERE id = $1 AND plan = $2`, id, plan))
		return postgres.Explain(err, "delete zone", zoneConstraints)
	})
}
