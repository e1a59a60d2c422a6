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

// Plan is a drawn floor of a location; coordinates are metres in its own frame,
// x to the right and y up.
type Plan struct {
	ID             schema.PlanID         `json:"id" format:"uuid"`
	OrganisationID schema.OrganisationID `json:"organisation_id" format:"uuid"`
	LocationID     schema.LocationID     `json:"location_id" format:"uuid"`
	Name           string                `json:"name"`
	Level          int                   `json:"level" doc:"Storey, 0 = ground floor"`
	Bounds         schema.Rect           `json:"bounds" doc:"Metres"`
	TagHeightM     float64               `json:"tag_height_m" doc:"Usual height at which tags are carried"`
	Walls          Polylines             `json:"walls" doc:"Polylines, [x, y] in metres"`
	NoGo           Polylines             `json:"no_go" doc:"Polygons in which nobody can be, [x, y] in metres, closed implicitly"`
	ZonesBy        string                `json:"zones_by" enum:"position,examples" doc:"How zones are told: by where a tag is, or by what zones sound like as soon as there are zone examples"`
	Image          *Image                `json:"image" doc:"null: there is none"`
	Version        uint64                `json:"version" doc:"Grows with every change of the plan, its receivers or zones"`
}

// Drawing is a plan with all that is on it.
type Drawing struct {
	Plan
	Sketch    Sketch     `json:"drawing"`
	At        *time.Time `json:"at" doc:"From when on the plan looked so; null: it is the plan as it is now"`
	Receivers []Receiver `json:"receivers" nullable:"false" doc:"By number"`
	Zones     []Zone     `json:"zones" nullable:"false" doc:"By number"`
}

func planOf(p store.Plan) Plan { return planAt(p, time.Time{}) }

// planAt returns the plan as it was at the time; zero: as it is now.
func planAt(p store.Plan, at time.Time) Plan {
	return Plan{
		Image: imageOf(p, at),
		ID:    p.ID, OrganisationID: p.Organisation, LocationID: p.Location, Name: p.Name, Level: p.Level,
		Bounds: p.Bounds, TagHeightM: p.TagHeightM, Walls: p.Walls, NoGo: p.NoGo, ZonesBy: p.ZonesBy, Version: p.Version,
	}
}

type planOutput struct {
	ETag string `header:"ETag"`
	Body Plan
}

type drawingOutput struct {
	ETag string `header:"ETag"`
	Body Drawing
}

type drawingInput struct {
	PlanPath
	At time.Time `query:"at" doc:"The plan as it was then, with its picture, receivers and zones"`
}

// PlanPath names a plan. It is exported because huma reads embedded inputs only then.
type PlanPath struct {
	ID string `path:"id" format:"uuid" doc:"The plan"`
}

type planList struct {
	shell.PageInput
	OrganisationID schema.OrganisationID `query:"organisation_id" format:"uuid"`
	LocationID     schema.LocationID     `query:"location_id" format:"uuid"`
	Name           string                `query:"name" maxLength:"200" doc:"The whole name"`
}

type newPlan struct {
	Body struct {
		LocationID schema.LocationID `json:"location_id" format:"uuid"`
		Name       string            `json:"name"`
		Level      int               `json:"level,omitempty" doc:"Storey, 0 = ground floor"`
		Bounds     schema.Rect       `json:"bounds" doc:"Metres"`
		TagHeightM *float64          `json:"tag_height_m,omitempty" doc:"Usual height at which tags are carried, 1.2 if left out"`
		Walls      Polylines         `json:"walls,omitempty" doc:"Polylines, [x, y] in metres"`
		NoGo       Polylines         `json:"no_go,omitempty" doc:"Polygons within the bounds in which nobody can be, [x, y] in metres"`
		ZonesBy    string            `json:"zones_by,omitempty" enum:"position,examples" default:"position"`
	}
}

type planPatch struct {
	PlanPath
	Body struct {
		Name       *string      `json:"name,omitempty"`
		Level      *int         `json:"level,omitempty" doc:"Storey, 0 = ground floor"`
		Bounds     *schema.Rect `json:"bounds,omitempty" doc:"Metres"`
		TagHeightM *float64     `json:"tag_height_m,omitempty" doc:"Usual height at which tags are carried"`
		Walls      *Polylines   `json:"walls,omitempty" doc:"All polylines, [x, y] in metres"`
		NoGo       *Polylines   `json:"no_go,omitempty" doc:"All polygons within the bounds in which nobody can be, [x, y] in metres"`
		ZonesBy    *string      `json:"zones_by,omitempty" enum:"position,examples"`
	}
}

// usualTagHeightM is the height of a badge on a chest or an asset on a table.
const usualTagHeightM = 1.2

