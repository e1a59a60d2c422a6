package blehttp

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"mybeacon/engine/modules/ble"
	"mybeacon/engine/modules/ble/store"
	shell "mybeacon/http"
	"mybeacon/schema"
)

// Tag is a registered transmitter, what carries it, and what is heard of it.
type Tag struct {
	ID             schema.TagID          `json:"id" format:"uuid"`
	OrganisationID schema.OrganisationID `json:"organisation_id" format:"uuid"`
	Transmitter    schema.Transmitter    `json:"transmitter" example:"mac:aa:bb:cc:dd:ee:ff"`
	Type           string                `json:"type" enum:"person,asset,vehicle"`
	Name           string                `json:"name" doc:"Of one that is bound to nothing: what it sends"`
	Description    string                `json:"description"`
	CreatedAt      time.Time             `json:"created_at"`
	BoundAt        *time.Time            `json:"bound_at" doc:"null: it is bound to nothing"`
	Photo          *string               `json:"photo" doc:"Its address; null: there is none"`
	Reference      *Place                `json:"reference" doc:"null: it hangs at no known point"`
	State          string                `json:"state" enum:"active,silent,never" doc:"active: heard within the last ten minutes"`
	HeardAt        *time.Time            `json:"heard_at" doc:"At least then; null: never"`
	Last           *LastPlace            `json:"last" doc:"null: it was nowhere, or where you may not look"`
	Battery        *Battery              `json:"battery" doc:"null: it does not say"`
	Addresses      []HeardFrom           `json:"addresses" nullable:"false" doc:"That it advertised from, the newest first, at most eight"`
	Warnings       []string              `json:"warnings" nullable:"false" enum:"default_identity,shared_identity" doc:"default_identity: beacons are sold with it, so any other one may send it; shared_identity: two transmitters sent it at the same time within the last day"`
}

// LastPlace is where a tag was last.
type LastPlace struct {
	At       time.Time         `json:"at"`
	Location schema.LocationID `json:"location" format:"uuid"`
	Plan     schema.PlanID     `json:"plan" format:"uuid"`
	Zone     *schema.ZoneID    `json:"zone" format:"uuid" doc:"The innermost; null: outside zones"`
	X        float64           `json:"x_m" doc:"Metres"`
	Y        float64           `json:"y_m" doc:"Metres"`

	LocationName string `json:"location_name"`
	PlanName     string `json:"plan_name" doc:"Empty: it is no more"`
	ZoneName     string `json:"zone_name" doc:"Empty: outside zones, or it is no more"`
}

// Battery is what a tag said last of its battery.
type Battery struct {
	Percent int       `json:"percent" minimum:"0" maximum:"100"`
	At      time.Time `json:"at"`
}

// HeardFrom is an address that a tag advertised from.
type HeardFrom struct {
	Address string    `json:"address" example:"aa:bb:cc:dd:ee:ff"`
	At      time.Time `json:"at" doc:"Last"`
}

func tagOf(t ble.TagView) Tag {
	out := Tag{
		ID: t.ID, OrganisationID: t.Organisation, Transmitter: t.Transmitter, Type: t.Type,
		Name: t.Name, Description: t.Description, CreatedAt: t.CreatedAt.UTC(), BoundAt: inUTC(t.BoundAt),
		State: t.State, Addresses: []HeardFrom{}, Warnings: t.Warnings, Photo: photoOf(t.Tag),
	}
	if t.Reference != nil {
		at := placeOf(*t.Reference)
		out.Reference = &at
	}
	if at := t.Last; at != nil {
		out.Last = &LastPlace{At: at.At.UTC(), Location: at.Location, Plan: at.Plan, X: at.X, Y: at.Y, LocationName: at.LocationName, PlanName: at.PlanName, ZoneName: at.ZoneName}
		if !at.Zone.IsZero() {
			out.Last.Zone = &at.Zone
		}
	}
	if h := t.Heard; h != nil {
		out.HeardAt = inUTC(&h.At)
		if h.BatteryPercent != nil {
			out.Battery = &Battery{Percent: *h.BatteryPercent, At: h.BatteryAt.UTC()}
		}
		for _, f := range h.Addresses {
			out.Addresses = append(out.Addresses, HeardFrom{Address: f.Address, At: f.At.UTC()})
		}
	}
	return out
}

func inUTC(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	return new(t.UTC())
}

type tagOutput struct{ Body Tag }

// TagFilter is the part of a list's input that narrows it. It is exported because huma
// reads embedded inputs only then.
type TagFilter struct {
	Transmitter  string            `query:"transmitter" maxLength:"80"`
	Name         string            `query:"name" maxLength:"200" doc:"A part of the name"`
	Type         string            `query:"type" enum:"person,asset,vehicle"`
	State        string            `query:"state" enum:"active,silent,never" doc:"active: heard within the last ten minutes"`
	Location     schema.LocationID `query:"location" format:"uuid" doc:"Where it is, or was when it was heard last"`
	Plan         schema.PlanID     `query:"plan" format:"uuid"`
	Zone         schema.ZoneID     `query:"zone" format:"uuid" doc:"Its parts too"`
	BatteryBelow int               `query:"battery_below" minimum:"1" maximum:"101" doc:"Percent"`
	Unbound      string            `query:"unbound" enum:"true,false"`
}

func (f TagFilter) query() (q ble.TagQuery, err error) {
	q = ble.TagQuery{
		TagFilter: store.TagFilter{Name: f.Name, Type: f.Type, BatteryBelow: f.BatteryBelow},
		State:     f.State, Location: f.Location, Plan: f.Plan, Zone: f.Zone,
	}
	if f.Unbound != "" {
		q.Unbound = new(f.Unbound == "true")
	}
	if f.Transmitter != "" {
		q.Transmitter, err = schema.ParseTransmitter(f.Transmitter)
	}
	return q, err
}

