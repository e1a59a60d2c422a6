package client_test

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mybeacon/edge/client"
	"mybeacon/schema"
	"mybeacon/schema/wire"
	"mybeacon/schema/wire/wirepb"
)

// A configuration reaches the device; one that cannot be read changes nothing.
func TestOnConfig(t *testing.T) {
	e := newEngine(t)
	type told struct {
		version int64
		config  wire.DeviceConfig
	}
	configs := make(chan told, 4)
	dial(t, e, func(c *client.Config) {
		c.OnConfig = func(version int64, config wire.DeviceConfig) { configs <- told{version, config} }
	})
	conn := e.next(t)
	if !conn.hello.TakesConfig {
		t.Error("hello asks for no configuration")
	}
	want := wire.DefaultConfig()
	want.ReportEveryS = 20
	for version, text := range [][]byte{[]byte("{"), []byte(`{"report_every_s": 20, "from_a_newer_server": 1}`), want.JSON()} {
		conn.send(&wirepb.ToDevice{Body: &wirepb.ToDevice_Config{Config: &wirepb.Config{Version: int64(version), Json: text}}})
	}
	for version := int64(1); version <= 2; version++ {
		select {
		case got := <-configs:
			if diff := cmp.Diff(want, got.config); diff != "" || got.version != version {
				t.Errorf("version %d, want %d: %s", got.version, version, diff)
			}
		case <-time.After(10 * time.Second):
			t.Fatal("no configuration came")
		}
	}
}

// A report goes to engines that take reports, again on each connection, and to others
// never: they would take it for a fault.
func TestReport(t *testing.T) {
	e := newEngine(t)
	c := dial(t, e, nil)
	report := wire.Report{Version: "edge 1", ConfigVersion: 3, Modules: map[string]bool{"ble": true}, Health: wire.Health{Queue: 4, CPU: 0.5, Memory: 0.25}}
	if err := c.Report(report); err != nil {
		t.Fatal(err)
	}
	if err := c.Report(wire.Report{Health: wire.Health{CPU: 2}}); schema.KindOf(err) != schema.Invalid {
		t.Errorf("twice all cores: %v, want invalid", err)
	}
	old := e.next(t)
	old.nothing(c)
	e.reports.Store(true)
	for range 2 {
		_ = old.ws.CloseNow()
		conn := e.next(t)
		select {
		case m := <-conn.in:
			got, err := wire.ReadReport(m.GetReport())
			if diff := cmp.Diff(report, got); diff != "" || err != nil {
				t.Errorf("%v, %s", err, diff)
			}
		case <-time.After(10 * time.Second):
			t.Fatal("no report came")
		}
		old = conn
	}
}

// A device with a key logs in before each connection, and signs another time each time.
func TestKeyLogin(t *testing.T) {
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	id := schema.NewID[schema.DeviceID]()
	logins := make(chan string, 8)
	status := http.StatusOK
	doors := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			DeviceID  string `json:"device_id"`
			At        string `json:"at"`
			Signature string `json:"signature"`
		}
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			t.Error(err)
		}
		signature, err := base64.StdEncoding.DecodeString(in.Signature)
		if err != nil || r.URL.Path != "/api/v1/device/token" || in.DeviceID != id.String() || !ed25519.Verify(public, wire.LoginMessage(id, in.At), signature) {
			t.Errorf("%s %+v, %v", r.URL.Path, in, err)
		}
		if status != http.StatusOK {
			http.Error(w, "no", status)
			return
		}
		logins <- in.At
		_, _ = w.Write([]byte(`{"token": "secret"}`))
	}))
	defer doors.Close()
	e := newEngine(t)
	login := client.KeyLogin(doors.URL, id, private, nil)
	c := dial(t, e, func(c *client.Config) { c.Token, c.Login = "", login })
	first := e.next(t)
	_ = first.ws.CloseNow()
	e.next(t)
	if a, b := <-logins, <-logins; a == b {
		t.Errorf("both log-ins were signed with %s", a)
	}
	_ = c.Close()
	status = http.StatusUnauthorized
	if _, err := login(context.Background()); schema.KindOf(err) != schema.Unauthorized {
		t.Errorf("refused: %v, want unauthorized", err)
	}
	status = http.StatusBadGateway
	if _, err := login(context.Background()); err == nil || schema.KindOf(err) == schema.Unauthorized {
		t.Errorf("a gateway fails: %v, want no refusal", err)
	}
}
