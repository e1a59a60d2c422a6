package ble

import (
	"context"
	"time"

	"mybeacon/engine/modules/ble/heard"
	"mybeacon/engine/modules/ble/store"
	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

// How reference tags are listened to. A plan whose survey changes is made ready
// anew and its tags' tracks begin again, so what is published follows what is
// heard in steps, and not every breath of it.
const (
	referenceEvery  = 5 * time.Minute
	referenceWindow = time.Hour                 // over which powers are averaged
	referenceLeast  = 20                        // observations make a mean
	referenceStep   = schema.CentiDBm(150)      // what differs by less is no news
	referenceLimit  = referenceEvery - minRetry // of one round's time
)

// HangReference says that the tag hangs at the point of the plan from now on.
// What receivers hear of it becomes part of the plan's survey within minutes.
func (m *Module) HangReference(ctx context.Context, scope postgres.Scope, r store.Reference) (store.Reference, error) {
	if r.Plan.IsZero() {
		return r, schema.Errorf(schema.Invalid, "plan_id", "is required")
	}
	if err := checkCoordinate("x", r.X); err != nil {
		return r, err
	}
	if err := checkCoordinate("y", r.Y); err != nil {
		return r, err
	}
	r, err := m.store.HangReference(ctx, scope, r)
	return r, m.after(ctx, err)
}

// Reference returns where the tag hangs and what was heard of it, by receiver.
func (m *Module) Reference(ctx context.Context, scope postgres.Scope, tag schema.TagID) (store.Reference, []store.Mean, error) {
	return m.store.Reference(ctx, scope, tag)
}

// RemoveReference says that the tag hangs nowhere any more.
func (m *Module) RemoveReference(ctx context.Context, scope postgres.Scope, tag schema.TagID) error {
	return m.after(ctx, m.store.RemoveReference(ctx, scope, tag))
}

// listenToReferences measures what is heard of reference tags, again and again.
func (m *Module) listenToReferences(ctx context.Context) {
	tick := time.NewTicker(referenceEvery)
	defer tick.Stop()
	for {
		round, cancel := context.WithTimeout(ctx, referenceLimit)
		err := m.MeasureReferences(round)
		cancel()
		if err != nil && ctx.Err() == nil {
			m.host.Log.WarnContext(ctx, "reference tags not measured, will try again", "module", m.ID(), "error", err, "after", referenceEvery)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// MeasureReferences asks the warehouse once what was heard of all reference tags
// of late, and publishes what changed by more than a little. The module does so
// every few minutes by itself.
func (m *Module) MeasureReferences(ctx context.Context) error {
	found, asOf, err := m.store.References(ctx)
	if err != nil {
		return err
	}
	changed := false
	for len(found) > 0 {
		n := 1
		for n < len(found) && found[n].Plan == found[0].Plan {
			n++
		}
		news, err := m.measurePlan(ctx, found[:n], asOf)
		if err != nil {
			return err
		}
		changed = changed || news
		found = found[n:]
	}
	if changed {
		m.changed(ctx)
	}
	return nil
}

// measurePlan measures the references of one plan. Those that have hung there for
// the whole window are asked about at once, the others one by one.
func (m *Module) measurePlan(ctx context.Context, references []store.Reference, asOf time.Time) (changed bool, err error) {
	of := heard.Plan{Organisation: references[0].Organisation, Plan: references[0].Plan}
	tags := map[time.Time][]schema.TagID{}
	for _, r := range references {
		since := asOf.Add(-referenceWindow)
		if r.Since.After(since) {
			since = r.Since
		}
		tags[since] = append(tags[since], r.Tag)
	}
	var means []store.Mean
	for since, ids := range tags {
		found, err := heard.Means(ctx, m.host.Warehouse.Conn(), of, ids, since, referenceLeast)
		if err != nil {
			return false, err
		}
		for _, f := range found {
			means = append(means, store.Mean{Tag: f.Tag, Receiver: f.Receiver, RSSI: f.RSSI, Observations: int64(f.Observations)})
		}
	}
	return m.store.StoreMeans(ctx, of.Plan, asOf, means, referenceStep)
}
