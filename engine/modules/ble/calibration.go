package ble

import (
	"context"
	"fmt"
	"time"

	"mybeacon/engine/modules/ble/heard"
	"mybeacon/engine/modules/ble/store"
	"mybeacon/engine/store/postgres"
	"mybeacon/geometry/locate"
	"mybeacon/schema"
)

// Calibration is what is known of a plan's radio and what that is worth.
type Calibration struct {
	Plan       store.Plan
	Receivers  []CalibratedReceiver // by number
	Walks      int                  // surveys
	Readings   int                  // of them
	References []store.ReferencePoint
	// Before and After are how far known points - of surveys, and reference tags - are
	// located from where they are, without and with what was learned of the others. Both
	// are zero where there are none.
	Before, After locate.Errors
}

// CalibratedReceiver is what was learned of one receiver.
type CalibratedReceiver struct {
	store.Receiver
	OffsetDB float64   // by how much it hears louder than its siblings, beyond its gain
	Since    time.Time // from when on this offset is in force; zero: that is not known
}

// leastReceivers is how many must have heard a known point to locate it.
const leastReceivers = 3

// Calibration reports what the plan has learned. It takes seconds where surveys are
// large, and waits for its turn.
func (m *Module) Calibration(ctx context.Context, scope postgres.Scope, id schema.PlanID) (Calibration, error) {
	d, radio, err := m.store.Measured(ctx, scope, id)
	if err != nil {
		return Calibration{}, err
	}
	out := Calibration{Plan: d.Plan}
	if out.References, err = m.store.ReferencePoints(ctx, scope, id); err != nil {
		return out, err
	}
	if out.Walks, out.Readings, err = m.store.Surveyed(ctx, scope, id); err != nil {
		return out, err
	}
	learned, err := m.store.Learned(ctx, id)
	if err != nil {
		return out, err
	}
	since := m.since(ctx, d.Plan)
	for _, r := range d.Receivers {
		out.Receivers = append(out.Receivers, CalibratedReceiver{Receiver: r, OffsetDB: learned[r.ID], Since: since[r.ID]})
	}
	out.Before, out.After, err = m.assess(ctx, d, radio, learned)
	return out, err
}

// since asks the warehouse. While it is away the report has no times.
func (m *Module) since(ctx context.Context, p store.Plan) map[schema.ReceiverID]time.Time {
	of := heard.Plan{Organisation: p.Organisation, Plan: p.ID}
	found, err := heard.OffsetsSince(ctx, m.host.Warehouse.Conn(), of)
	if err != nil {
		m.host.Log.WarnContext(ctx, "not known since when offsets are in force", "plan", p.ID.String(), "error", err)
	}
	return found
}

func (m *Module) assess(ctx context.Context, d store.Drawing, radio store.Radio, learned map[schema.ReceiverID]float64) (before, after locate.Errors, err error) {
	if len(d.Receivers) == 0 {
		return before, after, nil
	}
	done, err := m.compute(ctx)
	if err != nil {
		return before, after, err
	}
	defer done()
	site, place := siteOf(d, radio)
	offsets := make([]float64, len(d.Receivers))
	for id, at := range place {
		offsets[at] = learned[id]
	}
	before, after, err = locate.Assess(site, locate.DefaultConfig(), offsets, min(leastReceivers, len(d.Receivers)))
	if err != nil {
		err = fmt.Errorf("assess the calibration: %w", err)
	}
	return before, after, err
}
