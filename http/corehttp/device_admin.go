package corehttp

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"mybeacon/engine/store/postgres"
	shell "mybeacon/http"
	"mybeacon/schema"
)

// adminDevicesPath is the devices of all, for super-admins without a switch.
const adminDevicesPath = "/api/v1/admin/devices"

type adminDeviceList struct {
	shell.PageInput
	DeviceFilter
	OrganisationID schema.OrganisationID `query:"organisation_id" format:"uuid"`
	Bound          string                `query:"bound" enum:"true,false" doc:"false: those that are bound to nobody"`
}

type adminNewDevice struct {
	Body struct {
		MAC            string                `json:"mac" maxLength:"40"`
		Name           string                `json:"name,omitempty"`
		OrganisationID schema.OrganisationID `json:"organisation_id,omitempty" format:"uuid" doc:"Left out: bound to nobody"`
	}
}

type deviceBind struct {
	ID   string `path:"id" format:"uuid"`
	Body struct {
		OrganisationID schema.OrganisationID `json:"organisation_id" format:"uuid"`
		LocationID     schema.LocationID     `json:"location_id,omitempty" format:"uuid"`
	}
}

// AnyDevicesChange is what a bulk change of a super-admin does to each device.
type AnyDevicesChange struct {
	OrganisationID schema.OrganisationID `json:"organisation_id,omitempty" format:"uuid" doc:"Binds to it, at no location"`
	Unbind         bool                  `json:"unbind,omitempty"`
}

type anyDevicesBulk struct {
	Body struct {
		IDs    []string         `json:"ids" minItems:"1" maxItems:"500"`
		Change AnyDevicesChange `json:"change"`
	}
}

func (r *routes) deviceAdmin(s *shell.Server) {
	tags := []string{"devices of all"}
	op := func(id, method, path, summary string) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: adminDevicesPath + path, Tags: tags, Summary: summary}
	}
	shell.Route(s, shell.Admins(), op("list-all-devices", http.MethodGet, "", "List all devices by number"), r.listAllDevices)
	create := op("create-any-device", http.MethodPost, "", "Register a device, bound or not")
	create.DefaultStatus = http.StatusCreated
	shell.Route(s, shell.Admins(), create, r.createAnyDevice)
	shell.Route(s, shell.Admins(), op("bind-device", http.MethodPost, "/{id}/bind", "Bind a device to an organisation"), r.bindDevice)
	shell.Route(s, shell.Admins(), op("unbind-device", http.MethodPost, "/{id}/unbind", "Take a device away from its organisation"), r.unbindDevice)
	reset := op("reset-device", http.MethodPost, "/{id}/reset", "Take away a device's token and key")
	reset.Description = "For a day another key may enrol under its MAC address."
	shell.Route(s, shell.Admins(), reset, r.resetDevice)
	shell.Route(s, shell.Admins(), op("change-any-devices", http.MethodPost, "/bulk", "Bind or unbind many devices; each is changed or says why not"), r.bindDevices)
	remove := op("delete-device", http.MethodDelete, "/{id}", "Delete a device for good; its number is never given again")
	remove.DefaultStatus = http.StatusNoContent
	shell.Route(s, shell.Admins(), remove, r.deleteDevice)
}

func (r *routes) listAllDevices(ctx context.Context, in *adminDeviceList) (*shell.ListOutput[Device], error) {
	page, err := in.Page()
	if err != nil {
		return nil, err
	}
	scope := postgres.AllOrganisations()
	if !in.OrganisationID.IsZero() {
		scope = postgres.In(in.OrganisationID)
	}
	filter := in.store()
	if in.Bound != "" {
		filter.Bound = new(in.Bound == "true")
	}
	found, next, err := r.DB.Devices(ctx, scope, filter, page)
	return shell.Paged(&in.PageInput, found, next, r.deviceOf), err
}

func (r *routes) createAnyDevice(ctx context.Context, in *adminNewDevice) (*deviceOutput, error) {
	d := postgres.Device{Clock: postgres.ClockDevice}
	var err error
	if d.Name, err = shell.CheckText("name", in.Body.Name, 0, 200); err != nil {
		return nil, err
	}
	if d.MAC, err = postgres.ParseMAC(in.Body.MAC); err != nil {
		return nil, err
	}
	token := postgres.NewSecret(postgres.DeviceTokenPrefix)
	d, err = r.DB.CreateDevice(ctx, in.Body.OrganisationID, d, token)
	return r.withToken(ctx, d, token, err)
}

