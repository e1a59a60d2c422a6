package ble

import (
	"context"
	"hash/fnv"
	"time"

	"mybeacon/engine/modules/ble/heard"
	"mybeacon/engine/modules/ble/store"
	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

// Tap is "I am here": somebody carries a tag and says where on the plan he stands.
type Tap struct {
	Survey  string // its name; it is made by the first tap
	Tag     schema.TagID
	X, Y    float64   // metres
	At      time.Time // zero: now
	Seconds int       // for how long he stood there until then; 0: ten
}

// What a tap may be.
const (
	usualStand = 10
	mostStand  = 300
	oldestTap  = time.Hour
)

// Tapped is what became of a tap.
type Tapped struct {
	Survey   store.Survey
	Readings []TapReading // the loudest first
}

// TapReading is how loudly a receiver heard the tag meanwhile.
type TapReading struct {
	store.Reading
	Observations uint64 // whose mean it is
}

// AddTap adds what was heard of the tag meanwhile to the survey. Conflict: nothing was.
func (m *Module) AddTap(ctx context.Context, scope postgres.Scope, plan schema.PlanID, t Tap) (Tapped, error) {
	if t.At.IsZero() {
		t.At = m.host.Clock()
	}
	if t.Seconds == 0 {
		t.Seconds = usualStand
	}
	if err := m.checkTap(t); err != nil {
		return Tapped{}, err
	}
	if _, err := m.store.MayDraw(ctx, scope, plan); err != nil {
		return Tapped{}, err
	}
	org, err := m.store.ExampleOwner(ctx, scope, store.Example{Plan: plan, Tag: t.Tag})
	if err != nil {
		return Tapped{}, err
	}
	readings, err := m.heardMeanwhile(ctx, heard.Plan{Organisation: org, Plan: plan}, t)
	if err != nil {
		return Tapped{}, err
	}
	return m.storeTap(ctx, scope, plan, t, readings)
}

func (m *Module) checkTap(t Tap) error {
	if err := checkName("survey", t.Survey, 1); err != nil {
		return err
	}
	if err := checkCoordinate("x_m", t.X); err != nil {
		return err
	}
	if err := checkCoordinate("y_m", t.Y); err != nil {
		return err
	}
	now := m.host.Clock()
	switch {
	case t.Tag.IsZero():
		return schema.Errorf(schema.Invalid, "tag_id", "is required: the tag that is carried")
	case t.Seconds < 1 || t.Seconds > mostStand:
		return schema.Errorf(schema.Invalid, "seconds", "%d is not between 1 and %d", t.Seconds, mostStand)
	case t.At.After(now.Add(time.Second)):
		return schema.Errorf(schema.Invalid, "at", "must not be in the future")
	case t.At.Before(now.Add(-oldestTap)):
		return schema.Errorf(schema.Invalid, "at", "is more than %s ago", oldestTap)
	}
	return nil
}

// heardMeanwhile returns a reading per receiver: readings of one place tell no more
// than their mean.
func (m *Module) heardMeanwhile(ctx context.Context, of heard.Plan, t Tap) ([]TapReading, error) {
	from := t.At.Add(-time.Duration(t.Seconds) * time.Second)
	means, err := heard.Means(ctx, m.host.Warehouse.Conn(), of, []schema.TagID{t.Tag}, from, t.At)
	if err != nil {
		return nil, err
	}
	if len(means) == 0 {
		return nil, schema.Errorf(schema.Conflict, "tag_id",
			"no receiver of the plan is known to have heard the tag from %s to %s; stand still for some seconds and tap again, and see that the tag sends",
			from.UTC().Format(time.RFC3339), t.At.UTC().Format(time.RFC3339))
	}
	readings := make([]TapReading, len(means))
	for i, h := range means {
		readings[i] = TapReading{
			Reading:      store.Reading{Receiver: h.Receiver, X: t.X, Y: t.Y, RSSI: schema.CentiDBmOf(h.DBm), Source: sourceOf(t.Tag)},
			Observations: h.Observations,
		}
	}
	return readings, nil
}

// sourceOf numbers tags by themselves, so that one that is carried in two walks is the
// same source in both. Should two of a plan's tags fall on one number, they are taken
// for equally loud.
func sourceOf(tag schema.TagID) int {
	h := fnv.New32a()
	_, _ = h.Write(tag[:])
	return 1 + int(h.Sum32()%store.MaxSource)
}

func (m *Module) storeTap(ctx context.Context, scope postgres.Scope, plan schema.PlanID, t Tap, found []TapReading) (Tapped, error) {
	readings := make([]store.Reading, len(found))
	for i, r := range found {
		readings[i] = r.Reading
	}
	survey, known, err := m.store.SurveyNamed(ctx, scope, plan, t.Survey)
	if err != nil {
		return Tapped{}, err
	}
	if known {
		survey, err = m.store.ExtendSurvey(ctx, scope, plan, survey.ID, readings)
	} else {
		survey, err = m.store.AddSurvey(ctx, scope, plan, t.Survey, readings)
	}
	return Tapped{survey, found}, m.after(ctx, err)
}
