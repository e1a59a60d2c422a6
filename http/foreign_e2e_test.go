package http_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"mybeacon/engine/store/postgres"
	"mybeacon/http/shelltest"
	"mybeacon/schema"
)

// route is an operation with all that names objects in it.
type route struct {
	operation
	method, path string
}

// call is a request of a route; ids are what stands in its path, by the segment's
// number, and query what stands behind it.
type call struct {
	route
	ids   map[int]string
	query url.Values
	body  any
}

func (c call) address() string {
	segments := strings.Split(c.path, "/")
	for i, id := range c.ids {
		segments[i] = id
	}
	path := strings.Join(segments, "/")
	if len(c.query) > 0 {
		path += "?" + c.query.Encode()
	}
	return path
}

// place is one place of a route where an id stands, and how another one gets there.
type place struct {
	what, kind string
	put        func(id string) call
}

var (
	// queryKinds says which query parameters name objects.
	queryKinds = map[string]string{"organisation_id": "organisation", "location_id": "location", "ids": "device", "mac": "mac", "rule": "rule",
		"location": "location", "plan": "plan", "zone": "zone", "tag": "tag"}
	// queries are those without which an operation cannot be called.
	queries = map[string]func(w tenant) url.Values{
		"search":          func(tenant) url.Values { return url.Values{"q": {"hall"}} },
		"list-ble-visits": pastOf, "get-ble-summary": pastOf, "get-ble-dwell": pastOf, "get-ble-occupancy": pastOf, "get-ble-occupancy-now": pastOf,
		"list-ble-presence": pastOf, "get-ble-heatmap": pastOf, "get-ble-routes": pastOf, "get-ble-route-paths": pastOf, "list-ble-tracks": pastOf,
		"get-ble-timeline": pastOf, "list-ble-events": pastOf,
		"list-device-status": func(w tenant) url.Values { return url.Values{"ids": {w.ids["device"]}} },
	}
	namesObject = regexp.MustCompile(`(^|_)ids?$`)
)

// pastOf is a question about the past that names all that can be named.
func pastOf(w tenant) url.Values {
	return url.Values{"location": {w.ids["location"]}, "plan": {w.ids["plan"]}, "zone": {w.ids["zone"]}, "tag": {w.ids["tag"]}}
}

// ownCall is the tenant's request of the route, about its own objects.
func ownCall(t *testing.T, d document, r route, w tenant) call {
	t.Helper()
	c := call{route: r, ids: map[int]string{}, query: url.Values{}}
	segments := strings.Split(r.path, "/")
	for i := range segments {
		if strings.HasPrefix(segments[i], "{") {
			id, known := w.ids[kindOf(segments, i)]
			if !known {
				t.Fatalf("%s %s: enter in pathKinds and settle what %s names", r.method, r.path, segments[i])
			}
			c.ids[i] = id
		}
	}
	if query, ok := queries[r.OperationID]; ok {
		c.query = query(w)
	}
	if r.RequestBody != nil {
		body, known := bodies[r.OperationID]
		switch {
		case !known && len(c.ids) == 0 && !d.namesObjects(r.RequestBody):
			return c // nothing to put there
		case !known:
			t.Fatalf("%s %s: enter a body of %s in bodies", r.method, r.path, r.OperationID)
		}
		c.body = body(w)
	}
	return c
}

// places returns where the route names objects: each place in the path, the query and
// the body.
func places(t *testing.T, d document, r route, w tenant) []place {
	t.Helper()
	own := ownCall(t, d, r, w)
	var found []place
	segments := strings.Split(r.path, "/")
	for _, i := range slices.Sorted(maps.Keys(own.ids)) {
		found = append(found, place{segments[i], kindOf(segments, i), func(id string) call {
			c := own
			c.ids = maps.Clone(own.ids)
			c.ids[i] = id
			return c
		}})
	}
	for _, p := range r.Parameters {
		kind, known := queryKinds[p.Name]
		if p.In != "query" || !known && !namesObject.MatchString(p.Name) {
			continue
		}
		if !known {
			t.Fatalf("%s %s: enter in queryKinds what ?%s= names", r.method, r.path, p.Name)
		}
		found = append(found, place{"?" + p.Name, kind, func(id string) call {
			c := own
			c.query = maps.Clone(own.query)
			c.query.Set(p.Name, id)
			return c
		}})
	}
	return append(found, bodyPlaces(t, d, own, w)...)
}

