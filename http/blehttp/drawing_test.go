package blehttp_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mybeacon/engine/store/postgres"
	"mybeacon/engine/store/postgres/postgrestest"
	"mybeacon/http/blehttp"
	"mybeacon/http/corehttp"
	"mybeacon/http/shelltest"
)

// site is an organisation's owner with one plan of 40 x 25 m.
type site struct {
	*shelltest.Client
	server   *shelltest.Server
	org      postgres.Organisation
	location corehttp.Location
	plan     blehttp.Plan
	path     string // of the plan
}

func settle(t *testing.T, s *shelltest.Server, name string) *site {
	t.Helper()
	w := &site{server: s, org: postgrestest.Organisation(t, s.DB, name, "ble")}
	s.Account(w.org, name+"@example.com", "owner")
	w.Client = s.Login(name + "@example.com")
	w.Want(201, "POST", "/api/v1/client/locations", object{"name": "hall"}, &w.location)
	w.Want(201, "POST", root+"/plans", object{"location_id": w.location.ID, "name": "ground", "bounds": bounds(40, 25)}, &w.plan)
	w.path = root + "/plans/" + w.plan.ID.String()
	return w
}

func (w *site) device(t *testing.T, mac string) corehttp.Device {
	t.Helper()
	var d corehttp.Device
	w.Want(201, "POST", "/api/v1/client/devices", object{"mac": mac, "location_id": w.location.ID}, &d)
	return d
}

// age makes all versions of the plan older, so that the next edit is not folded into
// them.
func (w *site) age(t *testing.T, by time.Duration) {
	t.Helper()
	if _, err := w.server.DB.Pool().Exec(t.Context(), `UPDATE ble_plan_version SET at = at - $2::interval WHERE plan = $1`, w.plan.ID, by); err != nil {
		t.Fatal(err)
	}
}

func sketch(x float64) object {
	return object{
		"walls": [][][2]float64{{{0, 0}, {x, 0}}}, "doors": [][][2]float64{{{1, 0}, {2, 0}}}, "no_go": [][][2]float64{{{30, 20}, {32, 20}, {32, 22}}},
		"rooms":  []object{{"polygon": [][2]float64{{0, 0}, {5, 0}, {5, 5}}, "color": "#F5EFE0", "label": "Касса"}},
		"labels": []object{{"x": 3, "y": 4, "text": "</text><script>alert(1)</script>", "size_m": 0.5}},
	}
}

// The same drawing twice is one version, also when the answer to the first was lost
// and its sender still names the version before.
func TestDrawingIsSavedOnce(t *testing.T) {
	w := settle(t, start(t), "o")
	first := w.Do("GET", w.path, nil).Header.Get("ETag")
	saved := w.Do("PUT", w.path+"/drawing", sketch(10), "If-Match", first)
	again := w.Do("PUT", w.path+"/drawing", sketch(10), "If-Match", first)
	if saved.StatusCode != 200 || again.StatusCode != 200 || saved.Header.Get("ETag") != again.Header.Get("ETag") || saved.Header.Get("ETag") == "" {
		t.Fatalf("got %d %s and %d %s", saved.StatusCode, saved.Header.Get("ETag"), again.StatusCode, again.Header.Get("ETag"))
	}
	var d blehttp.Drawing
	w.Want(200, "GET", w.path, nil, &d)
	if d.Version != 2 || len(d.Sketch.Rooms) != 1 || d.Sketch.Rooms[0].Label != "Касса" || len(d.Sketch.Doors) != 1 || len(d.Walls) != 1 || len(d.NoGo) != 1 {
		t.Errorf("got %+v", d)
	}
	// The tag of the answer is good for the next change.
	if r := w.Do("PUT", w.path+"/drawing", sketch(11), "If-Match", again.Header.Get("ETag")); r.StatusCode != 200 {
		t.Errorf("got %d %s", r.StatusCode, r.Bytes)
	}
}

