package provision

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"mybeacon/schema"
)

// Ensure makes what of the site is not there yet and returns all of it.
func (c *Client) Ensure(ctx context.Context, site Site) (Result, error) {
	r := run{client: c, site: site, create: true}
	return r.all(ctx)
}

// Find returns the site without making anything but new device tokens; when
// parts are missing, the error is of kind NotFound and names them.
func (c *Client) Find(ctx context.Context, site Site) (Result, error) {
	r := run{client: c, site: site}
	return r.all(ctx)
}

// run is one walk through the site, outside in.
type run struct {
	client  *Client
	site    Site
	create  bool
	missing []string
	out     Result
}

// absent notes what is missing; it reports whether it shall be made instead.
func (r *run) absent(what, name string) bool {
	if r.create {
		r.out.Created++
		return true
	}
	r.missing = append(r.missing, fmt.Sprintf("%s %q", what, name))
	return false
}

func (r *run) all(ctx context.Context) (Result, error) {
	if err := r.organisation(ctx); err != nil {
		return Result{}, fmt.Errorf("set up the organisation: %w", err)
	}
	// Without an organisation there is no point in looking for its location.
	if len(r.missing) == 0 {
		reason := fmt.Sprintf("to set up the site %q", r.site.Location)
		if err := r.client.inside(ctx, r.out.Organisation, reason, func() error { return r.parts(ctx) }); err != nil {
			return Result{}, err
		}
	}
	if len(r.missing) > 0 {
		return Result{}, schema.Errorf(schema.NotFound, "", "the server lacks %s", listed(r.missing))
	}
	return r.out, nil
}

// parts walks through what is in the organisation.
func (r *run) parts(ctx context.Context) error {
	steps := []struct {
		name string
		do   func(context.Context) error
	}{
		{"location", r.location}, {"plan", r.plan}, {"tags", r.tags},
	}
	for _, step := range steps {
		if err := step.do(ctx); err != nil {
			return fmt.Errorf("set up the %s: %w", step.name, err)
		}
		if step.name == "location" && len(r.missing) > 0 {
			return nil
		}
	}
	return nil
}

func listed(missing []string) string {
	const shown = 10
	if n := len(missing) - shown; n > 0 {
		return strings.Join(missing[:shown], ", ") + fmt.Sprintf(" and %d more", n)
	}
	return strings.Join(missing, ", ")
}

type (
	organisationRow struct {
		ID schema.OrganisationID `json:"id"`
	}
	locationRow struct {
		ID schema.LocationID `json:"id"`
	}
	planRow struct {
		ID        schema.PlanID `json:"id"`
		Bounds    schema.Rect   `json:"bounds"`
		Receivers []receiverRow `json:"receivers"`
		Zones     []zoneRow     `json:"zones"`
	}
)

func (r *run) organisation(ctx context.Context) error {
	if !r.client.organisation.IsZero() {
		r.out.Organisation = r.client.organisation
		return nil
	}
	const path = "/api/v1/admin/organisations"
	row, found, err := first[organisationRow](ctx, r.client, path, url.Values{"name": {r.site.Organisation}})
	if err != nil {
		return err
	}
	if !found && r.absent("organisation", r.site.Organisation) {
		body := map[string]any{"name": r.site.Organisation, "products": []string{"ble"}}
		if r.site.KeepDays > 0 {
			body["keep_days"] = r.site.KeepDays
		}
		r.setTimeZone(body)
		err = r.client.call(ctx, http.MethodPost, path, nil, body, &row)
	}
	r.out.Organisation = row.ID
	return err
}

func (r *run) setTimeZone(body map[string]any) {
	if r.site.TimeZone != "" {
		body["time_zone"] = r.site.TimeZone
	}
}

func (r *run) location(ctx context.Context) error {
	const path = "/api/v1/client/locations"
	filter := url.Values{"organisation_id": {r.out.Organisation.String()}, "name": {r.site.Location}}
	row, found, err := first[locationRow](ctx, r.client, path, filter)
	if err != nil {
		return err
	}
	if !found && r.absent("location", r.site.Location) {
		body := map[string]any{"organisation_id": r.out.Organisation, "name": r.site.Location}
		r.setTimeZone(body)
		err = r.client.call(ctx, http.MethodPost, path, nil, body, &row)
	}
	r.out.Location = row.ID
	return err
}

