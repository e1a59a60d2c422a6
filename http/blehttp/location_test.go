package blehttp_test

import (
	"strconv"
	"testing"

	"mybeacon/http/blehttp"
	"mybeacon/http/corehttp"
	"mybeacon/schema"
)

func TestLocations(t *testing.T) {
	s := start(t)
	w, other := settle(t, s, "o"), settle(t, s, "p")
	path := "/api/v1/client/locations/" + w.location.ID.String()
	var l corehttp.Location
	w.Want(200, "PATCH", path, object{"name": "Склад", "address": "Ленина, 1", "time_zone": "Europe/Moscow"}, &l)
	w.Want(200, "GET", path, nil, &l)
	if l.Name != "Склад" || l.Address != "Ленина, 1" || l.TimeZone != "Europe/Moscow" || len(l.Plans) != 1 {
		t.Errorf("got %+v", l)
	}
	w.Refuse(400, "PATCH", path, object{"time_zone": "Europe/Nowhere"})
	w.Refuse(400, "PATCH", path, object{"name": ""})
	for _, method := range []string{"GET", "PATCH", "DELETE"} {
		var body any
		if method == "PATCH" {
			body = object{"name": "mine"}
		}
		other.Refuse(404, method, path, body)
	}
	d := w.device(t, "02:00:00:00:00:01")
	w.Want(201, "POST", w.path+"/receivers", object{"device_id": d.ID, "x": 1, "y": 1}, nil)
	var sites list[blehttp.Site]
	w.Want(200, "GET", root+"/locations", nil, &sites)
	if len(sites.Items) != 1 {
		t.Fatalf("got %+v", sites)
	}
	if at := sites.Items[0]; !at.Write || at.Name != "Склад" || at.Receivers != 1 || at.ReceiversOnline != 0 || len(at.Plans) != 1 {
		t.Errorf("got %+v", at)
	}
	s.Account(w.org, "manager@example.com", "manager")
	s.Login("manager@example.com").Want(200, "GET", root+"/locations", nil, &sites)
	if sites.Items[0].Write {
		t.Error("a manager may not write")
	}
}

// A location goes with its plans only when that is asked for; its devices stay.
func TestRemoveLocation(t *testing.T) {
	w := settle(t, start(t), "o")
	d := w.device(t, "02:00:00:00:00:01")
	w.Want(201, "POST", w.path+"/receivers", object{"device_id": d.ID, "x": 1, "y": 1}, nil)
	path := "/api/v1/client/locations/" + w.location.ID.String()
	if p := w.Refuse(409, "DELETE", path, nil); len(p.Errors) != 1 || p.Errors[0].Field != "with" {
		t.Errorf("got %+v", p)
	}
	w.Refuse(400, "DELETE", path+"?with=everything", nil)
	w.Want(204, "DELETE", path+"?with=plans", nil, nil)
	w.Refuse(404, "GET", path, nil)
	w.Refuse(404, "GET", w.path, nil)
	var left corehttp.Device
	w.Want(200, "GET", "/api/v1/client/devices/"+d.ID.String(), nil, &left)
	if left.LocationID != (schema.LocationID{}) || left.OrganisationID != w.org.ID {
		t.Errorf("got %+v", left)
	}
	var bindings struct{ Items []corehttp.DeviceBinding }
	w.Want(200, "GET", "/api/v1/client/devices/"+d.ID.String()+"/bindings", nil, &bindings)
	if len(bindings.Items) != 2 || bindings.Items[0].LocationID != (schema.LocationID{}) || bindings.Items[1].To == nil || !bindings.Items[1].To.Equal(bindings.Items[0].From) {
		t.Errorf("bound %+v", bindings.Items)
	}
	var rows int
	const count = `SELECT (SELECT count(*) FROM ble_plan_version) + (SELECT count(*) FROM ble_receiver) + (SELECT count(*) FROM ble_zone)`
	if err := w.server.DB.Pool().QueryRow(t.Context(), count).Scan(&rows); err != nil || rows != 0 {
		t.Errorf("%d rows are left of the plan, %v", rows, err)
	}
}