// Who saves on top of what he has not seen is told who was first, and nothing is lost.
func TestDrawingConflict(t *testing.T) {
	s := start(t)
	w := settle(t, s, "o")
	s.Account(w.org, "maria@example.com", "admin")
	maria := s.Login("maria@example.com")
	read := w.Do("GET", w.path, nil).Header.Get("ETag")
	var zone blehttp.Zone
	maria.Want(201, "POST", w.path+"/zones", object{"name": "z", "polygon": [][2]int{{0, 0}, {4, 0}, {4, 4}}}, &zone)
	r := w.Do("PUT", w.path+"/drawing", sketch(10), "If-Match", read)
	p := r.Problem()
	if r.StatusCode != 412 || !strings.Contains(p.Detail, "maria@example.com changed zones") || len(p.Errors) != 1 {
		t.Fatalf("got %d %+v", r.StatusCode, p)
	}
	value, _ := p.Errors[0].Value.(map[string]any)
	if value["by"] != "maria@example.com" || value["version"] != 2.0 {
		t.Errorf("got %v", value)
	}
	for _, call := range []struct{ method, path string }{{"PATCH", ""}, {"DELETE", ""}, {"PUT", "/zones/" + zone.ID.String()}, {"DELETE", "/zones/" + zone.ID.String()}} {
		var body any
		switch call.method {
		case "PATCH":
			body = object{"name": "other"}
		case "PUT":
			body = object{"name": "other", "polygon": [][2]int{{0, 0}, {4, 0}, {4, 4}}}
		}
		if r := w.Do(call.method, w.path+call.path, body, "If-Match", read); r.StatusCode != 412 {
			t.Errorf("%s %s: got %d %s", call.method, call.path, r.StatusCode, r.Bytes)
		}
	}
	var d blehttp.Drawing
	w.Want(200, "GET", w.path, nil, &d)
	if d.Version != 2 || len(d.Zones) != 1 || len(d.Walls) != 0 {
		t.Errorf("got %+v", d)
	}
}

// Edits of one person within a minute are one version; the plan of each time can be
// read later, with its zones and receivers.
func TestVersions(t *testing.T) {
	w := settle(t, start(t), "o")
	polygon := [][2]float64{{0, 0}, {4, 0}, {4, 4}}
	var zone blehttp.Zone
	w.Want(201, "POST", w.path+"/zones", object{"name": "old", "polygon": polygon, "capacity": 3}, &zone)
	w.age(t, 2*time.Hour)
	then := time.Now().Add(-time.Hour)
	w.Want(200, "PUT", w.path+"/drawing", sketch(10), nil)
	w.Want(200, "PUT", w.path+"/drawing", sketch(11), nil)
	polygon[1][0] = 6
	w.Want(200, "PUT", w.path+"/zones/"+zone.ID.String(), object{"name": "new", "polygon": polygon, "capacity": 0}, nil)
	receiver := w.device(t, "02:00:00:00:00:01")
	w.Want(201, "POST", w.path+"/receivers", object{"device_id": receiver.ID, "x": 1, "y": 1, "gain_db": -3}, nil)

	var versions list[blehttp.Version]
	w.Want(200, "GET", w.path+"/versions", nil, &versions)
	var got [][]string
	for _, v := range versions.Items {
		got = append(got, v.What)
		if v.By != "o@example.com" {
			t.Errorf("got %+v", v)
		}
	}
	if diff := cmp.Diff([][]string{{"drawing", "zones", "receivers"}, {"plan", "zones"}}, got); diff != "" {
		t.Error(diff)
	}
	var old, now blehttp.Drawing
	at := "?at=" + then.UTC().Format("2006-01-02T15:04:05Z")
	w.Want(200, "GET", w.path+at, nil, &old)
	w.Want(200, "GET", w.path, nil, &now)
	if len(old.Walls) != 0 || len(old.Receivers) != 0 || old.At == nil || len(old.Zones) != 1 ||
		old.Zones[0].Name != "old" || old.Zones[0].Polygon[1][0] != 4 || *old.Zones[0].Capacity != 3 || old.Zones[0].ID != zone.ID {
		t.Errorf("then it was %+v", old)
	}
	if now.Walls[0][1][0] != 11 || now.Zones[0].Name != "new" || now.Zones[0].Capacity != nil || now.At != nil || len(now.Receivers) != 1 || now.Receivers[0].GainDB != -3 {
		t.Errorf("now it is %+v", now)
	}
	var ancient blehttp.Drawing
	w.Want(200, "GET", w.path+"?at=2020-01-01T00:00:00Z", nil, &ancient)
	if ancient.Version != old.Version {
		t.Errorf("before there were versions it was %+v", ancient)
	}
}

