package http_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"mybeacon/engine/audit"
	"mybeacon/engine/store/postgres"
	"mybeacon/engine/store/postgres/postgrestest"
	shell "mybeacon/http"
	"mybeacon/http/shelltest"
	"mybeacon/schema"
)

const sharesPath, openPath = "/api/v1/client/ble/shares", "/api/v1/auth/share"

// opened is what a browser learns that opens a link.
type opened struct {
	Session  string
	Location struct {
		ID   schema.LocationID
		Name string
	}
	Plan      *schema.PlanID
	Names     bool
	ExpiresAt time.Time `json:"expires_at"`
}

// makeShare makes a link and returns its id and token.
func makeShare(t *testing.T, c *shelltest.Client, body map[string]any) (id, token string) {
	t.Helper()
	var made struct{ ID, URL string }
	c.Want(201, "POST", sharesPath, body, &made)
	token, ok := strings.CutPrefix(made.URL, "/shared#")
	if !ok || !strings.HasPrefix(token, postgres.ShareTokenPrefix) {
		t.Fatalf("the link is %q", made.URL)
	}
	return made.ID, token
}

// guestOf returns a browser that opened the link.
func guestOf(t *testing.T, s *shelltest.Server, token string) (*shelltest.Client, opened) {
	t.Helper()
	c := s.Nobody()
	var o opened
	c.Want(200, "POST", openPath, map[string]any{"token": token}, &o)
	c.Bearer = o.Session
	return c, o
}

// shared are the operations that a link opens, and nothing else.
var shared = []string{"get-location", "list-locations", "list-ble-plans", "get-ble-plan", "get-ble-plan-image", "get-ble-plan-svg", "create-live-ticket"}

// Who has a link sees one location, its plans and its live map: each other operation of
// the document refuses him, about that location's own objects as about others'.
func TestSharesOpenOneLiveMap(t *testing.T) {
	warehouse := openWarehouse(t)
	s := startOver(t, warehouse)
	d, _ := readDocument(t, s)
	mine, owner := ownerOf(t, s, "mine")
	theirs, stranger := ownerOf(t, s, "theirs")
	hall, yard := settle(t, s, warehouse, mine, owner, 1), settle(t, s, warehouse, mine, owner, 2)
	foreign := settle(t, s, warehouse, theirs, stranger, 3)
	if r := send(owner, "PUT", "/api/v1/client/ble/plans/"+hall.ids["plan"]+"/image", dot(pngDot)); r.StatusCode != 200 {
		t.Fatalf("picture: %d %s", r.StatusCode, r.Bytes)
	}
	_, token := makeShare(t, owner, map[string]any{"location": hall.ids["location"], "plan": hall.ids["plan"], "expires_in_hours": 1})
	guest, o := guestOf(t, s, token)
	if o.Location.ID.String() != hall.ids["location"] || o.Plan.String() != hall.ids["plan"] || o.Names {
		t.Errorf("the link says %+v", o)
	}
	before := fingerprint(t, s.DB, mine.ID)
	seen, refused := 0, 0
	for _, r := range append(d.routes(), d.admins()...) {
		for _, w := range []tenant{hall, yard, foreign} {
			c := anyCall(r, w)
			got := send(guest, r.method, c.address(), c.body)
			own := slices.Contains(shared, r.OperationID)
			switch {
			case own && (w.number == hall.number || len(c.ids) == 0):
				seen++
				if got.StatusCode != 200 {
					t.Errorf("%s %s is refused: %d %s", r.method, c.address(), got.StatusCode, got.Bytes)
				}
				for _, hidden := range []string{yard.ids["location"], yard.ids["plan"], foreign.ids["location"], foreign.ids["plan"]} {
					if strings.Contains(string(got.Bytes), hidden) {
						t.Errorf("%s %s shows what is not the link's: %s", r.method, c.address(), got.Bytes)
					}
				}
			case own && got.StatusCode != 404, !own && got.StatusCode != 403 && got.StatusCode != 404:
				t.Errorf("%s %s (%s) with a link: %d %s", r.method, c.address(), r.OperationID, got.StatusCode, got.Bytes)
			default:
				refused++
			}
		}
	}
	guest.Want(201, "POST", "/api/v1/live/ticket", nil, nil)
	guest.Refuse(403, "GET", "/api/v1/client/ble/plans/"+hall.ids["plan"]+"?at=2026-01-01T00:00:00Z", nil)
	if after := fingerprint(t, s.DB, mine.ID); after != before {
		t.Errorf("a link changed\n%s", firstDifference(before, after))
	}
	t.Logf("a link opened %d requests and was refused %d", seen, refused)
	if seen < 6 || refused < 150 {
		t.Errorf("only %d and %d: the document was not read rightly", seen, refused)
	}
}

