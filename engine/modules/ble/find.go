package ble

import (
	"context"

	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

// Find returns up to most plans, zones and tags each that the scope sees and that
// match.
func (m *Module) Find(ctx context.Context, scope postgres.Scope, sought postgres.Sought, most int) ([]schema.Found, error) {
	return m.store.Find(ctx, scope, sought, most)
}
