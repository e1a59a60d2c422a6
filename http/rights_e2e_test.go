package http_test

import (
	"slices"
	"strings"
	"testing"

	"mybeacon/engine/store/postgres"
	"mybeacon/engine/store/postgres/postgrestest"
	"mybeacon/http/shelltest"
	"mybeacon/schema"
)

// What changes nothing although it is no GET, and who may do it besides an Owner: all
// who may look, or export.
var (
	everybodys = []string{"create-live-ticket", "add-page-views"}
	exporters  = []string{"sql", "ask", "create-ask-query", "change-ask-query", "delete-ask-query", "create-export", "delete-export"}
)

// notViewers are what a Viewer may not even read.
var notViewers = []string{"list-audit", "export-audit", "export-devices", "export-ble-tags", "list-users", "list-keys",
	"list-export-datasets", "list-exports", "get-export", "download-export", "list-ask-tables", "list-ask-queries", "list-ble-shares"}

func called(r route) string {
	return anyID.ReplaceAllString(r.path, schema.NewID[schema.PlanID]().String())
}

// clients returns the operations below /client, and the ticket of the live map.
func (d document) clients() []route {
	var found []route
	for path, methods := range d.Paths {
		for method, op := range methods {
			if strings.HasPrefix(path, "/api/v1/client/") || op.OperationID == "create-live-ticket" {
				found = append(found, route{op, strings.ToUpper(method), path})
			}
		}
	}
	return found
}

// Every operation that is no GET is refused to who may not change anything - by his
// role, by read-only mode, or by what his key was made for -, before its input is
// looked at. It makes no difference whether the object is there.
func TestMissingRights(t *testing.T) {
	s := startWhole(t)
	d, _ := readDocument(t, s)
	o := postgrestest.Organisation(t, s.DB, "o", "ble")
	callers := map[string]*shelltest.Client{"key": keyOf(t, s, o, "{view}")}
	for _, role := range []string{"viewer", "manager", "owner"} {
		s.Account(o, role+"@example.com", role)
		callers[role] = s.Login(role + "@example.com")
	}
	exec(t, s, `UPDATE account SET read_only = true WHERE role = 'owner'`)
	tried := 0
	for _, r := range d.clients() {
		if r.method == "GET" || slices.Contains(everybodys, r.OperationID) {
			continue
		}
		for who, c := range callers {
			if slices.Contains(exporters, r.OperationID) && (who == "manager" || who == "owner") {
				continue
			}
			tried++
			c.Refuse(403, r.method, called(r), []byte("not even read"))
		}
	}
	t.Logf("%d requests without the right tried", tried)
	if tried < 100 {
		t.Errorf("only %d requests were tried", tried)
	}
	for _, r := range d.clients() {
		if got := callers["viewer"].Do(r.method, called(r), nil).StatusCode; r.method == "GET" && (got == 403) != slices.Contains(notViewers, r.OperationID) {
			t.Errorf("GET %s by a viewer: %d", r.path, got)
		}
	}
}

// Nobody of an organisation comes below /admin, and a super-admin changes nothing of
// an organisation before he has switched into it.
func TestOnlySuperAdminsAdminister(t *testing.T) {
	s := startWhole(t)
	d, _ := readDocument(t, s)
	_, owner := ownerOf(t, s, "o")
	tried := 0
	for path, methods := range d.Paths {
		for method, op := range methods {
			if strings.HasPrefix(path, "/api/v1/admin/") || slices.Contains(adminsOwn, op.OperationID) {
				tried++
				owner.Refuse(403, strings.ToUpper(method), called(route{path: path}), []byte("not even read"))
			}
		}
	}
	t.Logf("%d operations of super-admins tried", tried)
	admin := s.Login(shelltest.AdminEmail)
	for _, r := range d.clients() {
		if r.method != "GET" && !slices.Contains(everybodys, r.OperationID) && !slices.Contains(exporters, r.OperationID) {
			admin.Refuse(403, r.method, called(r), []byte("not even read"))
		}
	}
}

// While a product is off there is nothing at its addresses.
func TestProductsThatAreOff(t *testing.T) {
	s := startWhole(t)
	d, _ := readDocument(t, s)
	_, owner := ownerOf(t, s, "o")
	exec(t, s, `DELETE FROM organisation_product`)
	tried := 0
	for _, r := range d.clients() {
		if strings.HasPrefix(r.path, "/api/v1/client/ble/") {
			tried++
			owner.Refuse(404, r.method, called(r), []byte("not even read"))
		}
	}
	if tried < 20 {
		t.Errorf("only %d operations of the product were tried", tried)
	}
}

// keyOf returns a client with an API key of the organisation.
func keyOf(t *testing.T, s *shelltest.Server, o postgres.Organisation, actions string) *shelltest.Client {
	t.Helper()
	secret := postgres.NewSecret(postgres.APIKeyPrefix)
	maker := s.Account(o, "maker@example.com", "admin")
	exec(t, s, `INSERT INTO api_key (id, org, name, prefix, hash, actions, created_by, expires_at)
		VALUES (gen_random_uuid(), $1, 'key', 'mbk_', sha256($2::text::bytea), $3::text::text[], $4, now() + interval '1 day')`, o.ID, secret, actions, maker.ID)
	c := s.Nobody()
	c.Bearer = secret
	c.Want(200, "GET", "/api/v1/client/locations", nil, nil)
	return c
}

func exec(t *testing.T, s *shelltest.Server, sql string, args ...any) {
	t.Helper()
	if _, err := s.DB.Pool().Exec(t.Context(), sql, args...); err != nil {
		t.Fatal(err)
	}
}