// anyCall is the tenant's request of any operation: a link is refused before anybody
// looks at what is asked.
func anyCall(r route, w tenant) call {
	c := call{route: r, ids: map[int]string{}}
	segments := strings.Split(r.path, "/")
	for i := range segments {
		if !strings.HasPrefix(segments[i], "{") {
			continue
		}
		if c.ids[i] = w.ids[kindOf(segments, i)]; c.ids[i] == "" {
			c.ids[i] = schema.NewID[schema.PlanID]().String()
		}
	}
	if query, ok := queries[r.OperationID]; ok {
		c.query = query(w)
	}
	if body, ok := bodies[r.OperationID]; ok {
		c.body = body(w)
	}
	return c
}

// admins returns the operations of super-admins.
func (d document) admins() []route {
	var found []route
	for path, methods := range d.Paths {
		for method, op := range methods {
			if strings.HasPrefix(path, "/api/v1/admin/") || slices.Contains(adminsOwn, op.OperationID) {
				found = append(found, route{op, strings.ToUpper(method), path})
			}
		}
	}
	return found
}

// watching returns the question that a socket of the client asks every three seconds.
func watching(t *testing.T, s *shelltest.Server, session string, location schema.LocationID) (shell.Principal, func() error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/api/v1/live", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.RemoteAddr = "192.0.2.7:4711"
	r.Header.Set("Authorization", "Bearer "+session)
	p, _, err := s.Viewer(r)
	if err != nil {
		t.Fatal(err)
	}
	may := s.Watching(p, "ble")
	return p, func() error { return may(t.Context(), location) }
}

// A link that is revoked, or whose maker may not look any more, ends what was opened by
// it, and says so to who comes again. Nobody's cookie is touched.
func TestSharesEnd(t *testing.T) {
	s := startWhole(t)
	o, owner := ownerOf(t, s, "mine")
	hall, yard := postgrestest.Location(t, s.DB, o, "hall"), postgrestest.Location(t, s.DB, o, "yard")
	id, token := makeShare(t, owner, map[string]any{"location": hall.ID, "expires_in_hours": 1})
	guest, seen := guestOf(t, s, token)
	p, may := watching(t, s, seen.Session, hall.ID)
	if err := may(); err != nil || !p.Nameless {
		t.Fatalf("%v, nameless %v", err, p.Nameless)
	}
	_, other := watching(t, s, seen.Session, yard.ID)
	if err := other(); schema.KindOf(err) != schema.NotFound {
		t.Errorf("another location: %v", err)
	}
	if r := owner.Want(200, "POST", openPath, map[string]any{"token": token}, nil); r.Header.Get("Set-Cookie") != "" || r.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("opening a link answers %v", r.Header)
	}
	owner.Want(200, "GET", "/api/v1/auth/me", nil, nil) // as before
	var listed struct {
		Items []struct {
			ID, URL  string
			Sessions int
			LastSeen *time.Time `json:"last_seen"`
		}
	}
	owner.Want(200, "GET", sharesPath+"?location="+hall.ID.String(), nil, &listed)
	if len(listed.Items) != 1 || listed.Items[0].URL != "" || listed.Items[0].Sessions != 2 || listed.Items[0].LastSeen == nil {
		t.Errorf("listed %+v", listed)
	}
	exec(t, s, `UPDATE account SET disabled = true WHERE email = 'mine@example.com'`)
	s.RightsChanged() // as the server does when the database tells
	if err := may(); schema.KindOf(err) != schema.Unauthorized {
		t.Errorf("its maker is disabled: %v", err)
	}
	exec(t, s, `UPDATE account SET disabled = false WHERE email = 'mine@example.com'`)
	s.RightsChanged()
	if err := may(); err != nil {
		t.Error(err)
	}
	owner.Want(204, "DELETE", sharesPath+"/"+id, nil, nil)
	if err := may(); schema.KindOf(err) != schema.Unauthorized {
		t.Errorf("revoked: %v", err)
	}
	guest.Refuse(401, "GET", "/api/v1/client/locations", nil)
	owner.Refuse(404, "DELETE", sharesPath+"/"+id, nil)
	if r := s.Nobody().Do("POST", openPath, map[string]any{"token": token}); r.StatusCode != 403 || !strings.Contains(string(r.Bytes), `"value":"revoked"`) {
		t.Errorf("a revoked link: %d %s", r.StatusCode, r.Bytes)
	}
	var secrets int
	if err := s.DB.Pool().QueryRow(t.Context(), `SELECT count(*) FROM audit_entry WHERE body LIKE '%' || $1 || '%'`, token).Scan(&secrets); err != nil || secrets != 0 {
		t.Errorf("%d entries hold the token, %v", secrets, err)
	}
	want := map[string]int{"create": 1, "view": 2, "delete": 1}
	for action, n := range want {
		var got int
		if err := s.DB.Pool().QueryRow(t.Context(), `SELECT count(*) FROM audit_entry WHERE org = $1 AND action = $2 AND body LIKE '%' || $3 || '%'`, o.ID, action, id).Scan(&got); err != nil || got != n {
			t.Errorf("%d entries %s of the link, want %d, %v", got, action, n, err)
		}
	}
}

