package node_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"mybeacon/engine/embedded"
	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
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

	member := func() *websocket.Conn { return watchAs(t, s, made.Location, memberToken(t, db)) }
	closes("a role", member(), 4403, func() { exec("UPDATE account SET role = 'viewer' WHERE NOT super_admin") })
	exec(`INSERT INTO account_location (account, org, location) SELECT id, org, $1 FROM account WHERE NOT super_admin`, made.Location)
	closes("a location", member(), 4403, func() { exec("DELETE FROM account_location") })
	exec("UPDATE account SET role = 'owner', read_only = true WHERE NOT super_admin")
	closes("a product", member(), 4403, func() { exec("DELETE FROM organisation_product") })

	if err := stays.Write(t.Context(), websocket.MessageBinary, []byte{34, 2, 8, 7}); err != nil { // ping 7
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if _, _, err := stays.Read(ctx); err != nil {
		t.Errorf("another device was cut too: %v", err)
	}
}

// memberToken returns an API token of the organisation's one member, an Owner at first.
func memberToken(t *testing.T, db *postgres.DB) string {
	t.Helper()
	const insert = `INSERT INTO account (id, org, email, password_hash, role, confirmed_at)
		SELECT gen_random_uuid(), o.id, 'member@example.com', 'x', 'owner', now() FROM organisation o ON CONFLICT DO NOTHING`
	if _, err := db.Pool().Exec(t.Context(), insert); err != nil {
		t.Fatal(err)
	}
	member, _, err := db.AccountByEmail(t.Context(), "member@example.com")
	if err != nil {
		t.Fatal(err)
	}
	token := postgres.NewSecret(postgres.APITokenPrefix)
	if _, err := db.CreateAPIToken(t.Context(), member, "test", token, time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	return token
}

// watchAs opens the live map with a token and waits for its first message.
func watchAs(t *testing.T, s *server, location schema.LocationID, token string) *websocket.Conn {
	t.Helper()
	conn, _, err := websocket.Dial(t.Context(), strings.Replace(s.URL(), "http", "ws", 1)+"/api/v1/live", &websocket.DialOptions{
		Subprotocols: []string{"mybeacon.v1+json"}, HTTPHeader: http.Header{"Authorization": {"Bearer " + token}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.CloseNow() })
	if err := conn.Write(t.Context(), websocket.MessageText, fmt.Appendf(nil, `{"sub":{"location":%q}}`, location)); err != nil {
		t.Fatal(err)
	}
	if _, _, err := conn.Read(t.Context()); err != nil {
		t.Fatalf("the map does not open: %v", err)
	}
	return conn
}
