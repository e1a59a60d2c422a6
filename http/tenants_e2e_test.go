package http_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"mybeacon/engine/embedded/embeddedtest"
	"mybeacon/engine/store/clickhouse"
	"mybeacon/engine/store/postgres"
	"mybeacon/engine/store/postgres/postgrestest"
	"mybeacon/http/shelltest"
	"mybeacon/schema"
	migrations "mybeacon/schema/clickhouse"
)

// tenant is a location of an organisation with an object of each kind.
type tenant struct {
	organisation postgres.Organisation
	owner        *shelltest.Client
	number       byte              // tells this tenant's addresses from others'
	ids          map[string]string // by kind
}

// atLocation are the kinds that are hidden from who does not see their location; the
// others are the organisation's.
var atLocation = map[string]bool{
	"export": true,
	"rule":   true, "alert": true, "share": true, "location": true, "device": true, "spare": true, "mac": true, "plan": true, "receiver": true, "zone": true, "survey": true, "example": true,
}

// pathKinds says what {id} names after a segment, and what the other names do.
var pathKinds = map[string]string{
	"organisations": "organisation", "locations": "location", "devices": "spare", "plans": "plan", "tags": "tag", "users": "person",
	"alert-rules": "rule", "alerts": "alert", "shares": "share", "webhooks": "webhook", "keys": "key", "claims": "claim", "tokens": "token", "sessions": "session",
	"exports": "export", "queries": "query",
	"{rid}": "receiver", "{zid}": "zone", "{sid}": "survey", "{eid}": "example",
}

// kindOf returns the kind of the i-th segment of a path, "" when it is no id.
func kindOf(segments []string, i int) string {
	switch s := segments[i]; {
	case !strings.HasPrefix(s, "{"):
		return ""
	case s == "{id}":
		return pathKinds[segments[i-1]]
	default:
		return pathKinds[s]
	}
}

// settle makes a location of the organisation with an object of each kind.
func settle(t *testing.T, s *shelltest.Server, warehouse *clickhouse.DB, o postgres.Organisation, owner *shelltest.Client, number byte) tenant {
	t.Helper()
	w := tenant{organisation: o, owner: owner, number: number, ids: map[string]string{"organisation": o.ID.String(), "mac": address(number, 1)}}
	make := func(kind, path string, body any) {
		t.Helper()
		var made struct{ ID string }
		owner.Want(201, "POST", path, body, &made)
		w.ids[kind] = made.ID
	}
	make("location", "/api/v1/client/locations", map[string]any{"name": fmt.Sprintf("hall %d", number)})
	make("device", "/api/v1/client/devices", map[string]any{"mac": w.ids["mac"], "location_id": w.ids["location"]})
	make("spare", "/api/v1/client/devices", map[string]any{"mac": address(number, 2), "location_id": w.ids["location"]})
	plans := "/api/v1/client/ble/plans"
	make("plan", plans, map[string]any{"location_id": w.ids["location"], "name": "p", "bounds": bounds})
	plan := plans + "/" + w.ids["plan"]
	if r := send(owner, "PUT", plan+"/image", dot(pngDot)); r.StatusCode != 200 {
		t.Fatalf("picture: %d %s", r.StatusCode, r.Bytes)
	}
	make("receiver", plan+"/receivers", map[string]any{"device_id": w.ids["device"], "x": 1, "y": 1})
	make("zone", plan+"/zones", map[string]any{"name": "z", "polygon": square})
	make("tag", "/api/v1/client/ble/tags", map[string]any{"transmitter": "mac:" + address(number, 5), "type": "asset", "name": "t"})
	make("survey", plan+"/survey", map[string]any{"name": "s", "readings": readings(w)})
	owner.Want(200, "PUT", "/api/v1/client/ble/tags/"+w.ids["tag"]+"/reference", map[string]any{"plan_id": w.ids["plan"], "x": 1, "y": 1}, nil)
	if r := send(owner, "PUT", "/api/v1/client/ble/tags/"+w.ids["tag"]+"/photo", dot(pngDot)); r.StatusCode != 200 {
		t.Fatalf("photo: %d %s", r.StatusCode, r.Bytes)
	}
	hear(t, warehouse, o.ID, w.ids["plan"], w.ids["receiver"], w.ids["tag"])
	make("example", plan+"/zone-examples", heard(w))
	make("share", "/api/v1/client/ble/shares", map[string]any{"location": w.ids["location"], "plan": w.ids["plan"], "expires_in_hours": 1})
	settlePeople(t, s, &w)
	settleExports(t, s, &w)
	settleAlerts(t, s, &w)
	return w
}

