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

// Sketch is all that is drawn on a plan.
type Sketch struct {
	Walls  Polylines `json:"walls" doc:"Polylines, [x, y] in metres"`
	Rooms  []Room    `json:"rooms" nullable:"false"`
	Doors  Polylines `json:"doors" doc:"Lines of two points, [x, y] in metres"`
	Labels []Label   `json:"labels" nullable:"false"`
	NoGo   Polylines `json:"no_go" doc:"Polygons in which nobody can be, [x, y] in metres, closed implicitly"`
}

// Room is a coloured polygon.
type Room struct {
	Polygon Corners `json:"polygon" doc:"[x, y] in metres, closed implicitly"`
	Color   string  `json:"color" example:"#F5EFE0"`
	Label   string  `json:"label" doc:"May be empty"`
}

// Label is a text with its middle at a point.
type Label struct {
	X     float64 `json:"x" doc:"Metres"`
	Y     float64 `json:"y" doc:"Metres"`
	Text  string  `json:"text"`
	SizeM float64 `json:"size_m" doc:"Height of the letters"`
}

func sketchOf(p store.Plan) Sketch {
	s := Sketch{Walls: p.Walls, Doors: p.Figures.Doors, NoGo: p.NoGo, Rooms: make([]Room, len(p.Figures.Rooms)), Labels: make([]Label, len(p.Figures.Labels))}
	for i, r := range p.Figures.Rooms {
		s.Rooms[i] = Room{Polygon: r.Polygon, Color: r.Color, Label: r.Label}
	}
	for i, l := range p.Figures.Labels {
		s.Labels[i] = Label(l)
	}
	return s
}

func (s Sketch) drawn() ble.Sketch {
	out := ble.Sketch{Walls: s.Walls, NoGo: s.NoGo}
	out.Doors, out.Rooms, out.Labels = s.Doors, make([]store.Room, len(s.Rooms)), make([]store.Label, len(s.Labels))
	for i, r := range s.Rooms {
		out.Rooms[i] = store.Room{Polygon: r.Polygon, Color: r.Color, Label: r.Label}
	}
	for i, l := range s.Labels {
		out.Labels[i] = store.Label(l)
	}
	return out
}

type newDrawing struct {
	PlanPath
	Body Sketch
}

type versionList struct {
	PlanPath
	shell.PageInput
}

// Version says what was changed in a plan, and who did it.
type Version struct {
	Version uint64    `json:"version" doc:"The plan's; quick edits of one person are one version"`
	At      time.Time `json:"at" doc:"From when on the plan looked so"`
	By      string    `json:"by" doc:"E-mail, or API key and its name; empty: who is not of the organisation"`
	What    []string  `json:"what" nullable:"false" enum:"plan,drawing,image,scale,receivers,zones"`
}

func versionOf(v store.Version) Version {
	return Version{Version: v.Number, At: v.At.UTC(), By: v.By, What: v.What}
}

// maxDrawing bounds the body of a drawing: 50,000 corners with all their digits.
const maxDrawing = 4 << 20

func (r *routes) drawings(s *shell.Server) {
	const path = root + "/plans/{id}"
	tags := []string{"ble plans"}
	shell.Route(s, r.planner, changes(huma.Operation{
		OperationID: "set-ble-drawing", Method: http.MethodPut, Path: path + "/drawing", Tags: tags,
		Summary:      "Replace all that is drawn on the plan",
		Description:  "At most 5,000 shapes with 50,000 corners. The same again changes nothing and makes no version.",
		MaxBodyBytes: maxDrawing,
	}), r.setDrawing)
	shell.Route(s, r.planner, changes(huma.Operation{
		OperationID: "scale-ble-plan", Method: http.MethodPost, Path: path + "/scale", Tags: tags,
		Summary:       "Make everything on the plan larger or smaller: by a factor, or so that a line has a length",
		DefaultStatus: http.StatusOK,
	}), r.scalePlan)
	shell.Route(s, r.viewer, huma.Operation{
		OperationID: "list-ble-plan-versions", Method: http.MethodGet, Path: path + "/versions", Tags: tags,
		Summary: "List what the plan's versions changed, the newest first",
	}, r.listVersions)
}

func (r *routes) setDrawing(ctx context.Context, in *newDrawing) (*planOutput, error) {
	id, err := shell.ParseID[schema.PlanID](in.ID)
	if err != nil {
		return nil, err
	}
	return planAnswer(r.module.SetDrawing(expecting(ctx), shell.PrincipalOf(ctx).Scope(), id, in.Body.drawn()))
}

// planAnswer is the answer of a change of a plan.
func planAnswer(p store.Plan, err error) (*planOutput, error) {
	if err != nil {
		return nil, err
	}
	return &planOutput{ETag: planTag(p.Version), Body: planOf(p)}, nil
}

type scaling struct {
	PlanPath
	Body struct {
		Factor *float64      `json:"factor,omitempty" doc:"Either this, or from, to and metres"`
		From   *store.Corner `json:"from,omitempty" doc:"[x, y]: one end of a line, as it is drawn now"`
		To     *store.Corner `json:"to,omitempty" doc:"[x, y]: its other end"`
		Metres *float64      `json:"metres,omitempty" doc:"How long the line is in truth"`
	}
}

func (s *scaling) factor() (float64, error) {
	b := &s.Body
	line := b.From != nil || b.To != nil || b.Metres != nil
	switch {
	case b.Factor != nil && !line:
		return *b.Factor, nil
	case b.Factor == nil && b.From != nil && b.To != nil && b.Metres != nil:
		return ble.FactorOf(*b.From, *b.To, *b.Metres)
	}
	return 0, schema.Errorf(schema.Invalid, "factor", "send either factor, or all of from, to and metres")
}

func (r *routes) scalePlan(ctx context.Context, in *scaling) (*planOutput, error) {
	id, err := shell.ParseID[schema.PlanID](in.ID)
	if err != nil {
		return nil, err
	}
	factor, err := in.factor()
	if err != nil {
		return nil, err
	}
	return planAnswer(r.module.ScalePlan(expecting(ctx), shell.PrincipalOf(ctx).Scope(), id, factor))
}

func (r *routes) listVersions(ctx context.Context, in *versionList) (*shell.ListOutput[Version], error) {
	page, err := in.Page()
	if err != nil {
		return nil, err
	}
	d, err := r.drawn(ctx, in.ID, time.Time{})
	if err != nil {
		return nil, err
	}
	found, next, err := r.module.Versions(ctx, shell.PrincipalOf(ctx).Scope(), d.Plan.ID, page)
	return shell.Paged(&in.PageInput, found, next, versionOf), err
}
