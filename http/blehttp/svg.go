package blehttp

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"mybeacon/engine/files"
	"mybeacon/engine/modules/ble"
	shell "mybeacon/http"
)

type svgInput struct {
	PlanPath
	Theme string    `query:"theme" enum:"light,dark" default:"light"`
	At    time.Time `query:"at" doc:"The plan as it was then"`
}

func (r *routes) svgs(s *shell.Server) {
	text := &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString}}
	shell.Route(s, r.watcher, huma.Operation{
		OperationID: "get-ble-plan-svg", Method: http.MethodGet, Path: root + "/plans/{id}/svg", Tags: []string{"ble plans"},
		Summary:     "Read the plan's drawing as a picture",
		Description: "One user unit is a metre; y is turned over within the bounds. The picture under the plan is not in it.",
		Responses:   map[string]*huma.Response{"200": {Description: "The drawing", Content: map[string]*huma.MediaType{svgType: text}}},
	}, r.getSVG)
}

const svgType = "image/svg+xml"

func (r *routes) getSVG(ctx context.Context, in *svgInput) (*fileOutput, error) {
	d, err := r.drawn(ctx, in.ID, in.At)
	if err != nil {
		return nil, err
	}
	drawing := ble.SVG(d.Plan, ble.Themes()[in.Theme])
	digest := string(files.DigestOf(drawing))
	if shell.HasAlready(ctx, `"`+digest+`"`) {
		return file(http.StatusNotModified, "", digest, nil), nil
	}
	return file(http.StatusOK, svgType, digest, drawing), nil
}
