package blehttp

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"mybeacon/engine/access"
	"mybeacon/engine/modules/ble"
	"mybeacon/engine/modules/ble/store"
	shell "mybeacon/http"
	"mybeacon/schema"
)

// HungReceiver is a receiver as a list shows it.
type HungReceiver struct {
	ID             schema.ReceiverID     `json:"id" format:"uuid"`
	OrganisationID schema.OrganisationID `json:"organisation_id" format:"uuid"`
	Plan           schema.PlanID         `json:"plan" format:"uuid"`
	DeviceID       schema.DeviceID       `json:"device_id" format:"uuid"`
	Number         int64                 `json:"number" doc:"The device's: Receiver #N"`
	Name           string                `json:"name" doc:"The device's"`
	MAC            string                `json:"mac"`
	X              float64               `json:"x_m"`
	Y              float64               `json:"y_m"`
	Z              float64               `json:"z_m" doc:"Above the floor"`
	Rotation       float64               `json:"rotation_deg" doc:"Clockwise, drawn only"`
	GainDB         float64               `json:"gain_db"`
	Online         bool                  `json:"online"`
	LastSeen       *time.Time            `json:"last_seen" doc:"null: never"`
}

func (r *routes) hungOf(h store.Hung) HungReceiver {
	out := HungReceiver{
		ID: h.ID, OrganisationID: h.Organisation, Plan: h.Plan, DeviceID: h.Device, Number: h.Number, Name: h.Name, MAC: h.MAC,
		X: h.X, Y: h.Y, Z: h.Z, Rotation: h.Rotation, GainDB: h.GainDB,
	}
	online, seen := r.online.Online(h.Device)
	if seen.Before(h.LastSeen) {
		seen = h.LastSeen
	}
	if out.Online = online; !seen.IsZero() {
		seen = seen.UTC()
		out.LastSeen = &seen
	}
	return out
}

type hungList struct {
	shell.PageInput
	OrganisationID schema.OrganisationID `query:"organisation_id" format:"uuid"`
	Location       schema.LocationID     `query:"location" format:"uuid"`
	Plan           schema.PlanID         `query:"plan" format:"uuid"`
	Status         string                `query:"status" enum:"online,offline"`
	Query          string                `query:"query" maxLength:"200" doc:"The number, or a part of the name or the MAC"`
}

// DrawnZone is a zone as a list shows it.
type DrawnZone struct {
	Zone
	OrganisationID schema.OrganisationID `json:"organisation_id" format:"uuid"`
	Location       schema.LocationID     `json:"location" format:"uuid"`
	Plan           schema.PlanID         `json:"plan" format:"uuid"`
}

func drawnOf(z store.Drawn) DrawnZone {
	return DrawnZone{Zone: zoneOf(z.Zone), OrganisationID: z.Organisation, Location: z.Location, Plan: z.Plan}
}

type drawnList struct {
	shell.PageInput
	OrganisationID schema.OrganisationID `query:"organisation_id" format:"uuid"`
	Location       schema.LocationID     `query:"location" format:"uuid"`
	Plan           schema.PlanID         `query:"plan" format:"uuid"`
	Name           string                `query:"name" maxLength:"200" doc:"A part of the name"`
}

// Site is a location as the product shows it.
type Site struct {
	ID               schema.LocationID     `json:"id" format:"uuid"`
	OrganisationID   schema.OrganisationID `json:"organisation_id" format:"uuid"`
	OrganisationName string                `json:"organisation_name"`
	Name             string                `json:"name"`
	Address          string                `json:"address"`
	TimeZone         string                `json:"time_zone" doc:"IANA name"`
	Write            bool                  `json:"write" doc:"The caller may change what is there"`
	Plans            []schema.PlanRef      `json:"plans" nullable:"false" doc:"By level and name"`
	Receivers        int                   `json:"receivers" doc:"On its plans"`
	ReceiversOnline  int                   `json:"receivers_online"`
}

type siteList struct {
	shell.PageInput
	OrganisationID schema.OrganisationID `query:"organisation_id" format:"uuid"`
	Name           string                `query:"name" maxLength:"200" doc:"The whole name"`
}

func (r *routes) lists(s *shell.Server) {
	tags := []string{"ble plans"}
	shell.Route(s, r.viewer, huma.Operation{
		OperationID: "list-ble-locations", Method: http.MethodGet, Path: root + "/locations", Tags: tags, Summary: "List locations by name, with what hangs there",
	}, r.listSites)
	shell.Route(s, r.viewer, huma.Operation{
		OperationID: "list-ble-receivers", Method: http.MethodGet, Path: root + "/receivers", Tags: tags, Summary: "List receivers by number",
	}, r.listReceivers)
	shell.Route(s, r.viewer, huma.Operation{
		OperationID: "list-ble-zones", Method: http.MethodGet, Path: root + "/zones", Tags: tags, Summary: "List zones by number",
	}, r.listZones)
}

func (r *routes) listReceivers(ctx context.Context, in *hungList) (*shell.ListOutput[HungReceiver], error) {
	page, err := in.Page()
	if err != nil {
		return nil, err
	}
	scope, err := shell.PrincipalOf(ctx).Within(in.OrganisationID)
	if err != nil {
		return nil, err
	}
	filter := store.ReceiverFilter{Location: in.Location, Plan: in.Plan, Status: in.Status, Query: in.Query}
	found, next, err := r.module.Receivers(ctx, scope, filter, page)
	return shell.Paged(&in.PageInput, found, next, r.hungOf), err
}

func (r *routes) listZones(ctx context.Context, in *drawnList) (*shell.ListOutput[DrawnZone], error) {
	page, err := in.Page()
	if err != nil {
		return nil, err
	}
	scope, err := shell.PrincipalOf(ctx).Within(in.OrganisationID)
	if err != nil {
		return nil, err
	}
	found, next, err := r.module.Zones(ctx, scope, store.ZoneFilter{Location: in.Location, Plan: in.Plan, Name: in.Name}, page)
	return shell.Paged(&in.PageInput, found, next, drawnOf), err
}

func (r *routes) listSites(ctx context.Context, in *siteList) (*shell.ListOutput[Site], error) {
	page, err := in.Page()
	if err != nil {
		return nil, err
	}
	p := shell.PrincipalOf(ctx)
	scope, err := p.Within(in.OrganisationID)
	if err != nil {
		return nil, err
	}
	found, next, err := r.module.Sites(ctx, scope, in.Name, page)
	return shell.Paged(&in.PageInput, found, next, func(at ble.Site) Site { return r.siteOf(p, at) }), err
}

func (r *routes) siteOf(p shell.Principal, at ble.Site) Site {
	object := access.Object{Organisation: at.Organisation, Location: at.ID, Product: r.module.ID()}
	out := Site{
		ID: at.ID, OrganisationID: at.Organisation, OrganisationName: at.OrganisationName, Name: at.Name, Address: at.Address, TimeZone: at.TimeZone,
		Write: p.Decide(access.EditPlans, object) == nil, Plans: at.Plans, Receivers: len(at.Devices),
	}
	if out.Plans == nil {
		out.Plans = []schema.PlanRef{}
	}
	for _, device := range at.Devices {
		if online, _ := r.online.Online(device); online {
			out.ReceiversOnline++
		}
	}
	return out
}
