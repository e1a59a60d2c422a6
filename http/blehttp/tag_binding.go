package blehttp

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"mybeacon/engine/modules/ble"
	shell "mybeacon/http"
	"mybeacon/schema"
)

// TagBinding is what a tag was bound to from when to when.
type TagBinding struct {
	OrganisationID schema.OrganisationID `json:"organisation_id" format:"uuid"`
	Type           string                `json:"type" enum:"person,asset,vehicle"`
	Name           string                `json:"name"`
	Description    string                `json:"description"`
	From           time.Time             `json:"from"`
	To             *time.Time            `json:"to" doc:"null: to this day"`
	By             string                `json:"by" doc:"E-mail of who bound it; empty: the system"`
}

type tagBindingsOutput struct {
	Body struct {
		Items []TagBinding `json:"items" nullable:"false" doc:"The newest first, at most 500"`
	}
}

type boundTag struct {
	TagPath
	Body struct {
		Type        string `json:"type" enum:"person,asset,vehicle"`
		Name        string `json:"name"`
		Description string `json:"description,omitempty"`
	}
}

func (r *routes) tagBindings(s *shell.Server) {
	const one = root + "/tags/{id}"
	tags := []string{"ble tags"}
	shell.Route(s, r.viewer, huma.Operation{
		OperationID: "list-ble-tag-bindings", Method: http.MethodGet, Path: one + "/bindings", Tags: tags, Summary: "Read what a tag was bound to",
	}, r.listTagBindings)
	shell.Route(s, r.tagger, volatileOfTag(huma.Operation{
		OperationID: "bind-ble-tag", Method: http.MethodPut, Path: one + "/binding", Tags: tags,
		Summary: "Bind a tag to a person or a thing from now on; what it was bound to before ends",
	}), r.bindTag)
	shell.Route(s, r.tagger, huma.Operation{
		OperationID: "unbind-ble-tag", Method: http.MethodDelete, Path: one + "/binding", Tags: tags,
		Summary: "Bind a tag to nothing: it is called by what it sends, and has no photo", DefaultStatus: http.StatusNoContent,
	}, r.unbindTag)
}

func (r *routes) listTagBindings(ctx context.Context, in *TagPath) (*tagBindingsOutput, error) {
	id, err := in.parse()
	if err != nil {
		return nil, err
	}
	found, err := r.module.Bindings(ctx, shell.PrincipalOf(ctx).Scope(), id)
	if err != nil {
		return nil, err
	}
	out := &tagBindingsOutput{}
	out.Body.Items = make([]TagBinding, len(found))
	for i, b := range found {
		out.Body.Items[i] = TagBinding{
			OrganisationID: b.Organisation, Type: b.Type, Name: b.Name, Description: b.Description,
			From: b.From.UTC(), To: inUTC(b.To), By: b.By,
		}
	}
	return out, nil
}

func (r *routes) bindTag(ctx context.Context, in *boundTag) (*tagOutput, error) {
	id, err := in.parse()
	if err != nil {
		return nil, err
	}
	to := ble.Bound{Type: in.Body.Type, Name: in.Body.Name, Description: in.Body.Description}
	return tagOutputOf(r.module.BindTag(ctx, shell.PrincipalOf(ctx).Scope(), id, to))
}

func (r *routes) unbindTag(ctx context.Context, in *TagPath) (*struct{}, error) {
	id, err := in.parse()
	if err != nil {
		return nil, err
	}
	_, err = r.module.UnbindTag(ctx, shell.PrincipalOf(ctx).Scope(), id)
	return nil, err
}