func TestLists(t *testing.T) {
	s := start(t)
	w, other := settle(t, s, "o"), settle(t, s, "p")
	a, b := w.device(t, "02:00:00:00:00:01"), w.device(t, "02:00:00:00:ab:cd")
	for i, d := range []corehttp.Device{a, b} {
		w.Want(201, "POST", w.path+"/receivers", object{"device_id": d.ID, "x": i, "y": 1, "gain_db": i}, nil)
		w.Want(201, "POST", w.path+"/zones", object{"name": []string{"Столовая", "Склад"}[i], "polygon": [][2]int{{0, 0}, {4, 0}, {4, 4}}}, nil)
	}
	count := func(c *site, query string, want int) {
		t.Helper()
		var found list[object]
		c.Want(200, "GET", root+query, nil, &found)
		if len(found.Items) != want {
			t.Errorf("%s: got %d, want %d", query, len(found.Items), want)
		}
	}
	count(w, "/receivers", 2)
	count(w, "/receivers?plan="+w.plan.ID.String()+"&location="+w.location.ID.String(), 2)
	count(w, "/receivers?query=AB:CD", 1)
	count(w, "/receivers?query=%23"+strconv.FormatInt(a.Number, 10), 1)
	count(w, "/receivers?query=%25", 0)
	count(w, "/receivers?status=online", 0)
	count(w, "/receivers?status=offline", 2)
	count(w, "/zones?name="+"%D0%BA%D0%BB%D0%B0%D0%B4", 1) // a part of the second
	count(w, "/zones?location="+w.location.ID.String(), 2)
	count(other, "/receivers", 0)
	count(other, "/zones?plan="+w.plan.ID.String(), 0)
	w.Refuse(400, "GET", root+"/zones?colour=red", nil)
	var page list[blehttp.HungReceiver]
	w.Want(200, "GET", root+"/receivers?limit=1", nil, &page)
	first := page.Items[0]
	w.Want(200, "GET", root+"/receivers?limit=1&cursor="+page.Next, nil, &page)
	if first.Number != a.Number || page.Items[0].Number != b.Number || page.Items[0].MAC != "02:00:00:00:ab:cd" || page.Items[0].GainDB != 1 || page.Items[0].LastSeen != nil {
		t.Errorf("got %+v and %+v", first, page.Items)
	}
}

// A device of a location that one may not change cannot be hung up elsewhere.
func TestDeviceOfAnotherLocation(t *testing.T) {
	s := start(t)
	w := settle(t, s, "o")
	var there corehttp.Location
	w.Want(201, "POST", "/api/v1/client/locations", object{"name": "there"}, &there)
	theirs := w.device(t, "02:00:00:00:00:01")
	w.Want(200, "PATCH", "/api/v1/client/devices/"+theirs.ID.String(), object{"location_id": there.ID}, nil)
	ours := w.device(t, "02:00:00:00:00:02")
	var free corehttp.Device
	w.Want(201, "POST", "/api/v1/client/devices", object{"mac": "02:00:00:00:00:03"}, &free)
	operator := s.Account(w.org, "operator@example.com", "operator")
	grant := func(location schema.LocationID, write bool) {
		t.Helper()
		const insert = `INSERT INTO account_location (org, account, location, write) VALUES ($1, $2, $3, $4)`
		if _, err := s.DB.Pool().Exec(t.Context(), insert, w.org.ID, operator.ID, location, write); err != nil {
			t.Fatal(err)
		}
	}
	grant(w.location.ID, true)
	grant(there.ID, false)
	c := s.Login("operator@example.com")
	at := func(d corehttp.Device) object { return object{"device_id": d.ID, "x": 1, "y": 1} }
	var r blehttp.Receiver
	c.Want(201, "POST", w.path+"/receivers", at(ours), &r)
	c.Refuse(403, "POST", w.path+"/receivers", at(theirs))
	c.Refuse(403, "PUT", w.path+"/receivers/"+r.ID.String(), at(theirs))
	c.Refuse(404, "POST", w.path+"/receivers", at(free)) // at no location: hidden from who sees some
	w.Refuse(409, "POST", w.path+"/receivers", at(theirs))
}
