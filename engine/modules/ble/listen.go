package ble

import (
	"context"
	"slices"
	"time"

	"mybeacon/engine/ingest"
	"mybeacon/engine/modules/ble/nearby"
	"mybeacon/engine/modules/ble/store"
	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

// How what is heard of tags is stored.
const (
	keepEvery   = 30 * time.Second
	keepRefresh = 10 * time.Minute // of a tag that is heard all the time
	keepMost    = 10_000           // tags of one round: a bound for the statement
	keepLimit   = 20 * time.Second // of one round
	earsForget  = time.Hour        // nobody is shown as nearby for longer
)

// Notice implements [ingest.Notices].
func (m *Module) Notice(n ingest.Notice) { m.ears.Notice(n) }

// Hear takes in at once what [Module.Notice] takes in soon.
func (m *Module) Hear(n ingest.Notice) { m.ears.Hear(n) }

// keepHeard stores what is heard of tags, again and again, and once more at the end.
func (m *Module) keepHeard(ctx context.Context) {
	tick := time.NewTicker(keepEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			m.keepOnce(context.WithoutCancel(ctx))
			return
		case <-tick.C:
			m.keepOnce(ctx)
			m.ears.Forget(m.host.Clock().Add(-earsForget))
		}
	}
}

// keepOnce does one round; what could not be stored is tried in the next.
func (m *Module) keepOnce(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, keepLimit)
	defer cancel()
	if err := m.KeepHeard(ctx); err != nil {
		m.host.Log.WarnContext(ctx, "what was heard of tags not stored, will try again", "module", m.ID(), "error", err, "after", keepEvery)
	}
}

// KeepHeard stores what is worth it and is not stored yet. The module does so every
// half a minute by itself.
func (m *Module) KeepHeard(ctx context.Context) error {
	news := m.ears.News(keepRefresh, keepMost)
	if len(news) == 0 {
		return nil
	}
	rows := make([]store.TagHeard, len(news))
	ids := make([]schema.TagID, len(news))
	for i, n := range news {
		ids[i] = n.ID
	}
	stored, err := m.store.Heard(ctx, ids)
	if err == nil {
		known := make(map[schema.TagID]*store.TagHeard, len(stored))
		for i := range stored {
			known[stored[i].Tag] = &stored[i]
		}
		for i, n := range news {
			rows[i] = m.mergeHeard(known[n.ID], n)
		}
		err = m.store.WriteHeard(ctx, rows)
	}
	if err != nil {
		m.ears.Again(news)
	}
	return err
}

// mergeHeard returns what is known of the tag: as stored and as heard since.
func (m *Module) mergeHeard(stored *store.TagHeard, n nearby.Tag) store.TagHeard {
	h := store.TagHeard{Tag: n.ID, Organisation: n.Organisation}
	if stored != nil {
		h = *stored
	}
	if n.At.After(h.At) {
		h.At = n.At
	}
	if n.Battery != schema.NoBattery && (h.BatteryAt == nil || n.BatteryAt.After(*h.BatteryAt)) {
		h.BatteryPercent, h.BatteryAt = new(int(n.Battery)), &n.BatteryAt
	}
	if !n.SharedAt.IsZero() && (h.SharedAt == nil || n.SharedAt.After(*h.SharedAt)) {
		h.SharedAt = &n.SharedAt
	}
	h.Addresses = mergeAddresses(h.Addresses, n.Addresses)
	if at, ok := m.sighting(n.ID); ok && (h.Last == nil || at.At.After(h.Last.At)) {
		h.Last = &at
	}
	return h
}

// mergeAddresses returns the newest of both, each once.
func mergeAddresses(stored []store.HeardFrom, heard []nearby.From) []store.HeardFrom {
	all := make([]store.HeardFrom, 0, len(heard)+len(stored))
	for _, f := range heard {
		all = append(all, store.HeardFrom{Address: f.Address.String(), At: f.Last.UTC()})
	}
	for _, s := range stored {
		if !slices.ContainsFunc(all, func(f store.HeardFrom) bool { return f.Address == s.Address }) {
			all = append(all, s)
		}
	}
	slices.SortStableFunc(all, func(a, b store.HeardFrom) int { return b.At.Compare(a.At) })
	return all[:min(len(all), store.MaxAddresses)]
}

// sighting returns where the tag is by the live engine.
func (m *Module) sighting(id schema.TagID) (store.Sighting, bool) {
	if m.host.Live == nil {
		return store.Sighting{}, false
	}
	moved, ok := m.host.Live.Where(id)
	if !ok {
		return store.Sighting{}, false
	}
	return store.Sighting{At: moved.At.Time(), Location: moved.Location, Plan: moved.Plan, Zone: moved.Zone, X: moved.X, Y: moved.Y}, true
}

// UnknownQuery narrows the transmitters that are no tags; zero fields admit all.
type UnknownQuery struct {
	Location schema.LocationID
	Random   bool // also addresses that will be other ones soon
}

// Unknown is a transmitter that is heard and is no tag.
type Unknown struct {
	nearby.Stranger
	DeviceNumber int64 // of the device that hears it loudest; 0: it is no more
}

// Unknown returns the transmitters that were heard of late by devices that the scope
// of one organisation sees, and that are no tags, the loudest first.
func (m *Module) Unknown(ctx context.Context, scope postgres.Scope, q UnknownQuery) ([]Unknown, error) {
	organisation, one := scope.Organisation()
	if !one {
		return nil, schema.Errorf(schema.Invalid, "organisation_id", "is required")
	}
	found := m.ears.Strangers(organisation, func(at schema.LocationID) bool {
		return scope.Sees(at) && (q.Location.IsZero() || at == q.Location)
	})
	since := m.host.Clock().Add(-earsForget)
	found = slices.DeleteFunc(found, func(s nearby.Stranger) bool { return s.Random && !q.Random || s.Last.Before(since) })
	if len(found) == 0 {
		return nil, nil
	}
	numbers, err := m.store.DeviceNumbers(ctx, scope)
	if err != nil {
		return nil, err
	}
	transmitters := make([]schema.Transmitter, len(found))
	for i, s := range found {
		transmitters[i] = s.Transmitter
	}
	registered, err := m.store.Registered(ctx, organisation, transmitters)
	if err != nil {
		return nil, err
	}
	out := make([]Unknown, 0, len(found))
	for _, s := range found {
		if !registered[s.Transmitter] {
			out = append(out, Unknown{Stranger: s, DeviceNumber: numbers[s.Source.Device]})
		}
	}
	return out, nil
}
