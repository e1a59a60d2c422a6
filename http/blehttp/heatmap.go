package blehttp

import (
	"context"

	"mybeacon/schema"
)

// HeatMap is how long tags were in each square of a plan.
type HeatMap struct {
	Plan    schema.PlanID `json:"plan" format:"uuid"`
	MinX    float64       `json:"min_x" doc:"Metres; the lower left corner of the first square"`
	MinY    float64       `json:"min_y"`
	CellM   float64       `json:"cell_m"`
	Columns int           `json:"columns"`
	Rows    int           `json:"rows"`
	Seconds []float64     `json:"seconds" nullable:"false" doc:"Row by row from the lowest, each from left to right"`
	MaxS    float64       `json:"max_s"`
	TotalS  float64       `json:"total_s"`
}

type heatmapInput struct {
	Past
	CellM float64 `query:"cell_m" minimum:"0.5" maximum:"50" multipleOf:"0.5" default:"1" doc:"Side of the squares"`
}

type heatmapOutput struct{ Body HeatMap }

func (r *routes) heatmap(ctx context.Context, in *heatmapInput) (*heatmapOutput, error) {
	if in.Plan == "" {
		return nil, schema.Errorf(schema.Invalid, "plan", "name the plan")
	}
	q, err := r.question(ctx, &in.Past)
	if err != nil {
		return nil, err
	}
	defer q.leave()
	h, err := r.module.Analytics().HeatMap(ctx, &q.Query, q.scene.Plan.Bounds, in.CellM)
	if err != nil {
		return nil, err
	}
	out := &heatmapOutput{HeatMap{
		Plan: q.Plan, MinX: h.MinX, MinY: h.MinY, CellM: h.CellM, Columns: h.Columns, Rows: h.Rows,
		Seconds: make([]float64, len(h.Ms)), TotalS: secondsOf(h.TotalMs),
	}}
	for i, ms := range h.Ms {
		out.Body.Seconds[i] = secondsOf(ms)
		out.Body.MaxS = max(out.Body.MaxS, secondsOf(ms))
	}
	return out, nil
}
