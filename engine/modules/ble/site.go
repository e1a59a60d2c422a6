package ble

import (
	"context"

	"mybeacon/engine/modules/ble/store"
	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

// palette colours zones by number, so that neighbours differ; the same hues are
// told apart on light and dark plans at 30 % opacity.
func palette(number int) string {
	colors := [...]string{"#1CB5D5", "#FF9800", "#4CAF50", "#9C27B0", "#F44336", "#3F51B5", "#795548", "#009688", "#E91E63", "#CDDC39"}
	return colors[(number-1)%len(colors)]
}

// Plans returns a page of the plans in scope, by name.
func (m *Module) Plans(ctx context.Context, scope postgres.Scope, filter store.PlanFilter, page postgres.Page) ([]store.Plan, postgres.Cursor, error) {
	return m.store.Plans(ctx, scope, filter, page)
}

// PlansOf returns the plans of each of the locations, by level and name.
func (m *Module) PlansOf(ctx context.Context, scope postgres.Scope, locations []schema.LocationID) (map[schema.LocationID][]schema.PlanRef, error) {
	return m.store.PlansOf(ctx, scope, locations)
}

// Drawing returns a plan with its receivers and zones.
func (m *Module) Drawing(ctx context.Context, scope postgres.Scope, id schema.PlanID) (store.Drawing, error) {
	return m.store.Drawing(ctx, scope, id)
}

// CreatePlan stores a new plan of the location p.Location.
func (m *Module) CreatePlan(ctx context.Context, scope postgres.Scope, p store.Plan) (store.Plan, error) {
	if err := checkPlan(p); err != nil {
		return store.Plan{}, err
	}
	if p.Walls == nil {
		p.Walls = [][]store.Corner{}
	}
	p, err := m.store.CreatePlan(ctx, scope, p)
	return p, m.after(ctx, err)
}

// PlaceReceiver hangs the device r.Device on the plan r.Plan.
func (m *Module) PlaceReceiver(ctx context.Context, scope postgres.Scope, r store.Receiver) (store.Receiver, error) {
	if err := checkReceiver(r); err != nil {
		return store.Receiver{}, err
	}
	r, err := m.store.PlaceReceiver(ctx, scope, r)
	return r, m.after(ctx, err)
}

// MoveReceiver changes the receiver r.ID of the plan r.Plan.
func (m *Module) MoveReceiver(ctx context.Context, scope postgres.Scope, r store.Receiver) (store.Receiver, error) {
	if err := checkReceiver(r); err != nil {
		return store.Receiver{}, err
	}
	r, err := m.store.MoveReceiver(ctx, scope, r)
	return r, m.after(ctx, err)
}

// RemoveReceiver takes a receiver off the plan.
func (m *Module) RemoveReceiver(ctx context.Context, scope postgres.Scope, plan schema.PlanID, id schema.ReceiverID) error {
	return m.after(ctx, m.store.RemoveReceiver(ctx, scope, plan, id))
}

// AddZone draws a zone on the plan z.Plan under the plan's next number. A
// polygon that crosses itself is Invalid, and the cause names the crossing.
func (m *Module) AddZone(ctx context.Context, scope postgres.Scope, z store.Zone) (store.Zone, error) {
	if err := checkZone(z); err != nil {
		return store.Zone{}, err
	}
	z, err := m.store.AddZone(ctx, scope, z, palette)
	return z, m.after(ctx, err)
}

// ChangeZone replaces the zone z.ID of the plan z.Plan; an empty colour stays.
func (m *Module) ChangeZone(ctx context.Context, scope postgres.Scope, z store.Zone) (store.Zone, error) {
	if err := checkZone(z); err != nil {
		return store.Zone{}, err
	}
	z, err := m.store.ChangeZone(ctx, scope, z)
	return z, m.after(ctx, err)
}

// RemoveZone deletes a zone of the plan.
func (m *Module) RemoveZone(ctx context.Context, scope postgres.Scope, plan schema.PlanID, id schema.ZoneID) error {
	return m.after(ctx, m.store.RemoveZone(ctx, scope, plan, id))
}

// Tags returns a page of the tags in scope, by name.
func (m *Module) Tags(ctx context.Context, scope postgres.Scope, filter store.TagFilter, page postgres.Page) ([]store.Tag, postgres.Cursor, error) {
	return m.store.Tags(ctx, scope, filter, page)
}

// CreateTag registers a transmitter of the organisation.
func (m *Module) CreateTag(ctx context.Context, organisation schema.OrganisationID, t store.Tag) (store.Tag, error) {
	if err := checkTag(t); err != nil {
		return store.Tag{}, err
	}
	t, err := m.store.CreateTag(ctx, organisation, t)
	return t, m.after(ctx, err)
}

// MayMove reports a Conflict when the device hangs on a plan: its location is
// the plan's until it is taken off.
func (m *Module) MayMove(ctx context.Context, scope postgres.Scope, device schema.DeviceID) error {
	plan, err := m.store.PlaceOf(ctx, scope, device)
	if err == nil && plan != "" {
		return schema.Errorf(schema.Conflict, "location_id", "the device hangs on the plan %q; remove it there first", plan)
	}
	return err
}

// after publishes when the change succeeded.
func (m *Module) after(ctx context.Context, err error) error {
	if err == nil {
		m.changed(ctx)
	}
	return err
}