// A moment between edits that are one version does not show what was drawn after it; and
// edits that follow each other without a pause are more than one version in the end.
func TestFoldedEditsHoldFromTheLast(t *testing.T) {
	w := settle(t, start(t), "o")
	w.age(t, 2*time.Hour)
	newest := func() (at time.Time, versions int) {
		const read = `SELECT max(at), count(*) FROM ble_plan_version WHERE plan = $1`
		if err := w.server.DB.Pool().QueryRow(t.Context(), read, w.plan.ID).Scan(&at, &versions); err != nil {
			t.Fatal(err)
		}
		return at, versions
	}
	w.Want(200, "PUT", w.path+"/drawing", sketch(10), nil)
	between, _ := newest()
	w.Want(200, "PUT", w.path+"/drawing", sketch(11), nil)
	last, folded := newest()
	if !between.Before(last) {
		t.Errorf("the version holds from %s, before its last edit", last)
	}
	for at, walls := range map[time.Time]int{between: 0, last: 1} {
		var d blehttp.Drawing
		w.Want(200, "GET", w.path+"?at="+at.UTC().Format(time.RFC3339Nano), nil, &d)
		if len(d.Walls) != walls {
			t.Errorf("at %s (last edit %s) it was %+v, want %d walls", at, last, d, walls)
		}
	}
	if _, err := w.server.DB.Pool().Exec(t.Context(), `UPDATE ble_plan_version SET began = began - interval '2 minutes' WHERE plan = $1`, w.plan.ID); err != nil {
		t.Fatal(err)
	}
	w.Want(200, "PUT", w.path+"/drawing", sketch(12), nil)
	if _, more := newest(); more != folded+1 {
		t.Errorf("%d versions, want %d", more, folded+1)
	}
}

func TestScale(t *testing.T) {
	w := settle(t, start(t), "o")
	d := w.device(t, "02:00:00:00:00:01")
	var r blehttp.Receiver
	w.Want(201, "POST", w.path+"/receivers", object{"device_id": d.ID, "x": 4, "y": 2, "z": 3}, &r)
	w.Want(201, "POST", w.path+"/zones", object{"name": "z", "polygon": [][2]int{{0, 0}, {4, 0}, {4, 4}}}, nil)
	w.Want(200, "PUT", w.path+"/drawing", sketch(10), nil)
	w.Want(201, "POST", w.path+"/survey", object{"name": "s", "readings": []object{{"x": 3, "y": 1, "receiver_id": r.ID, "rssi_dbm": -60}}}, nil)
	w.Want(200, "POST", w.path+"/scale", object{"from": [2]int{0, 0}, "to": [2]int{10, 0}, "metres": 5}, nil)
	var got blehttp.Drawing
	w.Want(200, "GET", w.path, nil, &got)
	if got.Bounds.Max.X != 20 || got.Bounds.Max.Y != 12.5 || got.Walls[0][1][0] != 5 || got.Zones[0].Polygon[2][1] != 2 ||
		got.Receivers[0].X != 2 || got.Receivers[0].Y != 1 || got.Receivers[0].Z != 3 || got.Sketch.Labels[0].SizeM != 0.25 || got.Sketch.Rooms[0].Polygon[1][0] != 2.5 {
		t.Errorf("got %+v", got)
	}
	var surveys list[blehttp.Survey]
	w.Want(200, "GET", w.path+"/survey", nil, &surveys)
	var readings list[blehttp.Reading]
	w.Want(200, "GET", w.path+"/survey/"+surveys.Items[0].ID.String(), nil, &readings)
	if readings.Items[0].X != 1.5 {
		t.Errorf("got %+v", readings)
	}
	for _, body := range []object{{}, {"factor": 0}, {"factor": 2, "metres": 3}, {"from": [2]int{1, 1}, "to": [2]int{1, 1}, "metres": 3}, {"factor": 1e5}} {
		w.Refuse(400, "POST", w.path+"/scale", body)
	}
	w.Refuse(400, "POST", w.path+"/scale", object{"factor": 900}) // 18 km
}

