package corehttp

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"mybeacon/engine/access"
	"mybeacon/engine/store/postgres"
	shell "mybeacon/http"
	"mybeacon/schema"
	"mybeacon/schema/wire"
)

// DeviceStatus is what changes of a device while a list shows it.
type DeviceStatus struct {
	OrganisationID schema.OrganisationID `json:"-"` // for the log of who looks
	ID             schema.DeviceID       `json:"id" format:"uuid"`
	Status         string                `json:"status" enum:"online,offline,never"`
	LastSeen       *time.Time            `json:"last_seen" doc:"null: never"`
	Config         DeviceConfigState     `json:"config"`
	Health         *DeviceHealth         `json:"health" doc:"null: nothing is known"`
}

// DeviceBinding is where a device was bound from when to when.
type DeviceBinding struct {
	OrganisationID schema.OrganisationID `json:"organisation_id" format:"uuid"`
	Organisation   string                `json:"organisation"`
	LocationID     schema.LocationID     `json:"location_id" doc:"Empty: at none"`
	Location       string                `json:"location"`
	From           time.Time             `json:"from"`
	To             *time.Time            `json:"to" doc:"null: to this day"`
	By             string                `json:"by" doc:"E-mail of who bound it; empty: the system"`
}

type statusInput struct {
	IDs string `query:"ids" required:"true" maxLength:"7400" doc:"Up to 200 ids, separated by commas"`
}

type deviceStatusOutput struct {
	Body struct {
		Items []DeviceStatus `json:"items" nullable:"false" doc:"Of those that the caller sees; in no order"`
	}
}

type bindingsOutput struct {
	Body struct {
		Items []DeviceBinding `json:"items" nullable:"false" doc:"The newest first"`
	}
}

type configOutput struct{ Body wire.DeviceConfig }

type configInput struct {
	ID      string          `path:"id" format:"uuid"`
	RawBody json.RawMessage `contentType:"application/json" required:"true"`
}

func (r *routes) deviceViews(s *shell.Server) {
	tags := []string{"devices"}
	view, settings := shell.May(access.View), shell.May(access.DeviceSettings)
	shell.Route(s, view, huma.Operation{
		OperationID: "list-device-status", Method: http.MethodGet, Path: devicesPath + "/status", Tags: tags,
		Summary:     "Read how the devices are that a list shows",
		Description: "Made to be asked every few seconds: it reads only the devices that are named.",
	}, r.listStatus)
	shell.Route(s, view, huma.Operation{
		OperationID: "list-device-bindings", Method: http.MethodGet, Path: devicesPath + "/{id}/bindings", Tags: tags,
		Summary: "List where the device was bound from when to when",
	}, r.listBindings)
	shell.Route(s, view, huma.Operation{
		OperationID: "get-device-config", Method: http.MethodGet, Path: devicesPath + "/{id}/config", Tags: tags,
		Summary: "Read the device's configuration",
	}, r.getConfig)
	put := huma.Operation{
		OperationID: "set-device-config", Method: http.MethodPut, Path: devicesPath + "/{id}/config", Tags: tags,
		Summary:     "Replace the device's configuration; what is left out has its default",
		Description: "A device that is connected is told within five seconds.",
	}
	documentBody[wire.DeviceConfig](s, &put)
	shell.Route(s, settings, put, r.setConfig)
}

// statusIDs bounds what one question is about: a page of a list.
const statusIDs = postgres.MaxLimit

func (r *routes) listStatus(ctx context.Context, in *statusInput) (*deviceStatusOutput, error) {
	ids, err := parseIDs("ids", strings.Split(in.IDs, ","), statusIDs)
	if err != nil {
		return nil, err
	}
	found, _, err := r.DB.Devices(ctx, shell.PrincipalOf(ctx).Scope(), postgres.DeviceFilter{IDs: ids}, postgres.Page{Limit: statusIDs})
	if err != nil {
		return nil, err
	}
	out := &deviceStatusOutput{}
	out.Body.Items = make([]DeviceStatus, len(found))
	for i, d := range found {
		full := r.deviceOf(d)
		out.Body.Items[i] = DeviceStatus{OrganisationID: d.Organisation, ID: d.ID, Status: full.Status, LastSeen: full.LastSeen, Config: full.Config, Health: full.Health}
	}
	return out, nil
}

// parseIDs reads ids that a caller lists.
func parseIDs(field string, texts []string, most int) ([]schema.DeviceID, error) {
	if len(texts) > most {
		return nil, schema.Errorf(schema.Invalid, field, "names %d devices; %d are possible at once", len(texts), most)
	}
	ids := make([]schema.DeviceID, len(texts))
	for i, text := range texts {
		id, err := schema.ParseID[schema.DeviceID](strings.TrimSpace(text))
		if err != nil {
			return nil, inField(field, err)
		}
		ids[i] = id
	}
	return ids, nil
}

func (r *routes) listBindings(ctx context.Context, in *idPath[schema.DeviceID]) (*bindingsOutput, error) {
	id, err := in.parse()
	if err != nil {
		return nil, err
	}
	found, err := r.DB.DeviceBindings(ctx, shell.PrincipalOf(ctx).Scope(), id)
	if err != nil {
		return nil, err
	}
	out := &bindingsOutput{}
	out.Body.Items = make([]DeviceBinding, len(found))
	for i, b := range found {
		out.Body.Items[i] = DeviceBinding{
			OrganisationID: b.Organisation, Organisation: b.OrganisationName, LocationID: b.Location, Location: b.LocationName,
			From: b.From.UTC(), To: optionalTime(b.To), By: b.By,
		}
	}
	return out, nil
}

func (r *routes) getConfig(ctx context.Context, in *idPath[schema.DeviceID]) (*configOutput, error) {
	id, err := in.parse()
	if err != nil {
		return nil, err
	}
	d, err := r.DB.Device(ctx, shell.PrincipalOf(ctx).Scope(), id)
	shell.Saw(ctx, d.Organisation)
	return &configOutput{d.Config}, err
}

func (r *routes) setConfig(ctx context.Context, in *configInput) (*configOutput, error) {
	id, err := shell.ParseID[schema.DeviceID](in.ID)
	if err != nil {
		return nil, err
	}
	config, err := wire.CheckConfig(in.RawBody, r.products)
	if err != nil {
		return nil, err
	}
	d, err := r.DB.ConfigureDevice(ctx, shell.PrincipalOf(ctx).Scope(), id, config)
	if err != nil {
		return nil, err
	}
	r.Changed(ctx)
	return &configOutput{d.Config}, nil
}
