package http_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"mybeacon/engine/files"
	"mybeacon/engine/images"
	"mybeacon/engine/jobs"
	"mybeacon/engine/mail"
	"mybeacon/engine/module"
	"mybeacon/engine/modules/ble"
	"mybeacon/engine/store/clickhouse"
	"mybeacon/engine/store/postgres"
	"mybeacon/http/accounthttp"
	"mybeacon/http/audithttp"
	"mybeacon/http/blehttp"
	"mybeacon/http/corehttp"
	"mybeacon/http/opshttp"
	"mybeacon/http/shelltest"
	"mybeacon/schema"
)

var update = flag.Bool("update", false, "write http/openapi.json anew")

// startWhole runs the server with all routes there are; the sockets answer 501,
// since only their addresses matter here.
func startWhole(t testing.TB) *shelltest.Server {
	t.Helper()
	return startOver(t, nil)
}

// startOver is startWhole over a warehouse, which most tests do not ask.
func startOver(t testing.TB, warehouse *clickhouse.DB) *shelltest.Server {
	t.Helper()
	return shelltest.Start(t, nil, func(s *shelltest.Server) {
		m := ble.New()
		host := module.Host{Log: slog.New(slog.DiscardHandler), DB: s.DB, Warehouse: warehouse, Clock: time.Now, Publish: func(module.World) {}, Extend: func(module.World) {}}
		var err error
		if host.Files, err = files.Open(t.TempDir(), files.DefaultLimits(), time.Now); err != nil {
			t.Fatal(err)
		}
		host.Images = images.NewDecoder()
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
		addAlerts(t, s, m)
		registerExports(t, s, m)
		for _, socket := range []string{"GET /api/v1/live", "GET /api/v1/live/snapshot", "GET /api/v1/device/stream", "POST /api/v1/device/frames"} {
			s.Handle(socket, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotImplemented) }))
		}
	})
}

// noRows answers analysts, whose rows are the matter of the door's own tests.
type noRows struct{}

// Ask implements sqlhttp.Warehouse.
func (noRows) Ask(_ context.Context, _ schema.OrganisationID, q url.Values, _ string) (*http.Response, error) {
	return noRowsFor(q), nil
}

// opsOf are the parts of a server without a demo site.
func opsOf(t testing.TB, db *postgres.DB) opshttp.Config {
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
func outbox(t testing.TB, db *postgres.DB) *mail.Queue {
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
	RequestBody *requestBody          `json:"requestBody"`
	Parameters  []parameter           `json:"parameters"`
}

type parameter struct {
	Name string `json:"name"`
	In   string `json:"in"`
}

type requestBody struct {
	Content map[string]struct {
		Schema any `json:"schema"`
	} `json:"content"`
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
	public := []string{"login", "logout", "open-share", "register", "confirm", "look-at-link", "forgot-password", "set-password", "livez", "readyz", "openapi", "docs", "enrol-device", "device-token"}
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
			if len(op.Security) == 0 || strings.HasPrefix(path, "/api/v1/device/") || path == "/api/v1/live" || path == "/api/v1/live/snapshot" { // sockets, and what stands for one
				continue
			}
			filled := anyID.ReplaceAllString(path, schema.NewID[schema.PlanID]().String())
			c.Refuse(401, strings.ToUpper(method), filled, []byte("not even read"))
		}
	}
}

var anyID = regexp.MustCompile(`\{[a-z]+\}`)

// properties returns the names of all properties of a body, also of its parts.
func (d document) properties(body *requestBody) map[string]bool {
	found := map[string]bool{}
	for _, content := range body.Content {
		d.collect(content.Schema, found)
	}
	return found
}

func (d document) collect(of any, found map[string]bool) {
	switch part := of.(type) {
	case []any:
		for _, one := range part {
			d.collect(one, found)
		}
	case map[string]any:
		if ref, ok := part["$ref"].(string); ok {
			d.collect(d.Components.Schemas[ref[strings.LastIndex(ref, "/")+1:]], found)
		}
		properties, _ := part["properties"].(map[string]any)
		for name := range properties {
			found[name] = true
		}
		for _, one := range part {
			d.collect(one, found)
		}
	}
}
