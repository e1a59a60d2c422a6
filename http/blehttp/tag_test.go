package blehttp_test

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"net/http"
	"strings"
	"testing"
	"time"

	"mybeacon/engine/ingest"
	"mybeacon/engine/modules/ble"
	"mybeacon/engine/store/postgres"
	"mybeacon/engine/store/postgres/postgrestest"
	"mybeacon/http/blehttp"
	"mybeacon/http/shelltest"
	"mybeacon/schema"
)

// tagged is a server whose module can be told what is heard.
type tagged struct {
	*shelltest.Server
	module *ble.Module
	org    postgres.Organisation
	owner  *shelltest.Client
}

func startTags(t *testing.T) tagged {
	t.Helper()
	r := tagged{module: ble.New()}
	r.Server = startModule(t, r.module)
	r.org = postgrestest.Organisation(t, r.DB, "o", "ble")
	r.Account(r.org, "owner@example.com", "owner")
	r.owner = r.Login("owner@example.com")
	return r
}

func (r tagged) add(minor int, name string) blehttp.Tag {
	var made blehttp.Tag
	body := object{"transmitter": fmt.Sprintf("ibeacon:01020304-0506-0708-090a-0b0c0d0e0f10/7/%d", minor), "type": "asset", "name": name}
	r.owner.Want(201, "POST", root+"/tags", body, &made)
	return made
}

// A tag is bound to one at a time; the history says who had it when, also when two
// people bind it at the same moment.
func TestBindings(t *testing.T) {
	r := startTags(t)
	tag := r.add(5, "Forklift")
	one := root + "/tags/" + tag.ID.String()
	if tag.BoundAt == nil || tag.State != "never" || tag.Last != nil || len(tag.Warnings) != 0 {
		t.Errorf("got %+v", tag)
	}
	var bound blehttp.Tag
	maria := object{"type": "person", "name": "Мария", "description": "night shift"}
	r.owner.Want(200, "PUT", one+"/binding", maria, &bound)
	r.owner.Want(200, "PUT", one+"/binding", maria, &bound) // says what is so
	if bound.Name != "Мария" || !bound.BoundAt.After(*tag.BoundAt) {
		t.Errorf("got %+v", bound)
	}
	r.owner.Want(200, "PATCH", one, object{"name": "Мария К."}, nil)
	done := make(chan int)
	for i := range 8 {
		go func() {
			done <- r.owner.Do("PUT", one+"/binding", object{"type": "asset", "name": fmt.Sprint("cart ", i)}).StatusCode
		}()
	}
	for range 8 {
		if got := <-done; got != http.StatusOK {
			t.Errorf("binding at the same time: %d", got)
		}
	}
	r.owner.Want(204, "DELETE", one+"/binding", nil, nil)
	r.owner.Want(204, "DELETE", one+"/binding", nil, nil)
	var history list[blehttp.TagBinding]
	r.owner.Want(200, "GET", one+"/bindings", nil, &history)
	if n := len(history.Items); n != 10 || history.Items[8].Name != "Мария К." || history.Items[9].Name != "Forklift" || history.Items[0].By != "owner@example.com" {
		t.Fatalf("%d: %+v", n, history.Items)
	}
	for i, b := range history.Items {
		if b.To == nil || b.To.Before(b.From) || i > 0 && b.To.After(history.Items[i-1].From) {
			t.Errorf("binding %d of %d overlaps: %+v", i, len(history.Items), b)
		}
	}
	var got blehttp.Tag
	r.owner.Want(200, "GET", one, nil, &got)
	if got.BoundAt != nil || got.Name != got.Transmitter.String() || got.Type != "asset" {
		t.Errorf("unbound: %+v", got)
	}
	r.owner.Refuse(409, "PATCH", one, object{"name": "x"})
	var unbound list[blehttp.Tag]
	r.owner.Want(200, "GET", root+"/tags?unbound=true", nil, &unbound)
	if len(unbound.Items) != 1 {
		t.Errorf("got %d unbound", len(unbound.Items))
	}
}

// The database itself refuses a second binding at the same time.
func TestBindingsDoNotOverlap(t *testing.T) {
	r := startTags(t)
	tag := r.add(5, "a")
	for _, interval := range []string{"NULL", "now() + interval '1 hour'"} {
		sql := `INSERT INTO ble_tag_binding (tag, org, number, type, name, from_at, to_at) VALUES ($1, $2, 9, 'asset', 'b', now(), ` + interval + `)`
		if _, err := r.DB.Pool().Exec(t.Context(), sql, tag.ID, r.org.ID); err == nil {
			t.Errorf("a binding from now to %s beside an open one was stored", interval)
		}
	}
}