type tagList struct {
	shell.PageInput
	TagFilter
	OrganisationID schema.OrganisationID `query:"organisation_id" format:"uuid"`
}

type newTag struct {
	Body struct {
		OrganisationID schema.OrganisationID `json:"organisation_id,omitempty" format:"uuid" doc:"Required of a super-admin"`
		Transmitter    string                `json:"transmitter" maxLength:"80" doc:"mac:aa:bb:cc:dd:ee:ff, ibeacon:UUID/major/minor or eddystone:namespace/instance"`
		Type           string                `json:"type" enum:"person,asset,vehicle"`
		Name           string                `json:"name"`
		Description    string                `json:"description,omitempty"`
	}
}

type tagPatch struct {
	TagPath
	Body struct {
		Type        *string `json:"type,omitempty" enum:"person,asset,vehicle"`
		Name        *string `json:"name,omitempty"`
		Description *string `json:"description,omitempty"`
	}
}

// volatileOfTag are the fields that change while nobody changes the tag.
func volatileOfTag(op huma.Operation) huma.Operation {
	return shell.Volatile(op, "state", "heard_at", "last", "battery", "addresses", "warnings")
}

func (r *routes) tags(s *shell.Server) {
	const path = root + "/tags"
	const one = path + "/{id}"
	tags := []string{"ble tags"}
	shell.Route(s, r.viewer, huma.Operation{
		OperationID: "list-ble-tags", Method: http.MethodGet, Path: path, Tags: tags, Summary: "List tags by name",
	}, r.listTags)
	shell.Route(s, r.tagger, huma.Operation{
		OperationID: "create-ble-tag", Method: http.MethodPost, Path: path, Tags: tags, Summary: "Register a tag",
		DefaultStatus: http.StatusCreated,
	}, r.createTag)
	shell.Route(s, r.viewer, volatileOfTag(huma.Operation{
		OperationID: "get-ble-tag", Method: http.MethodGet, Path: one, Tags: tags, Summary: "Read a tag",
	}), r.getTag)
	shell.Route(s, r.tagger, volatileOfTag(huma.Operation{
		OperationID: "change-ble-tag", Method: http.MethodPatch, Path: one, Tags: tags,
		Summary: "Correct what a tag and its present binding are called",
	}), r.changeTag)
	shell.Route(s, r.tagger, huma.Operation{
		OperationID: "delete-ble-tag", Method: http.MethodDelete, Path: one, Tags: tags,
		Summary: "Delete a tag with its bindings; what was stored of its ways stays", DefaultStatus: http.StatusNoContent,
	}, r.removeTag)
	r.tagBindings(s)
	r.tagPhotos(s)
	r.tagTables(s)
	r.unknownTags(s)
}

func (r *routes) listTags(ctx context.Context, in *tagList) (*shell.ListOutput[Tag], error) {
	page, err := in.Page()
	if err != nil {
		return nil, err
	}
	scope, err := shell.PrincipalOf(ctx).Within(in.OrganisationID)
	if err != nil {
		return nil, err
	}
	query, err := in.query()
	if err != nil {
		return nil, err
	}
	found, next, err := r.module.Tags(ctx, scope, query, page)
	return shell.Paged(&in.PageInput, found, next, tagOf), err
}

func (r *routes) createTag(ctx context.Context, in *newTag) (*tagOutput, error) {
	organisation, err := shell.PrincipalOf(ctx).Owner(in.Body.OrganisationID)
	if err != nil {
		return nil, err
	}
	transmitter, err := schema.ParseTransmitter(in.Body.Transmitter)
	if err != nil {
		return nil, err
	}
	t := store.Tag{Tag: schema.Tag{Transmitter: transmitter, Name: in.Body.Name, Type: in.Body.Type}, Description: in.Body.Description}
	if t, err = r.module.CreateTag(ctx, organisation, t); err != nil {
		return nil, err
	}
	return r.shownTag(ctx, t.ID)
}

// shownTag returns the tag as its reader sees it.
func (r *routes) shownTag(ctx context.Context, id schema.TagID) (*tagOutput, error) {
	t, err := r.module.Tag(ctx, shell.PrincipalOf(ctx).Scope(), id)
	if err != nil {
		return nil, err
	}
	return &tagOutput{tagOf(t)}, nil
}

func (r *routes) getTag(ctx context.Context, in *TagPath) (*tagOutput, error) {
	id, err := in.parse()
	if err != nil {
		return nil, err
	}
	return r.shownTag(ctx, id)
}

func (p TagPath) parse() (schema.TagID, error) { return shell.ParseID[schema.TagID](p.ID) }

func (r *routes) changeTag(ctx context.Context, in *tagPatch) (*tagOutput, error) {
	id, err := in.parse()
	if err != nil {
		return nil, err
	}
	patch := ble.TagPatch{Type: in.Body.Type, Name: in.Body.Name, Description: in.Body.Description}
	return tagOutputOf(r.module.ChangeTag(ctx, shell.PrincipalOf(ctx).Scope(), id, patch))
}

func tagOutputOf(t ble.TagView, err error) (*tagOutput, error) {
	if err != nil {
		return nil, err
	}
	return &tagOutput{tagOf(t)}, nil
}

func (r *routes) removeTag(ctx context.Context, in *TagPath) (*struct{}, error) {
	id, err := in.parse()
	if err != nil {
		return nil, err
	}
	return nil, r.module.RemoveTag(ctx, shell.PrincipalOf(ctx).Scope(), id)
}
