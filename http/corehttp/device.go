package corehttp

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"mybeacon/engine/access"
	"mybeacon/engine/store/postgres"
	shell "mybeacon/http"
	"mybeacon/schema"
	"mybeacon/schema/wire"
)

// Device is a managed endpoint.
type Device struct {
	ID             schema.DeviceID       `json:"id" format:"uuid"`
	Number         int64                 `json:"number" doc:"Receiver #N: unique in the whole system, never used again"`
	MAC            string                `json:"mac"`
	Name           string                `json:"name"`
	OrganisationID schema.OrganisationID `json:"organisation_id" doc:"Empty while it is bound to nobody"`
	Organisation   string                `json:"organisation" doc:"Its name"`
	LocationID     schema.LocationID     `json:"location_id" doc:"Empty while it is at no location"`
	Location       string                `json:"location" doc:"Its name"`
	Clock          string                `json:"clock" enum:"device,source"`
	Status         string                `json:"status" enum:"online,offline,never" doc:"never: it was never here"`
	LastSeen       *time.Time            `json:"last_seen" doc:"null: never"`
	Version        string                `json:"version" doc:"Of its program, as it reported; empty: not yet"`
	Modules        map[string]bool       `json:"modules" nullable:"false" doc:"Which are switched on, by product id"`
	ModulesRunning map[string]bool       `json:"modules_running" nullable:"false" doc:"Which run, as it reported"`
	Config         DeviceConfigState     `json:"config"`
	Health         *DeviceHealth         `json:"health" doc:"null: nothing is known"`
	Enrolled       bool                  `json:"enrolled" doc:"It logs in with a key of its own"`
	CreatedAt      time.Time             `json:"created_at"`
	Token          string                `json:"token,omitempty" doc:"Only at creation and rotation; shown once"`
}

// DeviceConfigState says how far a configuration has come.
type DeviceConfigState struct {
	Version    int64      `json:"version"`
	Running    int64      `json:"running" doc:"The version that the device runs; 0: it has not reported"`
	ReportedAt *time.Time `json:"reported_at"`
}

// DeviceHealth is how a device is: by its reports, and by what the engine measures.
type DeviceHealth struct {
	FramesPerMinute *float64 `json:"frames_per_minute" doc:"As the engine counts; null while offline"`
	ClockOffsetMS   *float64 `json:"clock_offset_ms" doc:"Of its clock ahead of the engine's, as the engine measures; null while offline"`
	Queue           *int64   `json:"queue" doc:"Frames that wait in the device, as it reported"`
	CPU             *float64 `json:"cpu" doc:"Share in use, 0 to 1, as it reported"`
	Memory          *float64 `json:"memory" doc:"Share in use, 0 to 1, as it reported"`
}

// Measured knows what the engine itself measures of devices.
type Measured interface {
	// Measured returns the frames a minute that an online device sends and how far its
	// clock is ahead of the engine's; ok is false when nothing was measured.
	Measured(schema.DeviceID) (framesPerMinute float64, offset time.Duration, ok bool)
}

type deviceOutput struct{ Body Device }

// DeviceFilter is the part of a list's input that narrows it.
type DeviceFilter struct {
	Query      string            `query:"query" maxLength:"200" doc:"A number (5, #5, Receiver #5), a part of a MAC address in any spelling, or of a name"`
	Status     string            `query:"status" enum:"online,offline,never"`
	LocationID schema.LocationID `query:"location_id" format:"uuid"`
	Number     int64             `query:"number" minimum:"1"`
	MAC        string            `query:"mac" maxLength:"40" doc:"Any part of it, in any spelling"`
}

func (f DeviceFilter) store() postgres.DeviceFilter {
	return postgres.DeviceFilter{Query: f.Query, Status: f.Status, Location: f.LocationID, Number: f.Number, MAC: f.MAC}
}

type deviceList struct {
	shell.PageInput
	DeviceFilter
	OrganisationID schema.OrganisationID `query:"organisation_id" format:"uuid"`
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
		LocationID *string         `json:"location_id,omitempty" doc:"Empty: at no location"`
		Name       *string         `json:"name,omitempty"`
		Clock      *string         `json:"clock,omitempty" enum:"device,source"`
		Modules    map[string]bool `json:"modules,omitempty" doc:"Switches these on or off; others stay"`
	}
}

const devicesPath = "/api/v1/client/devices"

func (r *routes) devices(s *shell.Server) {
	tags := []string{"devices"}
	view, settings := shell.May(access.View), shell.May(access.DeviceSettings)
	shell.Route(s, view, huma.Operation{
		OperationID: "list-devices", Method: http.MethodGet, Path: devicesPath, Tags: tags, Summary: "List devices by number",
	}, r.listDevices)
	shell.Route(s, view, shell.Volatile(huma.Operation{
		OperationID: "get-device", Method: http.MethodGet, Path: devicesPath + "/{id}", Tags: tags, Summary: "Read a device",
	}, "status", "last_seen", "version", "modules_running", "config", "health"), r.getDevice)
	shell.Route(s, settings, huma.Operation{
		OperationID: "create-device", Method: http.MethodPost, Path: devicesPath, Tags: tags, Summary: "Register a device",
		DefaultStatus: http.StatusCreated,
	}, r.createDevice)
	shell.Route(s, settings, huma.Operation{
		OperationID: "change-device", Method: http.MethodPatch, Path: devicesPath + "/{id}", Tags: tags, Summary: "Change a device",
	}, r.changeDevice)
	shell.Route(s, settings, huma.Operation{
		OperationID: "rotate-device-token", Method: http.MethodPost, Path: devicesPath + "/{id}/token", Tags: tags,
		Summary: "Replace a device's token; the old one opens nothing any more",
	}, r.rotateToken)
	r.deviceViews(s)
	r.deviceBulk(s)
	r.deviceCSV(s)
	r.deviceAdmin(s)
	r.deviceClaims(s)
	r.deviceOwn(s)
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
	found, next, err := r.DB.Devices(ctx, scope, in.store(), page)
	return shell.Paged(&in.PageInput, found, next, r.deviceOf), err
}

