package ble

import (
	"context"
	"fmt"

	"github.com/golang/geo/r2"
	"github.com/golang/geo/r3"

	"mybeacon/engine/modules/ble/store"
	"mybeacon/engine/store/postgres"
	"mybeacon/geometry/locate"
	"mybeacon/schema"
)

// Coverage foretells where on the plan how many receivers would hear a tag, and how
// well it would be placed. Cells are cellM on a side; 0 chooses.
func (m *Module) Coverage(ctx context.Context, scope postgres.Scope, id schema.PlanID, cellM float64) (*locate.Coverage, store.Plan, error) {
	d, radio, err := m.store.Measured(ctx, scope, id)
	if err != nil {
		return nil, d.Plan, err
	}
	done, err := m.compute(ctx)
	if err != nil {
		return nil, d.Plan, err
	}
	defer done()
	site, _ := siteOf(d, radio)
	c, err := locate.Cover(site, locate.DefaultConfig(), cellM)
	if err != nil {
		return nil, d.Plan, fmt.Errorf("foretell coverage: %w", err)
	}
	return c, d.Plan, nil
}

// compute waits for the turn to compute something that takes a processor for a
// second or more: live maps need the others.
func (m *Module) compute(ctx context.Context) (done func(), err error) {
	select {
	case m.computing <- struct{}{}:
		return func() { <-m.computing }, nil
	case <-ctx.Done():
		return nil, &schema.Error{Kind: schema.Unavailable, Message: "other plans are being computed, try again later", Err: ctx.Err()}
	}
}

// siteOf returns what the locator knows of the plan, and the receivers in its order.
// Readings of receivers that are no more, or outside of the plan, are left out, as the
// engine does.
func siteOf(d store.Drawing, radio store.Radio) (locate.Site, map[schema.ReceiverID]int) {
	bounds := r2.RectFromPoints(r2.Point(d.Plan.Bounds.Min), r2.Point(d.Plan.Bounds.Max))
	site := locate.Site{
		Bounds: bounds, TagHeightM: d.Plan.TagHeightM,
		Receivers: make([]r3.Vector, len(d.Receivers)), GainDB: make([]float64, len(d.Receivers)),
	}
	place := make(map[schema.ReceiverID]int, len(d.Receivers))
	for i, r := range d.Receivers {
		site.Receivers[i], site.GainDB[i], place[r.ID] = r3.Vector{X: r.X, Y: r.Y, Z: r.Z}, r.GainDB, i
	}
	for _, area := range d.Plan.NoGo {
		site.NoGo = append(site.NoGo, pointsOf(area))
	}
	for _, s := range radio.Survey {
		if i, ok := place[s.Receiver]; ok && bounds.ContainsPoint(r2.Point(s.At)) && len(site.Survey) < locate.MaxSurvey {
			site.Survey = append(site.Survey, locate.Labelled{At: r2.Point(s.At), Receiver: i, RSSIdBm: s.RSSI.DBm(), Source: s.Source})
		}
	}
	return site, place
}
