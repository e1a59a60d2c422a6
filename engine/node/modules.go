package node

import (
	"context"

	"mybeacon/engine/module"
	"mybeacon/engine/store/postgres"
	shell "mybeacon/http"
	"mybeacon/http/blehttp"
	"mybeacon/http/corehttp"
	"mybeacon/schema"
)

// products returns all products there are, in the order in which they start.
func products() []shell.Product {
	return []shell.Product{
		blehttp.Product(),
	}
}

// migrateProducts brings the tables of products up to date that bring their own
// migrations.
func migrateProducts(ctx context.Context, db *postgres.DB) error {
	for _, p := range products() {
		if m, ok := p.Module.(module.Migrator); ok {
			if err := db.MigrateProduct(ctx, p.ID(), m.Migrations()); err != nil {
				return err
			}
		}
	}
	return nil
}

// sites asks all products that know of plans, for the core's routes.
type sites []shell.Product

// PlansOf implements corehttp.Plans.
func (s sites) PlansOf(ctx context.Context, scope postgres.Scope, locations []schema.LocationID) (map[schema.LocationID][]schema.PlanRef, error) {
	all := make(map[schema.LocationID][]schema.PlanRef, len(locations))
	for _, p := range s {
		plans, ok := p.Module.(corehttp.Plans)
		if !ok {
			continue
		}
		found, err := plans.PlansOf(ctx, scope, locations)
		if err != nil {
			return nil, err
		}
		for id, refs := range found {
			all[id] = append(all[id], refs...)
		}
	}
	return all, nil
}

// MayMove implements corehttp.Placed.
func (s sites) MayMove(ctx context.Context, scope postgres.Scope, device schema.DeviceID) error {
	for _, p := range s {
		if placed, ok := p.Module.(corehttp.Placed); ok {
			if err := placed.MayMove(ctx, scope, device); err != nil {
				return err
			}
		}
	}
	return nil
}

// Refresh lets the products publish anew what they have of locations.
func (s sites) Refresh(ctx context.Context) {
	for _, p := range s {
		if refresher, ok := p.Module.(interface{ Refresh(context.Context) }); ok {
			refresher.Refresh(ctx)
		}
	}
}

// finders are the products whose objects can be searched, by product.
func (s sites) finders() map[string]corehttp.Finder {
	found := map[string]corehttp.Finder{}
	for _, p := range s {
		if finder, ok := p.Module.(corehttp.Finder); ok {
			found[p.ID()] = finder
		}
	}
	return found
}
