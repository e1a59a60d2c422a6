package store

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"mybeacon/engine/audit"
	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

// The bounds of surveys. The engine holds a plan's readings in memory, 48 bytes
// each, and the locator takes as many together with those of reference tags.
const (
	maxSurveys          = 1000      // of a plan
	maxReadings         = 1_000_000 // of a plan
	maxReadingsOverall  = 4_000_000 // of an organisation
	MaxSource           = 1000      // the highest source of a survey's reading
	maxReferences       = 64        // of a plan
	maxExampleSeconds   = 10_000    // of a plan
	maxExampleIntervals = 1000      // of a plan
)

type surveyKind struct{}

// SurveyID names one walk over a plan.
type SurveyID = schema.ID[surveyKind]

// Survey is one walk over a plan: readings that came together and can go
// together.
type Survey struct {
	ID           SurveyID
	Organisation schema.OrganisationID
	Plan         schema.PlanID
	Name         string
	CreatedAt    time.Time
	Readings     int
}

// Reading is how loudly a receiver heard a transmitter at a known place. On
// entry, Device may name the receiver instead, as what hangs there.
type Reading struct {
	Organisation schema.OrganisationID // as it is read
	Number       int                   // within the survey, from 1
	Receiver     schema.ReceiverID
	Device       schema.DeviceID
	X, Y         float64 // metres
	RSSI         schema.CentiDBm
	Source       int // which transmitter; those of one source are equally loud
}

var surveyConstraints = postgres.Constraints{
	"ble_survey_plan_name_key": schema.Errorf(schema.Conflict, "name", "the plan has a survey of this name already; add to that one or choose another name"),
}

func surveys() postgres.List[Survey] {
	return postgres.List[Survey]{
		Select: `SELECT s.id, s.org, s.plan, s.name, s.created_at, (SELECT count(*) FROM ble_survey_reading r WHERE r.survey = s.id) FROM ble_survey s`,
		Key:    "s.name", Cast: "text", ID: "s.id",
		Scan: func(row pgx.CollectableRow) (Survey, error) {
			var v Survey
			return v, row.Scan(&v.ID, &v.Organisation, &v.Plan, &v.Name, &v.CreatedAt, &v.Readings)
		},
		At: func(v Survey) postgres.Cursor { return postgres.Cursor{Key: v.Name, ID: v.ID.String()} },
	}
}

// Surveys returns a page of the plan's surveys, by name.
func (s *Store) Surveys(ctx context.Context, scope postgres.Scope, plan schema.PlanID, page postgres.Page) (found []Survey, next postgres.Cursor, err error) {
	err = s.db.Read(ctx, scope, func(tx postgres.Tx) error {
		if err := seePlan(ctx, tx, scope, plan); err != nil {
			return err
		}
		var where postgres.Where
		where.Add("s.plan = ?", plan)
		found, next, err = surveys().Read(ctx, tx, &where, page)
		return err
	})
	return found, next, err
}

func readings() postgres.List[Reading] {
	return postgres.List[Reading]{
		Select: `SELECT r.org, r.number, r.receiver, c.device, r.x, r.y, r.rssi_cdbm, r.source
			FROM ble_survey_reading r JOIN ble_receiver c ON c.id = r.receiver`,
		Key: "r.number", Cast: "integer", ID: "r.survey",
		Scan: func(row pgx.CollectableRow) (Reading, error) {
			var r Reading
			return r, row.Scan(&r.Organisation, &r.Number, &r.Receiver, &r.Device, &r.X, &r.Y, &r.RSSI, &r.Source)
		},
	}
}

// Readings returns a page of a survey's readings, as they were entered.
func (s *Store) Readings(ctx context.Context, scope postgres.Scope, plan schema.PlanID, id SurveyID, page postgres.Page) (found []Reading, next postgres.Cursor, err error) {
	list := readings()
	list.At = func(r Reading) postgres.Cursor { return postgres.Cursor{Key: fmt.Sprint(r.Number), ID: id.String()} }
	err = s.db.Read(ctx, scope, func(tx postgres.Tx) error {
		if err := seePlan(ctx, tx, scope, plan); err != nil {
			return err
		}
		if _, err := surveyOf(ctx, tx, plan, id); err != nil {
			return err
		}
		var where postgres.Where
		where.Add("r.survey = ?", id)
		found, next, err = list.Read(ctx, tx, &where, page)
		return err
	})
	return found, next, err
}

