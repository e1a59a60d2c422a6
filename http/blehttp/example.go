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

// ZoneExample says that a tag was in a zone, or outside of all, for some time.
type ZoneExample struct {
	OrganisationID schema.OrganisationID `json:"-"` // for the log of who looks
	ID             store.ExampleID       `json:"id" format:"uuid"`
	TagID          schema.TagID          `json:"tag_id" format:"uuid"`
	ZoneID         schema.ZoneID         `json:"zone_id" doc:"Empty: outside zones"`
	From           time.Time             `json:"from"`
	To             time.Time             `json:"to"`
	Seconds        int                   `json:"seconds" doc:"In which the tag was heard"`
	CreatedAt      time.Time             `json:"created_at"`
}

func exampleOf(e store.Example) ZoneExample {
	return ZoneExample{
		OrganisationID: e.Organisation, ID: e.ID, TagID: e.Tag, ZoneID: e.Zone, From: e.From.UTC(), To: e.To.UTC(),
		Seconds: e.Seconds, CreatedAt: e.CreatedAt.UTC(),
	}
}

type newExample struct {
	PlanPath
	Body struct {
		TagID  schema.TagID  `json:"tag_id" format:"uuid"`
		ZoneID schema.ZoneID `json:"zone_id" doc:"Empty: it was outside of all zones; some such examples are needed too"`
		From   time.Time     `json:"from"`
		To     time.Time     `json:"to" doc:"At most an hour later, and not in the future"`
	}
}

type exampleList struct {
	PlanPath
	shell.PageInput
}

// ExamplePath names a zone example of a plan. It is exported because huma reads embedded inputs only then.
type ExamplePath struct {
	PlanPath
	Example string `path:"eid" format:"uuid" doc:"The example"`
}

type exampleOutput struct{ Body ZoneExample }

func (r *routes) examples(s *shell.Server) {
	const path = root + "/plans/{id}/zone-examples"
	tags := []string{"ble survey"}
	shell.Route(s, r.viewer, huma.Operation{
		OperationID: "list-ble-zone-examples", Method: http.MethodGet, Path: path, Tags: tags, Summary: "List the plan's zone examples by time",
	}, r.listExamples)
	shell.Route(s, r.planner, huma.Operation{
		OperationID: "create-ble-zone-example", Method: http.MethodPost, Path: path, Tags: tags,
		Summary: "Say in which zone a tag was, so that zones can be told by what they sound like", DefaultStatus: http.StatusCreated,
	}, r.addExample)
	shell.Route(s, r.planner, huma.Operation{
		OperationID: "delete-ble-zone-example", Method: http.MethodDelete, Path: path + "/{eid}", Tags: tags, Summary: "Delete a zone example",
		DefaultStatus: http.StatusNoContent,
	}, r.removeExample)
}

func (r *routes) listExamples(ctx context.Context, in *exampleList) (*shell.ListOutput[ZoneExample], error) {
	plan, err := shell.ParseID[schema.PlanID](in.ID)
	if err != nil {
		return nil, err
	}
	page, err := in.Page()
	if err != nil {
		return nil, err
	}
	found, next, err := r.module.Examples(ctx, shell.PrincipalOf(ctx).Scope(), plan, page)
	return shell.Paged(&in.PageInput, found, next, exampleOf), err
}

func (r *routes) addExample(ctx context.Context, in *newExample) (*exampleOutput, error) {
	plan, err := shell.ParseID[schema.PlanID](in.ID)
	if err != nil {
		return nil, err
	}
	e := store.Example{Plan: plan, Zone: in.Body.ZoneID, Tag: in.Body.TagID, From: in.Body.From, To: in.Body.To}
	e, err = r.module.AddExample(ctx, shell.PrincipalOf(ctx).Scope(), e)
	return &exampleOutput{exampleOf(e)}, err
}

func (r *routes) removeExample(ctx context.Context, in *ExamplePath) (*struct{}, error) {
	plan, err := shell.ParseID[schema.PlanID](in.ID)
	if err != nil {
		return nil, err
	}
	id, err := shell.ParseID[store.ExampleID](in.Example)
	if err != nil {
		return nil, err
	}
	return nil, r.module.RemoveExample(ctx, shell.PrincipalOf(ctx).Scope(), plan, id)
}
