package store

import (
	"context"

	"github.com/jackc/pgx/v5"

	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

// World is everything of the organisations for which the product is switched on,
// as it was at one moment.
type World struct {
	Plans     []Plan
	Receivers []Receiver // by plan
	Zones     []Zone     // by plan and number
	Tags      []Tag
	Radios    map[schema.PlanID]Radio // of the plans whose Radio is not what the caller knows
}

// Radio is what is known of a plan's radio.
type Radio struct {
	Version  uint64
	Survey   []schema.SurveyReading // of surveys, in the order of entry, then of reference tags
	Examples []schema.ZoneExample
}

// World reads what the engine must know. Radios are large and seldom change:
// those whose version the caller has are left out.
func (s *Store) World(ctx context.Context, known map[schema.PlanID]Radio) (World, error) {
	w := World{Radios: map[schema.PlanID]Radio{}}
	const on = switchedOn
	err := s.db.Read(ctx, postgres.AllOrganisations(), func(tx postgres.Tx) error {
		var err error
		if w.Plans, err = postgres.Collect(ctx, tx, scanPlan, selectPlans(undrawn)+" WHERE p.org"+on+" ORDER BY p.id"); err != nil {
			return err
		}
		if w.Receivers, err = postgres.Collect(ctx, tx, scanReceiver, selectReceiver+" WHERE r.org"+on+" ORDER BY r.plan, d.number"); err != nil {
			return err
		}
		if w.Zones, err = postgres.Collect(ctx, tx, scanZone, selectZone+" WHERE z.org"+on+" ORDER BY z.plan, z.number"); err != nil {
			return err
		}
		if w.Tags, err = postgres.Collect(ctx, tx, scanWorldTag, worldTags+" WHERE t.org"+on+" ORDER BY t.id"); err != nil {
			return err
		}
		for _, p := range w.Plans {
			if p.Radio == known[p.ID].Version { // also 0, of a plan that has none
				continue
			}
			if w.Radios[p.ID], err = readRadio(ctx, tx, p); err != nil {
				return err
			}
		}
		return nil
	})
	return w, err
}

func readRadio(ctx context.Context, tx postgres.Tx, p Plan) (Radio, error) {
	r := Radio{Version: p.Radio}
	const readings = `SELECT receiver, x, y, rssi_cdbm, source FROM ble_survey_reading WHERE plan = $1 ORDER BY survey, number`
	var err error
	if r.Survey, err = postgres.Collect(ctx, tx, scanSurveyReading, readings, p.ID); err != nil {
		return r, err
	}
	// Each reference tag is a transmitter of its own.
	const references = `SELECT h.receiver, f.x, f.y, h.rssi_cdbm, $2 + dense_rank() OVER (ORDER BY h.tag)
		FROM ble_reference_reading h JOIN ble_reference f ON f.tag = h.tag
		WHERE h.plan = $1 AND h.rssi_cdbm IS NOT NULL ORDER BY h.tag, h.receiver`
	heard, err := postgres.Collect(ctx, tx, scanSurveyReading, references, p.ID, MaxSource)
	if err != nil {
		return r, err
	}
	r.Survey = append(r.Survey, heard...)
	r.Examples, err = readExamples(ctx, tx, p.ID)
	return r, err
}

func scanSurveyReading(row pgx.CollectableRow) (schema.SurveyReading, error) {
	var r schema.SurveyReading
	return r, row.Scan(&r.Receiver, &r.At.X, &r.At.Y, &r.RSSI, &r.Source)
}
