package provision_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"mybeacon/engine/provision"
	"mybeacon/schema"
)

func kiosk() provision.Site {
	return provision.Site{
		Organisation: "Kiosk & Co", KeepDays: schema.KeepForever, Location: "Киоск", TimeZone: "Europe/Moscow", Clock: "source",
		Plan: provision.Plan{
			Name: "Ground floor", Bounds: schema.Rect{Max: schema.Point{X: 6, Y: 4}}, TagHeightM: 1.2,
			Walls: [][]schema.Point{{{X: 0, Y: 0}, {X: 6, Y: 0}, {X: 6, Y: 4}}},
		},
		Zones: []provision.Zone{
			{Name: "shop", Polygon: []schema.Point{{X: 0, Y: 0}, {X: 6, Y: 0}, {X: 6, Y: 2.5}}},
			{Name: "store", Color: "#112233", Polygon: []schema.Point{{X: 0, Y: 2.5}, {X: 6, Y: 2.5}, {X: 6, Y: 4}}},
		},
		Receivers: []provision.Receiver{{Name: "counter", X: 0.5, Y: 0.5, Z: 2.4}, {Name: "door", X: 5.5, Y: 0.5, Z: 2.4, Rotation: 90}},
		Tags: []provision.Tag{
			{Transmitter: schema.IBeacon([16]byte{1}, 1, 1), Type: "person", Name: "Anna"},
			{Transmitter: schema.IBeacon([16]byte{1}, 1, 2), Type: "asset", Name: "Trolley", Description: "blue"},
		},
	}
}

