// Package temperaturehttp is the routes of the product temperature.
package temperaturehttp

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"mybeacon/engine/access"
	"mybeacon/engine/modules/temperature"
	"mybeacon/engine/modules/temperature/store"
	shell "mybeacon/http"
	"mybeacon/schema"
)

// Product returns the product.
func Product() shell.Product {
	m := temperature.New()
	return shell.Product{Module: m, Routes: func(s *shell.Server, _ shell.Devices) { Register(s, m) }}
}

type routes struct{ module *temperature.Module }

type sensorOutput struct{ Body store.Sensor }

type sensorPath struct {
	ID string `path:"id" format:"uuid"`
}

type newSensor struct {
	Body struct {
		LocationID schema.LocationID `json:"location_id" format:"uuid"`
		Name       string            `json:"name" minLength:"1" maxLength:"100"`
	}
}

type sensorPatch struct {
	ID   string `path:"id" format:"uuid"`
	Body struct {
		Name string `json:"name" minLength:"1" maxLength:"100"`
	}
}

// Register adds the routes to the server.
func Register(s *shell.Server, m *temperature.Module) {
	const path = "/api/v1/client/temperature/sensors"
	r, tags := &routes{m}, []string{"temperature"}
	look, change := shell.May(access.View).Of(m.ID()), shell.May(access.EditPlans).Of(m.ID())
	shell.Route(s, look, huma.Operation{OperationID: "list-sensors", Method: http.MethodGet, Path: path, Tags: tags, Summary: "List sensors by name"}, r.list)
	shell.Route(s, change, huma.Operation{OperationID: "create-sensor", Method: http.MethodPost, Path: path, Tags: tags, Summary: "Create a sensor", DefaultStatus: http.StatusCreated}, r.create)
	shell.Route(s, look, huma.Operation{OperationID: "sensor", Method: http.MethodGet, Path: path + "/{id}", Tags: tags, Summary: "One sensor"}, r.get)
	shell.Route(s, change, huma.Operation{OperationID: "rename-sensor", Method: http.MethodPatch, Path: path + "/{id}", Tags: tags, Summary: "Rename a sensor"}, r.rename)
}

func (r *routes) list(ctx context.Context, in *shell.PageInput) (*shell.ListOutput[store.Sensor], error) {
	page, err := in.Page()
	if err != nil {
		return nil, err
	}
	found, next, err := r.module.Sensors(ctx, shell.PrincipalOf(ctx).Scope(), page)
	return shell.Paged(in, found, next, func(s store.Sensor) store.Sensor { return s }), err
}

func (r *routes) create(ctx context.Context, in *newSensor) (*sensorOutput, error) {
	made, err := r.module.Create(ctx, shell.PrincipalOf(ctx).Scope(), in.Body.LocationID, in.Body.Name)
	return &sensorOutput{made}, err
}

func (r *routes) get(ctx context.Context, in *sensorPath) (*sensorOutput, error) {
	id, err := parse(in.ID)
	if err != nil {
		return nil, err
	}
	found, err := r.module.Sensor(ctx, shell.PrincipalOf(ctx).Scope(), id)
	return &sensorOutput{found}, err
}

func (r *routes) rename(ctx context.Context, in *sensorPatch) (*sensorOutput, error) {
	id, err := parse(in.ID)
	if err != nil {
		return nil, err
	}
	changed, err := r.module.Rename(ctx, shell.PrincipalOf(ctx).Scope(), id, in.Body.Name)
	return &sensorOutput{changed}, err
}

func parse(text string) (store.SensorID, error) {
	id, err := schema.ParseID[store.SensorID](text)
	if err != nil {
		return id, schema.Errorf(schema.NotFound, "", "there is no such object")
	}
	return id, nil
}
