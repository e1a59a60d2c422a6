package provision_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"mybeacon/schema"
)

// server is a small server of the REST contract: it keeps rows as JSON, refuses
// fields and filters that the contract does not have, and wants foreign keys to
// exist. It stands in for the shell, which this package must not import.
type server struct {
	mu     sync.Mutex
	rows   map[string][]map[string]any
	tokens int
	member string // organisation of the caller; empty: a super-admin
	acting string // organisation into which the super-admin has switched
	// switches are the reasons that were given.
	switches []string
}

func newServer() *server { return &server{rows: map[string][]map[string]any{}} }

// kind is what the contract says of one collection.
type kind struct {
	name     string
	fields   string // of the body
	required string
	filters  string
}

var kinds = map[string]kind{
	"/api/v1/admin/organisations":   {"organisations", "name time_zone keep_days products", "name products", "name"},
	"/api/v1/client/locations":      {"locations", "organisation_id name address time_zone", "name organisation_id", "organisation_id name"},
	"/api/v1/client/devices":        {"devices", "organisation_id location_id mac name clock", "organisation_id mac", "organisation_id number mac location_id"},
	"/api/v1/client/ble/plans":      {"plans", "location_id name level bounds tag_height_m walls", "location_id name bounds", "organisation_id location_id name"},
	"/api/v1/client/ble/tags":       {"tags", "organisation_id transmitter type name description", "organisation_id transmitter type name", "organisation_id transmitter name type"},
	"/api/v1/client/ble/plans/zone": {"zones", "name color polygon", "name polygon", ""},
	"/api/v1/client/ble/plans/rx":   {"receivers", "device_id x y z rotation", "device_id x y z", ""},
}

func (s *server) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, rows := range s.rows {
		n += len(rows)
	}
	return n
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	status, body := s.answer(r)
	w.Header().Set("Content-Type", "application/json")
	if status == http.StatusOK && strings.HasSuffix(r.URL.Path, "/login") {
		http.SetCookie(w, &http.Cookie{Name: "mybeacon_session", Value: "s", Path: "/", HttpOnly: true})
	}
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

func problem(status int, detail string) (int, any) {
	return status, map[string]any{"title": http.StatusText(status), "status": status, "detail": detail}
}

func (s *server) answer(r *http.Request) (int, any) {
	var body map[string]any
	if r.ContentLength > 0 {
		var buf bytes.Buffer
		if _, err := buf.ReadFrom(http.MaxBytesReader(nil, r.Body, 1<<20)); err != nil || json.Unmarshal(buf.Bytes(), &body) != nil {
			return problem(400, "no JSON")
		}
	}
	path := r.URL.Path
	if path == "/api/v1/auth/login" {
		if body["password"] != "right" {
			return problem(401, "the e-mail or the password is wrong")
		}
		return 200, map[string]any{}
	}
	if c, err := r.Cookie("mybeacon_session"); (err != nil || c.Value != "s") && r.Header.Get("Authorization") != "Bearer secret" {
		return problem(401, "log in")
	}
	if path == "/api/v1/auth/me" {
		return 200, map[string]any{"user": map[string]any{"super_admin": s.member == "", "organisation_id": s.member}}
	}
	if path == "/api/v1/auth/acting" {
		return s.act(r.Method, body)
	}
	if s.member == "" && s.acting == "" && r.Method != http.MethodGet && strings.HasPrefix(path, "/api/v1/client/") {
		return problem(403, "switch into the organisation first")
	}
	if k, ok := kinds[path]; ok {
		if r.Method == http.MethodGet {
			return s.list(k, r.URL.Query())
		}
		return s.add(k, body, nil)
	}
	return s.object(r.Method, path, body)
}

// act switches a super-admin into an organisation and back.
func (s *server) act(method string, body map[string]any) (int, any) {
	reason, _ := body["reason"].(string)
	switch {
	case s.member != "":
		return problem(403, "only a super-admin may do this")
	case method == http.MethodDelete:
		s.acting = ""
		return 204, nil
	case s.acting != "" || len(reason) < 3 || s.find("organisations", body["organisation_id"]) == nil:
		return problem(400, "one organisation at a time, with a reason")
	}
	s.acting, _ = body["organisation_id"].(string)
	s.switches = append(s.switches, reason)
	return 200, map[string]any{}
}

func (s *server) list(k kind, query url.Values) (int, any) {
	if s.member != "" && k.name == "organisations" {
		return problem(403, "only a super-admin may do this")
	}
	items := []map[string]any{}
	for _, row := range s.rows[k.name] {
		match := true
		for key, values := range query {
			if key == "limit" {
				continue
			}
			if !slices.Contains(strings.Fields(k.filters), key) {
				return problem(400, "unknown parameter "+key)
			}
			match = match && row[key] == values[0]
		}
		if match {
			items = append(items, row)
		}
	}
	return 200, map[string]any{"items": items, "next": ""}
}

