package ble

import (
	"context"

	"mybeacon/engine/modules/ble/store"
	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

// Receivers returns a page of the receivers in scope, by number.
func (m *Module) Receivers(ctx context.Context, scope postgres.Scope, filter store.ReceiverFilter, page postgres.Page) ([]store.Hung, postgres.Cursor, error) {
	return m.store.Receivers(ctx, scope, filter, page)
}

// Zones returns a page of the zones in scope, by number.
func (m *Module) Zones(ctx context.Context, scope postgres.Scope, filter store.ZoneFilter, page postgres.Page) ([]store.Drawn, postgres.Cursor, error) {
	return m.store.Zones(ctx, scope, filter, page)
}

// Site is a location with what of the product is there.
type Site struct {
	postgres.Location
	Plans   []schema.PlanRef  // by level and name
	Devices []schema.DeviceID // that hang on its plans
}

// Sites returns a page of the locations in scope, by name; a name that is not empty
// must be the whole name.
func (m *Module) Sites(ctx context.Context, scope postgres.Scope, name string, page postgres.Page) ([]Site, postgres.Cursor, error) {
	found, next, err := m.host.DB.Locations(ctx, scope, postgres.LocationFilter{Name: name}, page)
	if err != nil {
		return nil, next, err
	}
	ids := make([]schema.LocationID, len(found))
	for i, l := range found {
		ids[i] = l.ID
	}
	plans, err := m.store.PlansOf(ctx, scope, ids)
	if err != nil {
		return nil, next, err
	}
	devices, err := m.store.DevicesAt(ctx, scope, ids)
	sites := make([]Site, len(found))
	for i, l := range found {
		sites[i] = Site{Location: l, Plans: plans[l.ID], Devices: devices[l.ID]}
	}
	return sites, next, err
}

// Refresh publishes what the core changed of the product's: a location that went took
// its plans along.
func (m *Module) Refresh(ctx context.Context) { m.changed(ctx) }