// bodyPlaces finds the tenant's ids in the body, and that no property of the schema
// which names objects is missing there.
func bodyPlaces(t *testing.T, d document, own call, w tenant) []place {
	t.Helper()
	if own.body == nil {
		return nil
	}
	text, err := json.Marshal(own.body)
	if err != nil {
		t.Fatal(err)
	}
	for property := range d.properties(own.RequestBody) {
		if namesObject.MatchString(property) && !strings.Contains(string(text), `"`+property+`":`) {
			t.Fatalf("%s %s: enter %s in the body of %s", own.method, own.path, property, own.OperationID)
		}
	}
	var found []place
	for kind, id := range w.ids {
		if kind == "mac" { // registering one twice is a conflict, whoever has it
			continue
		}
		if kind == "spare" {
			kind = "device"
		}
		for n := range strings.Count(string(text), id) {
			found = append(found, place{fmt.Sprintf("%s %d of the body", kind, n), kind, func(other string) call {
				c := own
				var body any
				if err := json.Unmarshal(replaceNth(text, id, other, n), &body); err != nil {
					t.Fatal(err)
				}
				c.body = body
				return c
			}})
		}
	}
	return found
}

// namesObjects reports whether a property of the body names an object.
func (d document) namesObjects(body *requestBody) bool {
	for property := range d.properties(body) {
		if namesObject.MatchString(property) {
			return true
		}
	}
	return false
}

func replaceNth(text []byte, old, with string, n int) []byte {
	parts := strings.SplitAfter(string(text), old)
	parts[n] = strings.TrimSuffix(parts[n], old) + with
	return []byte(strings.Join(parts, ""))
}

// routes returns the operations that need a caller and are people's: what super-admins
// do, and devices, is not about one's own objects.
func (d document) routes() []route {
	var found []route
	for path, methods := range d.Paths {
		for method, op := range methods {
			mine := strings.HasPrefix(path, "/api/v1/client/") || strings.HasPrefix(path, "/api/v1/auth/")
			if mine && len(op.Security) > 0 && !slices.Contains(adminsOwn, op.OperationID) {
				found = append(found, route{op, strings.ToUpper(method), path})
			}
		}
	}
	slices.SortFunc(found, func(a, b route) int {
		return cmp.Or(strings.Compare(a.path, b.path), strings.Compare(a.method, b.method))
	})
	return found
}

// adminsOwn are operations of super-admins that are not below /admin.
var adminsOwn = []string{"begin-acting", "end-acting"}

// answersEach are operations that answer about each object in a list.
var answersEach = []string{"change-devices"}

// Another organisation's object does not exist, and neither does one of a location
// that the caller does not see, or of none when he sees only some: every operation of the document, with each of the
// places where it names an object, answers 404 - a list is the one it would be for an
// id that nothing has -, and changes nothing. The same request about one's own is
// answered. A right that nobody can give is refused with 403, whether there is such a
// location or not.
func TestForeignObjects(t *testing.T) {
	warehouse := openWarehouse(t)
	s := startOver(t, warehouse)
	d, _ := readDocument(t, s)
	mine, owner := ownerOf(t, s, "mine")
	theirs, stranger := ownerOf(t, s, "theirs")
	hall := settle(t, s, warehouse, mine, owner, 1)
	yard := settle(t, s, warehouse, mine, owner, 2)
	foreign := settle(t, s, warehouse, theirs, stranger, 3)
	limited := limitedOwner(t, s, mine, hall)

	tried, places := 0, 0
	t.Run("organisation", func(t *testing.T) {
		tried, places = tryAll(t, s, d, owner, hall, foreign, func(string) bool { return true })
	})
	t.Run("location", func(t *testing.T) {
		n, p := tryAll(t, s, d, limited, hall, yard, func(kind string) bool { return atLocation[kind] })
		tried, places = tried+n, places+p
	})
	t.Run("no location", func(t *testing.T) {
		nowhere := tenant{organisation: mine, ids: map[string]string{}}
		for i, kind := range []string{"device", "spare"} {
			var made struct{ ID string }
			owner.Want(201, "POST", "/api/v1/client/devices", map[string]any{"mac": address(4, i)}, &made)
			nowhere.ids[kind] = made.ID
		}
		n, p := tryAll(t, s, d, limited, hall, nowhere, func(kind string) bool { return nowhere.ids[kind] != "" })
		tried, places = tried+n, places+p
	})
	t.Logf("%d routes tried with foreign objects in %d places", tried, places)
	if tried < 60 {
		t.Errorf("only %d routes were tried: the document was not read rightly", tried)
	}
	ownersPass(t, d, owner, hall)
}

