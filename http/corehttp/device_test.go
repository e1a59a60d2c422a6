package corehttp_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"mybeacon/engine/store/postgres/postgrestest"
	"mybeacon/http/corehttp"
	"mybeacon/http/shelltest"
	"mybeacon/schema"
)

func TestDevices(t *testing.T) {
	s, at := start(t)
	o := postgrestest.Organisation(t, s.DB, "o")
	hall, yard := postgrestest.Location(t, s.DB, o, "hall"), postgrestest.Location(t, s.DB, o, "yard")
	c := s.Acting(o)
	var made corehttp.Device
	c.Want(201, "POST", devices, map[string]any{"organisation_id": o.ID, "location_id": hall.ID, "mac": "02-00-5E-10-00-01", "name": "door"}, &made)
	if made.Number != 1 || made.MAC != "02:00:5e:10:00:01" || made.Clock != "device" || made.Status != "never" || made.LastSeen != nil || !strings.HasPrefix(made.Token, "mbd_") {
		t.Errorf("got %+v", made)
	}
	if bound, err := s.DB.DeviceByToken(t.Context(), made.Token); err != nil || bound.ID != made.ID {
		t.Errorf("the token opens %+v, %v", bound, err)
	}
	one := devices + "/" + made.ID.String()
	var turned corehttp.Device
	c.Want(200, "POST", one+"/token", nil, &turned)
	if turned.Token == made.Token || !strings.HasPrefix(turned.Token, "mbd_") {
		t.Errorf("got %+v", turned)
	}
	if _, err := s.DB.DeviceByToken(t.Context(), made.Token); schema.KindOf(err) != schema.Unauthorized || err == nil {
		t.Errorf("the old token: %v", err)
	}
	seen := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	at.online[made.ID] = seen
	var found list[corehttp.Device]
	for _, filter := range []string{"number=1", "mac=02005e100001", "mac=02%3A00%3A5e%3A10%3A00%3A01", "location_id=" + hall.ID.String()} {
		c.Want(200, "GET", devices+"?"+filter, nil, &found)
		if len(found.Items) != 1 || found.Items[0].Status != "online" || !found.Items[0].LastSeen.Equal(seen) || found.Items[0].Token != "" {
			t.Errorf("%s: got %+v", filter, found)
		}
	}
	c.Refuse(409, "POST", devices, map[string]any{"organisation_id": o.ID, "mac": made.MAC})
	c.Refuse(400, "POST", devices, map[string]any{"organisation_id": o.ID, "mac": "nonsense"})
	c.Refuse(400, "POST", devices, map[string]any{"organisation_id": o.ID, "mac": "02:00:5e:10:00:02", "clock": "sundial"})

	var changed corehttp.Device
	c.Want(200, "PATCH", one, map[string]any{"name": "gate", "location_id": yard.ID, "clock": "source"}, &changed)
	if changed.Name != "gate" || changed.LocationID != yard.ID || changed.Clock != "source" || changed.Token != "" {
		t.Errorf("got %+v", changed)
	}
	c.Want(200, "PATCH", one, map[string]any{}, &changed)
	if changed.Name != "gate" || changed.LocationID != yard.ID {
		t.Errorf("an empty patch changed %+v", changed)
	}
	at.hangs = made.ID
	c.Refuse(409, "PATCH", one, map[string]any{"location_id": hall.ID})
	c.Want(200, "PATCH", one, map[string]any{"location_id": yard.ID}, nil)
	at.hangs = schema.DeviceID{}
	c.Want(200, "PATCH", one, map[string]any{"location_id": ""}, &changed)
	if !changed.LocationID.IsZero() {
		t.Errorf("got %+v", changed)
	}
	c.Refuse(404, "PATCH", one, map[string]any{"location_id": schema.NewID[schema.LocationID]()})
	c.Refuse(404, "PATCH", one, map[string]any{"location_id": "7"})
	if at.changes.Load() != 6 {
		t.Errorf("%d changes were announced, want 6", at.changes.Load())
	}
}