func (r *routes) plans(s *shell.Server) {
	const path = root + "/plans"
	tags := []string{"ble plans"}
	shell.Route(s, r.watcher, huma.Operation{
		OperationID: "list-ble-plans", Method: http.MethodGet, Path: path, Tags: tags, Summary: "List plans by name",
	}, r.listPlans)
	shell.Route(s, r.planner, huma.Operation{
		OperationID: "create-ble-plan", Method: http.MethodPost, Path: path, Tags: tags, Summary: "Create a plan",
		DefaultStatus: http.StatusCreated,
	}, r.createPlan)
	shell.Route(s, r.watcher, huma.Operation{
		OperationID: "get-ble-plan", Method: http.MethodGet, Path: path + "/{id}", Tags: tags,
		Summary: "Read a plan with its receivers and zones",
	}, r.getPlan)
	shell.Route(s, r.planner, changes(huma.Operation{
		OperationID: "change-ble-plan", Method: http.MethodPatch, Path: path + "/{id}", Tags: tags, Summary: "Change a plan; what is left out stays",
		MaxBodyBytes: maxDrawing,
	}), r.changePlan)
	shell.Route(s, r.planner, changes(huma.Operation{
		OperationID: "delete-ble-plan", Method: http.MethodDelete, Path: path + "/{id}", Tags: tags,
		Summary:       "Delete a plan on which no receiver hangs",
		Description:   "Its zones, surveys, reference points, picture and versions go with it; what was stored of tags' ways on it stays in the warehouse until its time.",
		DefaultStatus: http.StatusNoContent,
	}), r.removePlan)
}

func (r *routes) listPlans(ctx context.Context, in *planList) (*shell.ListOutput[Plan], error) {
	page, err := in.Page()
	if err != nil {
		return nil, err
	}
	scope, err := shell.PrincipalOf(ctx).Within(in.OrganisationID)
	if err != nil {
		return nil, err
	}
	found, next, err := r.module.Plans(ctx, scope, store.PlanFilter{Location: in.LocationID, Name: in.Name}, page)
	return shell.Paged(&in.PageInput, found, next, planOf), err
}

func (r *routes) createPlan(ctx context.Context, in *newPlan) (*planOutput, error) {
	b := &in.Body
	p := store.Plan{Location: b.LocationID, Name: b.Name, Level: b.Level, Bounds: b.Bounds, TagHeightM: usualTagHeightM, Walls: b.Walls, NoGo: b.NoGo, ZonesBy: b.ZonesBy}
	if b.TagHeightM != nil {
		p.TagHeightM = *b.TagHeightM
	}
	return planAnswer(r.module.CreatePlan(ctx, shell.PrincipalOf(ctx).Scope(), p))
}

func (r *routes) getPlan(ctx context.Context, in *drawingInput) (*drawingOutput, error) {
	d, err := r.drawn(ctx, in.ID, in.At)
	if err != nil {
		return nil, err
	}
	out := &drawingOutput{Body: Drawing{Plan: planAt(d.Plan, in.At), Sketch: sketchOf(d.Plan), Receivers: make([]Receiver, len(d.Receivers)), Zones: make([]Zone, len(d.Zones))}}
	for i, receiver := range d.Receivers {
		out.Body.Receivers[i] = r.receiverOf(receiver)
		if !shell.PrincipalOf(ctx).Share.IsZero() { // a guest sees where they hang, and not which they are
			out.Body.Receivers[i].DeviceID, out.Body.Receivers[i].Number = schema.DeviceID{}, 0
			out.Body.Receivers[i].Name, out.Body.Receivers[i].GainDB = "", 0
		}
	}
	for i, z := range d.Zones {
		out.Body.Zones[i] = zoneOf(z)
	}
	if !in.At.IsZero() {
		at := d.At.UTC()
		out.Body.At = &at
	}
	out.ETag, err = movingTag(d.Plan.Version, out.Body)
	return out, err
}

func (r *routes) changePlan(ctx context.Context, in *planPatch) (*planOutput, error) {
	id, err := shell.ParseID[schema.PlanID](in.ID)
	if err != nil {
		return nil, err
	}
	b := &in.Body
	patch := ble.PlanPatch{
		Name: b.Name, Level: b.Level, Bounds: b.Bounds, TagHeightM: b.TagHeightM,
		Walls: (*[][]store.Corner)(b.Walls), NoGo: (*[][]store.Corner)(b.NoGo), ZonesBy: b.ZonesBy,
	}
	return planAnswer(r.module.ChangePlan(expecting(ctx), shell.PrincipalOf(ctx).Scope(), id, patch))
}

func (r *routes) removePlan(ctx context.Context, in *PlanPath) (*struct{}, error) {
	id, err := shell.ParseID[schema.PlanID](in.ID)
	if err != nil {
		return nil, err
	}
	return nil, r.module.RemovePlan(expecting(ctx), shell.PrincipalOf(ctx).Scope(), id)
}