// A link ends at its time: requests at once, sockets when they ask next, although
// nothing changed.
func TestSharesExpire(t *testing.T) {
	s := startWhole(t)
	o, owner := ownerOf(t, s, "mine")
	hall := postgrestest.Location(t, s.DB, o, "hall")
	id, token := makeShare(t, owner, map[string]any{"location": hall.ID, "expires_in_hours": 1, "names": true})
	guest, seen := guestOf(t, s, token)
	p, may := watching(t, s, seen.Session, hall.ID)
	if err := may(); err != nil || p.Nameless {
		t.Fatalf("%v, nameless %v", err, p.Nameless)
	}
	// Made so long ago that it ends in a moment; its session thinks the same.
	exec(t, s, `UPDATE share SET created_at = now() - interval '1 hour', expires_at = now() + interval '300 milliseconds' WHERE id = $1`, id)
	s.RightsChanged()
	p, may = watching(t, s, seen.Session, hall.ID)
	if err := may(); err != nil {
		t.Fatal(err)
	}
	for time.Now().Before(p.Until) {
		select {
		case <-time.After(time.Until(p.Until)):
		case <-t.Context().Done():
			t.Fatal(t.Context().Err())
		}
	}
	if err := may(); schema.KindOf(err) != schema.Unauthorized {
		t.Errorf("expired: %v", err)
	}
	guest.Refuse(401, "GET", "/api/v1/client/locations", nil)
	if r := s.Nobody().Do("POST", openPath, map[string]any{"token": token}); r.StatusCode != 403 || !strings.Contains(string(r.Bytes), `"value":"expired"`) {
		t.Errorf("an expired link: %d %s", r.StatusCode, r.Bytes)
	}
}

// What a link may be, who may make one, and how often one may guess.
func TestSharesAreBounded(t *testing.T) {
	s := startWhole(t)
	o, owner := ownerOf(t, s, "mine")
	hall := postgrestest.Location(t, s.DB, o, "hall")
	for _, bad := range []map[string]any{
		{"location": hall.ID, "expires_in_hours": 0}, {"location": hall.ID, "expires_in_hours": 721}, {"location": hall.ID}, {"expires_in_hours": 1},
	} {
		owner.Refuse(400, "POST", sharesPath, bad)
	}
	owner.Refuse(404, "POST", sharesPath, map[string]any{"location": hall.ID, "plan": schema.NewID[schema.PlanID](), "expires_in_hours": 1})
	s.Account(o, "operator@example.com", "operator")
	exec(t, s, `WITH a AS (UPDATE account SET limited = true WHERE email = 'operator@example.com' RETURNING id, org)
		INSERT INTO account_location (account, org, location, write) SELECT id, org, $1, true FROM a`, hall.ID)
	operator := s.Login("operator@example.com")
	operator.Refuse(403, "POST", sharesPath, map[string]any{"location": hall.ID, "expires_in_hours": 1, "names": true})
	operator.Want(201, "POST", sharesPath, map[string]any{"location": hall.ID, "expires_in_hours": 1}, nil)
	exec(t, s, `UPDATE account_location SET write = false`)
	operator.Refuse(403, "POST", sharesPath, map[string]any{"location": hall.ID, "expires_in_hours": 1})
	key := keyOf(t, s, o, "{view,edit_plans,export}")
	key.Refuse(403, "POST", sharesPath, map[string]any{"location": hall.ID, "expires_in_hours": 1})

	_, token := makeShare(t, owner, map[string]any{"location": hall.ID, "expires_in_hours": 1})
	for range 60 {
		guestOf(t, s, token)
	}
	s.Nobody().Refuse(429, "POST", openPath, map[string]any{"token": token}) // a minute's worth
	for n := range 11 {
		want := 404
		if n == 10 {
			want = 429
		}
		s.Nobody().Refuse(want, "POST", openPath, map[string]any{"token": postgres.NewSecret(postgres.ShareTokenPrefix)})
	}
}