// A table that goes out and in again changes nothing, whatever the names look like.
func TestDeviceTablesGoRound(t *testing.T) {
	s, _ := start(t)
	o := postgrestest.Organisation(t, s.DB, "o")
	postgrestest.Location(t, s.DB, o, "=HYPERLINK(1)")
	s.Account(o, "owner@example.com", "owner")
	c := s.Login("owner@example.com")
	names := []string{"door", "=1+1", "'=quoted", "''-twice", "'plain", "-5", "+7", "@home", "semi;colon", `a "quote", comma`, "Ворота"}
	table := "\ufeffMAC,Name,Location,unknown\r\n"
	for i, name := range names {
		table += fmt.Sprintf("02:00:00:00:01:%02x,%s,%s,x\r\n", i, `"`+strings.ReplaceAll(escaped(name), `"`, `""`)+`"`, "'=HYPERLINK(1)")
	}
	send := func(query, table string) (out struct {
		Rows             []corehttp.ImportRow
		Created, Changed int
	}) {
		t.Helper()
		r := c.Do("POST", devices+"/import"+query, []byte(table), "Content-Type", "text/csv")
		if r.StatusCode != 200 {
			t.Fatalf("%d %s", r.StatusCode, r.Bytes)
		}
		if err := json.Unmarshal(r.Bytes, &out); err != nil {
			t.Fatal(err)
		}
		for _, row := range out.Rows {
			if !row.OK {
				t.Errorf("line %d: %s", row.Line, row.Problem)
			}
		}
		return out
	}
	if dry := send("?dry_run=true", table); dry.Created != len(names) {
		t.Errorf("a dry run would create %d, want %d", dry.Created, len(names))
	}
	if made := send("", table); made.Created != len(names) || made.Changed != 0 || made.Rows[0].Line != 2 {
		t.Errorf("got %+v", made)
	}
	out := c.Want(200, "GET", devices+".csv", nil, nil)
	rows, err := csv.NewReader(bytes.NewReader(out.Bytes)).ReadAll()
	if err != nil || len(rows) != len(names)+1 || !strings.HasPrefix(out.Header.Get("Content-Type"), "text/csv") {
		t.Fatalf("%d rows, %v, %s", len(rows), err, out.Header)
	}
	for _, row := range rows[1:] {
		for _, cell := range row {
			if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
				t.Errorf("a spreadsheet takes %q for a formula", cell)
			}
		}
	}
	if again := send("", string(out.Bytes)); again.Created != 0 || again.Changed != 0 {
		t.Errorf("its own table changes %+v", again)
	}
	var found list[corehttp.Device]
	c.Want(200, "GET", devices, nil, &found)
	for i, d := range found.Items {
		if d.Name != names[i] || d.Location != "=HYPERLINK(1)" {
			t.Errorf("%q at %q, want %q", d.Name, d.Location, names[i])
		}
	}
	for _, bad := range []string{"", "name,location\r\nx,y\r\n", "mac\r\n\"02:00"} {
		if r := c.Do("POST", devices+"/import", []byte(bad), "Content-Type", "text/csv"); r.StatusCode != 400 {
			t.Errorf("%q: %d %s", bad, r.StatusCode, r.Bytes)
		}
	}
	r := c.Do("POST", devices+"/import", []byte("mac;clock\nnonsense;device\n02:00:00:00:01:00;sundial\n02:00:00:00:01:01;source\n"), "Content-Type", "text/csv")
	var mixed struct {
		Rows    []corehttp.ImportRow
		Changed int
	}
	if err := json.Unmarshal(r.Bytes, &mixed); err != nil || mixed.Changed != 1 || len(mixed.Rows) != 3 || mixed.Rows[0].OK || mixed.Rows[1].OK || !mixed.Rows[2].OK ||
		!strings.Contains(mixed.Rows[0].Problem, "mac") || !strings.Contains(mixed.Rows[1].Problem, "sundial") {
		t.Errorf("%v, %s", err, r.Bytes)
	}
}

// escaped is how the test writes what a spreadsheet would take for a formula.
func escaped(name string) string {
	if strings.ContainsRune("=+-@", rune(strings.TrimLeft(name, "'")[0])) {
		return "'" + name
	}
	return name
}

