package ble

import (
	"context"
	"slices"

	"mybeacon/engine/modules/ble/analytics"
	"mybeacon/engine/modules/ble/store"
	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

// Analytics answers questions about the past. It may be asked while the module runs.
func (m *Module) Analytics() *analytics.Analytics {
	return analytics.New(m.host.Warehouse.Conn(), m.host.Clock)
}

// Subject is what a question is about, as somebody asks it.
type Subject struct {
	Location schema.LocationID // may be left out with a plan
	Plan     schema.PlanID
	Zones    []schema.ZoneID
	Tags     []schema.TagID
	Type     string // of tags, as they are now; "" is any
}

// Scene is where a question plays.
type Scene struct {
	Location postgres.Location
	Plan     store.Place // zero unless the subject names one
	zones    map[schema.ZoneID]store.ZoneLabel
}

// About looks up what the subject names. What the scope does not see, and what never was
// the organisation's, is NotFound; zones and tags that are deleted can be asked about. The
// query has no time yet.
func (m *Module) About(ctx context.Context, scope postgres.Scope, s Subject) (analytics.Query, Scene, error) {
	var scene Scene
	var err error
	if !s.Plan.IsZero() {
		if scene.Plan, err = m.store.Place(ctx, scope, s.Plan); err != nil {
			return analytics.Query{}, scene, err
		}
		if s.Location.IsZero() {
			s.Location = scene.Plan.Location
		}
		if s.Location != scene.Plan.Location {
			return analytics.Query{}, scene, schema.Errorf(schema.NotFound, "plan", "the location has no such plan")
		}
	}
	if s.Location.IsZero() {
		return analytics.Query{}, scene, schema.Errorf(schema.Invalid, "location", "name a location or a plan")
	}
	if scene.Location, err = m.host.DB.Location(ctx, scope, s.Location); err != nil {
		return analytics.Query{}, scene, err
	}
	if scene.zones, err = m.store.ZoneLabels(ctx, scope, s.Location); err != nil {
		return analytics.Query{}, scene, err
	}
	q := analytics.Query{Organisation: scene.Location.Organisation, Location: s.Location, Plan: s.Plan, Zones: s.Zones}
	if err := m.checkZones(ctx, &q, scene); err != nil {
		return q, scene, err
	}
	return q, scene, m.choose(ctx, &q, s)
}

// checkZones refuses zones that are not at the location and never were: it must not
// show which there are elsewhere.
func (m *Module) checkZones(ctx context.Context, q *analytics.Query, scene Scene) error {
	var gone []schema.ZoneID
	for _, id := range q.Zones {
		if _, there := scene.zones[id]; !there {
			gone = append(gone, id)
		}
	}
	if len(gone) == 0 {
		return nil
	}
	visited, err := m.Analytics().VisitedZones(ctx, q.Organisation, q.Location, gone)
	if err == nil && len(visited) < len(gone) {
		err = schema.Errorf(schema.NotFound, "zone", "the location has no such zone")
	}
	return err
}

// checkTags refuses tags that are not the organisation's and never were.
func (m *Module) checkTags(ctx context.Context, q *analytics.Query, gone [][16]byte) error {
	names, err := m.Analytics().LastNames(ctx, q.Organisation, "tag", gone)
	if err == nil && len(names) < len(gone) {
		err = schema.Errorf(schema.NotFound, "tag", "there is no such tag")
	}
	return err
}

// choose finds the tags that are meant.
func (m *Module) choose(ctx context.Context, q *analytics.Query, s Subject) error {
	q.Chosen = len(s.Tags) > 0 || s.Type != ""
	q.Tags = s.Tags
	if len(s.Tags) > 0 {
		labels, err := m.store.TagLabels(ctx, q.Organisation, s.Tags)
		if err != nil {
			return err
		}
		var gone [][16]byte
		for _, id := range s.Tags {
			if _, there := labels[id]; !there {
				gone = append(gone, id)
			}
		}
		if s.Type != "" {
			q.Tags = slices.DeleteFunc(slices.Clone(s.Tags), func(id schema.TagID) bool { return labels[id].Type != s.Type })
		}
		return m.checkTags(ctx, q, gone)
	}
	var err error
	if s.Type != "" {
		q.Tags, err = m.store.TagsOfType(ctx, q.Organisation, s.Type, analytics.MaxTags+1)
	}
	return err
}

// Labels are what things of an answer are called: as they are now, or, when they are
// deleted, were last.
type Labels struct {
	Zones map[schema.ZoneID]store.ZoneLabel
	Tags  map[schema.TagID]store.TagLabel
}

// Label looks up what the zones and tags of an answer are called.
func (m *Module) Label(ctx context.Context, scene Scene, zones []schema.ZoneID, tags []schema.TagID) (Labels, error) {
	l := Labels{Zones: scene.zones, Tags: map[schema.TagID]store.TagLabel{}}
	var gone [][16]byte
	for _, id := range zones {
		if _, there := l.Zones[id]; !there && !id.IsZero() && !slices.Contains(gone, [16]byte(id)) {
			gone = append(gone, id)
		}
	}
	organisation := scene.Location.Organisation
	names, err := m.Analytics().LastNames(ctx, organisation, "zone", gone)
	if err != nil {
		return l, err
	}
	for id, name := range names {
		l.Zones[id] = store.ZoneLabel{Zone: id, Name: name}
	}
	return l, m.labelTags(ctx, organisation, tags, l.Tags)
}

func (m *Module) labelTags(ctx context.Context, organisation schema.OrganisationID, tags []schema.TagID, into map[schema.TagID]store.TagLabel) error {
	seen := make(map[schema.TagID]bool, len(tags))
	var ids []schema.TagID
	for _, id := range tags {
		if !seen[id] {
			seen[id] = true
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	found, err := m.store.TagLabels(ctx, organisation, ids)
	if err != nil {
		return err
	}
	var gone [][16]byte
	for _, id := range ids {
		if label, there := found[id]; there {
			into[id] = label
		} else {
			gone = append(gone, id)
		}
	}
	names, err := m.Analytics().LastNames(ctx, organisation, "tag", gone)
	for id, name := range names {
		into[id] = store.TagLabel{Tag: id, Name: name}
	}
	return err
}
