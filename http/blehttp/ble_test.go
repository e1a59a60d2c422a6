package blehttp_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"testing"
	"time"

	"mybeacon/engine/files"
	"mybeacon/engine/images"
	"mybeacon/engine/module"
	"mybeacon/engine/modules/ble"
	"mybeacon/engine/store/clickhouse"
	"mybeacon/engine/store/postgres/postgrestest"
	"mybeacon/http/blehttp"
	"mybeacon/http/corehttp"
	"mybeacon/http/shelltest"
	"mybeacon/schema"
)

const root = "/api/v1/client/ble"

// start runs the shell with the core's and the product's routes.
func start(t *testing.T) *shelltest.Server {
	t.Helper()
	return startModule(t, ble.New())
}

// startModule is start with a module that the test speaks to.
func startModule(t *testing.T, m *ble.Module) *shelltest.Server {
	t.Helper()
	return startOver(t, m, "http://127.0.0.1:1/mybeacon")
}

// startOver is startModule with the address of a warehouse.
func startOver(t *testing.T, m *ble.Module, warehouse string) *shelltest.Server {
	t.Helper()
	return shelltest.Start(t, nil, func(s *shelltest.Server) {
		kept, err := files.Open(t.TempDir(), files.DefaultLimits(), nil)
		if err != nil {
			t.Fatal(err)
		}
		away, err := clickhouse.Open(warehouse, clickhouse.Options{DialTimeout: time.Second})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = away.Close() })
		host := module.Host{Log: slog.New(slog.DiscardHandler), DB: s.DB, Warehouse: away, Files: kept, Images: images.NewDecoder(), Clock: time.Now, Publish: func(module.World) {}, Extend: func(module.World) {}}
		if err := m.Start(t.Context(), host); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			defer cancel()
			if err := m.Stop(ctx); err != nil {
				t.Error(err)
			}
		})
		corehttp.Register(s.Server, corehttp.Config{DB: s.DB, Online: shelltest.Offline{}, Plans: m, Placed: m})
		blehttp.Register(s.Server, m, shelltest.Offline{})
	})
}

type list[T any] struct {
	Items []T
	Next  string
}

type object = map[string]any

func bounds(x, y float64) object {
	return object{"min": object{"x": 0, "y": 0}, "max": object{"x": x, "y": y}}
}

// An owner draws a whole site through the API.
func TestDrawASite(t *testing.T) {
	s := start(t)
	o := postgrestest.Organisation(t, s.DB, "o", "ble")
	s.Account(o, "owner@example.com", "owner")
	c := s.Login("owner@example.com")

	var location corehttp.Location
	c.Want(201, "POST", "/api/v1/client/locations", object{"name": "Магазин на Ленина"}, &location)
	var plan blehttp.Plan
	c.Want(201, "POST", root+"/plans", object{
		"location_id": location.ID, "name": "ground", "bounds": bounds(40, 25), "walls": [][][2]float64{{{0, 0}, {40, 0}}},
	}, &plan)
	if plan.TagHeightM != 1.2 || plan.Version != 1 || plan.OrganisationID != o.ID || plan.Bounds.Max.X != 40 || len(plan.Walls) != 1 {
		t.Errorf("got %+v", plan)
	}
	var device corehttp.Device
	c.Want(201, "POST", "/api/v1/client/devices", object{"mac": "02:00:00:00:00:01", "name": "door"}, &device)

	one := root + "/plans/" + plan.ID.String()
	var receiver blehttp.Receiver
	c.Want(201, "POST", one+"/receivers", object{"device_id": device.ID, "x": 1.5, "y": 2, "z": 0, "rotation": 45}, &receiver)
	if receiver.Z != 0 || receiver.Number != device.Number || receiver.Name != "door" || receiver.Rotation != 45 {
		t.Errorf("got %+v", receiver)
	}
	c.Want(200, "PUT", one+"/receivers/"+receiver.ID.String(), object{"device_id": device.ID, "x": 9, "y": 2}, &receiver)
	if receiver.X != 9 || receiver.Z != 2.5 {
		t.Errorf("got %+v", receiver)
	}
	var zone blehttp.Zone
	c.Want(201, "POST", one+"/zones", object{"name": "Canteen", "polygon": [][2]float64{{0, 0}, {5, 0}, {5, 5}}}, &zone)
	c.Want(200, "PUT", one+"/zones/"+zone.ID.String(), object{"name": "Столовая", "color": "#FF9800", "polygon": [][2]float64{{0, 0}, {6, 0}, {6, 6}}}, &zone)
	if zone.Number != 1 || zone.Color != "#FF9800" || zone.Polygon[1][0] != 6 {
		t.Errorf("got %+v", zone)
	}

	var drawing blehttp.Drawing
	c.Want(200, "GET", one, nil, &drawing)
	if len(drawing.Receivers) != 1 || len(drawing.Zones) != 1 || drawing.Version != 5 || drawing.Name != "ground" || drawing.Zones[0].Name != "Столовая" {
		t.Errorf("got %+v", drawing)
	}
	var locations list[corehttp.Location]
	c.Want(200, "GET", "/api/v1/client/locations", nil, &locations)
	if len(locations.Items) != 1 || len(locations.Items[0].Plans) != 1 || locations.Items[0].Plans[0].ID != plan.ID {
		t.Errorf("got %+v", locations)
	}
	var plans list[blehttp.Plan]
	c.Want(200, "GET", root+"/plans?name=ground&location_id="+location.ID.String(), nil, &plans)
	if len(plans.Items) != 1 {
		t.Errorf("got %+v", plans)
	}
	c.Refuse(409, "PATCH", "/api/v1/client/devices/"+device.ID.String(), object{"location_id": ""})
	c.Want(204, "DELETE", one+"/receivers/"+receiver.ID.String(), nil, nil)
	c.Want(204, "DELETE", one+"/zones/"+zone.ID.String(), nil, nil)
	c.Refuse(404, "DELETE", one+"/zones/"+zone.ID.String(), nil)
	c.Want(200, "PATCH", "/api/v1/client/devices/"+device.ID.String(), object{"location_id": ""}, nil)
}