// settlePeople adds a colleague, and what people make for themselves.
func settlePeople(t *testing.T, s *shelltest.Server, w *tenant) {
	t.Helper()
	email := fmt.Sprintf("colleague%d@example.com", w.number)
	colleague := s.Account(w.organisation, email, "viewer")
	w.ids["person"] = colleague.ID.String()
	theirs := s.Login(email)
	var token struct{ ID string }
	theirs.Want(201, "POST", "/api/v1/auth/tokens", map[string]any{"name": "script"}, &token)
	w.ids["token"] = token.ID
	find := func(kind, sql string, args ...any) {
		t.Helper()
		var id string
		if err := s.DB.Pool().QueryRow(t.Context(), sql, args...).Scan(&id); err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
		w.ids[kind] = id
	}
	find("session", `SELECT id::text FROM login WHERE account = $1`, colleague.ID)
	find("key", `INSERT INTO api_key (id, org, name, prefix, hash, actions, created_by, expires_at)
		SELECT gen_random_uuid(), $1, 'key', 'mbk_', sha256($2), '{view}', id, now() + interval '1 day' FROM account WHERE email = $3 RETURNING id::text`,
		w.organisation.ID, []byte{w.number}, w.organisation.Name+"@example.com")
}

var (
	bounds = map[string]any{"min": map[string]int{"x": 0, "y": 0}, "max": map[string]int{"x": 9, "y": 9}}
	square = [][2]int{{0, 0}, {1, 0}, {1, 1}}
)

func address(tenant byte, n int) string { return fmt.Sprintf("02:00:00:00:%02x:%02x", tenant, n) }

func readings(w tenant) []any {
	return []any{
		map[string]any{"x": 1, "y": 1, "receiver_id": w.ids["receiver"], "rssi_dbm": -60},
		map[string]any{"x": 2, "y": 1, "device_id": w.ids["device"], "rssi_dbm": -61},
	}
}

func granted(w tenant) []any {
	return []any{map[string]any{"id": w.ids["location"], "write": true}}
}

func heard(w tenant) map[string]any {
	return map[string]any{"tag_id": w.ids["tag"], "zone_id": w.ids["zone"], "from": heardAt, "to": heardAt.Add(time.Minute)}
}