// What a role has no right to is refused, and another organisation's device is not there.
func TestDeviceRights(t *testing.T) {
	s, _ := start(t)
	o, other := postgrestest.Organisation(t, s.DB, "o"), postgrestest.Organisation(t, s.DB, "other")
	d, _ := postgrestest.Device(t, s.DB, o, "02:00:00:00:00:01")
	foreign, _ := postgrestest.Device(t, s.DB, other, "02:00:00:00:00:02")
	s.Account(o, "owner@example.com", "owner")
	s.Account(o, "manager@example.com", "manager")
	owner, manager := s.Login("owner@example.com"), s.Login("manager@example.com")
	one, theirs := devices+"/"+d.ID.String(), devices+"/"+foreign.ID.String()
	ids := map[string]any{"ids": []schema.DeviceID{d.ID, foreign.ID}, "change": map[string]any{"modules": map[string]bool{"ble": false}}}
	manager.Want(200, "GET", one, nil, nil)
	manager.Want(200, "GET", devices+".csv", nil, nil)
	manager.Refuse(403, "PATCH", one, map[string]any{"name": "x"})
	manager.Refuse(403, "PUT", one+"/config", map[string]any{})
	manager.Refuse(403, "POST", devices+"/bulk", ids)
	owner.Refuse(404, "GET", theirs, nil)
	owner.Refuse(404, "GET", theirs+"/bindings", nil)
	owner.Refuse(404, "PUT", theirs+"/config", map[string]any{})
	owner.Refuse(403, "POST", "/api/v1/admin/devices/"+d.ID.String()+"/unbind", nil)
	owner.Refuse(403, "GET", "/api/v1/admin/devices", nil)
	s.Nobody().Refuse(401, "GET", devices, nil)

	var bulk struct{ Results []corehttp.BulkResult }
	owner.Want(200, "POST", devices+"/bulk", ids, &bulk)
	if len(bulk.Results) != 2 || !bulk.Results[0].OK || bulk.Results[1].OK || bulk.Results[1].Problem == "" {
		t.Errorf("got %+v", bulk)
	}
	var status struct{ Items []corehttp.DeviceStatus }
	owner.Want(200, "GET", devices+"/status?ids="+d.ID.String()+","+foreign.ID.String(), nil, &status)
	if len(status.Items) != 1 || status.Items[0].ID != d.ID || status.Items[0].Status != "never" || status.Items[0].Config.Version != 2 {
		t.Errorf("got %+v", status)
	}
	owner.Refuse(400, "GET", devices+"/status?ids=7", nil)
	owner.Refuse(400, "PUT", one+"/config", map[string]any{"modules": map[string]any{"toaster": map[string]any{}}})
	owner.Refuse(400, "PATCH", one, map[string]any{"modules": map[string]bool{"toaster": true}})
}

// Whoever guesses gets slower, and others do not.
func TestEnrolmentOverHTTP(t *testing.T) {
	s, at := start(t)
	o := postgrestest.Organisation(t, s.DB, "o")
	admin, box := s.Login(shelltest.AdminEmail), s.Nobody()
	var claims struct{ Items []corehttp.DeviceClaim }
	admin.Want(201, "POST", "/api/v1/admin/devices/claims", map[string]any{"count": 2, "organisation_id": o.ID}, &claims)
	before := at.changes.Load()
	var in struct {
		Number int64
		Bound  bool
		Token  string
	}
	typed := strings.ToLower(strings.ReplaceAll(claims.Items[0].Code, "-", " "))
	box.Want(200, "POST", "/api/v1/device/enrol", map[string]any{"mac": "02-00-00-00-00-01", "claim_code": typed}, &in)
	if !in.Bound || in.Number != 1 || at.changes.Load() == before {
		t.Errorf("got %+v", in)
	}
	box.Bearer = in.Token
	first := box.Want(200, "GET", "/api/v1/device/config", nil, nil)
	if r := box.Do("GET", "/api/v1/device/config", nil, "If-None-Match", first.Header.Get("ETag")); r.StatusCode != 304 || first.Header.Get("Mybeacon-Config-Version") != "1" {
		t.Errorf("%d, %v", r.StatusCode, first.Header)
	}
	box.Want(204, "POST", "/api/v1/device/report", map[string]any{"version": "edge 3", "config_version": 1, "health": map[string]any{"queue": 3, "cpu": 0.5, "memory": 0.5}}, nil)
	box.Refuse(400, "POST", "/api/v1/device/report", map[string]any{"health": map[string]any{"queue": 3, "cpu": 5, "memory": 0.5}})
	var found list[corehttp.Device]
	admin.Want(200, "GET", "/api/v1/admin/devices?query=%231", nil, &found)
	if len(found.Items) != 1 || found.Items[0].Version != "edge 3" || found.Items[0].Config.Running != 1 || *found.Items[0].Health.Queue != 3 {
		t.Errorf("got %+v", found)
	}
	box.Bearer = ""
	box.Refuse(401, "GET", "/api/v1/device/config", nil)
	for _, bad := range []map[string]any{
		{"mac": "02:00:00:00:00:03"}, {"mac": "x", "claim_code": "y"}, {"mac": "02:00:00:00:00:03", "public_key": "AAAA"},
		{"mac": "02:00:00:00:00:03", "claim_code": claims.Items[1].Code, "version": "a\nb"},
	} {
		box.Refuse(400, "POST", "/api/v1/device/enrol", bad)
	}
	tries := 0
	for ; tries < 400; tries++ {
		r := box.Do("POST", "/api/v1/device/enrol", map[string]any{"mac": "02:00:00:00:00:03", "claim_code": "2222-2222-2222"})
		if r.StatusCode == 429 {
			if r.Header.Get("Retry-After") == "" {
				t.Error("nobody says when to come again")
			}
			break
		}
	}
	if tries == 400 {
		t.Error("400 tries at once were let through")
	}
}