const plansPath = "/api/v1/client/ble/plans"

func (r *run) plan(ctx context.Context) error {
	filter := url.Values{"location_id": {r.out.Location.String()}, "name": {r.site.Plan.Name}}
	row, found, err := first[planRow](ctx, r.client, plansPath, filter)
	if err != nil {
		return err
	}
	switch {
	case found:
		err = r.client.call(ctx, http.MethodGet, plansPath+"/"+row.ID.String(), nil, nil, &row)
	case r.absent("plan", r.site.Plan.Name):
		row, err = r.createPlan(ctx)
	default:
		return nil
	}
	if err != nil {
		return err
	}
	if row.Bounds != r.site.Plan.Bounds {
		return schema.Errorf(schema.Conflict, "plan", "%q exists with the bounds %+v instead of %+v; use another name for the site", r.site.Plan.Name, row.Bounds, r.site.Plan.Bounds)
	}
	r.out.Plan = row.ID
	if err := r.zones(ctx, row.Zones); err != nil {
		return err
	}
	if err := r.receivers(ctx, row.Receivers); err != nil {
		return err
	}
	return r.surveys(ctx)
}

func (r *run) createPlan(ctx context.Context) (row planRow, err error) {
	p := r.site.Plan
	body := map[string]any{
		"location_id": r.out.Location, "name": p.Name, "level": p.Level,
		"bounds": p.Bounds, "tag_height_m": p.TagHeightM,
	}
	if len(p.Walls) > 0 {
		walls := make([][][2]float64, len(p.Walls))
		for i, line := range p.Walls {
			walls[i] = pairs(line)
		}
		body["walls"] = walls
	}
	err = r.client.call(ctx, http.MethodPost, plansPath, nil, body, &row)
	row.Bounds = p.Bounds
	return row, err
}

func pairs(points []schema.Point) [][2]float64 {
	out := make([][2]float64, len(points))
	for i, p := range points {
		out[i] = [2]float64{p.X, p.Y}
	}
	return out
}

type zoneRow struct {
	ID      schema.ZoneID `json:"id"`
	Name    string        `json:"name"`
	Color   string        `json:"color"`
	Polygon [][2]float64  `json:"polygon"`
}

func (r *run) zones(ctx context.Context, there []zoneRow) error {
	path := plansPath + "/" + r.out.Plan.String() + "/zones"
	for _, zone := range r.site.Zones {
		body := map[string]any{"name": zone.Name, "polygon": pairs(zone.Polygon)}
		if zone.Color != "" {
			body["color"] = zone.Color
		}
		i := slices.IndexFunc(there, func(z zoneRow) bool { return z.Name == zone.Name })
		var err error
		switch {
		case i < 0 && r.absent("zone", zone.Name):
			err = r.client.call(ctx, http.MethodPost, path, nil, body, nil)
		case i >= 0 && r.create && !slices.Equal(there[i].Polygon, pairs(zone.Polygon)):
			if zone.Color == "" {
				body["color"] = there[i].Color
			}
			err = r.client.call(ctx, http.MethodPut, path+"/"+there[i].ID.String(), nil, body, nil)
		}
		if err != nil {
			return fmt.Errorf("zone %q: %w", zone.Name, err)
		}
	}
	return nil
}

type receiverRow struct {
	ID       schema.ReceiverID `json:"id"`
	DeviceID schema.DeviceID   `json:"device_id"`
	X        float64           `json:"x"`
	Y        float64           `json:"y"`
	Z        float64           `json:"z"`
	Rotation float64           `json:"rotation"`
}

func (r *run) receivers(ctx context.Context, there []receiverRow) error {
	for _, receiver := range r.site.Receivers {
		device, err := r.device(ctx, receiver)
		if err == nil && !device.ID.IsZero() {
			r.out.Devices = append(r.out.Devices, device)
			err = r.place(ctx, receiver, device.ID, there)
		}
		if err != nil {
			return fmt.Errorf("receiver %q: %w", receiver.Name, err)
		}
	}
	return nil
}