// A guest sees where receivers hang, and not which devices they are; not more browsers
// of one address open links than may.
func TestGuestsLearnNoDevices(t *testing.T) {
	warehouse := openWarehouse(t)
	s := startOver(t, warehouse)
	o, owner := ownerOf(t, s, "mine")
	hall := settle(t, s, warehouse, o, owner, 1)
	_, token := makeShare(t, owner, map[string]any{"location": hall.ids["location"], "expires_in_hours": 1})
	guest, _ := guestOf(t, s, token)
	var seen struct{ Receivers []map[string]any }
	guest.Want(200, "GET", "/api/v1/client/ble/plans/"+hall.ids["plan"], nil, &seen)
	if len(seen.Receivers) != 1 {
		t.Fatalf("got %+v", seen)
	}
	at := seen.Receivers[0]
	if at["device_id"] != "" || at["number"] != 0.0 || at["name"] != "" || at["gain_db"] != 0.0 || at["x"] != 1.0 {
		t.Errorf("a guest sees %+v", at)
	}
	_, second := makeShare(t, owner, map[string]any{"location": hall.ids["location"], "expires_in_hours": 1})
	for i, token := range []string{token, second} {
		for range 50 - 1 + i { // one was opened
			s.Nobody().Want(200, "POST", openPath, map[string]any{"token": token}, nil)
		}
	}
	_, third := makeShare(t, owner, map[string]any{"location": hall.ids["location"], "expires_in_hours": 1})
	s.Nobody().Refuse(429, "POST", openPath, map[string]any{"token": third})
}

// Guests count for themselves, and do not take the requests of the organisation; asking
// for a snapshot is a request.
func TestGuestsCountForThemselves(t *testing.T) {
	slow := 1.0 / 3600
	s := shelltest.Start(t, func(c *shell.Config) {
		c.Rates = shell.Rates{User: shell.Rate{PerSecond: slow, Burst: 20}, Organisation: shell.Rate{PerSecond: slow, Burst: 21}}
	}, nil)
	o, _ := ownerOf(t, s, "mine")
	hall := postgrestest.Location(t, s.DB, o, "hall")
	p := principal(t, s, "mine@example.com")
	look := s.Looking(p, "ble")
	kind := func(look func(context.Context, schema.LocationID) error) schema.Kind {
		return schema.KindOf(look(t.Context(), hall.ID))
	}
	guests := []shell.Principal{p, p}
	for i := range guests {
		guests[i].Share, guests[i].Visit = schema.NewID[postgres.ShareID](), schema.NewID[postgres.LoginID]()
		guests[i].Share = guests[0].Share
		for range 20 {
			if err := s.Looking(guests[i], "ble")(t.Context(), hall.ID); err != nil {
				t.Fatal(err)
			}
		}
		if got := kind(s.Looking(guests[i], "ble")); got != schema.TooMany {
			t.Errorf("guest %d: %v", i, got)
		}
	}
	if err := look(t.Context(), hall.ID); err != nil {
		t.Errorf("guests took the organisation's requests: %v", err)
	}
}

// failingViews cannot write down the first look.
type failingViews struct{ looks int }

func (v *failingViews) Viewed(context.Context, audit.Entry) error {
	if v.looks++; v.looks == 1 {
		return schema.Errorf(schema.Unavailable, "", "not now")
	}
	return nil
}

// A look that could not be written down is written down when it is tried again.
func TestLooksThatWereNotWritten(t *testing.T) {
	views := &failingViews{}
	s := shelltest.Start(t, func(c *shell.Config) { c.Views = views }, nil)
	o, _ := ownerOf(t, s, "mine")
	hall := postgrestest.Location(t, s.DB, o, "hall")
	look := s.Looking(principal(t, s, "mine@example.com"), "ble")
	if err := look(t.Context(), hall.ID); schema.KindOf(err) != schema.Unavailable {
		t.Fatalf("got %v", err)
	}
	for range 2 {
		if err := look(t.Context(), hall.ID); err != nil {
			t.Fatal(err)
		}
	}
	if views.looks != 2 {
		t.Errorf("%d looks were written down", views.looks)
	}
}
