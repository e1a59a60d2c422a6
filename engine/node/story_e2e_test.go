package node_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"mybeacon/engine/embedded/embeddedtest"
	"mybeacon/engine/live"
	"mybeacon/engine/node"
	"mybeacon/engine/provision"
	"mybeacon/schema"
)

// room is a plan with one zone in its middle and four receivers around it.
func room() provision.Site {
	tag, err := schema.ParseTransmitter("ibeacon:fda50693-a4e2-4fb1-afcf-c6eb07647825/1/7")
	if err != nil {
		panic("BUG: " + err.Error())
	}
	return provision.Site{
		Organisation: "Story", Location: "House", Clock: "device",
		Plan:  provision.Plan{Name: "Ground floor", Bounds: schema.Rect{Max: schema.Point{X: 10, Y: 10}}, TagHeightM: 1},
		Zones: []provision.Zone{{Name: "Hall", Polygon: []schema.Point{{X: 0, Y: 0}, {X: 10, Y: 0}, {X: 10, Y: 10}, {X: 0, Y: 10}}}},
		Receivers: []provision.Receiver{
			{Name: "a", X: 0.5, Y: 0.5, Z: 2.5}, {Name: "b", X: 9.5, Y: 0.5, Z: 2.5},
			{Name: "c", X: 9.5, Y: 9.5, Z: 2.5}, {Name: "d", X: 0.5, Y: 9.5, Z: 2.5},
		},
		Tags: []provision.Tag{{Transmitter: tag, Type: "person", Name: "Maria"}},
	}
}

