package ble

import (
	"context"

	"mybeacon/engine/alert"
	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

// AlertNames implements alert.Things.
func (m *Module) AlertNames(ctx context.Context, scope postgres.Scope, location schema.LocationID, c alert.Condition) (alert.Names, error) {
	return m.store.AlertNames(ctx, scope, location, c)
}

// AlertBatteries implements alert.Batteries.
func (m *Module) AlertBatteries(ctx context.Context, org schema.OrganisationID, location schema.LocationID, below int) ([]alert.Charge, error) {
	return m.store.AlertBatteries(ctx, org, location, below)
}
