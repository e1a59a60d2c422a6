package node

import (
	"context"

	"mybeacon/engine/module"
	"mybeacon/engine/modules/ble"
	"mybeacon/engine/store/postgres"
	shell "mybeacon/http"
	"mybeacon/http/blehttp"
	"mybeacon/http/corehttp"
	"mybeacon/schema"
)

// product is a module together with its routes.
type product struct {
	module.Module
	routes func(*shell.Server, *deviceStates)
}

// products returns all products there are, in the order in which they start.
func products() []product {
	return []product{
		newBLE(),
	}
}

func newBLE() product {
	m := ble.New()
	return product{m, func(s *shell.Server, d *deviceStates) { blehttp.Register(s, m, d) }}
}

// sites asks all products that know of plans, for the core's routes.
type sites []product

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