func surveyOf(ctx context.Context, tx postgres.Tx, plan schema.PlanID, id SurveyID) (Survey, error) {
	var where postgres.Where
	where.Add("s.plan = ?", plan)
	where.Add("s.id = ?", id)
	return surveys().One(ctx, tx, &where)
}

// AddSurvey stores a new survey of the plan with its first readings.
func (s *Store) AddSurvey(ctx context.Context, scope postgres.Scope, plan schema.PlanID, name string, readings []Reading) (Survey, error) {
	v := Survey{ID: schema.NewID[SurveyID](), Plan: plan, Name: name, Readings: len(readings)}
	err := s.changeRadio(ctx, scope, plan, func(tx postgres.Tx, of owner) error {
		if err := refuseMore(ctx, tx, "SELECT count(*) FROM ble_survey WHERE plan = $1", plan, maxSurveys); err != nil {
			return err
		}
		const insert = `INSERT INTO ble_survey (id, org, plan, name) VALUES ($1, $2, $3, $4) RETURNING created_at`
		if err := tx.QueryRow(ctx, insert, v.ID, of.organisation, plan, name).Scan(&v.CreatedAt); err != nil {
			return postgres.Explain(err, "insert survey", surveyConstraints)
		}
		of.record(tx, audit.Create, surveyObject(v), counted(len(readings)))
		return addReadings(ctx, tx, of, v, 0, readings)
	})
	return v, err
}

// ExtendSurvey adds further readings to a survey of the plan.
func (s *Store) ExtendSurvey(ctx context.Context, scope postgres.Scope, plan schema.PlanID, id SurveyID, readings []Reading) (Survey, error) {
	var v Survey
	err := s.changeRadio(ctx, scope, plan, func(tx postgres.Tx, of owner) error {
		var err error
		if v, err = surveyOf(ctx, tx, plan, id); err != nil {
			return err
		}
		var last int
		if err := tx.QueryRow(ctx, `SELECT coalesce(max(number), 0) FROM ble_survey_reading WHERE survey = $1`, id).Scan(&last); err != nil {
			return err
		}
		v.Readings += len(readings)
		of.record(tx, audit.Change, surveyObject(v), counted(len(readings)))
		return addReadings(ctx, tx, of, v, last, readings)
	})
	return v, err
}

// addReadings stores the readings under the numbers after last.
func addReadings(ctx context.Context, tx postgres.Tx, of owner, v Survey, last int, readings []Reading) error {
	const count = `SELECT count(*) FILTER (WHERE s.plan = $2), count(*)
		FROM ble_survey_reading r JOIN ble_survey s ON s.id = r.survey WHERE s.org = $1`
	var here, overall int
	if err := tx.QueryRow(ctx, count, of.organisation, v.Plan).Scan(&here, &overall); err != nil {
		return err
	}
	if here+len(readings) > maxReadings || overall+len(readings) > maxReadingsOverall {
		return schema.Errorf(schema.TooLarge, "readings", "the plan would have %d and the organisation %d; at most %d and %d are kept: delete surveys that are not needed any more",
			here+len(readings), overall+len(readings), maxReadings, maxReadingsOverall)
	}
	if err := resolve(ctx, tx, of, v.Plan, readings); err != nil {
		return err
	}
	return insertReadings(ctx, tx, of, v, last, readings)
}