func login(t *testing.T, s *server) *provision.Client {
	t.Helper()
	web := httptest.NewServer(s)
	t.Cleanup(web.Close)
	c, err := provision.Login(t.Context(), provision.Config{Server: web.URL, Email: "root@example.com", Password: "right", HTTP: web.Client()})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestEnsureMakesTheSiteOnce(t *testing.T) {
	s := newServer()
	c := login(t, s)
	first, err := c.Ensure(t.Context(), kiosk())
	if err != nil {
		t.Fatal(err)
	}
	if first.Created != 11 || len(first.Devices) != 2 || first.Organisation.IsZero() || first.Location.IsZero() || first.Plan.IsZero() {
		t.Fatalf("%+v, want 11 objects made", first)
	}
	for _, d := range first.Devices {
		if d.Token == "" || d.Number == 0 || d.ID.IsZero() {
			t.Errorf("device %+v is not whole", d)
		}
	}
	objects := s.count()
	second, err := c.Ensure(t.Context(), kiosk())
	if err != nil {
		t.Fatal(err)
	}
	if second.Created != 0 || s.count() != objects {
		t.Errorf("the second time %d objects were made; the server has %d instead of %d", second.Created, s.count(), objects)
	}
	for i := range second.Devices {
		if second.Devices[i].Token == first.Devices[i].Token {
			t.Errorf("device %d has its old token, which the server cannot know", i)
		}
		second.Devices[i].Token = first.Devices[i].Token
	}
	second.Created = first.Created
	if diff := cmp.Diff(first, second); diff != "" {
		t.Errorf("the second result differs (-first +second):\n%s", diff)
	}
	if found, err := c.Find(t.Context(), kiosk()); err != nil || found.Plan != first.Plan {
		t.Errorf("Find: %+v, %v", found, err)
	}
}

func TestEnsureSendsWhatIsDescribed(t *testing.T) {
	s := newServer()
	if _, err := login(t, s).Ensure(t.Context(), kiosk()); err != nil {
		t.Fatal(err)
	}
	for what, want := range map[string]map[string]any{
		"organisations": {"name": "Kiosk & Co", "keep_days": 65535.0, "time_zone": "Europe/Moscow"},
		"locations":     {"name": "Киоск", "time_zone": "Europe/Moscow"},
		"plans": {"name": "Ground floor", "tag_height_m": 1.2,
			"walls":  []any{[]any{[]any{0.0, 0.0}, []any{6.0, 0.0}, []any{6.0, 4.0}}},
			"bounds": map[string]any{"min": map[string]any{"x": 0.0, "y": 0.0}, "max": map[string]any{"x": 6.0, "y": 4.0}}},
		"devices":   {"name": "counter", "clock": "source"},
		"receivers": {"x": 0.5, "y": 0.5, "z": 2.4, "rotation": 0.0},
		"zones":     {"name": "shop", "polygon": []any{[]any{0.0, 0.0}, []any{6.0, 0.0}, []any{6.0, 2.5}}},
		"tags":      {"transmitter": "ibeacon:01000000-0000-0000-0000-000000000000/1/1", "type": "person", "name": "Anna"},
	} {
		got := s.rows[what][0]
		for key, value := range want {
			if diff := cmp.Diff(value, got[key]); diff != "" {
				t.Errorf("%s.%s (-want +got):\n%s", what, key, diff)
			}
		}
	}
}

func TestEnsureMovesWhatStandsElsewhere(t *testing.T) {
	s := newServer()
	c := login(t, s)
	site := kiosk()
	if _, err := c.Ensure(t.Context(), site); err != nil {
		t.Fatal(err)
	}
	site.Zones[1].Polygon[2].Y = 3.5
	site.Receivers[0].X = 1.5
	s.rows["devices"][1]["location_id"] = ""
	if r, err := c.Ensure(t.Context(), site); err != nil || r.Created != 0 {
		t.Fatalf("%+v, %v", r, err)
	}
	if y := s.rows["zones"][1]["polygon"].([]any)[2].([]any)[1]; y != 3.5 {
		t.Errorf("the zone's corner is at %v", y)
	}
	if x := s.rows["receivers"][0]["x"]; x != 1.5 {
		t.Errorf("the receiver is at %v", x)
	}
	if at := s.rows["devices"][1]["location_id"]; at != s.rows["locations"][0]["id"] {
		t.Errorf("the device is at location %q", at)
	}
}

func TestFindSaysWhatIsMissing(t *testing.T) {
	s := newServer()
	c := login(t, s)
	_, err := c.Find(t.Context(), kiosk())
	if schema.KindOf(err) != schema.NotFound || !strings.Contains(err.Error(), `organisation "Kiosk & Co"`) {
		t.Errorf("empty server: %v", err)
	}
	site := kiosk()
	site.Zones, site.Receivers, site.Tags = nil, nil, nil
	if _, err := c.Ensure(t.Context(), site); err != nil {
		t.Fatal(err)
	}
	objects := s.count()
	_, err = c.Find(t.Context(), kiosk())
	for _, want := range []string{`zone "shop"`, `zone "store"`, `device "counter"`, `device "door"`, `tag "Anna"`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want it to name %s", err, want)
		}
	}
	if s.count() != objects {
		t.Error("Find made something")
	}
}

