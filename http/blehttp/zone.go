package blehttp

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"mybeacon/engine/modules/ble"
	"mybeacon/engine/modules/ble/store"
	shell "mybeacon/http"
	"mybeacon/schema"
)

// Zone is a named region of a plan.
type Zone struct {
	ID       schema.ZoneID `json:"id" format:"uuid"`
	Number   int           `json:"number" doc:"Zone #N, per plan"`
	Name     string        `json:"name"`
	Color    string        `json:"color" example:"#1CB5D5"`
	Parent   schema.ZoneID `json:"parent_id" doc:"The zone that this one is a part of; empty for none. Who is here is there too"`
	Polygon  Corners       `json:"polygon" doc:"[x, y] in metres, closed implicitly"`
	Capacity *int          `json:"capacity" doc:"How many are meant to be there at most; null: any number"`
}

func zoneOf(z store.Zone) Zone {
	return Zone{ID: z.ID, Number: z.Number, Name: z.Name, Color: z.Color, Parent: z.Parent, Polygon: z.Polygon, Capacity: z.Capacity}
}

type zoneBody struct {
	Name     string         `json:"name"`
	Color    string         `json:"color,omitempty" example:"#1CB5D5" doc:"Left out: by number, or as it was"`
	Parent   *schema.ZoneID `json:"parent_id,omitempty" doc:"The zone of the plan that this one is a part of; empty for none, left out: none, or as it was"`
	Polygon  Corners        `json:"polygon" maxItems:"1000" doc:"At least three corners, [x, y] in metres; the border must not cross itself"`
	Capacity *int           `json:"capacity,omitempty" minimum:"0" maximum:"1000000" doc:"How many are meant to be there at most; 0 for any number, left out: any number, or as it was"`
}

func (b zoneBody) on(plan schema.PlanID) store.Zone {
	z := store.Zone{Plan: plan, Name: b.Name, Color: b.Color, Polygon: b.Polygon, Capacity: b.Capacity}
	if b.Parent != nil {
		z.Parent = *b.Parent
	}
	return z
}

type zoneOutput struct {
	ETag string `header:"ETag"`
	Body Zone
}

// zoned is the answer of a change of a zone; its tag is the plan's.
func zoned(z store.Zone, err error) (*zoneOutput, error) {
	if err != nil {
		return nil, err
	}
	return &zoneOutput{ETag: planTag(z.PlanVersion), Body: zoneOf(z)}, nil
}

type newZone struct {
	PlanPath
	Body zoneBody
}

// ZonePath names a zone of a plan. It is exported because huma reads embedded inputs only then.
type ZonePath struct {
	PlanPath
	Zone string `path:"zid" format:"uuid" doc:"The zone"`
}

type changedZone struct {
	ZonePath
	Body zoneBody
}

func (r *routes) zones(s *shell.Server) {
	const path = root + "/plans/{id}/zones"
	tags := []string{"ble plans"}
	shell.Route(s, r.planner, huma.Operation{
		OperationID: "create-ble-zone", Method: http.MethodPost, Path: path, Tags: tags, Summary: "Draw a zone",
		DefaultStatus: http.StatusCreated,
	}, r.addZone)
	shell.Route(s, r.planner, changes(huma.Operation{
		OperationID: "change-ble-zone", Method: http.MethodPut, Path: path + "/{zid}", Tags: tags, Summary: "Change a zone",
	}), r.changeZone)
	shell.Route(s, r.planner, changes(huma.Operation{
		OperationID: "delete-ble-zone", Method: http.MethodDelete, Path: path + "/{zid}", Tags: tags, Summary: "Delete a zone",
		DefaultStatus: http.StatusNoContent,
	}), r.removeZone)
}

func (p ZonePath) parse() (schema.PlanID, schema.ZoneID, error) {
	plan, err := shell.ParseID[schema.PlanID](p.ID)
	if err != nil {
		return plan, schema.ZoneID{}, err
	}
	zone, err := shell.ParseID[schema.ZoneID](p.Zone)
	return plan, zone, err
}

func (r *routes) addZone(ctx context.Context, in *newZone) (*zoneOutput, error) {
	plan, err := shell.ParseID[schema.PlanID](in.ID)
	if err != nil {
		return nil, err
	}
	return zoned(r.module.AddZone(expecting(ctx), shell.PrincipalOf(ctx).Scope(), in.Body.on(plan)))
}

func (r *routes) changeZone(ctx context.Context, in *changedZone) (*zoneOutput, error) {
	plan, id, err := in.parse()
	if err != nil {
		return nil, err
	}
	b := &in.Body
	change := ble.ZoneChange{Name: b.Name, Color: b.Color, Parent: b.Parent, Polygon: b.Polygon, Capacity: b.Capacity}
	return zoned(r.module.ChangeZone(expecting(ctx), shell.PrincipalOf(ctx).Scope(), plan, id, change))
}

func (r *routes) removeZone(ctx context.Context, in *ZonePath) (*struct{}, error) {
	plan, id, err := in.parse()
	if err != nil {
		return nil, err
	}
	return nil, r.module.RemoveZone(expecting(ctx), shell.PrincipalOf(ctx).Scope(), plan, id)
}
