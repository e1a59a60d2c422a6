package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"mybeacon/schema"
)

// PlanState is what a plan has learned, as JSON.
type PlanState struct {
	Plan schema.PlanID
	JSON []byte
}

// SaveCalibrations stores what the plans have learned, all or nothing. It is no
// change of what people entered, so it announces none.
func (db *DB) SaveCalibrations(ctx context.Context, states []PlanState) error {
	return Explain(db.Write(ctx, AllOrganisations(), func(tx Tx) error {
		batch := &pgx.Batch{}
		for _, s := range states {
			batch.Queue(`INSERT INTO plan_calibrations (plan_id, saved_at, state) VALUES ($1, now(), $2)
				ON CONFLICT (plan_id) DO UPDATE SET saved_at = excluded.saved_at, state = excluded.state`, s.Plan, s.JSON)
		}
		return tx.SendBatch(ctx, batch).Close()
	}), "store calibrations", nil)
}

// Calibrations returns what plans had learned when it was stored last.
func (db *DB) Calibrations(ctx context.Context) ([]PlanState, error) {
	scan := func(row pgx.CollectableRow) (PlanState, error) {
		var s PlanState
		return s, row.Scan(&s.Plan, &s.JSON)
	}
	return Collect(ctx, db.In(AllOrganisations()), scan, `SELECT plan_id, state FROM plan_calibrations ORDER BY plan_id`)
}