// bodies are requests of the tenant to each operation that takes a body. Every id that
// an operation takes stands in its body here, so that others' can be put there.
var bodies = map[string]func(w tenant) any{
	"create-location": func(w tenant) any {
		return map[string]any{"organisation_id": w.ids["organisation"], "name": "new"}
	},
	"create-device": func(w tenant) any {
		return map[string]any{"organisation_id": w.ids["organisation"], "location_id": w.ids["location"], "mac": address(w.number, 3)}
	},
	"change-device": func(w tenant) any { return map[string]any{"name": "renamed", "location_id": w.ids["location"]} },
	"change-devices": func(w tenant) any {
		return map[string]any{"ids": []any{w.ids["spare"]}, "change": map[string]any{"location_id": w.ids["location"]}}
	},
	"import-devices":    func(w tenant) any { return csv("mac,name\n" + w.ids["mac"] + ",imported\n") },
	"set-device-config": func(tenant) any { return map[string]any{} },
	"create-ble-plan": func(w tenant) any {
		return map[string]any{"location_id": w.ids["location"], "name": "new", "bounds": bounds}
	},
	"change-ble-plan": func(tenant) any { return map[string]any{"name": "renamed"} },
	"change-location": func(tenant) any { return map[string]any{"address": "moved"} },
	"set-ble-drawing": func(tenant) any {
		return map[string]any{"walls": []any{}, "rooms": []any{}, "doors": []any{}, "labels": []any{}, "no_go": []any{}}
	},
	"set-ble-plan-image":    func(tenant) any { return dot(pngDot) },
	"change-ble-plan-image": func(tenant) any { return map[string]any{"opacity": 0.5} },
	"scale-ble-plan":        func(tenant) any { return map[string]any{"factor": 1} },
	"create-ble-survey-tap": func(w tenant) any {
		return map[string]any{"survey": "walk", "tag_id": w.ids["tag"], "x_m": 1, "y_m": 1}
	},
	"create-ble-share": func(w tenant) any {
		return map[string]any{"location": w.ids["location"], "plan": w.ids["plan"], "expires_in_hours": 720, "names": true}
	},
	"create-ble-receiver": func(w tenant) any { return map[string]any{"device_id": w.ids["spare"], "x": 2, "y": 2} },
	"change-ble-receiver": func(w tenant) any { return map[string]any{"device_id": w.ids["device"], "x": 2, "y": 2} },
	"create-ble-zone": func(w tenant) any {
		return map[string]any{"name": "new", "polygon": square, "parent_id": w.ids["zone"]}
	},
	"change-ble-zone": func(tenant) any { return map[string]any{"name": "new", "polygon": square, "parent_id": ""} },
	"create-ble-tag": func(w tenant) any {
		return map[string]any{"organisation_id": w.ids["organisation"], "transmitter": "mac:" + address(w.number, 4), "type": "asset", "name": "new"}
	},
	"change-ble-tag":          func(tenant) any { return map[string]any{"name": "renamed"} },
	"bind-ble-tag":            func(tenant) any { return map[string]any{"type": "person", "name": "somebody"} },
	"set-ble-tag-photo":       func(tenant) any { return dot(pngDot) },
	"import-ble-tags":         func(w tenant) any { return csv("mac,name\n" + address(w.number, 6) + ",imported\n") },
	"create-ble-survey":       func(w tenant) any { return map[string]any{"name": "new", "readings": readings(w)} },
	"extend-ble-survey":       func(w tenant) any { return map[string]any{"readings": readings(w)} },
	"set-ble-reference":       func(w tenant) any { return map[string]any{"plan_id": w.ids["plan"], "x": 1, "y": 1} },
	"create-ble-zone-example": func(w tenant) any { return heard(w) },
	"create-alert-rule":       func(w tenant) any { return ruleOf(w) },
	"change-alert-rule":       func(w tenant) any { return silenceOf(w) },
	"mute-alert-rule":         func(tenant) any { return map[string]any{"until": nil} },
	"acknowledge-alert":       func(tenant) any { return map[string]any{"note": "seen to"} },
	"create-webhook": func(w tenant) any {
		return map[string]any{"organisation_id": w.ids["organisation"], "name": "new", "url": "https://example.org/"}
	},
	"change-webhook":   func(tenant) any { return map[string]any{"name": "renamed"} },
	"create-api-token": func(tenant) any { return map[string]any{"name": "new"} },
	"invite-user": func(w tenant) any {
		return map[string]any{"email": "new@example.com", "role": "operator", "locations": granted(w)}
	},
	"change-user":       func(w tenant) any { return map[string]any{"role": "operator", "locations": granted(w)} },
	"repeat-invitation": func(tenant) any { return nil },
	"create-key": func(w tenant) any {
		return map[string]any{"name": "new", "actions": []any{"view"}, "locations": granted(w)}
	},
	"add-page-views": func(tenant) any { return map[string]any{"views": []any{map[string]any{"page": "/", "at": heardAt}}} },
	"sql":            func(tenant) any { return plain("SELECT 1") },
	"create-export":  func(w tenant) any { return exportBody(w) },
	"ask":            func(w tenant) any { return map[string]any{"organisation_id": w.ids["organisation"], "sql": "SELECT 1"} },
	"create-ask-query": func(w tenant) any {
		return map[string]any{"organisation_id": w.ids["organisation"], "title": "new", "sql": "SELECT 1"}
	},
	"change-ask-query": func(tenant) any { return map[string]any{"title": "changed", "sql": "SELECT 2"} },
}

// csv, plain and dot, a picture, are bodies that are no JSON.
type (
	csv   string
	plain string
	dot   string
)

// pngDot is one black pixel.
const pngDot = "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x00\x00\x00\x00:~\x9bU\x00\x00\x00\nIDATx\xdac`\x00\x00\x00\x02\x00\x01\xe5'\xde\xfc\x00\x00\x00\x00IEND\xaeB`\x82"

// heardAt is when the tags of all organisations were heard.
var heardAt = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// hear stores that the receiver heard the tag.
func hear(t *testing.T, warehouse *clickhouse.DB, org schema.OrganisationID, plan, receiver, tag string) {
	t.Helper()
	const insert = `INSERT INTO observations (org, device, plan, receiver, tag, at, rssi_cdbm, keep_days, boot_id, transmitter)
		VALUES ('%s', '%s', '%[2]s', '%[3]s', '%[4]s', fromUnixTimestamp64Milli(%[5]d, 'UTC'), -6000, 65535, 'b', 't')`
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

// ownerOf makes an organisation with the product and returns it with its Owner.
func ownerOf(t *testing.T, s *shelltest.Server, name string) (postgres.Organisation, *shelltest.Client) {
	t.Helper()
	o := postgrestest.Organisation(t, s.DB, name, "ble")
	s.Account(o, name+"@example.com", "owner")
	return o, s.Login(name + "@example.com")
}

// send sends a body as what it is.
func send(c *shelltest.Client, method, path string, body any) shelltest.Response {
	switch b := body.(type) {
	case csv:
		return c.Do(method, path, []byte(b), "Content-Type", "text/csv")
	case dot:
		return c.Do(method, path, []byte(b), "Content-Type", "image/png")
	case plain:
		return c.Do(method, path, []byte(b), "Content-Type", "text/plain")
	}
	if method == http.MethodGet {
		body = nil
	}
	return c.Do(method, path, body)
}