func picture(t *testing.T, w, h int) []byte {
	t.Helper()
	m := image.NewGray(image.Rect(0, 0, w, h))
	m.SetGray(0, 0, color.Gray{200})
	var out bytes.Buffer
	if err := png.Encode(&out, m); err != nil {
		t.Fatal(err)
	}
	return append(out.Bytes(), "<script>alert(1)</script>"...) // a second file behind the first
}

func TestImage(t *testing.T) {
	s := start(t)
	w, other := settle(t, s, "o"), settle(t, s, "p")
	put := func(content []byte) shelltest.Response {
		t.Helper()
		return w.Do("PUT", w.path+"/image", content, "Content-Type", "image/png")
	}
	var p blehttp.Plan
	if r := put(picture(t, 80, 50)); r.StatusCode != 200 {
		t.Fatalf("got %d %s", r.StatusCode, r.Bytes)
	}
	w.Want(200, "PATCH", w.path+"/image", object{"x": 2, "opacity": 0.5, "rotation_deg": 90}, &p)
	if i := p.Image; i == nil || i.WidthPx != 80 || i.HeightPx != 50 || i.MetresPerPx != 0.5 || i.X != 2 || i.Opacity != 0.5 || i.RotationDeg != 90 {
		t.Fatalf("got %+v", p.Image)
	}
	r := w.Do("GET", p.Image.URL, nil)
	h := r.Header
	if r.StatusCode != 200 || h.Get("Content-Type") != "image/png" || h.Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(h.Get("Content-Security-Policy"), "sandbox") {
		t.Errorf("got %d %v", r.StatusCode, h)
	}
	if bytes.Contains(r.Bytes, []byte("script")) {
		t.Error("what came behind the picture is in it")
	}
	if again := w.Do("GET", p.Image.URL, nil, "If-None-Match", h.Get("ETag")); again.StatusCode != http.StatusNotModified {
		t.Errorf("got %d", again.StatusCode)
	}
	if r := other.Do("GET", p.Image.URL, nil); r.StatusCode != 404 {
		t.Errorf("another organisation gets %d", r.StatusCode)
	}
	if r := s.Nobody().Do("GET", p.Image.URL, nil); r.StatusCode != 401 {
		t.Errorf("nobody gets %d", r.StatusCode)
	}
	w.age(t, time.Hour)
	then := "?at=" + time.Now().Add(-time.Minute).UTC().Format("2006-01-02T15:04:05Z")
	if r := put(picture(t, 40, 40)); r.StatusCode != 200 {
		t.Fatalf("got %d %s", r.StatusCode, r.Bytes)
	}
	w.Want(200, "GET", w.path, nil, &p)
	if i := p.Image; i.MetresPerPx != 1 || i.WidthPx != 40 || i.X != 2 {
		t.Errorf("the next picture lies so: %+v", i)
	}
	w.Want(204, "DELETE", w.path+"/image", nil, nil)
	w.Refuse(404, "GET", w.path+"/image", nil)
	if r := w.Do("GET", w.path+"/image"+then, nil); r.StatusCode != 200 {
		t.Errorf("the old picture: %d %s", r.StatusCode, r.Bytes)
	}
	for _, bad := range [][]byte{nil, []byte("GIF89a"), []byte("<svg onload='alert(1)'/>"), picture(t, 9, 9)[:40]} {
		if r := put(bad); r.StatusCode != 400 || r.Problem().Errors == nil && len(bad) > 0 {
			t.Errorf("%.10q: got %d %s", bad, r.StatusCode, r.Bytes)
		}
	}
	if r := put(make([]byte, 20<<20+1)); r.StatusCode != 413 {
		t.Errorf("got %d %s", r.StatusCode, r.Bytes)
	}
}

