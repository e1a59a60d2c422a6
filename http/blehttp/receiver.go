package blehttp

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"mybeacon/engine/modules/ble/store"
	shell "mybeacon/http"
	"mybeacon/schema"
)

// Receiver is a device's place on a plan.
type Receiver struct {
	ID       schema.ReceiverID `json:"id" format:"uuid"`
	DeviceID schema.DeviceID   `json:"device_id" format:"uuid"`
	Number   int64             `json:"number" doc:"The device's: Receiver #N"`
	Name     string            `json:"name" doc:"The device's"`
	X        float64           `json:"x" doc:"Metres"`
	Y        float64           `json:"y" doc:"Metres"`
	Z        float64           `json:"z" doc:"Metres above the floor"`
	Rotation float64           `json:"rotation" doc:"Degrees clockwise, drawn only"`
	GainDB   float64           `json:"gain_db" doc:"By how much it hears louder than its siblings, such as by its antenna"`
	Online   bool              `json:"online"`
}

func (r *routes) receiverOf(from store.Receiver) Receiver {
	online, _ := r.online.Online(from.Device)
	return Receiver{
		ID: from.ID, DeviceID: from.Device, Number: from.Number, Name: from.Name,
		X: from.X, Y: from.Y, Z: from.Z, Rotation: from.Rotation, GainDB: from.GainDB, Online: online,
	}
}

type receiverBody struct {
	DeviceID schema.DeviceID `json:"device_id" format:"uuid"`
	X        float64         `json:"x" doc:"Metres"`
	Y        float64         `json:"y" doc:"Metres"`
	Z        *float64        `json:"z,omitempty" doc:"Metres above the floor, 2.5 if left out"`
	Rotation float64         `json:"rotation,omitempty" doc:"Degrees clockwise, drawn only"`
	GainDB   float64         `json:"gain_db,omitempty" minimum:"-30" maximum:"30" doc:"By how much it hears louder than its siblings; positions allow for it"`
}

// usualReceiverHeightM is that of a ceiling or a high shelf.
const usualReceiverHeightM = 2.5

func (b receiverBody) on(plan schema.PlanID) store.Receiver {
	r := store.Receiver{Plan: plan, Device: b.DeviceID, X: b.X, Y: b.Y, Z: usualReceiverHeightM, Rotation: b.Rotation, GainDB: b.GainDB}
	if b.Z != nil {
		r.Z = *b.Z
	}
	return r
}

type receiverOutput struct {
	ETag string `header:"ETag"`
	Body Receiver
}

// placed is the answer of a change of a receiver; its tag is the plan's.
func (r *routes) placed(to store.Receiver, err error) (*receiverOutput, error) {
	if err != nil {
		return nil, err
	}
	return &receiverOutput{ETag: planTag(to.PlanVersion), Body: r.receiverOf(to)}, nil
}

type newReceiver struct {
	PlanPath
	Body receiverBody
}

// ReceiverPath names a receiver of a plan. It is exported because huma reads embedded inputs only then.
type ReceiverPath struct {
	PlanPath
	Receiver string `path:"rid" format:"uuid" doc:"The receiver"`
}

type changedReceiver struct {
	ReceiverPath
	Body receiverBody
}

func (r *routes) receivers(s *shell.Server) {
	const path = root + "/plans/{id}/receivers"
	tags := []string{"ble plans"}
	shell.Route(s, r.planner, huma.Operation{
		OperationID: "create-ble-receiver", Method: http.MethodPost, Path: path, Tags: tags, Summary: "Hang a device on the plan",
		DefaultStatus: http.StatusCreated,
	}, r.placeReceiver)
	shell.Route(s, r.planner, changes(huma.Operation{
		OperationID: "change-ble-receiver", Method: http.MethodPut, Path: path + "/{rid}", Tags: tags, Summary: "Move a receiver or swap its device",
	}), r.moveReceiver)
	shell.Route(s, r.planner, changes(huma.Operation{
		OperationID: "delete-ble-receiver", Method: http.MethodDelete, Path: path + "/{rid}", Tags: tags, Summary: "Take a receiver off the plan",
		DefaultStatus: http.StatusNoContent,
	}), r.removeReceiver)
}

func (r *routes) placeReceiver(ctx context.Context, in *newReceiver) (*receiverOutput, error) {
	plan, err := shell.ParseID[schema.PlanID](in.ID)
	if err != nil {
		return nil, err
	}
	return r.placed(r.module.PlaceReceiver(expecting(ctx), shell.PrincipalOf(ctx).Scope(), in.Body.on(plan)))
}

func (p ReceiverPath) parse() (schema.PlanID, schema.ReceiverID, error) {
	plan, err := shell.ParseID[schema.PlanID](p.ID)
	if err != nil {
		return plan, schema.ReceiverID{}, err
	}
	receiver, err := shell.ParseID[schema.ReceiverID](p.Receiver)
	return plan, receiver, err
}

func (r *routes) moveReceiver(ctx context.Context, in *changedReceiver) (*receiverOutput, error) {
	plan, id, err := in.parse()
	if err != nil {
		return nil, err
	}
	change := in.Body.on(plan)
	change.ID = id
	return r.placed(r.module.MoveReceiver(expecting(ctx), shell.PrincipalOf(ctx).Scope(), change))
}

func (r *routes) removeReceiver(ctx context.Context, in *ReceiverPath) (*struct{}, error) {
	plan, id, err := in.parse()
	if err != nil {
		return nil, err
	}
	return nil, r.module.RemoveReceiver(expecting(ctx), shell.PrincipalOf(ctx).Scope(), plan, id)
}
