package ble

import (
	"context"
	"fmt"
	"math"

	"mybeacon/engine/modules/ble/store"
	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

// The factors by which a plan may be scaled at once.
const (
	leastFactor = 0.001
	mostFactor  = 1000
)

// FactorOf returns the factor that makes the line from one point to another as long
// as it is in truth, in metres.
func FactorOf(from, to store.Corner, metres float64) (float64, error) {
	for field, c := range map[string]store.Corner{"from": from, "to": to} {
		if err := checkCorner(field, c); err != nil {
			return 0, err
		}
	}
	drawn := math.Hypot(to[0]-from[0], to[1]-from[1])
	if drawn < 1e-6 {
		return 0, schema.Errorf(schema.Invalid, "to", "is where from is; draw a line")
	}
	if !within(metres, 0.01, maxSizeM) {
		return 0, schema.Errorf(schema.Invalid, "metres", "%g is not a length between 0.01 and %d m", metres, maxSizeM)
	}
	return metres / drawn, nil
}

// ScalePlan makes everything on the plan larger by the factor.
func (m *Module) ScalePlan(ctx context.Context, scope postgres.Scope, id schema.PlanID, factor float64) (store.Plan, error) {
	if !within(factor, leastFactor, mostFactor) {
		return store.Plan{}, schema.Errorf(schema.Invalid, "factor", "%g is not between %g and %d", factor, leastFactor, mostFactor)
	}
	p, err := m.store.ScalePlan(ctx, scope, id, factor, checkScaled)
	return p, m.after(ctx, err)
}

func checkScaled(p store.Plan, zones []store.Zone) error {
	if err := checkPlan(p); err != nil {
		return err
	}
	for _, z := range zones {
		if _, err := checkPolygon(fmt.Sprintf("zones[%d]", z.Number), z.Polygon); err != nil {
			return err
		}
	}
	return nil
}
