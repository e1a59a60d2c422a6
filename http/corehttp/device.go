package corehttp

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"mybeacon/engine/access"
	"mybeacon/engine/store/postgres"
	shell "mybeacon/http"
	"mybeacon/schema"
)

// Device is a managed endpoint.
type Device struct {
	ID             schema.DeviceID       `json:"id" format:"uuid"`
	Number         int64                 `json:"number" doc:"Receiver #N: unique in the whole system, never used again"`
	MAC            string                `json:"mac"`
	Name           string                `json:"name"`
	OrganisationID schema.OrganisationID `json:"organisation_id" doc:"Empty while it is bound to nobody"`
	LocationID     schema.LocationID     `json:"location_id" doc:"Empty while it is at no location"`
	Clock          string                `json:"clock" enum:"device,source"`
	Online         bool                  `json:"online"`
	LastSeen       *time.Time            `json:"last_seen" doc:"null: never"`
	CreatedAt      time.Time             `json:"created_at"`
	Token          string                `json:"token,omitempty" doc:"Only at creation and rotation; shown once"`
}

type deviceOutput struct{ Body Device }

type deviceList struct {
	shell.PageInput
	OrganisationID schema.OrganisationID `query:"organisation_id" format:"uuid"`
	LocationID     schema.LocationID     `query:"location_id" format:"uuid"`
	Number         int64                 `query:"number" minimum:"1"`
	MAC            string                `query:"mac" maxLength:"40" doc:"In any of its spellings"`
}

type newDevice struct {
	Body struct {
		OrganisationID schema.OrganisationID `json:"organisation_id,omitempty" format:"uuid" doc:"Required of a super-admin"`
		LocationID     schema.LocationID     `json:"location_id,omitempty" format:"uuid"`
		MAC            string                `json:"mac" maxLength:"40"`
		Name           string                `json:"name,omitempty"`
		Clock          string                `json:"clock,omitempty" enum:"device,source" default:"device" doc:"source: event times are taken as given, as for a recording"`
	}
}

type devicePatch struct {
	ID   string `path:"id" format:"uuid"`
	Body struct {
		LocationID *string `json:"location_id,omitempty" doc:"Empty: at no location"`
		Name       *string `json:"name,omitempty"`
		Clock      *string `json:"clock,omitempty" enum:"device,source"`
	}
}

func (r *routes) devices(s *shell.Server) {
	const path = "/api/v1/client/devices"
	tags := []string{"devices"}
	shell.Route(s, shell.May(access.View), huma.Operation{
		OperationID: "list-devices", Method: http.MethodGet, Path: path, Tags: tags, Summary: "List devices by number",
	}, r.listDevices)
	shell.Route(s, shell.May(access.DeviceSettings), huma.Operation{
		OperationID: "create-device", Method: http.MethodPost, Path: path, Tags: tags, Summary: "Register a device",
		DefaultStatus: http.StatusCreated,
	}, r.createDevice)
	shell.Route(s, shell.May(access.DeviceSettings), huma.Operation{
		OperationID: "change-device", Method: http.MethodPatch, Path: path + "/{id}", Tags: tags, Summary: "Change a device",
	}, r.changeDevice)
	shell.Route(s, shell.May(access.DeviceSettings), huma.Operation{
		OperationID: "rotate-device-token", Method: http.MethodPost, Path: path + "/{id}/token", Tags: tags,
		Summary: "Replace a device's token; the old one opens nothing any more",
	}, r.rotateToken)
}

func (r *routes) listDevices(ctx context.Context, in *deviceList) (*shell.ListOutput[Device], error) {
	page, err := in.Page()
	if err != nil {
		return nil, err
	}
	scope, err := shell.PrincipalOf(ctx).Within(in.OrganisationID)
	if err != nil {
		return nil, err
	}
	filter := postgres.DeviceFilter{Number: in.Number, Location: in.LocationID}
	if in.MAC != "" {
		if filter.MAC, err = postgres.ParseMAC(in.MAC); err != nil {
			return nil, err
		}
	}
	found, next, err := r.DB.Devices(ctx, scope, filter, page)
	return shell.Paged(&in.PageInput, found, next, r.deviceOf), err
}

func (r *routes) createDevice(ctx context.Context, in *newDevice) (*deviceOutput, error) {
	organisation, err := shell.PrincipalOf(ctx).Owner(in.Body.OrganisationID)
	if err != nil {
		return nil, err
	}
	d := postgres.Device{Location: in.Body.LocationID, Clock: in.Body.Clock}
	if d.Name, err = checkText("name", in.Body.Name, 0, 200); err != nil {
		return nil, err
	}
	if d.MAC, err = postgres.ParseMAC(in.Body.MAC); err != nil {
		return nil, err
	}
	token := postgres.NewSecret(postgres.DeviceTokenPrefix)
	d, err = r.DB.CreateDevice(ctx, organisation, d, token)
	return r.withToken(ctx, d, token, err)
}

func (r *routes) rotateToken(ctx context.Context, in *idPath[schema.DeviceID]) (*deviceOutput, error) {
	id, err := in.parse()
	if err != nil {
		return nil, err
	}
	token := postgres.NewSecret(postgres.DeviceTokenPrefix)
	d, err := r.DB.RotateDeviceToken(ctx, shell.PrincipalOf(ctx).Scope(), id, token)
	return r.withToken(ctx, d, token, err)
}

func (r *routes) withToken(ctx context.Context, d postgres.Device, token string, err error) (*deviceOutput, error) {
	if err != nil {
		return nil, err
	}
	r.Changed(ctx)
	out := &deviceOutput{r.deviceOf(d)}
	out.Body.Token = token
	return out, nil
}

func (r *routes) changeDevice(ctx context.Context, in *devicePatch) (*deviceOutput, error) {
	id, err := parseID[schema.DeviceID](in.ID)
	if err != nil {
		return nil, err
	}
	scope := shell.PrincipalOf(ctx).Scope()
	patch := postgres.DevicePatch{Clock: in.Body.Clock}
	if in.Body.Name != nil {
		name, err := checkText("name", *in.Body.Name, 0, 200)
		if err != nil {
			return nil, err
		}
		patch.Name = &name
	}
	if in.Body.LocationID != nil {
		if patch.Location, err = r.move(ctx, scope, id, *in.Body.LocationID); err != nil {
			return nil, err
		}
	}
	d, err := r.DB.ChangeDevice(ctx, scope, id, patch)
	if err != nil {
		return nil, err
	}
	r.Changed(ctx)
	return &deviceOutput{r.deviceOf(d)}, nil
}

// move returns the new location of the device when nothing holds it where it
// is, and nil when it is there already.
func (r *routes) move(ctx context.Context, scope postgres.Scope, id schema.DeviceID, to string) (*schema.LocationID, error) {
	var location schema.LocationID
	if err := location.UnmarshalText([]byte(to)); err != nil {
		return nil, schema.Errorf(schema.NotFound, "location_id", "there is no such location")
	}
	d, err := r.DB.Device(ctx, scope, id)
	if err != nil || d.Location == location {
		return nil, err
	}
	return &location, r.Placed.MayMove(ctx, scope, id)
}

func (r *routes) deviceOf(d postgres.Device) Device {
	online, seen := r.Online.Online(d.ID)
	if d.LastSeen.After(seen) {
		seen = d.LastSeen
	}
	return Device{
		ID: d.ID, Number: d.Number, MAC: d.MAC, Name: d.Name, OrganisationID: d.Organisation, LocationID: d.Location,
		Clock: d.Clock, Online: online, LastSeen: optionalTime(seen), CreatedAt: d.CreatedAt.UTC(),
	}
}