func TestSVG(t *testing.T) {
	w := settle(t, start(t), "o")
	w.Want(200, "PUT", w.path+"/drawing", sketch(10), nil)
	light := w.Do("GET", w.path+"/svg", nil)
	dark := w.Do("GET", w.path+"/svg?theme=dark", nil)
	if light.Header.Get("Content-Type") != "image/svg+xml" || !strings.Contains(light.Header.Get("Content-Security-Policy"), "sandbox") || bytes.Equal(light.Bytes, dark.Bytes) {
		t.Errorf("got %v", light.Header)
	}
	var elements []string
	decoder := xml.NewDecoder(bytes.NewReader(light.Bytes))
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := token.(xml.StartElement); ok {
			elements = append(elements, e.Name.Local)
		}
	}
	if diff := cmp.Diff([]string{"svg", "rect", "polygon", "polygon", "polyline", "polyline", "text", "text"}, elements); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(string(light.Bytes), `points="0,25 10,25"`) {
		t.Errorf("y is not turned over: %s", light.Bytes)
	}
	w.Refuse(400, "GET", w.path+"/svg?theme=pink", nil)
}

func TestDrawingIsRefused(t *testing.T) {
	w := settle(t, start(t), "o")
	f := func(status int, field string, change func(object)) {
		t.Helper()
		body := sketch(10)
		change(body)
		p := w.Refuse(status, "PUT", w.path+"/drawing", body)
		if len(p.Errors) == 0 || p.Errors[0].Field != field {
			t.Errorf("got %+v, want the field %s", p, field)
		}
	}
	f(400, "rooms[0].color", func(o object) { o["rooms"].([]object)[0]["color"] = `red" onclick="x` })
	f(400, "rooms[0].polygon", func(o object) { o["rooms"].([]object)[0]["polygon"] = [][2]int{{0, 0}, {1, 1}} })
	f(400, "labels[0].text", func(o object) { o["labels"].([]object)[0]["text"] = "a\u202eb" })
	f(400, "labels[0].size_m", func(o object) { o["labels"].([]object)[0]["size_m"] = 0 })
	f(400, "doors[0]", func(o object) { o["doors"] = [][][2]int{{{0, 0}}} })
	f(400, "no_go[0]", func(o object) { o["no_go"] = [][][2]int{{{0, 0}, {4, 4}, {4, 0}, {0, 4}}} })
	f(413, "drawing", func(o object) {
		walls := make([][][2]int, 4999)
		for i := range walls {
			walls[i] = [][2]int{{0, 0}, {1, 0}}
		}
		o["walls"] = walls
	})
	f(413, "drawing", func(o object) { o["walls"] = [][][2]int{make([][2]int, 50_000)} })
	// A zone that crosses itself is refused with the place of the crossing.
	p := w.Refuse(400, "POST", w.path+"/zones", object{"name": "z", "polygon": [][2]int{{0, 0}, {4, 4}, {4, 0}, {0, 4}}})
	if len(p.Errors) != 1 || p.Errors[0].Field != "polygon" || fmt.Sprint(p.Errors[0].Value) != "map[at:[2 2] edges:[0 2]]" {
		t.Errorf("got %+v", p)
	}
}
