package store

import (
	"context"

	"github.com/jackc/pgx/v5"

	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

const selectZone = `SELECT z.id, z.plan, z.number, z.name, z.color, z.polygon FROM ble_zone z`

func scanZone(row pgx.CollectableRow) (Zone, error) {
	var z Zone
	return z, row.Scan(&z.ID, &z.Plan, &z.Number, &z.Name, &z.Color, &z.Polygon)
}

// AddZone stores a new zone under the plan's next number. color chooses the
// colour of a zone that has none, by its number.
func (s *Store) AddZone(ctx context.Context, scope postgres.Scope, z Zone, color func(number int) string) (Zone, error) {
	z.ID = schema.NewID[schema.ZoneID]()
	err := s.changePlan(ctx, scope, z.Plan, func(tx postgres.Tx, of owner) error {
		if err := refuseMore(ctx, tx, "SELECT count(*) FROM ble_zone WHERE plan = $1", z.Plan, maxZones); err != nil {
			return err
		}
		const next = `SELECT coalesce(max(number), 0) + 1 FROM ble_zone WHERE plan = $1`
		if err := tx.QueryRow(ctx, next, z.Plan).Scan(&z.Number); err != nil {
			return err
		}
		if z.Color == "" {
			z.Color = color(z.Number)
		}
		const insert = `INSERT INTO ble_zone (id, org, plan, number, name, color, polygon) VALUES ($1, $2, $3, $4, $5, $6, $7)`
		_, err := tx.Exec(ctx, insert, z.ID, of.organisation, z.Plan, z.Number, z.Name, z.Color, z.Polygon)
		return postgres.Explain(err, "insert zone", nil)
	})
	return z, err
}

// ChangeZone replaces a zone's name, polygon and, if given, colour.
func (s *Store) ChangeZone(ctx context.Context, scope postgres.Scope, z Zone) (Zone, error) {
	err := s.changePlan(ctx, scope, z.Plan, func(tx postgres.Tx, _ owner) error {
		const update = `UPDATE ble_zone SET name = $3, color = coalesce(nullif($4, ''), color), polygon = $5
			WHERE id = $1 AND plan = $2 RETURNING number, color`
		err := tx.QueryRow(ctx, update, z.ID, z.Plan, z.Name, z.Color, z.Polygon).Scan(&z.Number, &z.Color)
		return postgres.Explain(err, "update zone", nil)
	})
	return z, err
}

// RemoveZone deletes a zone of the plan.
func (s *Store) RemoveZone(ctx context.Context, scope postgres.Scope, plan schema.PlanID, id schema.ZoneID) error {
	return s.changePlan(ctx, scope, plan, func(tx postgres.Tx, _ owner) error {
		err := affected(tx.Exec(ctx, `DELETE FROM ble_zone WHERE id = $1 AND plan = $2`, id, plan))
		return postgres.Explain(err, "delete zone", nil)
	})
}
