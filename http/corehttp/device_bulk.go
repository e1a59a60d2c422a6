package corehttp

import (
	"context"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"mybeacon/engine/access"
	"mybeacon/engine/store/postgres"
	shell "mybeacon/http"
	"mybeacon/schema"
	"mybeacon/schema/wire"
)

// maxBulk bounds the devices of one bulk change.
const maxBulk = 500

// BulkResult is what became of one object of a bulk change.
type BulkResult struct {
	ID      schema.DeviceID `json:"id" format:"uuid"`
	OK      bool            `json:"ok"`
	Problem string          `json:"problem,omitempty" doc:"Why it was not changed"`
}

type deviceBulkOutput struct {
	Body struct {
		Results []BulkResult `json:"results" nullable:"false" doc:"In the order of the ids"`
	}
}

// DevicesChange is what a bulk change does to each device.
type DevicesChange struct {
	LocationID *string         `json:"location_id,omitempty" doc:"Empty: at no location"`
	Modules    map[string]bool `json:"modules,omitempty" doc:"Switches these on or off; others stay"`
}

type deviceBulkInput struct {
	Body struct {
		IDs    []string      `json:"ids" minItems:"1" maxItems:"500"`
		Change DevicesChange `json:"change"`
	}
}

func (r *routes) deviceBulk(s *shell.Server) {
	shell.Route(s, shell.May(access.DeviceSettings), huma.Operation{
		OperationID: "change-devices", Method: http.MethodPost, Path: devicesPath + "/bulk", Tags: []string{"devices"},
		Summary: "Change many devices; each is changed or says why not",
	}, r.changeDevices)
}

func (r *routes) changeDevices(ctx context.Context, in *deviceBulkInput) (*deviceBulkOutput, error) {
	change := in.Body.Change
	if change.LocationID == nil && len(change.Modules) == 0 {
		return nil, schema.Errorf(schema.Invalid, "change", "names nothing to change: location_id or modules")
	}
	if err := wire.CheckModules(change.Modules, r.products); err != nil {
		return nil, err
	}
	scope := shell.PrincipalOf(ctx).Scope()
	return r.bulk(ctx, in.Body.IDs, func(id schema.DeviceID) error {
		patch := postgres.DevicePatch{Modules: change.Modules}
		if change.LocationID != nil {
			var err error
			if patch.Location, err = r.move(ctx, scope, id, *change.LocationID); err != nil {
				return err
			}
		}
		_, err := r.DB.ChangeDevice(ctx, scope, id, patch)
		return err
	})
}

// bulk does what is to be done to each device. What a person did wrong is told beside
// the device; anything else ends the whole, and what was done by then stays done.
func (r *routes) bulk(ctx context.Context, texts []string, do func(schema.DeviceID) error) (*deviceBulkOutput, error) {
	ids, err := parseIDs("ids", texts, maxBulk)
	if err != nil {
		return nil, err
	}
	defer r.Changed(ctx)
	out := &deviceBulkOutput{}
	out.Body.Results = make([]BulkResult, len(ids))
	for i, id := range ids {
		problem, err := shell.RowProblem(do(id))
		if err != nil {
			return nil, err
		}
		out.Body.Results[i] = BulkResult{ID: id, OK: problem == "", Problem: problem}
	}
	return out, nil
}

// documentBody describes the body that the operation reads by itself.
func documentBody[T any](s *shell.Server, op *huma.Operation) {
	body := s.API().OpenAPI().Components.Schemas.Schema(reflect.TypeFor[T](), true, "")
	op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/json": {Schema: body}}}
	op.SkipValidateBody = true
}
