package ble

import (
	"context"
	"time"

	"mybeacon/engine/modules/ble/heard"
	"mybeacon/engine/modules/ble/store"
	"mybeacon/engine/store/postgres"
	"mybeacon/geometry/locate"
	"mybeacon/geometry/zonemodel"
	"mybeacon/schema"
)

// What a zone example may be.
const (
	maxExampleTime = time.Hour
	maxSamples     = 500_000 // 100 receivers for an hour, somewhat more than once a second
)

// Examples returns a page of the plan's zone examples, by their beginnings.
func (m *Module) Examples(ctx context.Context, scope postgres.Scope, plan schema.PlanID, page postgres.Page) ([]store.Example, postgres.Cursor, error) {
	return m.store.Examples(ctx, scope, plan, page)
}

// AddExample says that the tag e.Tag was in the zone e.Zone of the plan, or
// outside of all, from e.From to e.To. What was stored of it then is what the zone
// sounds like.
func (m *Module) AddExample(ctx context.Context, scope postgres.Scope, e store.Example) (store.Example, error) {
	if err := m.checkExample(e); err != nil {
		return store.Example{}, err
	}
	org, err := m.store.ExampleOwner(ctx, scope, e)
	if err != nil {
		return store.Example{}, err
	}
	of := heard.Plan{Organisation: org, Plan: e.Plan}
	// The first seconds are told by what was heard in the window before them.
	cfg := zonemodel.DefaultConfig()
	in := heard.Interval{Tag: e.Tag, From: schema.EventTimeOf(e.From.Add(-cfg.Window)), To: schema.EventTimeOf(e.To)}
	samples, err := heard.Samples(ctx, m.host.Warehouse.Conn(), of, in, maxSamples+1)
	switch {
	case err != nil:
		return store.Example{}, err
	case len(samples) > maxSamples:
		return store.Example{}, schema.Errorf(schema.TooLarge, "to", "the tag was heard more than %d times until then; take a shorter time", maxSamples)
	}
	found := condense(cfg, samples, e.From, e.To)
	if len(found) == 0 {
		return store.Example{}, schema.Errorf(schema.Invalid, "from", "nothing was heard of the tag on this plan until %s; what is heard can be used some seconds later", e.To.UTC().Format(time.RFC3339))
	}
	e, err = m.store.AddExample(ctx, scope, e, found)
	return e, m.after(ctx, err)
}

func (m *Module) checkExample(e store.Example) error {
	switch {
	case e.Tag.IsZero():
		return schema.Errorf(schema.Invalid, "tag_id", "is required")
	case e.From.Year() < 2000:
		return schema.Errorf(schema.Invalid, "from", "is before 2000")
	case !e.To.After(e.From):
		return schema.Errorf(schema.Invalid, "to", "must be after from")
	case e.To.Sub(e.From) > maxExampleTime:
		return schema.Errorf(schema.TooLarge, "to", "the time may be %s long at most; divide it", maxExampleTime)
	case e.To.After(m.host.Clock()):
		return schema.Errorf(schema.Invalid, "to", "must not be in the future")
	}
	return nil
}

// RemoveExample deletes a zone example of the plan.
func (m *Module) RemoveExample(ctx context.Context, scope postgres.Scope, plan schema.PlanID, id store.ExampleID) error {
	return m.after(ctx, m.store.RemoveExample(ctx, scope, plan, id))
}

// condense returns what the engine makes of the samples at the end of each second
// between the times: an example must be made as what it will be compared with.
// Seconds in which nothing was heard are left out.
func condense(cfg zonemodel.Config, samples []heard.Sample, from, to time.Time) store.Heard {
	receivers, index := numbered(samples)
	var out store.Heard
	first, next := 0, 0
	last := schema.EventTimeOf(to)
	for end := schema.EventTimeOf(from).Second().Add(time.Second); end <= last; end = end.Add(time.Second) {
		for next < len(samples) && samples[next].At < end {
			next++
		}
		for first < next && end.Sub(samples[first].At) > cfg.Window {
			first++
		}
		var second []schema.Reading
		for i, dbm := range cfg.Observe(len(receivers), aged(samples[first:next], index, end)) {
			if dbm > cfg.SilenceDBm {
				second = append(second, schema.Reading{Receiver: receivers[i], RSSI: schema.CentiDBmOf(dbm)})
			}
		}
		if len(second) > 0 {
			out = append(out, second)
		}
	}
	return out
}

// numbered numbers the receivers as they appear.
func numbered(samples []heard.Sample) ([]schema.ReceiverID, map[schema.ReceiverID]int) {
	var receivers []schema.ReceiverID
	index := map[schema.ReceiverID]int{}
	for _, s := range samples {
		if _, known := index[s.Receiver]; !known {
			index[s.Receiver] = len(receivers)
			receivers = append(receivers, s.Receiver)
		}
	}
	return receivers, index
}

func aged(samples []heard.Sample, index map[schema.ReceiverID]int, end schema.EventTime) []locate.Sample {
	out := make([]locate.Sample, len(samples))
	for i, s := range samples {
		out[i] = locate.Sample{Receiver: index[s.Receiver], RSSIdBm: s.RSSI.DBm(), Age: end.Sub(s.At)}
	}
	return out
}
