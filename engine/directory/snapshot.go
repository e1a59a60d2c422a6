package directory

import (
	"mybeacon/engine/ingest"
	"mybeacon/engine/module"
	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

// snapshot is immutable once it was stored.
type snapshot struct {
	byID       map[schema.DeviceID]ingest.Device
	placements map[schema.DeviceID]module.Placement
	tags       map[tagKey]schema.TagID
	tagInfo    map[schema.TagID]schema.Tag
	layouts    map[schema.PlanID]*schema.Layout
	locations  map[schema.LocationID]location
	zoneNames  map[schema.ZoneID]string
	names      []module.Name
}

type tagKey struct {
	org schema.OrganisationID
	tx  schema.Transmitter
}

type location struct {
	org     schema.OrganisationID
	layouts []*schema.Layout
}

func newSnapshot(c core, worlds []module.World) *snapshot {
	s := &snapshot{
		byID:       make(map[schema.DeviceID]ingest.Device, len(c.devices)),
		placements: map[schema.DeviceID]module.Placement{},
		tags:       map[tagKey]schema.TagID{},
		tagInfo:    map[schema.TagID]schema.Tag{},
		layouts:    map[schema.PlanID]*schema.Layout{},
		locations:  map[schema.LocationID]location{},
		zoneNames:  map[schema.ZoneID]string{},
	}
	s.addCoreNames(c.names)
	for _, w := range worlds {
		s.addWorld(w)
	}
	for _, bound := range c.devices {
		s.byID[bound.ID] = s.device(bound)
	}
	return s
}

// addCoreNames also makes locations known that have no plan yet.
func (s *snapshot) addCoreNames(names []postgres.Named) {
	for _, n := range names {
		s.names = append(s.names, module.Name(n))
		if n.Kind == "location" {
			s.locations[n.ID] = location{org: n.Organisation}
		}
	}
}

func (s *snapshot) addWorld(w module.World) {
	for i := range w.Layouts {
		l := &w.Layouts[i]
		s.layouts[l.Plan] = l
		at := s.locations[l.Location]
		s.locations[l.Location] = location{org: l.Organisation, layouts: append(at.layouts, l)}
		for _, z := range l.Zones {
			s.zoneNames[z.ID] = z.Name
		}
	}
	for _, t := range w.Tags {
		s.tags[tagKey{t.Organisation, t.Transmitter}] = t.ID
		s.tagInfo[t.ID] = t
	}
	for id, p := range w.Placements {
		s.placements[id] = p
	}
	s.names = append(s.names, w.Names...)
}

// device ignores a placement of another organisation than the device's: it is
// left over from before the device was bound anew.
func (s *snapshot) device(bound postgres.Binding) ingest.Device {
	dev := ingest.Device{Number: bound.Number, Clock: bound.Clock, Source: schema.Source{
		Organisation: bound.Organisation,
		Device:       bound.ID,
		Location:     bound.Location,
		KeepDays:     bound.KeepDays,
	}}
	at := s.placements[bound.ID]
	if at.Organisation == bound.Organisation && !bound.Organisation.IsZero() {
		dev.Location, dev.Plan, dev.Receiver = at.Location, at.Plan, at.Receiver
	}
	return dev
}