// A plan is put right, gets areas that nobody can be in and sub-zones, and goes.
func TestCorrectAPlan(t *testing.T) {
	s := start(t)
	o := postgrestest.Organisation(t, s.DB, "o", "ble")
	hall := postgrestest.Location(t, s.DB, o, "hall")
	s.Account(o, "owner@example.com", "owner")
	c := s.Login("owner@example.com")
	shaft := [][2]float64{{1, 1}, {2, 1}, {2, 2}}
	var plan blehttp.Plan
	c.Want(201, "POST", root+"/plans", object{"location_id": hall.ID, "name": "p", "bounds": bounds(9, 9), "no_go": []any{shaft}}, &plan)
	if len(plan.NoGo) != 1 || plan.ZonesBy != "position" {
		t.Errorf("got %+v", plan)
	}
	one := root + "/plans/" + plan.ID.String()
	c.Want(200, "PATCH", one, object{"name": "q", "bounds": bounds(20, 9), "zones_by": "examples"}, &plan)
	if plan.Name != "q" || plan.Bounds.Max.X != 20 || plan.ZonesBy != "examples" || len(plan.NoGo) != 1 || plan.TagHeightM != 1.2 {
		t.Errorf("got %+v", plan)
	}
	c.Want(200, "PATCH", one, object{"no_go": []any{}}, &plan)
	if len(plan.NoGo) != 0 {
		t.Errorf("got %+v", plan)
	}
	p := c.Refuse(400, "PATCH", one, object{"no_go": []any{shaft, [][2]float64{{0, 0}, {4, 4}, {4, 0}, {0, 4}}}})
	if len(p.Errors) != 1 || p.Errors[0].Field != "no_go[1]" || p.Errors[0].Value == nil {
		t.Errorf("got %+v", p)
	}
	c.Refuse(400, "PATCH", one, object{"zones_by": "stars"})
	c.Refuse(400, "PATCH", one, object{"version": 3})

	var parent, part blehttp.Zone
	c.Want(201, "POST", one+"/zones", object{"name": "hall", "polygon": [][2]float64{{0, 0}, {5, 0}, {5, 5}, {0, 5}}}, &parent)
	c.Want(201, "POST", one+"/zones", object{"name": "bar", "parent_id": parent.ID, "polygon": [][2]float64{{0, 0}, {2, 0}, {2, 2}}}, &part)
	if part.Parent != parent.ID || !parent.Parent.IsZero() {
		t.Errorf("got %+v", part)
	}
	c.Want(200, "PUT", one+"/zones/"+part.ID.String(), object{"name": "bar", "polygon": [][2]float64{{0, 0}, {3, 0}, {3, 3}}}, &part)
	if part.Parent != parent.ID {
		t.Errorf("a change of the shape took the parent away: %+v", part)
	}
	c.Refuse(409, "DELETE", one+"/zones/"+parent.ID.String(), nil)
	c.Want(200, "PUT", one+"/zones/"+part.ID.String(), object{"name": "bar", "parent_id": "", "polygon": [][2]float64{{0, 0}, {3, 0}, {3, 3}}}, &part)
	c.Want(204, "DELETE", one+"/zones/"+parent.ID.String(), nil, nil)
	c.Want(204, "DELETE", one, nil, nil)
	c.Refuse(404, "DELETE", one, nil)
	c.Refuse(404, "PATCH", one, object{"name": "r"})
}

