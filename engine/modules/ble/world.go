package ble

import (
	"fmt"

	"mybeacon/engine/module"
	"mybeacon/engine/modules/ble/store"
	"mybeacon/schema"
)

// worldOf puts the rows together.
func worldOf(w store.World, known radios) module.World {
	out := module.World{
		Layouts:    make([]schema.Layout, len(w.Plans)),
		Tags:       make([]schema.Tag, len(w.Tags)),
		Placements: make(map[schema.DeviceID]module.Placement, len(w.Receivers)),
	}
	byPlan := make(map[schema.PlanID]*schema.Layout, len(w.Plans))
	for i, p := range w.Plans {
		out.Layouts[i] = layoutOf(p, known[p.ID])
		byPlan[p.ID] = &out.Layouts[i]
		out.Names = append(out.Names, module.Name{Organisation: p.Organisation, Kind: "plan", ID: p.ID, Name: p.Name})
	}
	addReceivers(&out, byPlan, w.Receivers)
	addZones(&out, byPlan, w.Zones)
	for i, t := range w.Tags {
		out.Tags[i] = t.Tag
		out.Names = append(out.Names, nameOf(t))
	}
	return out
}

func nameOf(t store.Tag) module.Name {
	return module.Name{Organisation: t.Organisation, Kind: "tag", ID: t.ID, Name: t.Name}
}

// layoutOf counts changes of the drawing and of what is known of the radio
// together: both make a new layout.
func layoutOf(p store.Plan, radio store.Radio) schema.Layout {
	l := schema.Layout{
		Organisation: p.Organisation, Location: p.Location, Plan: p.ID,
		Version: p.Version + p.Radio, Bounds: p.Bounds, TagHeightM: p.TagHeightM,
		NoGo: noGoOf(p.NoGo), Survey: radio.Survey,
	}
	if p.ZonesBy == store.ZonesByExamples {
		l.Examples = radio.Examples
	}
	return l
}

func noGoOf(areas [][]store.Corner) [][]schema.Point {
	if len(areas) == 0 {
		return nil
	}
	out := make([][]schema.Point, len(areas))
	for i, area := range areas {
		out[i] = polygonOf(area)
	}
	return out
}

func polygonOf(corners []store.Corner) []schema.Point {
	out := make([]schema.Point, len(corners))
	for i, c := range corners {
		out[i] = schema.Point{X: c[0], Y: c[1]}
	}
	return out
}

func addReceivers(out *module.World, byPlan map[schema.PlanID]*schema.Layout, receivers []store.Receiver) {
	for _, r := range receivers {
		l, ok := byPlan[r.Plan]
		if !ok {
			panic("BUG: receiver " + r.ID.String() + " is on a plan that was not read in the same snapshot")
		}
		l.Receivers = append(l.Receivers, schema.Placement{Receiver: r.ID, Device: r.Device, X: r.X, Y: r.Y, Z: r.Z, GainDB: r.GainDB})
		out.Placements[r.Device] = module.Placement{Organisation: l.Organisation, Location: l.Location, Plan: r.Plan, Receiver: r.ID}
		name := r.Name
		if name == "" {
			name = fmt.Sprintf("Receiver #%d", r.Number)
		}
		out.Names = append(out.Names, module.Name{Organisation: l.Organisation, Kind: "receiver", ID: r.ID, Name: name})
	}
}

func addZones(out *module.World, byPlan map[schema.PlanID]*schema.Layout, zones []store.Zone) {
	for _, z := range zones {
		l, ok := byPlan[z.Plan]
		if !ok {
			panic("BUG: zone " + z.ID.String() + " is on a plan that was not read in the same snapshot")
		}
		zone := schema.Zone{ID: z.ID, Number: z.Number, Name: z.Name, Parent: z.Parent, Polygon: polygonOf(z.Polygon)}
		if z.Capacity != nil {
			zone.Capacity = *z.Capacity
		}
		l.Zones = append(l.Zones, zone)
		out.Names = append(out.Names, module.Name{Organisation: l.Organisation, Kind: "zone", ID: z.ID, Name: z.Name})
	}
}