// free is a Conflict for a device that something holds where it is.
func (r *routes) free(ctx context.Context, id schema.DeviceID) error {
	return r.Placed.MayMove(ctx, postgres.AllOrganisations(), id)
}

func (r *routes) bindDevice(ctx context.Context, in *deviceBind) (*deviceOutput, error) {
	id, err := shell.ParseID[schema.DeviceID](in.ID)
	if err != nil {
		return nil, err
	}
	return r.changed(ctx)(r.bind(ctx, id, in.Body.OrganisationID, in.Body.LocationID))
}

func (r *routes) bind(ctx context.Context, id schema.DeviceID, to schema.OrganisationID, at schema.LocationID) (postgres.Device, error) {
	d, err := r.DB.Device(ctx, postgres.AllOrganisations(), id)
	if err != nil || d.Organisation == to && d.Location == at {
		return d, err
	}
	if err := r.free(ctx, id); err != nil {
		return d, err
	}
	return r.DB.BindDevice(ctx, postgres.AllOrganisations(), id, to, at)
}

func (r *routes) unbindDevice(ctx context.Context, in *idPath[schema.DeviceID]) (*deviceOutput, error) {
	id, err := in.parse()
	if err != nil {
		return nil, err
	}
	return r.changed(ctx)(r.unbind(ctx, id))
}

func (r *routes) unbind(ctx context.Context, id schema.DeviceID) (postgres.Device, error) {
	if err := r.free(ctx, id); err != nil {
		return postgres.Device{}, err
	}
	return r.DB.UnbindDevice(ctx, postgres.AllOrganisations(), id)
}

func (r *routes) resetDevice(ctx context.Context, in *idPath[schema.DeviceID]) (*deviceOutput, error) {
	id, err := in.parse()
	if err != nil {
		return nil, err
	}
	return r.changed(ctx)(r.DB.ResetDevice(ctx, postgres.AllOrganisations(), id))
}

func (r *routes) bindDevices(ctx context.Context, in *anyDevicesBulk) (*deviceBulkOutput, error) {
	change := in.Body.Change
	if change.Unbind == !change.OrganisationID.IsZero() {
		return nil, schema.Errorf(schema.Invalid, "change", "is either organisation_id or unbind")
	}
	return r.bulk(ctx, in.Body.IDs, func(id schema.DeviceID) error {
		var err error
		if change.Unbind {
			_, err = r.unbind(ctx, id)
		} else {
			_, err = r.bindAnywhere(ctx, id, change.OrganisationID)
		}
		return err
	})
}

// bindAnywhere binds to the organisation; a device that is its already stays at its
// location.
func (r *routes) bindAnywhere(ctx context.Context, id schema.DeviceID, to schema.OrganisationID) (postgres.Device, error) {
	d, err := r.DB.Device(ctx, postgres.AllOrganisations(), id)
	if err != nil || d.Organisation == to {
		return d, err
	}
	return r.bind(ctx, id, to, schema.LocationID{})
}

func (r *routes) deleteDevice(ctx context.Context, in *idPath[schema.DeviceID]) (*struct{}, error) {
	id, err := in.parse()
	if err != nil {
		return nil, err
	}
	if err := r.free(ctx, id); err != nil {
		return nil, err
	}
	if err := r.DB.DeleteDevice(ctx, postgres.AllOrganisations(), id); err != nil {
		return nil, err
	}
	r.Changed(ctx)
	return nil, nil
}

// DeviceClaim is a code that lets one box in.
type DeviceClaim struct {
	ID             postgres.ClaimID      `json:"id" format:"uuid"`
	Code           string                `json:"code,omitempty" doc:"Only when it is made; shown once"`
	Label          string                `json:"label" doc:"The first part of the code"`
	OrganisationID schema.OrganisationID `json:"organisation_id" doc:"Empty: it binds to nobody"`
	Organisation   string                `json:"organisation"`
	State          string                `json:"state" enum:"open,used,expired,dead" doc:"dead: it was tried wrongly too often"`
	Tries          int                   `json:"tries" doc:"Wrong ones so far"`
	CreatedAt      time.Time             `json:"created_at"`
	ExpiresAt      time.Time             `json:"expires_at"`
	UsedAt         *time.Time            `json:"used_at"`
	DeviceNumber   int64                 `json:"device_number" doc:"Of the device that used it; 0: none"`
}

