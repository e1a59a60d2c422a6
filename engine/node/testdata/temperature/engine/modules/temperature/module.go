package temperature

import (
	"context"
	"io/fs"

	"mybeacon/engine/module"
	"mybeacon/engine/modules/temperature/store"
	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

// Module is the product.
type Module struct{ *store.Store }

// New returns the product before its start.
func New() *Module { return &Module{} }

// ID implements module.Module.
func (m *Module) ID() string { return "temperature" }

// Migrations implements module.Migrator.
func (m *Module) Migrations() fs.FS { return store.Migrations() }

// Start implements module.Module.
func (m *Module) Start(_ context.Context, host module.Host) error {
	m.Store = store.New(host.DB)
	host.Publish(module.World{})
	return nil
}

// Stop implements module.Module.
func (m *Module) Stop(context.Context) error { return nil }

// Find lets the core's search find sensors.
func (m *Module) Find(ctx context.Context, scope postgres.Scope, sought postgres.Sought, most int) ([]schema.Found, error) {
	return m.Store.Find(ctx, scope, sought, most)
}