// insertReadings sends columns: PostgreSQL takes no COPY into a table that has row
// policies.
func insertReadings(ctx context.Context, tx postgres.Tx, of owner, v Survey, last int, readings []Reading) error {
	receivers, x, y := make([]string, len(readings)), make([]float64, len(readings)), make([]float64, len(readings))
	rssi, source := make([]int16, len(readings)), make([]int32, len(readings))
	for i, r := range readings {
		receivers[i], x[i], y[i], rssi[i], source[i] = r.Receiver.String(), r.X, r.Y, int16(r.RSSI), int32(r.Source)
	}
	const insert = `INSERT INTO ble_survey_reading (org, plan, survey, number, receiver, x, y, rssi_cdbm, source)
		SELECT $1, $2, $3, $4 + r.number, r.receiver, r.x, r.y, r.rssi, r.source
		FROM unnest($5::text[]::uuid[], $6::float8[], $7::float8[], $8::smallint[], $9::integer[])
			WITH ORDINALITY AS r (receiver, x, y, rssi, source, number)`
	_, err := tx.Exec(ctx, insert, of.organisation, v.Plan, v.ID, last, receivers, x, y, rssi, source)
	return postgres.Explain(err, "insert survey readings", nil)
}

// resolve checks that the readings are of the plan and finds the receivers of
// those that name a device.
func resolve(ctx context.Context, tx postgres.Tx, of owner, plan schema.PlanID, readings []Reading) error {
	receivers, err := postgres.Collect(ctx, tx, scanReceiver, selectReceiver+" WHERE r.plan = $1", plan)
	if err != nil {
		return err
	}
	there := make(map[schema.ReceiverID]bool, len(receivers))
	byDevice := make(map[schema.DeviceID]schema.ReceiverID, len(receivers))
	for _, r := range receivers {
		there[r.ID] = true
		byDevice[r.Device] = r.ID
	}
	for i := range readings {
		r := &readings[i]
		if r.Receiver.IsZero() {
			if r.Receiver = byDevice[r.Device]; r.Receiver.IsZero() {
				return schema.Errorf(schema.NotFound, fmt.Sprintf("readings[%d].device_id", i), "the device does not hang on the plan")
			}
		}
		if !there[r.Receiver] {
			return schema.Errorf(schema.NotFound, fmt.Sprintf("readings[%d].receiver_id", i), "the plan has no such receiver")
		}
		if err := of.holds(fmt.Sprintf("readings[%d]", i), r.X, r.Y); err != nil {
			return err
		}
	}
	return nil
}

// holds refuses a place outside of the plan.
func (o owner) holds(field string, x, y float64) error {
	if b := o.bounds; !(x >= b.Min.X && x <= b.Max.X && y >= b.Min.Y && y <= b.Max.Y) {
		return schema.Errorf(schema.Invalid, field, "(%g, %g) is outside the plan's bounds, (%g, %g) to (%g, %g)", x, y, b.Min.X, b.Min.Y, b.Max.X, b.Max.Y)
	}
	return nil
}

// RemoveSurvey deletes one survey of the plan with its readings.
func (s *Store) RemoveSurvey(ctx context.Context, scope postgres.Scope, plan schema.PlanID, id SurveyID) error {
	return s.changeRadio(ctx, scope, plan, func(tx postgres.Tx, of owner) error {
		old, err := surveyOf(ctx, tx, plan, id)
		if err != nil {
			return err
		}
		of.record(tx, audit.Delete, surveyObject(old))
		err = affected(tx.Exec(ctx, `DELETE FROM ble_survey WHERE id = $1 AND plan = $2`, id, plan))
		return postgres.Explain(err, "delete survey", nil)
	})
}

// RemoveSurveys deletes all surveys of the plan.
func (s *Store) RemoveSurveys(ctx context.Context, scope postgres.Scope, plan schema.PlanID) error {
	return s.changeRadio(ctx, scope, plan, func(tx postgres.Tx, of owner) error {
		tag, err := tx.Exec(ctx, `DELETE FROM ble_survey WHERE plan = $1`, plan)
		of.record(tx, audit.Delete, audit.Object{Kind: "survey"}, audit.Gone("surveys", strconv.FormatInt(tag.RowsAffected(), 10)))
		return postgres.Explain(err, "delete surveys", nil)
	})
}