// A super-admin switches into each site's organisation with a reason, one at a time,
// and stays in none, whatever happens there.
func TestEnsureSwitches(t *testing.T) {
	s := newServer()
	c := login(t, s)
	var walks errgroup.Group
	for i := range 4 {
		walks.Go(func() error {
			site := kiosk()
			site.Organisation = fmt.Sprintf("Firm %d", i)
			_, err := c.Ensure(t.Context(), site)
			return err
		})
	}
	if err := walks.Wait(); err != nil {
		t.Fatal(err)
	}
	bad := kiosk()
	bad.Organisation, bad.Plan.Bounds.Max.X = "Firm 0", 60
	if _, err := c.Ensure(t.Context(), bad); err == nil {
		t.Error("another plan was taken for this one")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.acting != "" || len(s.switches) != 5 || !strings.Contains(s.switches[0], "Киоск") {
		t.Errorf("after all it acts in %q, having switched for %q", s.acting, s.switches)
	}
}

func TestEnsureAsMember(t *testing.T) {
	s := newServer()
	if _, err := login(t, s).Ensure(t.Context(), kiosk()); err != nil {
		t.Fatal(err)
	}
	s.member = s.rows["organisations"][0]["id"].(string)
	r, err := login(t, s).Ensure(t.Context(), kiosk())
	if err != nil || r.Created != 0 || r.Organisation.String() != s.member {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestEnsureRefusesToMixSites(t *testing.T) {
	s := newServer()
	c := login(t, s)
	if _, err := c.Ensure(t.Context(), kiosk()); err != nil {
		t.Fatal(err)
	}
	other := kiosk()
	other.Plan.Bounds.Max.X = 60
	if _, err := c.Ensure(t.Context(), other); schema.KindOf(err) != schema.Conflict {
		t.Errorf("other bounds: %v", err)
	}
	s.rows["devices"][0]["organisation_id"] = schema.NewID[schema.OrganisationID]().String()
	if _, err := c.Ensure(t.Context(), kiosk()); schema.KindOf(err) != schema.Conflict {
		t.Errorf("a foreign device: %v", err)
	}
}

func TestLogin(t *testing.T) {
	web := httptest.NewServer(newServer())
	defer web.Close()
	closed := httptest.NewServer(nil)
	closed.Close()
	for name, test := range map[string]struct {
		cfg  provision.Config
		kind schema.Kind
		ok   bool
	}{
		"password":       {provision.Config{Server: web.URL + "/", Email: "root@example.com", Password: "right"}, 0, true},
		"token":          {provision.Config{Server: web.URL, Token: "secret"}, 0, true},
		"wrong password": {provision.Config{Server: web.URL, Email: "root@example.com", Password: "hunter-2"}, schema.Unauthorized, false},
		"wrong token":    {provision.Config{Server: web.URL, Token: "x"}, schema.Unauthorized, false},
		"no login":       {provision.Config{Server: web.URL}, schema.Invalid, false},
		"no address":     {provision.Config{Server: "localhost:8080", Token: "secret"}, schema.Invalid, false},
		"nobody there":   {provision.Config{Server: closed.URL, Token: "secret"}, schema.Unavailable, false},
	} {
		_, err := provision.Login(t.Context(), test.cfg)
		if (err == nil) != test.ok || err != nil && schema.KindOf(err) != test.kind {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && test.cfg.Password != "" && strings.Contains(err.Error(), test.cfg.Password) && test.cfg.Password != "right" {
			t.Errorf("%s: the error tells the password: %v", name, err)
		}
	}
}

// What is not our server must end in an error that says so, within bounds.
func TestStrangeServers(t *testing.T) {
	for name, test := range map[string]struct {
		answer func(http.ResponseWriter)
		want   string
	}{
		"a web page":    {func(w http.ResponseWriter) { _, _ = w.Write([]byte("<html>")) }, "decode the answer"},
		"endless":       {func(w http.ResponseWriter) { _, _ = w.Write(make([]byte, 9<<20)) }, "larger than"},
		"plain failure": {func(w http.ResponseWriter) { w.WriteHeader(http.StatusBadGateway) }, "502 Bad Gateway"},
		"a problem": {func(w http.ResponseWriter) {
			w.WriteHeader(http.StatusUnprocessableEntity)
			_, _ = w.Write([]byte(`{"title":"Unprocessable","detail":"validation failed","errors":[{"message":"is too long","location":"body.name"}]}`))
		}, "422 validation failed; body.name is too long"},
	} {
		web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { test.answer(w) }))
		_, err := provision.Login(t.Context(), provision.Config{Server: web.URL, Token: "x"})
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
		web.Close()
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := provision.Login(ctx, provision.Config{Server: "http://127.0.0.1:1", Token: "x"}); err == nil {
		t.Error("a context that ended was not noticed")
	}
}

func TestMAC(t *testing.T) {
	seen := map[string]bool{}
	for _, site := range []string{"a", "b", "ab"} {
		for _, receiver := range []string{"", "b", "1", "door"} {
			text := provision.MAC(site, receiver)
			mac, err := net.ParseMAC(text)
			if err != nil || len(mac) != 6 || mac[0]&0x03 != 0x02 || seen[text] || text != provision.MAC(site, receiver) {
				t.Errorf("%q/%q: %s, %v: want a stable, locally administered unicast address of its own", site, receiver, text, err)
			}
			seen[text] = true
		}
	}
}
