package blehttp

import (
	"context"
	"math"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"mybeacon/engine/modules/ble/store"
	shell "mybeacon/http"
	"mybeacon/schema"
)

// Place is where a reference tag hangs.
type Place struct {
	OrganisationID schema.OrganisationID `json:"-"` // for the log of who looks
	PlanID         schema.PlanID         `json:"plan_id" format:"uuid"`
	X              float64               `json:"x" doc:"Metres"`
	Y              float64               `json:"y" doc:"Metres"`
	Since          time.Time             `json:"since"`
}

func placeOf(r store.Reference) Place {
	return Place{OrganisationID: r.Organisation, PlanID: r.Plan, X: r.X, Y: r.Y, Since: r.Since.UTC()}
}

// Reference is a reference tag's place and what receivers hear of it.
type Reference struct {
	Place
	Heard []HeardReference `json:"heard" nullable:"false" doc:"By receiver; empty for the first minutes"`
}

// HeardReference is how loudly a receiver hears a reference tag.
type HeardReference struct {
	ReceiverID   schema.ReceiverID `json:"receiver_id" format:"uuid"`
	RSSI         float64           `json:"rssi_dbm" doc:"Mean of about the last day"`
	Observations int64             `json:"observations" doc:"Since it hangs there; 30 are needed to count"`
	MeasuredAt   time.Time         `json:"measured_at"`
}

// TagPath names a tag. It is exported because huma reads embedded inputs only then.
type TagPath struct {
	ID string `path:"id" format:"uuid" doc:"The tag"`
}

type hungReference struct {
	TagPath
	Body struct {
		PlanID schema.PlanID `json:"plan_id" format:"uuid"`
		X      float64       `json:"x" doc:"Metres, within the plan's bounds"`
		Y      float64       `json:"y" doc:"Metres, within the plan's bounds"`
	}
}

type placeOutput struct{ Body Place }

type referenceOutput struct{ Body Reference }

func (r *routes) references(s *shell.Server) {
	const path = root + "/tags/{id}/reference"
	tags := []string{"ble survey"}
	shell.Route(s, r.viewer, huma.Operation{
		OperationID: "get-ble-reference", Method: http.MethodGet, Path: path, Tags: tags,
		Summary: "Read where a reference tag hangs and what is heard of it",
	}, r.getReference)
	shell.Route(s, r.planner, huma.Operation{
		OperationID: "set-ble-reference", Method: http.MethodPut, Path: path, Tags: tags,
		Summary: "Say that the tag hangs at a known point: what is heard of it improves the plan's positions",
	}, r.hangReference)
	shell.Route(s, r.planner, huma.Operation{
		OperationID: "delete-ble-reference", Method: http.MethodDelete, Path: path, Tags: tags,
		Summary: "Say that the tag hangs there no more", DefaultStatus: http.StatusNoContent,
	}, r.removeReference)
}

func (r *routes) getReference(ctx context.Context, in *TagPath) (*referenceOutput, error) {
	tag, err := in.parse()
	if err != nil {
		return nil, err
	}
	at, means, err := r.module.Reference(ctx, shell.PrincipalOf(ctx).Scope(), tag)
	if err != nil {
		return nil, err
	}
	out := &referenceOutput{Reference{Place: placeOf(at), Heard: make([]HeardReference, len(means))}}
	for i, m := range means {
		out.Body.Heard[i] = HeardReference{ReceiverID: m.Receiver, RSSI: math.Round(100*m.RunningDBm) / 100, Observations: m.Observations, MeasuredAt: m.MeasuredAt.UTC()}
	}
	return out, nil
}

func (r *routes) hangReference(ctx context.Context, in *hungReference) (*placeOutput, error) {
	tag, err := in.parse()
	if err != nil {
		return nil, err
	}
	at := store.Reference{Tag: tag, Plan: in.Body.PlanID, X: in.Body.X, Y: in.Body.Y}
	at, err = r.module.HangReference(ctx, shell.PrincipalOf(ctx).Scope(), at)
	return &placeOutput{placeOf(at)}, err
}

func (r *routes) removeReference(ctx context.Context, in *TagPath) (*struct{}, error) {
	tag, err := in.parse()
	if err != nil {
		return nil, err
	}
	return nil, r.module.RemoveReference(ctx, shell.PrincipalOf(ctx).Scope(), tag)
}
