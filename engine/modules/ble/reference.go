package ble

import (
	"context"
	"math"
	"slices"
	"time"

	"mybeacon/engine/modules/ble/heard"
	"mybeacon/engine/modules/ble/store"
	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

// How reference tags are listened to. A plan whose survey changes is made ready
// anew: its tags' tracks and what it had learned by itself begin again. So the
// means forget slowly, and the engine is told of steps and not of every breath.
const (
	referenceEvery  = 5 * time.Minute
	referenceMemory = 24 * time.Hour // observations count by exp(-age/memory)
	referenceGap    = time.Hour      // what was heard longer ago while nobody counted is left out
	referenceLeast  = 30             // observations make a mean
	referenceStepDB = 2.0            // of one receiver, for which all are told again
	referenceLimit  = time.Minute    // of one round
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

// measurePlan measures the references of one plan. Those that were counted to the
// same time are asked about at once: all but those that were hung up since.
func (m *Module) measurePlan(ctx context.Context, references []store.Reference, asOf time.Time) (changed bool, err error) {
	of := heard.Plan{Organisation: references[0].Organisation, Plan: references[0].Plan}
	tags := map[time.Time][]schema.TagID{}
	for _, r := range references {
		from := r.CountedTo
		if gap := asOf.Add(-referenceGap); from.Before(gap) {
			from = gap
		}
		tags[from] = append(tags[from], r.Tag)
	}
	var found []heard.Mean
	for from, ids := range tags {
		more, err := heard.Means(ctx, m.host.Warehouse.Conn(), of, ids, from, asOf)
		if err != nil {
			return false, err
		}
		found = append(found, more...)
	}
	return m.store.Measure(ctx, of.Plan, asOf, func(old []store.Mean) ([]store.Mean, bool) { return count(old, found, asOf) })
}

// count adds what was heard until asOf to the means, and decides whether to tell
// the engine of all of them: when one is new or has moved by a step.
func count(means []store.Mean, found []heard.Mean, asOf time.Time) (all []store.Mean, tell bool) {
	for _, f := range found {
		i := slices.IndexFunc(means, func(m store.Mean) bool { return m.Tag == f.Tag && m.Receiver == f.Receiver })
		if i < 0 {
			i = len(means)
			means = append(means, store.Mean{Tag: f.Tag, Receiver: f.Receiver, MeasuredAt: asOf})
		}
		m := &means[i]
		n := float64(f.Observations)
		m.Weight *= math.Exp(-asOf.Sub(m.MeasuredAt).Seconds() / referenceMemory.Seconds())
		m.RunningDBm = (m.RunningDBm*m.Weight + f.DBm*n) / (m.Weight + n)
		m.Weight, m.Observations, m.MeasuredAt = m.Weight+n, m.Observations+int64(f.Observations), asOf
		if m.Observations >= referenceLeast && (m.Told == nil || math.Abs(m.RunningDBm-m.Told.DBm()) >= referenceStepDB) {
			tell = true
		}
	}
	for i := range means {
		if m := &means[i]; tell && m.Observations >= referenceLeast {
			now := schema.CentiDBmOf(m.RunningDBm)
			m.Told = &now
		}
	}
	return means, tell
}
