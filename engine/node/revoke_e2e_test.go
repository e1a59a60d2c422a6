package node_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/coder/websocket"

	"mybeacon/engine/embedded"
	"mybeacon/engine/store/postgres"
	"mybeacon/schema/wire"
)

// Rights and tokens that are taken back close what is open within five seconds,
// also when that is done by hand in the store.
func TestRevokedWithinSeconds(t *testing.T) {
	s := start(t, testConfig(t))
	made := provisioned(t, s)
	endpoint, err := embedded.ReadPostgresEndpoint(s.cfg.Data)
	if err != nil {
		t.Fatal(err)
	}
	db, err := postgres.Open(t.Context(), endpoint.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	exec := func(sql string, args ...any) {
		t.Helper()
		if _, err := db.Pool().Exec(t.Context(), sql, args...); err != nil {
			t.Fatal(err)
		}
	}
	closes := func(what string, c *websocket.Conn, want websocket.StatusCode, revoke func()) {
		t.Helper()
		revoke()
		began := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		for {
			_, _, err := c.Read(ctx)
			if err == nil {
				continue
			}
			var closed websocket.CloseError
			if !errors.As(err, &closed) || closed.Code != want || time.Since(began) > 5*time.Second {
				t.Errorf("%s: ended after %v with %v, want code %d within 5 s", what, time.Since(began), err, want)
			}
			return
		}
	}

	device := func(i int) *websocket.Conn {
		t.Helper()
		c, _, err := websocket.Dial(t.Context(), s.URL()+"/api/v1/device/stream", &websocket.DialOptions{
			HTTPHeader: http.Header{"Authorization": {"Bearer " + made.Devices[i].Token}}, Subprotocols: []string{wire.Subprotocol},
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.CloseNow() })
		// Hello of protocol 1, boot "b".
		if err := c.Write(t.Context(), websocket.MessageBinary, []byte{10, 5, 8, 1, 18, 1, 'b'}); err != nil {
			t.Fatal(err)
		}
		if _, _, err := c.Read(t.Context()); err != nil {
			t.Fatal(err)
		}
		return c
	}
	closes("a device's token", device(0), wire.CloseUnauthorized, func() {
		exec("UPDATE device SET token_hash = NULL WHERE id = $1", made.Devices[0].ID)
	})
	stays := device(1)
	closes("an account", watch(t, s, made.Location), 4401, func() { exec("UPDATE account SET disabled = true") })
	exec("UPDATE account SET disabled = false")
	closes("a session", watch(t, s, made.Location), 4401, func() { exec("DELETE FROM sessions") })

	if err := stays.Write(t.Context(), websocket.MessageBinary, []byte{34, 2, 8, 7}); err != nil { // ping 7
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if _, _, err := stays.Read(ctx); err != nil {
		t.Errorf("another device was cut too: %v", err)
	}
}
