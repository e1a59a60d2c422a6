package ble

import (
	"context"
	"slices"
	"time"

	"mybeacon/engine/modules/ble/heard"
	"mybeacon/engine/modules/ble/store"
	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

// The states of a tag.
const (
	TagActive = "active" // heard within [activeFor]
	TagSilent = "silent" // heard before
	TagNever  = "never"  // never heard
)

// The warnings about a tag's identity.
const (
	WarnDefaultIdentity = "default_identity" // it is one that vendors ship
	WarnSharedIdentity  = "shared_identity"  // two transmitters send it at the same time
)

const (
	activeFor = 10 * time.Minute // a tag is active after it was heard
	// A tag is warned about after its identity was heard from two addresses at once.
	sharedFor = 24 * time.Hour
	// lastLimit is how long the warehouse may take to say where tags were.
	lastLimit = 1500 * time.Millisecond
)

// TagView is a tag with what is heard of it.
type TagView struct {
	store.Tag // Heard is as heard by now
	State     string
	Last      *store.Sighting // nil: it was nowhere, or where the reader may not look
	Warnings  []string
}

// TagQuery narrows a list of tags; zero fields admit all.
type TagQuery struct {
	store.TagFilter
	State    string
	Location schema.LocationID // where it is or was last, as Plan and Zone
	Plan     schema.PlanID
	Zone     schema.ZoneID // its parts too
}

// Tags returns a page of the tags in scope with what is heard of them, by name.
func (m *Module) Tags(ctx context.Context, scope postgres.Scope, query TagQuery, page postgres.Page) ([]TagView, postgres.Cursor, error) {
	filter, err := m.filterOf(ctx, scope, query)
	if schema.KindOf(err) == schema.NotFound {
		return []TagView{}, postgres.Cursor{}, nil // nothing is where nothing is
	}
	if err != nil {
		return nil, postgres.Cursor{}, err
	}
	found, next, err := m.store.Tags(ctx, scope, filter, page)
	if err != nil {
		return nil, next, err
	}
	return m.viewsOf(ctx, scope, found), next, nil
}

// filterOf turns what only the engine knows - who is heard now, and where - into
// sets of tags.
func (m *Module) filterOf(ctx context.Context, scope postgres.Scope, q TagQuery) (store.TagFilter, error) {
	f := q.TagFilter
	place := !q.Location.IsZero() || !q.Plan.IsZero() || !q.Zone.IsZero()
	if !place && q.State == "" {
		return f, nil
	}
	active := m.active(scope)
	if place {
		at, err := m.placeOf(ctx, scope, q)
		if err != nil {
			return f, err
		}
		f.At = at
	}
	switch q.State {
	case TagActive:
		f.Among = active
	case TagSilent:
		f.Except, f.Heard = active, new(true)
	case TagNever:
		f.Except, f.Heard = active, new(false)
	}
	return f, nil
}

// active returns the tags in scope that are heard now.
func (m *Module) active(scope postgres.Scope) []schema.TagID {
	organisation, one := scope.Organisation()
	if !one && !scope.All() {
		return []schema.TagID{}
	}
	return m.ears.Active(organisation, m.host.Clock().Add(-activeFor))
}

// placeOf finds who is at the place now, and who is somewhere else.
func (m *Module) placeOf(ctx context.Context, scope postgres.Scope, q TagQuery) (*store.TagPlace, error) {
	at := &store.TagPlace{Location: q.Location, Plan: q.Plan}
	location := q.Location
	if !q.Plan.IsZero() || !q.Zone.IsZero() {
		found, zones, err := m.store.PlaceFor(ctx, scope, q.Plan, q.Zone)
		if err != nil {
			return nil, err
		}
		if at.Zones = zones; !location.IsZero() && location != found {
			return nil, schema.Errorf(schema.NotFound, "location", "is not the plan's")
		}
		location = found
	}
	if !scope.Sees(location) {
		return nil, schema.Errorf(schema.NotFound, "location", "there is no such location")
	}
	if m.host.Live == nil {
		return at, nil
	}
	organisation, one := scope.Organisation()
	for _, t := range m.host.Live.Present(location) {
		if one && t.Organisation != organisation {
			return nil, schema.Errorf(schema.NotFound, "location", "there is no such location")
		}
		if (q.Plan.IsZero() || t.Plan == q.Plan) && (at.Zones == nil || slices.Contains(at.Zones, t.Zone)) {
			at.Now = append(at.Now, t.Tag)
		} else {
			at.Elsewhere = append(at.Elsewhere, t.Tag)
		}
	}
	return at, nil
}

func (m *Module) viewOf(ctx context.Context, scope postgres.Scope, t store.Tag) TagView {
	return m.viewsOf(ctx, scope, []store.Tag{t})[0]
}

// viewsOf adds what is heard of the tags: by the live engine first, then as it was
// stored, and the warehouse is asked once about all of which neither knows.
func (m *Module) viewsOf(ctx context.Context, scope postgres.Scope, tags []store.Tag) []TagView {
	now := m.host.Clock()
	views := make([]TagView, len(tags))
	var unknown []*TagView
	for i, t := range tags {
		v := &views[i]
		v.Tag = t
		if n, ok := m.ears.Tag(t.ID); ok && n.Organisation == t.Organisation {
			v.Heard = new(m.mergeHeard(t.Heard, n))
		} else if at, ok := m.sighting(t.ID); ok && t.Heard != nil && (t.Heard.Last == nil || at.At.After(t.Heard.Last.At)) {
			heard := *t.Heard
			heard.Last, v.Heard = &at, &heard
		}
		if v.Heard == nil || v.Heard.Last == nil {
			unknown = append(unknown, v)
		}
	}
	m.addLast(ctx, unknown)
	var places []*store.Sighting
	for i := range views {
		if views[i].judge(scope, now); views[i].Last != nil {
			places = append(places, views[i].Last)
		}
	}
	if err := m.store.NameSightings(ctx, scope, places); err != nil {
		m.host.Log.WarnContext(ctx, "names of places not read", "module", m.ID(), "error", err)
	}
	return views
}

// addLast asks the warehouse where the tags were last. While it is away that is not
// known, and the rest is told.
func (m *Module) addLast(ctx context.Context, views []*TagView) {
	if len(views) == 0 || m.host.Warehouse == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, lastLimit)
	defer cancel()
	byTag := make(map[schema.TagID]*TagView, len(views))
	of := map[schema.OrganisationID][]schema.TagID{}
	for _, v := range views {
		byTag[v.ID] = v
		of[v.Organisation] = append(of[v.Organisation], v.ID)
	}
	found, err := heard.Last(ctx, m.host.Warehouse.Conn(), of)
	if err != nil {
		m.host.Log.DebugContext(ctx, "where tags were last is not known", "module", m.ID(), "error", err)
		return
	}
	for _, f := range found {
		v := byTag[f.Tag]
		h := store.TagHeard{Tag: v.ID, Organisation: v.Organisation, At: f.At.Time()}
		if v.Heard != nil {
			h = *v.Heard
		}
		h.Last = &store.Sighting{At: f.At.Time(), Location: f.Location, Plan: f.Plan, Zone: f.Zone, X: f.X, Y: f.Y}
		v.Heard = &h
	}
}

// judge says of the tag how it is, to who has the scope.
func (v *TagView) judge(scope postgres.Scope, now time.Time) {
	v.State, v.Warnings = TagNever, []string{}
	if IsDefaultIdentity(v.Transmitter) {
		v.Warnings = append(v.Warnings, WarnDefaultIdentity)
	}
	if v.Heard == nil {
		return
	}
	v.State = TagSilent
	if now.Sub(v.Heard.At) < activeFor {
		v.State = TagActive
	}
	if v.Heard.SharedAt != nil && now.Sub(*v.Heard.SharedAt) < sharedFor {
		v.Warnings = append(v.Warnings, WarnSharedIdentity)
	}
	if last := v.Heard.Last; last != nil && scope.Sees(last.Location) {
		v.Last = new(*last)
	}
}
