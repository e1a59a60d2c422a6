package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

// Measured returns the plan with all that is known of its radio, as it was at one
// moment.
func (s *Store) Measured(ctx context.Context, scope postgres.Scope, id schema.PlanID) (Drawing, Radio, error) {
	var d Drawing
	var radio Radio
	err := s.db.Read(ctx, scope, func(tx postgres.Tx) error {
		if err := seePlan(ctx, tx, scope, id); err != nil {
			return err
		}
		var err error
		if d, err = drawingNow(ctx, tx, id); err != nil {
			return err
		}
		radio, err = readRadio(ctx, tx, d.Plan)
		return err
	})
	return d, radio, err
}

// ReferencePoint is a reference tag's place.
type ReferencePoint struct {
	Tag  schema.TagID
	Name string
	X, Y float64 // metres
}

// ReferencePoints returns the reference tags of the plan, by name.
func (s *Store) ReferencePoints(ctx context.Context, scope postgres.Scope, id schema.PlanID) ([]ReferencePoint, error) {
	where := ofPlans(scope, schema.LocationID{}, id)
	scan := func(row pgx.CollectableRow) (ReferencePoint, error) {
		var r ReferencePoint
		return r, row.Scan(&r.Tag, &r.Name, &r.X, &r.Y)
	}
	sql := `SELECT f.tag, t.name, f.x, f.y FROM ble_reference f JOIN ble_tag t ON t.id = f.tag JOIN ble_plan p ON p.id = f.plan` + where.String() + ` ORDER BY t.name, f.tag`
	return postgres.Collect(ctx, s.db.In(scope), scan, sql, where.Args()...)
}

// Learned returns the offsets that a plan has learned by itself, as they were stored
// some seconds ago. Who asks must see the plan: the table knows no organisations.
func (s *Store) Learned(ctx context.Context, plan schema.PlanID) (map[schema.ReceiverID]float64, error) {
	var text []byte
	row := s.db.In(postgres.AllOrganisations()).QueryRow(ctx, `SELECT state FROM plan_calibrations WHERE plan_id = $1`, plan)
	if err := row.Scan(&text); errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	} else if err != nil {
		return nil, postgres.Explain(err, "read calibration", nil)
	}
	var state struct {
		Receivers []struct {
			Receiver schema.ReceiverID `json:"receiver"`
			OffsetDB float64           `json:"offset_db"`
		} `json:"receivers"`
	}
	if err := json.Unmarshal(text, &state); err != nil {
		return nil, fmt.Errorf("read the calibration of plan %s: %w", plan, err)
	}
	out := make(map[schema.ReceiverID]float64, len(state.Receivers))
	for _, r := range state.Receivers {
		out[r.Receiver] = r.OffsetDB
	}
	return out, nil
}

// SurveyNamed returns the plan's survey of that name; false: there is none.
func (s *Store) SurveyNamed(ctx context.Context, scope postgres.Scope, plan schema.PlanID, name string) (Survey, bool, error) {
	var where postgres.Where
	where.Scope("s.org", scope)
	where.Add("s.plan = ?", plan)
	where.Add("s.name = ?", name)
	v, err := surveys().One(ctx, s.db.In(scope), &where)
	if schema.KindOf(err) == schema.NotFound {
		return v, false, nil
	}
	return v, err == nil, err
}

// Surveyed counts the plan's surveys and their readings.
func (s *Store) Surveyed(ctx context.Context, scope postgres.Scope, id schema.PlanID) (surveys, readings int, err error) {
	const count = `SELECT (SELECT count(*) FROM ble_survey WHERE plan = $1), (SELECT count(*) FROM ble_survey_reading WHERE plan = $1)`
	err = s.db.In(scope).QueryRow(ctx, count, id).Scan(&surveys, &readings)
	return surveys, readings, postgres.Explain(err, "count surveys", nil)
}
