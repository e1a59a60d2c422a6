package http_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"mybeacon/engine/embedded/embeddedtest"
	"mybeacon/engine/jobs"
	"mybeacon/engine/mail"
	"mybeacon/engine/module"
	"mybeacon/engine/modules/ble"
	"mybeacon/engine/store/clickhouse"
	"mybeacon/engine/store/postgres"
	"mybeacon/engine/store/postgres/postgrestest"
	"mybeacon/http/accounthttp"
	"mybeacon/http/audithttp"
	"mybeacon/http/blehttp"
	"mybeacon/http/corehttp"
	"mybeacon/http/opshttp"
	"mybeacon/http/shelltest"
	"mybeacon/http/sqlhttp"
	"mybeacon/schema"
	migrations "mybeacon/schema/clickhouse"
)

var update = flag.Bool("update", false, "write http/openapi.json anew")

// startWhole runs the server with all routes there are; the sockets answer 501,
// since only their addresses matter here.
func startWhole(t *testing.T) *shelltest.Server {
	t.Helper()
	return startOver(t, nil)
}

// startOver is startWhole over a warehouse, which most tests do not ask.
func startOver(t *testing.T, warehouse *clickhouse.DB) *shelltest.Server {
	t.Helper()
	return shelltest.Start(t, nil, func(s *shelltest.Server) {
		m := ble.New()
		host := module.Host{Log: slog.New(slog.DiscardHandler), DB: s.DB, Warehouse: warehouse, Clock: time.Now, Publish: func(module.World) {}, Extend: func(module.World) {}}
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
		corehttp.Register(s.Server, corehttp.Config{DB: s.DB, Online: shelltest.Offline{}, Plans: m, Placed: m, Finders: map[string]corehttp.Finder{m.ID(): m}})
		accounthttp.Register(s.Server, accounthttp.Config{DB: s.DB, Mail: outbox(t, s.DB)})
		opshttp.Register(s.Server, opsOf(t, s.DB))
		blehttp.Register(s.Server, m, shelltest.Offline{})
		audithttp.Register(s.Server, s.DB)
		sqlhttp.Register(s.Server, s.DB, noRows{})
		for _, socket := range []string{"GET /api/v1/live", "GET /api/v1/device/stream", "POST /api/v1/device/frames"} {
			s.Handle(socket, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotImplemented) }))
		}
	})
}

// noRows answers analysts, whose rows are the matter of the door's own tests.
type noRows struct{}

// Ask implements sqlhttp.Warehouse.
func (noRows) Ask(context.Context, schema.OrganisationID, url.Values, string) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, nil
}

