package node_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/coder/websocket"

	"mybeacon/edge/client"
	"mybeacon/schema"
	"mybeacon/schema/wire"
)

// api is a caller of the server's API.
type api struct {
	t   *testing.T
	url string
	web *http.Client
}

// want sends a request, requires the status and reads the answer into out unless that
// is nil.
func (a api) want(status int, method, path string, body, out any) {
	a.t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		a.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(a.t.Context(), method, a.url+path, bytes.NewReader(text))
	if err != nil {
		a.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := a.web.Do(req)
	if err != nil {
		a.t.Fatal(err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil || resp.StatusCode != status {
		a.t.Fatalf("%s %s: %d %s, %v; want %d", method, path, resp.StatusCode, got, err, status)
	}
	if out == nil {
		return
	}
	if err := json.Unmarshal(got, out); err != nil {
		a.t.Fatalf("%s %s: %v in %s", method, path, err, got)
	}
}

// box is a scanner with a key of its own.
type box struct {
	api
	id      schema.DeviceID
	key     ed25519.PrivateKey
	uplink  *client.Client
	configs chan int64
	seq     uint64
}

func newBox(t *testing.T, s *server) *box {
	t.Helper()
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	b := &box{api: api{t, s.URL(), http.DefaultClient}, key: private, configs: make(chan int64, 16)}
	var made struct {
		DeviceID schema.DeviceID `json:"device_id"`
		Bound    bool            `json:"bound"`
	}
	b.want(200, "POST", "/api/v1/device/enrol", map[string]any{
		"mac": "02:00:5e:77:00:01", "public_key": base64.StdEncoding.EncodeToString(public), "version": "edge 1", "modules": []string{"ble"},
	}, &made)
	if made.Bound || made.DeviceID.IsZero() {
		t.Fatalf("enrolled as %+v", made)
	}
	b.id = made.DeviceID
	b.uplink, err = client.Dial(t.Context(), client.Config{
		URL: s.URL(), Login: client.KeyLogin(s.URL(), b.id, b.key, nil), MinBackoff: 50 * time.Millisecond, MaxBackoff: 200 * time.Millisecond,
		OnConfig: func(version int64, _ wire.DeviceConfig) { b.configs <- version },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.uplink.Close() })
	return b
}

// hear sends one frame with an observation of that time and waits until it is
// acknowledged.
func (b *box) hear(at time.Time) {
	b.t.Helper()
	b.seq++
	f := schema.Frame{Seq: b.seq, SentAt: schema.EventTimeOf(time.Now()), Observations: []schema.Observation{
		{At: schema.EventTimeOf(at), Transmitter: schema.MACTransmitter([6]byte{2, 0, 0, 0, 0, 9}), RSSI: -6000},
	}}
	ctx, cancel := context.WithTimeout(b.t.Context(), 30*time.Second)
	defer cancel()
	for {
		// While the log-in is refused, Send and Flush fail; the next one will do.
		err := b.uplink.Send(ctx, f)
		if err == nil {
			err = b.uplink.Flush(ctx)
		}
		if err == nil {
			return
		}
		if schema.KindOf(err) != schema.Unauthorized || ctx.Err() != nil {
			b.t.Fatal(err)
		}
	}
}

// What a device hears belongs to whose it was then, though it arrives when the device
// has another owner, or none; and it is told what to do on the way.
func TestDeviceFromEnrolmentToAnotherOwner(t *testing.T) {
	s := start(t, testConfig(t))
	admin := api{t, s.URL(), browser(t, s)}
	organisation := func(name string) (id schema.OrganisationID) {
		var made struct{ ID schema.OrganisationID }
		admin.want(201, "POST", "/api/v1/admin/organisations", map[string]any{"name": name, "products": []string{"ble"}}, &made)
		return made.ID
	}
	first, second := organisation("first"), organisation("second")
	b := newBox(t, s)
	device := "/api/v1/admin/devices/" + b.id.String()
	rows := func(of schema.OrganisationID) string {
		return fmt.Sprintf("SELECT count() FROM observations FINAL WHERE org = '%s'", of)
	}
	bind := func(to schema.OrganisationID) {
		admin.want(200, "POST", device+"/bind", map[string]any{"organisation_id": to}, nil)
	}

	b.hear(time.Now())
	s.until(t, "SELECT count() FROM observations", "0") // unbound: acknowledged, and kept nowhere
	unbound := time.Now()
	bind(first)
	b.hear(time.Now())
	s.until(t, rows(first), "1")
	firsts := time.Now()

	t.Run("Config", func(t *testing.T) { testConfigReaches(t, admin, b) })

	bind(second)
	b.hear(time.Now())
	s.until(t, rows(second), "1")
	b.hear(firsts) // was held back
	s.until(t, rows(first), "2")
	b.hear(unbound.Add(-time.Millisecond))
	admin.want(200, "POST", device+"/unbind", nil, nil)
	b.hear(time.Now())
	b.hear(firsts)
	s.until(t, rows(first), "3")
	s.until(t, rows(second), "1")
	s.until(t, "SELECT count() FROM observations FINAL", "4")

	t.Run("UnbindCloses", func(t *testing.T) {
		bind(first)
		testUnbindCloses(t, admin, b)
	})
}

// A configuration is with the device within five seconds, and its report in the list.
func testConfigReaches(t *testing.T, admin api, b *box) {
	for len(b.configs) > 0 {
		if v := <-b.configs; v != 1 {
			t.Fatalf("version %d was sent, want 1", v)
		}
	}
	one := "/api/v1/client/devices/" + b.id.String()
	// A super-admin changes what is inside an organisation only while he acts in it.
	var read struct {
		OrganisationID schema.OrganisationID `json:"organisation_id"`
	}
	admin.want(200, "GET", one, nil, &read)
	admin.want(200, "PUT", "/api/v1/auth/acting", map[string]any{"organisation_id": read.OrganisationID, "reason": "test"}, nil)
	began := time.Now()
	admin.want(200, "PUT", one+"/config", map[string]any{"report_every_s": 10, "modules": map[string]any{"ble": map[string]any{"enabled": true, "min_rssi_dbm": -90}}}, nil)
	select {
	case v := <-b.configs:
		if v != 2 {
			t.Errorf("version %d was sent, want 2", v)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("no configuration came")
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("the configuration took %v, want 5 s at most", took)
	}
	if err := b.uplink.Report(wire.Report{Version: "edge 2", ConfigVersion: 2, Modules: map[string]bool{"ble": true}, Health: wire.Health{CPU: 0.5}}); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(20 * time.Second)
	for {
		var list struct {
			Items []struct {
				Status, Version string
				Config          struct{ Version, Running int64 }
				Health          struct{ CPU float64 }
			}
		}
		admin.want(200, "GET", "/api/v1/admin/devices?status=online", nil, &list)
		if len(list.Items) == 1 && list.Items[0].Config.Running == 2 && list.Items[0].Version == "edge 2" && list.Items[0].Health.CPU == 0.5 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the list shows %+v", list)
		}
		<-time.After(100 * time.Millisecond)
	}
	admin.want(204, "DELETE", "/api/v1/auth/acting", nil, nil)
}

func testUnbindCloses(t *testing.T, admin api, b *box) {
	_ = b.uplink.Close()
	token, err := client.KeyLogin(b.url, b.id, b.key, nil)(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ws, _, err := websocket.Dial(t.Context(), b.url+"/api/v1/device/stream", &websocket.DialOptions{
		HTTPHeader: http.Header{"Authorization": {"Bearer " + token}}, Subprotocols: []string{wire.Subprotocol},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ws.CloseNow() }()
	if err := ws.Write(t.Context(), websocket.MessageBinary, []byte{10, 5, 8, 1, 18, 1, 'b'}); err != nil { // hello of protocol 1, boot "b"
		t.Fatal(err)
	}
	if _, _, err := ws.Read(t.Context()); err != nil {
		t.Fatal(err)
	}
	admin.want(200, "POST", "/api/v1/admin/devices/"+b.id.String()+"/unbind", nil, nil)
	began := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for err == nil {
		_, _, err = ws.Read(ctx)
	}
	var closed websocket.CloseError
	if !errors.As(err, &closed) || closed.Code != wire.CloseUnauthorized || time.Since(began) > 5*time.Second {
		t.Errorf("ended after %v with %v, want code %d within 5 s", time.Since(began), err, wire.CloseUnauthorized)
	}
}