// A survey of the largest size comes in one request, is read page by page and
// goes again.
func TestSurvey(t *testing.T) {
	s := start(t)
	o := postgrestest.Organisation(t, s.DB, "o", "ble")
	hall := postgrestest.Location(t, s.DB, o, "hall")
	device, _ := postgrestest.Device(t, s.DB, o, "02:00:00:00:00:01")
	s.Account(o, "owner@example.com", "owner")
	c := s.Login("owner@example.com")
	var plan blehttp.Plan
	c.Want(201, "POST", root+"/plans", object{"location_id": hall.ID, "name": "p", "bounds": bounds(90, 90)}, &plan)
	one := root + "/plans/" + plan.ID.String()
	c.Want(201, "POST", one+"/receivers", object{"device_id": device.ID, "x": 1.5, "y": 2}, nil)

	readings := make([]object, 10_000)
	for i := range readings {
		readings[i] = object{"x": float64(i%900) / 10, "y": float64(i/900) + 0.25, "device_id": device.ID, "rssi_dbm": -60.25}
	}
	var survey blehttp.Survey
	c.Want(201, "POST", one+"/survey", object{"name": "with a phone", "readings": readings}, &survey)
	c.Want(200, "POST", one+"/survey/"+survey.ID.String(), object{"readings": readings[:1]}, &survey)
	if survey.Readings != 10_001 || survey.Name != "with a phone" {
		t.Errorf("got %+v", survey)
	}
	var page list[blehttp.Reading]
	c.Want(200, "GET", one+"/survey/"+survey.ID.String()+"?limit=200", nil, &page)
	if len(page.Items) != 200 || page.Items[199].X != 19.9 || page.Items[0].RSSI != -60.25 || page.Next == "" {
		t.Errorf("got %d readings, %+v", len(page.Items), page.Items[0])
	}
	c.Want(200, "GET", one+"/survey/"+survey.ID.String()+"?limit=200&cursor="+page.Next, nil, &page)
	if len(page.Items) != 200 || page.Items[0].Number != 201 {
		t.Errorf("the next page begins with %+v", page.Items[0])
	}
	p := c.Refuse(400, "POST", one+"/survey", object{"name": "x", "readings": []any{object{"x": 1, "y": 1, "device_id": device.ID, "rssi_dbm": -200}}})
	if len(p.Errors) != 1 || p.Errors[0].Field != "readings[0].rssi_dbm" {
		t.Errorf("got %+v", p)
	}
	p = c.Refuse(400, "POST", one+"/survey", object{"name": "x", "readings": []any{object{"x": 91, "y": 1, "device_id": device.ID, "rssi_dbm": -20}}})
	if len(p.Errors) != 1 || p.Errors[0].Field != "readings[0]" {
		t.Errorf("got %+v", p)
	}
	c.Refuse(400, "POST", one+"/survey", object{"name": "x", "readings": []any{}})
	c.Refuse(400, "POST", one+"/survey", object{"name": "x", "readings": []any{object{"x": 1, "y": 1, "rssi_dbm": -20}}})
	var surveys list[blehttp.Survey]
	c.Want(200, "GET", one+"/survey", nil, &surveys)
	if len(surveys.Items) != 1 || surveys.Items[0] != survey {
		t.Errorf("got %+v", surveys)
	}
	c.Want(204, "DELETE", one+"/survey/"+survey.ID.String(), nil, nil)
	c.Refuse(404, "GET", one+"/survey/"+survey.ID.String(), nil)
	c.Want(204, "DELETE", one+"/survey", nil, nil)
}