// opsOf are the parts of a server without a demo site.
func opsOf(t *testing.T, db *postgres.DB) opshttp.Config {
	t.Helper()
	queue, err := jobs.New(jobs.Config{DB: db, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return opshttp.Config{DB: db, Mail: outbox(t, db), Jobs: queue, Demo: noDemo{}}
}

// noDemo is no demo site. It implements opshttp.Demo.
type noDemo struct{}

func (noDemo) Available() bool             { return false }
func (noDemo) Running() bool               { return false }
func (noDemo) Start(context.Context) error { return nil }
func (noDemo) Stop(context.Context) error  { return nil }
func (noDemo) Organisations() []string     { return nil }

// outbox keeps mails, as a server does that has no mail server.
func outbox(t *testing.T, db *postgres.DB) *mail.Queue {
	t.Helper()
	mails, err := mail.New(mail.Config{DB: db, Log: slog.New(slog.DiscardHandler), BaseURL: "https://beacon.example.com"})
	if err != nil {
		t.Fatal(err)
	}
	return mails
}

type operation struct {
	OperationID string                `json:"operationId"`
	Security    []map[string][]string `json:"security"`
	Responses   map[string]any        `json:"responses"`
	RequestBody *struct {
		Content map[string]struct {
			Schema struct {
				Ref string `json:"$ref"`
			} `json:"schema"`
		} `json:"content"`
	} `json:"requestBody"`
}

type document struct {
	Paths      map[string]map[string]operation `json:"paths"`
	Components struct {
		Schemas map[string]any `json:"schemas"`
	} `json:"components"`
}

func readDocument(t *testing.T, s *shelltest.Server) (document, []byte) {
	t.Helper()
	r := s.Nobody().Want(200, "GET", "/api/openapi.json", nil, nil)
	var d document
	if err := json.Unmarshal(r.Bytes, &d); err != nil {
		t.Fatal(err)
	}
	return d, r.Bytes
}

// The committed document is the one that the server serves; go test -run
// TestDocument ./http -update writes it.
func TestDocument(t *testing.T) {
	const file = "openapi.json"
	s := startWhole(t)
	_, got := readDocument(t, s)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what the server serves; run: go test ./http -run TestDocument -update", file)
	}
}

// The document describes exactly what the router answers, every operation
// describes its errors, and all that is not public asks for a caller.
func TestDocumentAndRouterAgree(t *testing.T) {
	s := startWhole(t)
	d, _ := readDocument(t, s)
	public := []string{"login", "logout", "register", "confirm", "look-at-link", "forgot-password", "set-password", "livez", "readyz", "openapi", "docs"}
	var described []string
	ids := map[string]bool{}
	for path, methods := range d.Paths {
		for method, op := range methods {
			described = append(described, strings.ToUpper(method)+" "+path)
			if op.OperationID == "" || ids[op.OperationID] {
				t.Errorf("%s %s: operation id %q is missing or not the only one", method, path, op.OperationID)
			}
			ids[op.OperationID] = true
			if !strings.Contains(fmt.Sprint(op.Responses["default"]), "Problem") {
				t.Errorf("%s %s does not describe its errors", method, path)
			}
			if slices.Contains(public, op.OperationID) == (len(op.Security) > 0) {
				t.Errorf("%s %s: security %v", method, path, op.Security)
			}
		}
	}
	slices.Sort(described)
	if got := s.Patterns(); !slices.Equal(got, described) {
		t.Errorf("the router has\n%s\nthe document\n%s", strings.Join(got, "\n"), strings.Join(described, "\n"))
	}
	for _, gone := range []string{"ErrorModel", "ErrorDetail"} {
		if d.Components.Schemas[gone] != nil {
			t.Errorf("the document describes %s, which is never sent", gone)
		}
	}
}

// Every operation that needs a caller refuses nobody, with a problem document.
func TestEveryRouteNeedsACaller(t *testing.T) {
	s := startWhole(t)
	d, _ := readDocument(t, s)
	c := s.Nobody()
	for path, methods := range d.Paths {
		for method, op := range methods {
			if len(op.Security) == 0 || strings.HasPrefix(path, "/api/v1/device/") || path == "/api/v1/live" {
				continue
			}
			filled := anyID.ReplaceAllString(path, schema.NewID[schema.PlanID]().String())
			c.Refuse(401, strings.ToUpper(method), filled, []byte("not even read"))
		}
	}
}

var anyID = regexp.MustCompile(`\{[a-z]+\}`)

// owned is one organisation with an object of each kind.
type owned struct {
	organisation postgres.Organisation
	ids          map[string]string // by what the path is about
	bodies       map[string]any    // by the name of the schema, good for this organisation
}

func populate(t *testing.T, s *shelltest.Server, warehouse *clickhouse.DB, name string, mac byte) owned {
	t.Helper()
	o := postgrestest.Organisation(t, s.DB, name, "ble")
	s.Account(o, name+"@example.com", "owner")
	c := s.Login(name + "@example.com")
	create := func(path string, body map[string]any) string {
		t.Helper()
		var made struct{ ID string }
		c.Want(201, "POST", path, body, &made)
		return made.ID
	}
	address := func(n int) string { return fmt.Sprintf("02:00:00:00:%02x:%02x", mac, n) }
	square := [][2]int{{0, 0}, {1, 0}, {1, 1}}
	hall := create("/api/v1/client/locations", map[string]any{"name": "hall"})
	device := create("/api/v1/client/devices", map[string]any{"mac": address(1)})
	spare := create("/api/v1/client/devices", map[string]any{"mac": address(2)})
	bounds := map[string]any{"min": map[string]int{"x": 0, "y": 0}, "max": map[string]int{"x": 9, "y": 9}}
	plan := create("/api/v1/client/ble/plans", map[string]any{"location_id": hall, "name": "p", "bounds": bounds})
	at := create("/api/v1/client/ble/plans/"+plan+"/receivers", map[string]any{"device_id": device, "x": 1, "y": 1})
	zone := create("/api/v1/client/ble/plans/"+plan+"/zones", map[string]any{"name": "z", "polygon": square})
	tag := create("/api/v1/client/ble/tags", map[string]any{"transmitter": "mac:" + address(5), "type": "asset", "name": "t"})
	readings := []any{map[string]any{"x": 1, "y": 1, "receiver_id": at, "rssi_dbm": -60}}
	survey := create("/api/v1/client/ble/plans/"+plan+"/survey", map[string]any{"name": "s", "readings": readings})
	reference := map[string]any{"plan_id": plan, "x": 1, "y": 1}
	c.Want(200, "PUT", "/api/v1/client/ble/tags/"+tag+"/reference", reference, nil)
	hear(t, warehouse, o.ID, plan, at, tag)
	heard := map[string]any{"tag_id": tag, "zone_id": "", "from": heardAt, "to": heardAt.Add(time.Minute)}
	example := create("/api/v1/client/ble/plans/"+plan+"/zone-examples", heard)
	return owned{
		organisation: o,
		ids: map[string]string{"tags": tag, "{sid}": survey, "{eid}": example,
			"devices": device, "plans": plan, "{rid}": at, "{zid}": zone, "organisations": o.ID.String(), "location_id": hall, "organisation_id": o.ID.String(),
		},
		bodies: map[string]any{
			"NewDeviceBody":       map[string]any{"organisation_id": o.ID, "location_id": hall, "mac": address(3)},
			"DevicePatchBody":     map[string]any{"name": "renamed"},
			"NewLocationBody":     map[string]any{"organisation_id": o.ID, "name": "new"},
			"NewPlanBody":         map[string]any{"location_id": hall, "name": "new", "bounds": bounds},
			"NewTagBody":          map[string]any{"organisation_id": o.ID, "transmitter": "mac:" + address(4), "type": "asset", "name": "new"},
			"ReceiverBody":        map[string]any{"device_id": spare, "x": 2, "y": 2},
			"ZoneBody":            map[string]any{"name": "new", "polygon": square},
			"PlanPatchBody":       map[string]any{"name": "renamed"},
			"NewSurveyBody":       map[string]any{"name": "new", "readings": readings},
			"MoreReadingsBody":    map[string]any{"readings": readings},
			"HungReferenceBody":   reference,
			"NewExampleBody":      heard,
			"NewOrganisationBody": map[string]any{"name": "new"},
		},
	}
}

var segment = regexp.MustCompile(`([a-z]+)/\{id\}`)

// fill puts the organisation's ids into the path.
func (o owned) fill(path string) string {
	if m := segment.FindStringSubmatch(path); m != nil {
		path = strings.Replace(path, "{id}", o.ids[m[1]], 1)
	}
	return anyID.ReplaceAllStringFunc(path, func(part string) string { return o.ids[part] })
}

// heardAt is when the tags of all organisations were heard.
var heardAt = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// hear stores that the receiver heard the tag.
func hear(t *testing.T, warehouse *clickhouse.DB, org schema.OrganisationID, plan, receiver, tag string) {
	t.Helper()
	const insert = `INSERT INTO observations (org, plan, receiver, tag, at, rssi_cdbm, keep_days, boot_id, transmitter)
		VALUES ('%s', '%s', '%s', '%s', fromUnixTimestamp64Milli(%d, 'UTC'), -6000, 65535, 'b', 't')`
	if err := warehouse.Conn().Exec(t.Context(), fmt.Sprintf(insert, org, plan, receiver, tag, heardAt.Add(10*time.Second).UnixMilli())); err != nil {
		t.Fatal(err)
	}
}

func openWarehouse(t *testing.T) *clickhouse.DB {
	t.Helper()
	db, err := clickhouse.Open(embeddedtest.NewClickHouseDatabase(t), clickhouse.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if err := db.Migrate(t.Context(), migrations.FS); err != nil {
		t.Fatal(err)
	}
	return db
}

// Every operation of the document that names an object - in its path, its query
// or its body - is 404 for an owner of another organisation, and changes
// nothing; the same request is not 404 for the object's own owner.
func TestForeignObjects(t *testing.T) {
	warehouse := openWarehouse(t)
	s := startOver(t, warehouse)
	d, _ := readDocument(t, s)
	mine, theirs := populate(t, s, warehouse, "mine", 1), populate(t, s, warehouse, "theirs", 2)
	stranger := s.Login("mine@example.com")
	before := fingerprint(t, s.DB, theirs.organisation.ID)
	tried := 0
	refuse := func(method, path string, body any) {
		t.Helper()
		tried++
		r := stranger.Do(method, path, body)
		if r.StatusCode != 404 {
			t.Errorf("%s %s: got %d, want 404: %s", method, path, r.StatusCode, r.Bytes)
		}
	}
	for path, methods := range d.Paths {
		for method, op := range methods {
			method = strings.ToUpper(method)
			if len(op.Security) == 0 || strings.HasPrefix(path, "/api/v1/admin/") || !strings.HasPrefix(path, "/api/v1/client/") {
				continue
			}
			body := bodyOf(op, theirs)
			switch {
			case strings.Contains(path, "{"):
				refuse(method, theirs.fill(path), bodyOf(op, mine)) // my body, their object
				refuse(method, theirs.fill(path), body)
				if strings.Count(path, "{") == 2 { // their part, through my plan
					refuse(method, strings.Replace(mine.fill(path), lastID(mine.fill(path)), lastID(theirs.fill(path)), 1), bodyOf(op, mine))
				}
			case method == "POST" && op.OperationID != "sql": // which names its organisation in the address
				refuse(method, path, body)
			default:
				refuse(method, path+"?organisation_id="+theirs.organisation.ID.String(), nil)
			}
			if op.RequestBody != nil && strings.HasSuffix(path, "/receivers") {
				refuse(method, mine.fill(path), body) // their device on my plan
			}
		}
	}
	if after := fingerprint(t, s.DB, theirs.organisation.ID); after != before {
		t.Errorf("a stranger changed\n%s\nto\n%s", before, after)
	}
	t.Logf("%d foreign requests tried", tried)
	if tried < 25 {
		t.Errorf("only %d requests were tried: the document was not read rightly", tried)
	}
	ownersPass(t, s, d, theirs)
}

// ownersPass proves that the requests above were refused for their owner alone.
func ownersPass(t *testing.T, s *shelltest.Server, d document, own owned) {
	t.Helper()
	owner := s.Login(own.organisation.Name + "@example.com")
	for _, method := range []string{"get", "post", "patch", "put", "delete"} {
		paths := slices.Sorted(maps.Keys(d.Paths))
		if method == "delete" {
			slices.Reverse(paths) // parts before what they are parts of
		}
		for _, path := range paths {
			op, ok := d.Paths[path][method]
			if !ok || !strings.HasPrefix(path, "/api/v1/client/") {
				continue
			}
			if r := owner.Do(strings.ToUpper(method), own.fill(path), bodyOf(op, own)); r.StatusCode >= 400 && r.StatusCode != 409 {
				t.Errorf("%s %s for its owner: %d %s", method, own.fill(path), r.StatusCode, r.Bytes)
			}
		}
	}
}

func lastID(path string) string { return path[strings.LastIndex(path, "/")+1:] }

func bodyOf(op operation, o owned) any {
	if op.RequestBody == nil {
		return nil
	}
	if _, isText := op.RequestBody.Content["text/plain"]; isText {
		return []byte("SELECT 1")
	}
	ref := op.RequestBody.Content["application/json"].Schema.Ref
	body, ok := o.bodies[lastID(ref)]
	if !ok {
		panic("BUG: the test has no body for " + ref)
	}
	return body
}

// fingerprint is all that an organisation owns, as text.
func fingerprint(t *testing.T, db *postgres.DB, o schema.OrganisationID) string {
	t.Helper()
	var all string
	for _, table := range []string{"location", "device", "ble_plan", "ble_receiver", "ble_zone", "ble_tag", "ble_survey", "ble_zone_example"} {
		var rows string
		err := db.Pool().QueryRow(t.Context(), "SELECT coalesce(string_agg(x::text, E'\n' ORDER BY x.id), '') FROM "+table+" x WHERE org = $1", o).Scan(&rows)
		if err != nil {
			t.Fatal(err)
		}
		all += table + ":\n" + rows + "\n"
	}
	return all
}