func (r *routes) getDevice(ctx context.Context, in *idPath[schema.DeviceID]) (*deviceOutput, error) {
	id, err := in.parse()
	if err != nil {
		return nil, err
	}
	d, err := r.DB.Device(ctx, shell.PrincipalOf(ctx).Scope(), id)
	return r.deviceOutput(d), err
}

func (r *routes) createDevice(ctx context.Context, in *newDevice) (*deviceOutput, error) {
	p := shell.PrincipalOf(ctx)
	organisation, err := p.Owner(in.Body.OrganisationID)
	if err != nil {
		return nil, err
	}
	if err := p.Scope().MayChange(in.Body.LocationID); err != nil {
		return nil, inField("location_id", err)
	}
	d := postgres.Device{Location: in.Body.LocationID, Clock: in.Body.Clock}
	if d.Name, err = shell.CheckText("name", in.Body.Name, 0, 200); err != nil {
		return nil, err
	}
	if d.MAC, err = postgres.ParseMAC(in.Body.MAC); err != nil {
		return nil, err
	}
	token := postgres.NewSecret(postgres.DeviceTokenPrefix)
	d, err = r.DB.CreateDevice(ctx, organisation, d, token)
	return r.withToken(ctx, d, token, err)
}

// inField says which input an error is about.
func inField(field string, err error) error {
	var e *schema.Error
	if !errors.As(err, &e) {
		return err
	}
	named := *e
	named.Field = field
	return &named
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
	out := r.deviceOutput(d)
	out.Body.Token = token
	return out, nil
}

func (r *routes) changeDevice(ctx context.Context, in *devicePatch) (*deviceOutput, error) {
	id, err := shell.ParseID[schema.DeviceID](in.ID)
	if err != nil {
		return nil, err
	}
	scope := shell.PrincipalOf(ctx).Scope()
	patch := postgres.DevicePatch{Clock: in.Body.Clock, Modules: in.Body.Modules}
	if err := wire.CheckModules(patch.Modules, r.products); err != nil {
		return nil, err
	}
	if in.Body.Name != nil {
		name, err := shell.CheckText("name", *in.Body.Name, 0, 200)
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
	return r.changed(ctx)(r.DB.ChangeDevice(ctx, scope, id, patch))
}

// changed answers with the device that was changed.
func (r *routes) changed(ctx context.Context) func(postgres.Device, error) (*deviceOutput, error) {
	return func(d postgres.Device, err error) (*deviceOutput, error) {
		if err != nil {
			return nil, err
		}
		r.Changed(ctx)
		return r.deviceOutput(d), nil
	}
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

func (r *routes) deviceOutput(d postgres.Device) *deviceOutput {
	return &deviceOutput{r.deviceOf(d)}
}

func (r *routes) deviceOf(d postgres.Device) Device {
	status, seen := r.statusOf(d)
	return Device{
		ID: d.ID, Number: d.Number, MAC: d.MAC, Name: d.Name, OrganisationID: d.Organisation, Organisation: d.OrganisationName,
		LocationID: d.Location, Location: d.LocationName, Clock: d.Clock, Status: status, LastSeen: seen,
		Version: d.Version, Modules: d.Config.On(), ModulesRunning: d.ModulesRunning, Health: r.healthOf(d), Enrolled: d.Key, CreatedAt: d.CreatedAt.UTC(),
		Config: DeviceConfigState{Version: d.ConfigVersion, Running: d.ConfigRunning, ReportedAt: optionalTime(d.ReportedAt)},
	}
}

// statusOf prefers what the engine knows now to what it stored some seconds ago.
func (r *routes) statusOf(d postgres.Device) (status string, seen *time.Time) {
	online, last := r.Online.Online(d.ID)
	if d.LastSeen.After(last) {
		last = d.LastSeen
	}
	switch {
	case online:
		status = postgres.StatusOnline
	case last.IsZero():
		status = postgres.StatusNever
	default:
		status = postgres.StatusOffline
	}
	return status, optionalTime(last)
}

func (r *routes) healthOf(d postgres.Device) *DeviceHealth {
	var h DeviceHealth
	reported := !d.ReportedAt.IsZero()
	if reported {
		h.Queue, h.CPU, h.Memory = &d.Health.Queue, &d.Health.CPU, &d.Health.Memory
	}
	measured := false
	if r.Measured != nil {
		var rate float64
		var offset time.Duration
		if rate, offset, measured = r.Measured.Measured(d.ID); measured {
			ms := float64(offset.Microseconds()) / 1000
			h.FramesPerMinute, h.ClockOffsetMS = &rate, &ms
		}
	}
	if !reported && !measured {
		return nil
	}
	return &h
}
