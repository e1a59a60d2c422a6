package directory

import (
	"crypto/sha256"
	"maps"
	"time"

	"mybeacon/engine/ingest"
	"mybeacon/engine/module"
	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

// snapshot is immutable once it was stored.
type snapshot struct {
	at         time.Time // when the core's store was read
	byID       map[schema.DeviceID]ingest.Device
	byToken    map[[sha256.Size]byte]schema.DeviceID // by the token's hash
	placements map[schema.DeviceID]module.Placement
	tags       tags
	added      tags // since tags was made; few, so that adding one more is cheap
	layouts    map[schema.PlanID]*schema.Layout
	locations  map[schema.LocationID]location
	zoneNames  map[schema.ZoneID]string
	names      []module.Name
}

// tags is who sends what, both ways.
type tags struct {
	byKey map[tagKey]schema.TagID
	byID  map[schema.TagID]schema.Tag
}

func (t tags) add(tag schema.Tag) {
	t.byKey[tagKey{tag.Organisation, tag.Transmitter}] = tag.ID
	t.byID[tag.ID] = tag
}

func newTags(size int) tags {
	return tags{make(map[tagKey]schema.TagID, size), make(map[schema.TagID]schema.Tag, size)}
}

// with returns a copy of both together; where they differ, the newer count.
func (t tags) with(newer tags) tags {
	all := newTags(len(t.byID) + len(newer.byID))
	maps.Copy(all.byKey, t.byKey)
	maps.Copy(all.byKey, newer.byKey)
	maps.Copy(all.byID, t.byID)
	maps.Copy(all.byID, newer.byID)
	return all
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
		at:         c.at,
		byID:       make(map[schema.DeviceID]ingest.Device, len(c.devices)),
		byToken:    make(map[[sha256.Size]byte]schema.DeviceID, len(c.devices)),
		placements: map[schema.DeviceID]module.Placement{},
		tags:       newTags(0),
		layouts:    map[schema.PlanID]*schema.Layout{},
		locations:  map[schema.LocationID]location{},
		zoneNames:  map[schema.ZoneID]string{},
	}
	s.addCoreNames(c.names)
	for _, w := range worlds {
		s.addWorld(w)
	}
	configs := map[string]string{} // most devices have the same one
	for _, bound := range c.devices {
		if same, known := configs[bound.ConfigJSON]; known {
			bound.ConfigJSON = same
		} else {
			configs[bound.ConfigJSON] = bound.ConfigJSON
		}
		s.byID[bound.ID] = s.device(bound)
		for _, hash := range [][sha256.Size]byte{bound.TokenHash, bound.LoginHash} {
			if hash != ([sha256.Size]byte{}) {
				s.byToken[hash] = bound.ID
			}
		}
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
		s.tags.add(t)
	}
	for id, p := range w.Placements {
		s.placements[id] = p
	}
	s.names = append(s.names, w.Names...)
}

// maxAdded is when what was added is made one with the rest. Adding costs the
// copy of at most so many, and every so many times the copy of all.
const maxAdded = 512

// extended returns a snapshot with further tags.
func (s *snapshot) extended(more module.World) *snapshot {
	next := *s
	next.added = s.added.with(tags{})
	for _, t := range more.Tags {
		next.added.add(t)
	}
	if len(next.added.byID) >= maxAdded {
		next.tags, next.added = s.tags.with(next.added), tags{}
	}
	next.names = append(next.names, more.Names...)
	return &next
}

func (s *snapshot) tag(k tagKey) (schema.TagID, bool) {
	if id, ok := s.added.byKey[k]; ok {
		return id, true
	}
	id, ok := s.tags.byKey[k]
	return id, ok
}

func (s *snapshot) info(id schema.TagID) (schema.Tag, bool) {
	if t, ok := s.added.byID[id]; ok {
		return t, true
	}
	t, ok := s.tags.byID[id]
	return t, ok
}

// device ignores a placement of another organisation than the device's: it is
// left over from before the device was bound anew.
func (s *snapshot) device(bound postgres.Binding) ingest.Device {
	dev := ingest.Device{
		Number: bound.Number, Clock: bound.Clock, TokenHash: bound.TokenHash, LoginHash: bound.LoginHash, LoginExpires: bound.LoginExpires,
		ConfigVersion: bound.ConfigVersion, Config: bound.ConfigJSON, Source: schema.Source{
			Organisation: bound.Organisation,
			Device:       bound.ID,
			Location:     bound.Location,
			KeepDays:     bound.KeepDays,
		},
	}
	dev.Since, dev.Former = history(bound)
	at := s.placements[bound.ID]
	if at.Organisation == bound.Organisation && !bound.Organisation.IsZero() {
		dev.Location, dev.Plan, dev.Receiver = at.Location, at.Plan, at.Receiver
	}
	return dev
}