// place hangs the device where the site says.
func (r *run) place(ctx context.Context, want Receiver, device schema.DeviceID, there []receiverRow) error {
	path := plansPath + "/" + r.out.Plan.String() + "/receivers"
	body := map[string]any{"device_id": device, "x": want.X, "y": want.Y, "z": want.Z, "rotation": want.Rotation}
	i := slices.IndexFunc(there, func(row receiverRow) bool { return row.DeviceID == device })
	switch {
	case i < 0 && r.absent("receiver", want.Name):
		return r.client.call(ctx, http.MethodPost, path, nil, body, nil)
	case i >= 0 && r.create && !there[i].at(want):
		return r.client.call(ctx, http.MethodPut, path+"/"+there[i].ID.String(), nil, body, nil)
	}
	return nil
}

// at compares with a tolerance of a micrometre, for servers that store less
// precisely than they are told.
func (row receiverRow) at(want Receiver) bool {
	near := func(a, b float64) bool { return math.Abs(a-b) < 1e-6 }
	return near(row.X, want.X) && near(row.Y, want.Y) && near(row.Z, want.Z) && near(row.Rotation, want.Rotation)
}

type deviceRow struct {
	ID             schema.DeviceID       `json:"id"`
	Number         int64                 `json:"number"`
	OrganisationID schema.OrganisationID `json:"organisation_id"`
	LocationID     schema.LocationID     `json:"location_id"`
	Token          string                `json:"token"`
}

const devicesPath = "/api/v1/client/devices"

// device returns the receiver's device with a new token; its id is zero when it
// is missing.
func (r *run) device(ctx context.Context, receiver Receiver) (Device, error) {
	mac := MAC(r.site.Organisation+"/"+r.site.Location, receiver.Name)
	row, found, err := first[deviceRow](ctx, r.client, devicesPath, url.Values{"mac": {mac}})
	switch {
	case err != nil:
		return Device{}, err
	case !found && r.absent("device", receiver.Name):
		row, err = r.createDevice(ctx, receiver, mac)
	case found && row.OrganisationID != r.out.Organisation:
		return Device{}, schema.Errorf(schema.Conflict, "mac", "%s belongs to another organisation", mac)
	case found:
		row, err = r.renewDevice(ctx, row)
	}
	return Device{ID: row.ID, Number: row.Number, Token: row.Token}, err
}

func (r *run) createDevice(ctx context.Context, receiver Receiver, mac string) (row deviceRow, err error) {
	body := map[string]any{
		"organisation_id": r.out.Organisation, "location_id": r.out.Location, "mac": mac, "name": receiver.Name,
	}
	if r.site.Clock != "" {
		body["clock"] = r.site.Clock
	}
	err = r.client.call(ctx, http.MethodPost, devicesPath, nil, body, &row)
	return row, err
}

// renewDevice issues a token, and brings the device back to its location if
// somebody took it away.
func (r *run) renewDevice(ctx context.Context, row deviceRow) (deviceRow, error) {
	path := devicesPath + "/" + row.ID.String()
	if row.LocationID != r.out.Location && r.create {
		if err := r.client.call(ctx, http.MethodPatch, path, nil, map[string]any{"location_id": r.out.Location}, nil); err != nil {
			return row, err
		}
	}
	var answer struct {
		Token string `json:"token"`
	}
	err := r.client.call(ctx, http.MethodPost, path+"/token", nil, nil, &answer)
	row.Token = answer.Token
	return row, err
}

func (r *run) tags(ctx context.Context) error {
	const path = "/api/v1/client/ble/tags"
	for _, tag := range r.site.Tags {
		filter := url.Values{"organisation_id": {r.out.Organisation.String()}, "transmitter": {tag.Transmitter.String()}}
		_, found, err := first[struct{}](ctx, r.client, path, filter)
		if err == nil && !found && r.absent("tag", tag.Name) {
			err = r.client.call(ctx, http.MethodPost, path, nil, map[string]any{
				"organisation_id": r.out.Organisation, "transmitter": tag.Transmitter,
				"type": tag.Type, "name": tag.Name, "description": tag.Description,
			}, nil)
		}
		if err != nil {
			return fmt.Errorf("tag %q: %w", tag.Name, err)
		}
	}
	return nil
}
