package ble

import (
	"context"

	"mybeacon/engine/modules/ble/store"
	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

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

// CreatePlan stores a new plan of the location p.Location. An empty ZonesBy is
// by position.
func (m *Module) CreatePlan(ctx context.Context, scope postgres.Scope, p store.Plan) (store.Plan, error) {
	p = complete(p)
	if err := checkPlan(p); err != nil {
		return store.Plan{}, err
	}
	p, err := m.store.CreatePlan(ctx, scope, p)
	return p, m.after(ctx, err)
}

// complete gives what was left out its usual value.
func complete(p store.Plan) store.Plan {
	if p.Walls == nil {
		p.Walls = [][]store.Corner{}
	}
	if p.NoGo == nil {
		p.NoGo = [][]store.Corner{}
	}
	if p.Figures.Rooms == nil {
		p.Figures.Rooms = []store.Room{}
	}
	if p.Figures.Doors == nil {
		p.Figures.Doors = [][]store.Corner{}
	}
	if p.Figures.Labels == nil {
		p.Figures.Labels = []store.Label{}
	}
	if p.ZonesBy == "" {
		p.ZonesBy = store.ZonesByPosition
	}
	return p
}

// PlanPatch is what to change of a plan; nil fields stay.
type PlanPatch struct {
	Name       *string
	Level      *int
	Bounds     *schema.Rect
	TagHeightM *float64
	Walls      *[][]store.Corner
	NoGo       *[][]store.Corner
	ZonesBy    *string
}

func (c PlanPatch) apply(p *store.Plan) {
	set(&p.Name, c.Name)
	set(&p.Level, c.Level)
	set(&p.Bounds, c.Bounds)
	set(&p.TagHeightM, c.TagHeightM)
	set(&p.Walls, c.Walls)
	set(&p.NoGo, c.NoGo)
	set(&p.ZonesBy, c.ZonesBy)
	*p = complete(*p)
}

func set[T any](to *T, value *T) {
	if value != nil {
		*to = *value
	}
}

// ChangePlan changes fields of a plan. Receivers, zones and surveys stay where
// they are, also where new bounds leave them outside.
func (m *Module) ChangePlan(ctx context.Context, scope postgres.Scope, id schema.PlanID, patch PlanPatch) (store.Plan, error) {
	p, err := m.store.ChangePlan(ctx, scope, id, changedPlan, func(p *store.Plan) error {
		patch.apply(p)
		return checkPlan(*p)
	})
	return p, m.after(ctx, err)
}

// RemovePlan deletes a plan on which no receiver hangs.
func (m *Module) RemovePlan(ctx context.Context, scope postgres.Scope, id schema.PlanID) error {
	return m.after(ctx, m.store.RemovePlan(ctx, scope, id))
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
// polygon that crosses itself is Invalid, and the cause names the crossing. A
// sub-zone lies within its parent, which is no sub-zone itself.
func (m *Module) AddZone(ctx context.Context, scope postgres.Scope, z store.Zone) (store.Zone, error) {
	if err := checkZone(z); err != nil {
		return store.Zone{}, err
	}
	z.Capacity = limitOf(z.Capacity)
	z, err := m.store.AddZone(ctx, scope, z, zoneRules{})
	return z, m.after(ctx, err)
}

// ZoneChange replaces a zone's name and polygon; an empty colour and a nil
// parent stay, a zero parent makes it a part of none. A nil capacity stays, 0 is none.
type ZoneChange struct {
	Name     string
	Color    string
	Parent   *schema.ZoneID
	Polygon  []store.Corner
	Capacity *int
}

// ChangeZone changes a zone of the plan.
func (m *Module) ChangeZone(ctx context.Context, scope postgres.Scope, plan schema.PlanID, id schema.ZoneID, to ZoneChange) (store.Zone, error) {
	// What can be refused without the plan's lock is refused before it is taken.
	if err := checkZone(store.Zone{Name: to.Name, Color: to.Color, Polygon: to.Polygon, Capacity: to.Capacity}); err != nil {
		return store.Zone{}, err
	}
	z, err := m.store.ChangeZone(ctx, scope, plan, id, zoneRules{}, func(z *store.Zone) error {
		z.Name, z.Polygon = to.Name, to.Polygon
		if to.Color != "" {
			z.Color = to.Color
		}
		set(&z.Parent, to.Parent)
		if to.Capacity != nil {
			z.Capacity = limitOf(to.Capacity)
		}
		return nil
	})
	return z, m.after(ctx, err)
}

// limitOf returns the capacity as it is stored: nil for none.
func limitOf(capacity *int) *int {
	if capacity == nil || *capacity == 0 {
		return nil
	}
	return capacity
}

// RemoveZone deletes a zone of the plan that no other is a part of.
func (m *Module) RemoveZone(ctx context.Context, scope postgres.Scope, plan schema.PlanID, id schema.ZoneID) error {
	return m.after(ctx, m.store.RemoveZone(ctx, scope, plan, id))
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
