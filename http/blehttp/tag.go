package blehttp

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"mybeacon/engine/modules/ble/store"
	shell "mybeacon/http"
	"mybeacon/schema"
)

// Tag is a registered transmitter and what carries it.
type Tag struct {
	ID             schema.TagID          `json:"id" format:"uuid"`
	OrganisationID schema.OrganisationID `json:"organisation_id" format:"uuid"`
	Transmitter    schema.Transmitter    `json:"transmitter" example:"mac:aa:bb:cc:dd:ee:ff"`
	Type           string                `json:"type" enum:"person,asset,vehicle"`
	Name           string                `json:"name"`
	Description    string                `json:"description"`
	CreatedAt      time.Time             `json:"created_at"`
	Reference      *Place                `json:"reference" doc:"null: it hangs at no known point"`
}

func tagOf(t store.Tag) Tag {
	out := Tag{
		ID: t.ID, OrganisationID: t.Organisation, Transmitter: t.Transmitter, Type: t.Type,
		Name: t.Name, Description: t.Description, CreatedAt: t.CreatedAt.UTC(),
	}
	if t.Reference != nil {
		at := placeOf(*t.Reference)
		out.Reference = &at
	}
	return out
}

type tagOutput struct{ Body Tag }

type tagList struct {
	shell.PageInput
	OrganisationID schema.OrganisationID `query:"organisation_id" format:"uuid"`
	Transmitter    string                `query:"transmitter" maxLength:"80"`
	Name           string                `query:"name" maxLength:"200" doc:"A part of the name"`
	Type           string                `query:"type" enum:"person,asset,vehicle"`
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

func (r *routes) tags(s *shell.Server) {
	const path = root + "/tags"
	tags := []string{"ble tags"}
	shell.Route(s, r.viewer, huma.Operation{
		OperationID: "list-ble-tags", Method: http.MethodGet, Path: path, Tags: tags, Summary: "List tags by name",
	}, r.listTags)
	shell.Route(s, r.tagger, huma.Operation{
		OperationID: "create-ble-tag", Method: http.MethodPost, Path: path, Tags: tags, Summary: "Register a tag",
		DefaultStatus: http.StatusCreated,
	}, r.createTag)
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
	filter := store.TagFilter{Name: in.Name, Type: in.Type}
	if in.Transmitter != "" {
		if filter.Transmitter, err = schema.ParseTransmitter(in.Transmitter); err != nil {
			return nil, err
		}
	}
	found, next, err := r.module.Tags(ctx, scope, filter, page)
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
	t, err = r.module.CreateTag(ctx, organisation, t)
	return &tagOutput{tagOf(t)}, err
}