// The problem of a self-crossing polygon names the crossing for the editor.
func TestCrossingIsShown(t *testing.T) {
	s := start(t)
	o := postgrestest.Organisation(t, s.DB, "o", "ble")
	hall := postgrestest.Location(t, s.DB, o, "hall")
	c := s.Acting(o)
	var plan blehttp.Plan
	c.Want(201, "POST", root+"/plans", object{"location_id": hall.ID, "name": "p", "bounds": bounds(9, 9)}, &plan)
	p := c.Refuse(400, "POST", root+"/plans/"+plan.ID.String()+"/zones", object{"name": "z", "polygon": [][2]float64{{0, 0}, {4, 4}, {4, 0}, {0, 4}}})
	if len(p.Errors) != 1 || p.Errors[0].Field != "polygon" {
		t.Fatalf("got %+v", p)
	}
	text, err := json.Marshal(p.Errors[0].Value)
	if err != nil || string(text) != `{"at":[2,2],"edges":[0,2]}` {
		t.Errorf("got %s, %v", text, err)
	}
	for _, bad := range []any{[][]float64{{0, 0}, {1, 1}, {2}}, [][]float64{{0, 0}, {1, 1}, {2, 0, 3}}, [][2]float64{{0, 0}, {1, 1}}, "x", nil} {
		c.Refuse(400, "POST", root+"/plans/"+plan.ID.String()+"/zones", object{"name": "z", "polygon": bad})
	}
}

func TestTags(t *testing.T) {
	s := start(t)
	o := postgrestest.Organisation(t, s.DB, "o", "ble")
	s.Account(o, "operator@example.com", "operator")
	c := s.Login("operator@example.com")
	transmitter := "ibeacon:01890a5d-ac96-774b-bcce-b302099a8057/1/2"
	var tag blehttp.Tag
	c.Want(201, "POST", root+"/tags", object{"transmitter": "ibeacon:01890A5D-AC96-774B-BCCE-B302099A8057/1/2", "type": "person", "name": "Мария"}, &tag)
	if tag.Transmitter.String() != transmitter || tag.OrganisationID != o.ID {
		t.Errorf("got %+v", tag)
	}
	c.Refuse(409, "POST", root+"/tags", object{"transmitter": transmitter, "type": "asset", "name": "x"})
	p := c.Refuse(400, "POST", root+"/tags", object{"transmitter": "ibeacon:7", "type": "asset", "name": "x"})
	if len(p.Errors) != 1 || p.Errors[0].Field != "transmitter" {
		t.Errorf("got %+v", p)
	}
	c.Refuse(400, "POST", root+"/tags", object{"transmitter": transmitter, "type": "ghost", "name": "x"})
	for query, want := range map[string]int{
		"": 1, "?transmitter=" + transmitter: 1, "?name=%D0%BC%D0%B0%D1%80": 1, "?type=asset": 0, "?type=person": 1,
		"?transmitter=mac:aa:bb:cc:dd:ee:ff": 0,
	} {
		var found list[blehttp.Tag]
		c.Want(200, "GET", root+"/tags"+query, nil, &found)
		if len(found.Items) != want {
			t.Errorf("%s: got %d tags, want %d", query, len(found.Items), want)
		}
	}
	c.Refuse(400, "GET", root+"/tags?type=ghost", nil)
	c.Refuse(400, "GET", root+"/tags?transmitter=x", nil)
}

// A product that is off is not there, for its organisation.
func TestProductSwitchedOff(t *testing.T) {
	s := start(t)
	off := postgrestest.Organisation(t, s.DB, "off", "wifi")
	s.Account(off, "owner@example.com", "owner")
	c := s.Login("owner@example.com")
	c.Refuse(404, "GET", root+"/plans", nil)
	c.Refuse(404, "GET", root+"/tags", nil)
	c.Refuse(404, "POST", root+"/tags", object{"transmitter": "mac:aa:bb:cc:dd:ee:ff", "type": "asset", "name": "x"})
	c.Refuse(404, "GET", root+"/plans/"+schema.NewID[schema.PlanID]().String(), nil)
	s.Login(shelltest.AdminEmail).Want(200, "GET", root+"/plans", nil, nil)
}

func TestViewersLookOnly(t *testing.T) {
	s := start(t)
	o := postgrestest.Organisation(t, s.DB, "o", "ble")
	hall := postgrestest.Location(t, s.DB, o, "hall")
	s.Account(o, "viewer@example.com", "viewer")
	c := s.Login("viewer@example.com")
	c.Want(200, "GET", root+"/plans", nil, nil)
	c.Refuse(403, "POST", root+"/plans", object{"location_id": hall.ID, "name": "p", "bounds": bounds(9, 9)})
	c.Refuse(403, "POST", root+"/tags", object{"transmitter": "mac:aa:bb:cc:dd:ee:ff", "type": "asset", "name": "x"})
}

var _ corehttp.Placed = (*ble.Module)(nil)