type newDeviceClaims struct {
	Body struct {
		Count          int                   `json:"count" minimum:"1" maximum:"500"`
		OrganisationID schema.OrganisationID `json:"organisation_id,omitempty" format:"uuid" doc:"Left out: boxes are let in, and bound to nobody"`
		ExpiresInDays  int                   `json:"expires_in_days,omitempty" minimum:"1" maximum:"365" default:"30"`
	}
}

type deviceClaimsOutput struct {
	Body struct {
		Items []DeviceClaim `json:"items" nullable:"false"`
	}
}

type claimList struct {
	shell.PageInput
	OrganisationID schema.OrganisationID `query:"organisation_id" format:"uuid"`
}

func (r *routes) deviceClaims(s *shell.Server) {
	const path = adminDevicesPath + "/claims"
	tags := []string{"devices of all"}
	shell.Route(s, shell.Admins(), huma.Operation{
		OperationID: "create-device-claims", Method: http.MethodPost, Path: path, Tags: tags, DefaultStatus: http.StatusCreated,
		Summary: "Make claim codes, each of which lets one box in",
	}, r.createClaims)
	shell.Route(s, shell.Admins(), huma.Operation{
		OperationID: "list-device-claims", Method: http.MethodGet, Path: path, Tags: tags, Summary: "List claim codes, the oldest first",
	}, r.listClaims)
	shell.Route(s, shell.Admins(), huma.Operation{
		OperationID: "delete-device-claim", Method: http.MethodDelete, Path: path + "/{id}", Tags: tags, Summary: "Take a claim code back",
		DefaultStatus: http.StatusNoContent,
	}, r.deleteClaim)
}

func (r *routes) createClaims(ctx context.Context, in *newDeviceClaims) (*deviceClaimsOutput, error) {
	expires := time.Now().Add(time.Duration(in.Body.ExpiresInDays) * 24 * time.Hour).Truncate(time.Second)
	made, err := r.DB.CreateClaims(ctx, in.Body.OrganisationID, in.Body.Count, expires)
	if err != nil {
		return nil, err
	}
	out := &deviceClaimsOutput{}
	out.Body.Items = make([]DeviceClaim, len(made))
	for i, c := range made {
		out.Body.Items[i] = claimOf(c)
	}
	return out, nil
}

func (r *routes) listClaims(ctx context.Context, in *claimList) (*shell.ListOutput[DeviceClaim], error) {
	page, err := in.Page()
	if err != nil {
		return nil, err
	}
	scope := postgres.AllOrganisations()
	if !in.OrganisationID.IsZero() {
		scope = postgres.In(in.OrganisationID)
	}
	found, next, err := r.DB.Claims(ctx, scope, page)
	return shell.Paged(&in.PageInput, found, next, claimOf), err
}

func (r *routes) deleteClaim(ctx context.Context, in *idPath[postgres.ClaimID]) (*struct{}, error) {
	id, err := in.parse()
	if err != nil {
		return nil, err
	}
	return nil, r.DB.DeleteClaim(ctx, postgres.AllOrganisations(), id)
}

func claimOf(c postgres.Claim) DeviceClaim {
	out := DeviceClaim{
		ID: c.ID, Code: c.Code, Label: c.Label, OrganisationID: c.Organisation, Organisation: c.OrganisationName, State: "open", Tries: c.Tries,
		CreatedAt: c.CreatedAt.UTC(), ExpiresAt: c.ExpiresAt.UTC(), UsedAt: optionalTime(c.UsedAt), DeviceNumber: c.UsedByNumber,
	}
	switch {
	case !c.UsedAt.IsZero():
		out.State = "used"
	case c.Tries >= postgres.MaxClaimTries:
		out.State = "dead"
	case c.ExpiresAt.Before(time.Now()):
		out.State = "expired"
	}
	return out
}