func provisioned(t *testing.T, s *server) provision.Result {
	t.Helper()
	c, err := provision.Login(t.Context(), provision.Config{Server: s.URL(), Email: adminEmail, Password: adminPassword})
	if err != nil {
		t.Fatal(err)
	}
	made, err := c.Ensure(t.Context(), room())
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// post sends one frame as the README shows it.
func post(t *testing.T, s *server, token, frame string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL()+"/api/v1/device/frames", strings.NewReader(`{"frames":[`+frame+`]}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, readAll(t, resp.Body)
}

func frame(seq int, at time.Time, rssi float64) string {
	text := at.UTC().Format(time.RFC3339Nano)
	return fmt.Sprintf(`{"boot_id":"story","seq":%d,"sent_at":%q,"observations":[{"at":%q,"tag":{"uuid":"fda50693-a4e2-4fb1-afcf-c6eb07647825","major":1,"minor":7},"rssi_dbm":%g}]}`, seq, text, text, rssi)
}

// browser is an HTTP client that is logged in like a person.
func browser(t *testing.T, s *server) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Jar: jar}
	body, err := json.Marshal(map[string]string{"email": adminEmail, "password": adminPassword})
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Post(s.URL()+"/api/v1/auth/login", "application/json", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if text := readAll(t, resp.Body); resp.StatusCode != http.StatusOK {
		t.Fatalf("login: %s\n%s", resp.Status, text)
	}
	return client
}

// watch opens the live map's socket of the location.
func watch(t *testing.T, s *server, location schema.LocationID) *websocket.Conn {
	t.Helper()
	conn, _, err := websocket.Dial(t.Context(), strings.Replace(s.URL(), "http", "ws", 1)+"/api/v1/live", &websocket.DialOptions{
		HTTPClient: browser(t, s), Subprotocols: []string{"mybeacon.v1+json"}, HTTPHeader: http.Header{"Origin": {s.URL()}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.CloseNow() })
	sub := fmt.Sprintf(`{"sub":{"location":%q,"rate_ms":100}}`, location)
	if err := conn.Write(t.Context(), websocket.MessageText, []byte(sub)); err != nil {
		t.Fatal(err)
	}
	return conn
}

// One server for all that leaves it as it was.
func TestServer(t *testing.T) {
	s := start(t, testConfig(t))
	made := provisioned(t, s)
	t.Run("FromRadioToMapAndWarehouse", func(t *testing.T) { testFromRadioToMapAndWarehouse(t, s, made) })
	t.Run("BadInputLosesNothingElse", func(t *testing.T) { testBadInputLosesNothingElse(t, s, made) })
	t.Run("SecondServerOnOneDirectoryIsRefused", func(t *testing.T) { testSecondServerOnOneDirectoryIsRefused(t, s) })
	t.Run("TakenAddressIsNamed", func(t *testing.T) { testTakenAddressIsNamed(t, s) })
	t.Run("ProbesAndConsole", func(t *testing.T) { testProbesAndConsole(t, s) })
}

// From a scanner's POST to a dot on the map and a row in the warehouse.
func testFromRadioToMapAndWarehouse(t *testing.T, s *server, made provision.Result) {
	conn := watch(t, s, made.Location)

	begin := time.Now().Add(-20 * time.Second).Truncate(time.Second)
	for second := range 12 {
		at := begin.Add(time.Duration(second)*time.Second + 300*time.Millisecond)
		var all sync.WaitGroup // every answer waits for storage: the receivers do not wait for each other
		for _, dev := range made.Devices {
			all.Go(func() {
				status, text := post(t, s, dev.Token, frame(second+1, at, -61.5))
				if want := fmt.Sprintf(`"from":1,"to":%d}`, second+1); status != http.StatusOK || !strings.Contains(text, want) {
					t.Errorf("second %d: %d %s, want an ack with %s", second, status, text, want)
				}
			})
		}
		all.Wait()
	}
	tag := awaitTag(t, conn)
	if tag.Name != "Maria" || tag.X < 2 || tag.X > 8 || tag.Y < 2 || tag.Y > 8 {
		t.Errorf("four equal receivers put %q at (%.1f, %.1f) m, want the middle", tag.Name, tag.X, tag.Y)
	}
	s.until(t, "SELECT zone_name, tag_name, open FROM visits", "Hall\tMaria\t1")
	s.until(t, "SELECT tags FROM occupancy", "1")

	// The same frames again: acknowledged, and counted once.
	before := s.ask(t, counts)
	if status, text := post(t, s, made.Devices[0].Token, frame(3, begin.Add(2300*time.Millisecond), -61.5)); status != http.StatusOK || !strings.Contains(text, `"ack":[{`) {
		t.Errorf("a repeated frame: %d %s", status, text)
	}
	if after := s.ask(t, counts); after != before {
		t.Errorf("a repeated frame changed the counts from %s to %s", before, after)
	}
}

// awaitTag reads messages until one has a tag inside the zone.
func awaitTag(t *testing.T, conn *websocket.Conn) live.Tag {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for {
		_, text, err := conn.Read(ctx)
		if err != nil {
			t.Fatal(err)
		}
		var m live.Message
		if err := json.Unmarshal(text, &m); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		for _, tag := range m.Tags {
			if !tag.Zone.IsZero() {
				return tag
			}
		}
	}
}

func testBadInputLosesNothingElse(t *testing.T, s *server, made provision.Result) {
	token, now := made.Devices[1].Token, time.Now()
	stored := "SELECT count() FROM observations FINAL WHERE seq >= 100"
	for i, refused := range []string{
		frame(100, now, 127), frame(102, now, -200), frame(104, now.Add(time.Hour), -60),
		`{"boot_id":"no such id!","seq":106,"sent_at":"2026-01-01T00:00:00Z","observations":[]}`,
	} {
		seq := 101 + 2*i
		status, text := post(t, s, token, refused+","+frame(seq, now, -60))
		if status != http.StatusOK || !strings.Contains(text, `"code":`) || !strings.Contains(text, fmt.Sprintf(`"to":%d`, seq)) {
			t.Errorf("%.120s…: %d %s, want a numbered refusal and an ack of frame %d", refused, status, text, seq)
		}
	}
	if status, text := post(t, s, "mbd_nobody", frame(109, now, -60)); status != http.StatusUnauthorized || !strings.Contains(text, "request_id") {
		t.Errorf("unknown token: %d %s", status, text)
	}
	s.until(t, stored, "4")
}

func testSecondServerOnOneDirectoryIsRefused(t *testing.T, s *server) {
	err := node.New(s.cfg).Run(t.Context())
	if err == nil || !strings.Contains(err.Error(), fmt.Sprint(os.Getpid())) || !strings.Contains(err.Error(), s.cfg.Data) {
		t.Errorf("want a refusal that names the directory and the process, got %v", err)
	}
}

func testTakenAddressIsNamed(t *testing.T, s *server) {
	cfg := testConfig(t)
	cfg.HTTP = strings.TrimPrefix(s.URL(), "http://")
	err := node.New(cfg).Run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "http: cannot listen there") {
		t.Errorf("got %v", err)
	}
}

// With URLs the server uses those stores and starts none of its own.
func TestStoresOfOnesOwn(t *testing.T) {
	cfg := testConfig(t)
	cfg.PostgresURL, cfg.ClickHouseURL = embeddedtest.NewPostgresDatabase(t), embeddedtest.NewClickHouseDatabase(t)
	s := start(t, cfg)
	if _, err := os.Stat(cfg.Data + "/postgres"); !os.IsNotExist(err) {
		t.Errorf("an embedded PostgreSQL was made: %v", err)
	}
	provisioned(t, s)
	s.until(t, "SELECT count() FROM names FINAL WHERE kind = 'zone'", "1")
}

func TestGeneratedPasswordStaysUntilItsFileGoes(t *testing.T) {
	cfg := testConfig(t)
	cfg.AdminPassword = ""
	s := start(t, cfg)
	login := s.FirstLogin()
	if len(login.Password) < 20 {
		t.Fatalf("the made-up password is %q", login.Password)
	}
	if info, err := os.Stat(login.File); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%s: %v, %v", login.File, info, err)
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	s = start(t, cfg)
	if again := s.FirstLogin(); again != login {
		t.Errorf("after a restart: %+v, want %+v", again, login)
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(login.File); err != nil {
		t.Fatal(err)
	}
	s = start(t, cfg)
	if gone := s.FirstLogin(); gone != (node.Login{}) {
		t.Errorf("the removed password came back: %+v", gone)
	}
}

func testProbesAndConsole(t *testing.T, s *server) {
	f := func(path string, status int, part string) {
		t.Helper()
		resp, err := http.Get(s.URL() + path)
		if err != nil {
			t.Fatal(err)
		}
		if text := readAll(t, io.NopCloser(resp.Body)); resp.StatusCode != status || !strings.Contains(text, part) {
			t.Errorf("%s: %d, want %d with %q\n%.300s", path, resp.StatusCode, status, part, text)
		}
	}
	f("/livez", 200, "")
	f("/readyz", 200, `"ready"`)
	f("/", 200, "<title>MyBeacon</title>")
	f("/map/anything", 200, "<title>MyBeacon</title>")
	f("/api/openapi.json", 200, `"openapi"`)
	f("/api/v1/client/locations", 401, `"request_id"`)
	f("/api/v1/nothing", 404, `"request_id"`)
}