// limitedOwner returns an Owner who sees one of the locations.
func limitedOwner(t *testing.T, s *shelltest.Server, o postgres.Organisation, w tenant) *shelltest.Client {
	t.Helper()
	a := s.Account(o, "limited@example.com", "owner")
	const limit = `WITH a AS (UPDATE account SET limited = true WHERE id = $1 RETURNING id, org)
		INSERT INTO account_location (account, org, location, write) SELECT id, org, $2, true FROM a`
	if _, err := s.DB.Pool().Exec(t.Context(), limit, a.ID, w.ids["location"]); err != nil {
		t.Fatal(err)
	}
	return s.Login(a.Email)
}

// tryAll puts the others' ids of some kinds into all places of all routes. It returns
// how many routes had any, and how many places there were.
func tryAll(t *testing.T, s *shelltest.Server, d document, c *shelltest.Client, own, others tenant, some func(kind string) bool) (routes, tried int) {
	t.Helper()
	before := fingerprint(t, s.DB, others.organisation.ID)
	for _, r := range d.routes() {
		n := tried
		for _, p := range places(t, d, r, own) {
			if some(p.kind) {
				tried++
				tryPlace(t, c, p, others.ids[p.kind])
			}
		}
		if tried > n {
			routes++
		}
	}
	if after := fingerprint(t, s.DB, others.organisation.ID); after != before {
		t.Errorf("somebody without rights changed\n%s", firstDifference(before, after))
	}
	return routes, tried
}

func tryPlace(t *testing.T, c *shelltest.Client, p place, id string) {
	t.Helper()
	with := p.put(id)
	r := send(c, with.method, with.address(), with.body)
	if r.StatusCode == 404 {
		return
	}
	nobodys := schema.NewID[schema.PlanID]().String()
	if p.kind == "mac" {
		nobodys = address(99, 99)
	}
	unknown := p.put(nobodys)
	u := send(c, unknown.method, unknown.address(), unknown.body)
	same := r.StatusCode == u.StatusCode && normal(r.Bytes, id) == normal(u.Bytes, nobodys)
	fine := r.StatusCode == 403 || r.StatusCode == 200 && (with.method == "GET" || slices.Contains(answersEach, with.OperationID))
	if !same || !fine {
		t.Errorf("%s %s with another's %s as %s: got %d, want 404: %s", with.method, with.address(), p.kind, p.what, r.StatusCode, r.Bytes)
	}
}

var requestIDs = regexp.MustCompile(`"request_id":"[^"]*"`)

// normal is an answer without what differs between two requests about two ids.
func normal(answer []byte, id string) string {
	return requestIDs.ReplaceAllString(strings.ReplaceAll(string(answer), id, "ID"), "")
}

// ownersPass proves that the requests above were refused for their ids alone.
func ownersPass(t *testing.T, d document, owner *shelltest.Client, own tenant) {
	t.Helper()
	for _, method := range []string{"GET", "POST", "PATCH", "PUT", "DELETE"} {
		routes := d.routes()
		if method == "DELETE" {
			slices.Reverse(routes) // parts before what they are parts of
		}
		for _, r := range routes {
			if r.method != method || len(places(t, d, r, own)) == 0 || strings.HasPrefix(r.path, "/api/v1/auth/") {
				continue
			}
			c := ownCall(t, d, r, own)
			if got := send(owner, method, c.address(), c.body); got.StatusCode >= 400 && got.StatusCode != 409 {
				t.Errorf("%s %s for its owner: %d %s", method, c.address(), got.StatusCode, got.Bytes)
			}
		}
	}
}

// fingerprint is all that an organisation owns, as text. When somebody was last seen
// and what the log says is no property of its own.
func fingerprint(t *testing.T, db *postgres.DB, o schema.OrganisationID) string {
	t.Helper()
	const tables = `SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid WHERE c.relkind = 'r' AND a.attname = 'org'
		AND c.relnamespace = 'public'::regnamespace AND c.relname NOT IN ('login', 'api_token', 'audit_entry', 'audit_chain') ORDER BY 1`
	names, err := pgx.CollectRows(must(db.Pool().Query(t.Context(), tables)), pgx.RowTo[string])
	if err != nil || len(names) < 15 {
		t.Fatalf("%v %v", names, err)
	}
	var all strings.Builder
	for _, table := range names {
		var rows string
		find := "SELECT coalesce(string_agg(x::text, E'\n' ORDER BY x::text), '') FROM " + table + " x WHERE org = $1"
		if err := db.Pool().QueryRow(t.Context(), find, o).Scan(&rows); err != nil {
			t.Fatal(err)
		}
		all.WriteString(table + ":\n" + rows + "\n")
	}
	return all.String()
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func firstDifference(a, b string) string {
	x, y := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(x), len(y)) {
		if x[i] != y[i] {
			return x[i] + "\nto\n" + y[i]
		}
	}
	return fmt.Sprintf("%d rows to %d", len(x), len(y))
}
