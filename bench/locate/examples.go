package locate

import (
	"maps"
	"math"
	"slices"
	"time"

	"mybeacon/bench/recording"
	"mybeacon/geometry/locate"
	"mybeacon/geometry/zonemodel"
	"mybeacon/schema"
)

// examplesOf returns what the receivers heard at each epoch of a track whose zone
// is known, as an engine with that configuration would be taught by somebody who
// walks the track and says where he is.
func examplesOf(layout *schema.Layout, c *course, t recording.Track, cfg zonemodel.Config) []schema.ZoneExample {
	var out []schema.ZoneExample
	last := t.Events[len(t.Events)-1].At
	for first, next, at := 0, 0, t.Events[0].At.Truncate(time.Second); next < len(t.Events); at += time.Second {
		for next < len(t.Events) && t.Events[next].At <= at {
			next++
		}
		for first < next && t.Events[first].At < at-cfg.Window {
			first++
		}
		zone, _, known := c.zone(at, last)
		if heard := condense(layout, at, t.Events[first:next], cfg); known && len(heard) > 0 {
			e := schema.ZoneExample{Heard: heard}
			if zone != outside {
				e.Zone = layout.Zones[zone].ID
			}
			out = append(out, e)
		}
	}
	return out
}

// condense returns the reading of each receiver that heard something.
func condense(layout *schema.Layout, at time.Duration, events []recording.Event, cfg zonemodel.Config) []schema.Reading {
	samples := make([]locate.Sample, len(events))
	for i, e := range events {
		samples[i] = locate.Sample{Receiver: e.Receiver, RSSIdBm: e.RSSI.DBm(), Age: at - e.At + tick}
	}
	var out []schema.Reading
	for r, dbm := range cfg.Observe(len(layout.Receivers), samples) {
		if dbm > cfg.SilenceDBm && !math.IsNaN(dbm) {
			out = append(out, schema.Reading{Receiver: layout.Receivers[r].Receiver, RSSI: schema.CentiDBmOf(dbm)})
		}
	}
	return out
}

// taught returns the layout with the examples of all tracks but one.
func taught(layout *schema.Layout, examples map[string][]schema.ZoneExample, but string) *schema.Layout {
	l := *layout
	for _, track := range slices.Sorted(maps.Keys(examples)) {
		if track != but {
			l.Examples = append(l.Examples, examples[track]...)
		}
	}
	return &l
}