// What is heard of a tag is told at once and stored; who is no tag is told until it is one.
func TestWhatIsHeard(t *testing.T) {
	r := startTags(t)
	tag := r.add(1, "a")
	notice := func(at time.Time, of schema.TagID, transmitter schema.Transmitter, address byte) ingest.Notice {
		return ingest.Notice{
			FrameAdmitted: schema.FrameAdmitted{
				Source: schema.Source{Organisation: r.org.ID, Device: schema.DeviceID{1}}, ArrivedAt: at,
				Observations: []schema.Heard{{Observation: schema.Observation{At: schema.EventTimeOf(at), Transmitter: transmitter, RSSI: -5000}, Tag: of}}, Indexes: []uint16{0},
			},
			Details: []schema.Detail{{Battery: 15, Address: schema.Address{address}}},
		}
	}
	now := time.Now()
	for i := range 20 {
		at := now.Add(time.Duration(i-20) * 10 * time.Second)
		r.module.Hear(notice(at, tag.ID, tag.Transmitter, byte(1+i%2)))
		r.module.Hear(notice(at, schema.TagID{}, schema.IBeacon([16]byte{0xe2}, 1, 2), 9))
	}
	check := func(what string, c *shelltest.Client) {
		t.Helper()
		var found list[blehttp.Tag]
		c.Want(200, "GET", root+"/tags?state=active&battery_below=20", nil, &found)
		if len(found.Items) != 1 {
			t.Fatalf("%s: got %+v", what, found)
		}
		got := found.Items[0]
		if got.Battery == nil || got.Battery.Percent != 15 || len(got.Addresses) != 2 || fmt.Sprint(got.Warnings) != "[shared_identity]" {
			t.Errorf("%s: got %+v", what, got)
		}
	}
	if err := r.module.KeepHeard(t.Context()); err != nil {
		t.Fatal(err)
	}
	check("heard", r.owner)
	low, err := r.module.Batteries(t.Context(), r.org.ID, 20, 10)
	if err != nil || len(low) != 1 || low[0].Percent != 15 {
		t.Errorf("got %+v, %v", low, err)
	}
	var unknown list[blehttp.UnknownTag]
	r.owner.Want(200, "GET", root+"/tags/unknown", nil, &unknown)
	if len(unknown.Items) != 1 || unknown.Items[0].Observations != 20 || unknown.Items[0].RSSI != -50 || *unknown.Items[0].Address != "09:00:00:00:00:00" {
		t.Fatalf("got %+v", unknown.Items)
	}
	r.owner.Want(201, "POST", root+"/tags", object{"transmitter": unknown.Items[0].Transmitter, "type": "asset", "name": "new"}, nil)
	r.owner.Want(200, "GET", root+"/tags/unknown", nil, &unknown)
	if len(unknown.Items) != 0 {
		t.Errorf("what was registered is unknown still: %+v", unknown.Items)
	}
}

// Who is bound anew is not shown as who was before, by a request and by a table; who
// stays keeps his photo.
func TestPhotoEndsWithItsPerson(t *testing.T) {
	r := startTags(t)
	tag := r.add(1, "a")
	one := root + "/tags/" + tag.ID.String()
	var file bytes.Buffer
	if err := jpeg.Encode(&file, image.NewRGBA(image.Rect(0, 0, 9, 9)), nil); err != nil {
		t.Fatal(err)
	}
	f := func(change func(now blehttp.Tag), kept bool) {
		t.Helper()
		if got := r.owner.Do("PUT", one+"/photo", file.Bytes(), "Content-Type", "image/jpeg"); got.StatusCode != 200 {
			t.Fatalf("%d %s", got.StatusCode, got.Bytes)
		}
		var now blehttp.Tag
		r.owner.Want(200, "GET", one, nil, &now)
		change(now)
		if got := r.owner.Do("GET", one+"/photo", nil).StatusCode; (got == 200) != kept {
			t.Errorf("the photo answers %d", got)
		}
	}
	bind := func(name, description string) func(blehttp.Tag) {
		return func(now blehttp.Tag) {
			r.owner.Want(200, "PUT", one+"/binding", object{"type": now.Type, "name": name, "description": description}, nil)
		}
	}
	imports := func(name, description string) func(blehttp.Tag) {
		return func(now blehttp.Tag) {
			got := r.table(t, "transmitter,type,name,description\n"+now.Transmitter.String()+","+now.Type+","+name+","+description+"\n", false)
			if got.Changed != 1 {
				t.Fatalf("got %+v", got)
			}
		}
	}
	f(bind("b", ""), false)
	f(bind("b", "new"), true)
	f(imports("b", "newer"), true)
	f(imports("c", "newer"), false)
}

// A photo is kept as a square of our own making; what is no picture is refused.
func TestPhoto(t *testing.T) {
	r := startTags(t)
	tag := r.add(1, "a")
	path := root + "/tags/" + tag.ID.String() + "/photo"
	picture := image.NewRGBA(image.Rect(0, 0, 900, 600))
	picture.Set(1, 1, color.White)
	var file bytes.Buffer
	if err := jpeg.Encode(&file, picture, nil); err != nil {
		t.Fatal(err)
	}
	if got := r.owner.Do("PUT", path, file.Bytes(), "Content-Type", "image/jpeg"); got.StatusCode != 200 {
		t.Fatalf("%d %s", got.StatusCode, got.Bytes)
	}
	var shown blehttp.Tag
	r.owner.Want(200, "GET", root+"/tags/"+tag.ID.String(), nil, &shown)
	answer := r.owner.Do("GET", *shown.Photo, nil)
	config, kind, err := image.DecodeConfig(bytes.NewReader(answer.Bytes))
	if err != nil || kind != "jpeg" || config.Width != 512 || config.Height != 512 || answer.Header.Get("Content-Type") != "image/jpeg" ||
		!strings.Contains(answer.Header.Get("Content-Security-Policy"), "sandbox") {
		t.Errorf("got %v %s %v %v", config, kind, answer.Header, err)
	}
	if got := r.owner.Do("PUT", path, []byte("<svg/>"), "Content-Type", "image/png"); got.StatusCode != 422 && got.StatusCode != 400 {
		t.Errorf("no picture: %d", got.StatusCode)
	}
	r.owner.Want(204, "DELETE", path, nil, nil)
	r.owner.Refuse(404, "GET", path, nil)
}