func (s *server) add(k kind, body map[string]any, extra map[string]any) (int, any) {
	if why := s.check(k, body); why != "" {
		return problem(422, why)
	}
	row := maps.Clone(body)
	maps.Copy(row, extra)
	row["id"] = schema.NewID[schema.TagID]().String()
	if k.name == "devices" {
		row["number"] = len(s.rows["devices"]) + 1
	}
	s.rows[k.name] = append(s.rows[k.name], row)
	shown := maps.Clone(row)
	if k.name == "devices" {
		shown["token"] = s.token()
	}
	return 201, shown
}

func (s *server) token() string {
	s.tokens++
	return fmt.Sprintf("mbd_%d", s.tokens)
}

func (s *server) check(k kind, body map[string]any) string {
	if id, named := body["organisation_id"]; named && s.member == "" && id != s.acting {
		return "you act in another organisation"
	}
	for key := range body {
		if !slices.Contains(strings.Fields(k.fields), key) {
			return "unexpected property " + key
		}
		if parent, ok := map[string]string{"organisation_id": "organisations", "location_id": "locations", "device_id": "devices"}[key]; ok && s.find(parent, body[key]) == nil {
			return key + " is unknown"
		}
	}
	for _, key := range strings.Fields(k.required) {
		if body[key] == nil {
			return key + " is required"
		}
	}
	return ""
}

func (s *server) find(kind string, id any) map[string]any {
	for _, row := range s.rows[kind] {
		if row["id"] == id {
			return row
		}
	}
	return nil
}

// object serves the paths with an id in them.
func (s *server) object(method, path string, body map[string]any) (int, any) {
	parts := strings.Split(strings.TrimPrefix(path, "/api/v1/client/"), "/")
	switch {
	case len(parts) == 3 && parts[0] == "devices" && parts[2] == "token" && s.find("devices", parts[1]) != nil:
		return 200, map[string]any{"token": s.token()}
	case len(parts) == 2 && parts[0] == "devices" && method == http.MethodPatch && s.find("devices", parts[1]) != nil:
		maps.Copy(s.find("devices", parts[1]), body)
		return 200, map[string]any{}
	case len(parts) == 3 && parts[1] == "plans" && s.find("plans", parts[2]) != nil:
		return 200, s.plan(parts[2])
	case len(parts) >= 4 && parts[1] == "plans" && parts[3] == "survey" && s.find("plans", parts[2]) != nil:
		return s.survey(method, parts[4:], body)
	case len(parts) >= 4 && parts[1] == "plans" && s.find("plans", parts[2]) != nil:
		k := kinds["/api/v1/client/ble/plans/zone"]
		if parts[3] == "receivers" {
			k = kinds["/api/v1/client/ble/plans/rx"]
		}
		if len(parts) == 4 && method == http.MethodPost {
			return s.add(k, body, map[string]any{"plan": parts[2]})
		}
		if row := s.find(k.name, parts[len(parts)-1]); row != nil && method == http.MethodPut && s.check(k, body) == "" {
			maps.Copy(row, body)
			return 200, row
		}
	}
	return problem(404, "there is nothing at this address")
}

func (s *server) plan(id string) any {
	plan := maps.Clone(s.find("plans", id))
	for _, part := range []string{"zones", "receivers"} {
		rows := []map[string]any{}
		for _, row := range s.rows[part] {
			if row["plan"] == id {
				rows = append(rows, row)
			}
		}
		plan[part] = rows
	}
	return plan
}

// survey lists, makes and extends surveys. It keeps their readings and shows how many
// there are.
func (s *server) survey(method string, id []string, body map[string]any) (int, any) {
	readings, _ := body["readings"].([]any)
	shown := func(row map[string]any) map[string]any {
		return map[string]any{"id": row["id"], "name": row["name"], "readings": len(row["all"].([]any))}
	}
	switch {
	case method == http.MethodGet && len(id) == 0:
		items := []map[string]any{}
		for _, row := range s.rows["surveys"] {
			items = append(items, shown(row))
		}
		return 200, map[string]any{"items": items, "next": ""}
	case len(readings) == 0 || len(readings) > 10_000:
		return problem(422, "readings: 1 to 10000")
	case len(id) == 0 && body["name"] != nil:
		row := map[string]any{"id": schema.NewID[schema.TagID]().String(), "name": body["name"], "all": readings}
		s.rows["surveys"] = append(s.rows["surveys"], row)
		return 201, shown(row)
	case len(id) == 1 && s.find("surveys", id[0]) != nil:
		row := s.find("surveys", id[0])
		row["all"] = append(row["all"].([]any), readings...)
		return 200, shown(row)
	}
	return problem(404, "there is no such survey")
}
