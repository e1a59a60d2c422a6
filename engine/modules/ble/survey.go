package ble

import (
	"context"
	"fmt"

	"mybeacon/engine/modules/ble/store"
	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

// MaxReadings bounds the readings of one call.
const MaxReadings = 10_000

// What a reading may be, as the locator takes it.
const (
	leastRSSI schema.CentiDBm = -127_00
	mostRSSI  schema.CentiDBm = 20_00
)

// Surveys returns a page of the plan's surveys, by name.
func (m *Module) Surveys(ctx context.Context, scope postgres.Scope, plan schema.PlanID, page postgres.Page) ([]store.Survey, postgres.Cursor, error) {
	return m.store.Surveys(ctx, scope, plan, page)
}

// Readings returns a page of a survey's readings, as they were entered.
func (m *Module) Readings(ctx context.Context, scope postgres.Scope, plan schema.PlanID, id store.SurveyID, page postgres.Page) ([]store.Reading, postgres.Cursor, error) {
	return m.store.Readings(ctx, scope, plan, id, page)
}

// AddSurvey stores a new survey of the plan with its first readings: what
// receivers heard of a transmitter at places that somebody walked to.
func (m *Module) AddSurvey(ctx context.Context, scope postgres.Scope, plan schema.PlanID, name string, readings []store.Reading) (store.Survey, error) {
	if err := checkName("name", name, 1); err != nil {
		return store.Survey{}, err
	}
	if err := checkReadings(readings); err != nil {
		return store.Survey{}, err
	}
	v, err := m.store.AddSurvey(ctx, scope, plan, name, readings)
	return v, m.after(ctx, err)
}

// ExtendSurvey adds further readings to a survey of the plan.
func (m *Module) ExtendSurvey(ctx context.Context, scope postgres.Scope, plan schema.PlanID, id store.SurveyID, readings []store.Reading) (store.Survey, error) {
	if err := checkReadings(readings); err != nil {
		return store.Survey{}, err
	}
	v, err := m.store.ExtendSurvey(ctx, scope, plan, id, readings)
	return v, m.after(ctx, err)
}

// RemoveSurvey deletes one survey of the plan.
func (m *Module) RemoveSurvey(ctx context.Context, scope postgres.Scope, plan schema.PlanID, id store.SurveyID) error {
	return m.after(ctx, m.store.RemoveSurvey(ctx, scope, plan, id))
}

// RemoveSurveys deletes all surveys of the plan.
func (m *Module) RemoveSurveys(ctx context.Context, scope postgres.Scope, plan schema.PlanID) error {
	return m.after(ctx, m.store.RemoveSurveys(ctx, scope, plan))
}

func checkReadings(readings []store.Reading) error {
	if len(readings) == 0 {
		return schema.Errorf(schema.Invalid, "readings", "there are none")
	}
	if len(readings) > MaxReadings {
		return schema.Errorf(schema.TooLarge, "readings", "there are %d; send at most %d at once and add the rest to the same survey", len(readings), MaxReadings)
	}
	for i := range readings {
		if err := checkReading(fmt.Sprintf("readings[%d]", i), &readings[i]); err != nil {
			return err
		}
	}
	return nil
}

func checkReading(field string, r *store.Reading) error {
	if r.Receiver.IsZero() == r.Device.IsZero() {
		return schema.Errorf(schema.Invalid, field, "name either receiver_id or device_id")
	}
	if err := checkCorner(field, store.Corner{r.X, r.Y}); err != nil {
		return err
	}
	if r.RSSI < leastRSSI || r.RSSI > mostRSSI {
		return schema.Errorf(schema.Invalid, field+".rssi_dbm", "%g is not a power between %g and %g dBm", r.RSSI.DBm(), leastRSSI.DBm(), mostRSSI.DBm())
	}
	if r.Source < 0 || r.Source > store.MaxSource {
		return schema.Errorf(schema.Invalid, field+".source", "%d is not a number between 0 and %d", r.Source, store.MaxSource)
	}
	return nil
}
