package temperaturehttp_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"testing"

	"mybeacon/engine/embedded/embeddedtest"
	"mybeacon/engine/module"
	"mybeacon/engine/node"
	"mybeacon/engine/store/postgres/postgrestest"
	shell "mybeacon/http"
	"mybeacon/http/corehttp"
	"mybeacon/http/shelltest"
	"mybeacon/http/temperaturehttp"
	"mybeacon/schema"
)

func TestMain(m *testing.M) { embeddedtest.Main(m) }

const path = "/api/v1/client/temperature/sensors"

func startProduct(t *testing.T) *shelltest.Server {
	t.Helper()
	p := temperaturehttp.Product()
	return shelltest.Start(t, func(c *shell.Config) { c.Products = []string{p.ID()} }, func(s *shelltest.Server) {
		if err := s.DB.MigrateProduct(t.Context(), p.ID(), p.Module.(module.Migrator).Migrations()); err != nil {
			t.Fatal(err)
		}
		if err := p.Start(t.Context(), module.Host{DB: s.DB, Publish: func(module.World) {}}); err != nil {
			t.Fatal(err)
		}
		p.Routes(s.Server, shelltest.Offline{})
		corehttp.Register(s.Server, corehttp.Config{DB: s.DB, Online: shelltest.Offline{}, Finders: map[string]corehttp.Finder{p.ID(): p.Module.(corehttp.Finder)}})
	})
}

// The product is there while it is switched on and not at all while it is off; its
// objects are the organisation's own; rights, search, tags and keys are the core's.
func TestProduct(t *testing.T) {
	s := startProduct(t)
	on, other, off := postgrestest.Organisation(t, s.DB, "on", "temperature"), postgrestest.Organisation(t, s.DB, "other", "temperature"), postgrestest.Organisation(t, s.DB, "off")
	for email, o := range map[string]schema.OrganisationID{"owner@on.example": on.ID, "owner@other.example": other.ID, "owner@off.example": off.ID} {
		organisation := on
		organisation.ID = o
		s.Account(organisation, email, "owner")
	}
	s.Account(on, "viewer@on.example", "viewer")
	owner, stranger, viewer, without := s.Login("owner@on.example"), s.Login("owner@other.example"), s.Login("viewer@on.example"), s.Login("owner@off.example")
	hall := postgrestest.Location(t, s.DB, on, "hall")
	body := map[string]any{"location_id": hall.ID, "name": "By the door"}
	var sensor struct{ ID string }
	made := owner.Do("POST", path, body, "Idempotency-Key", "once")
	if again := owner.Do("POST", path, body, "Idempotency-Key", "once"); made.StatusCode != 201 || string(again.Bytes) != string(made.Bytes) {
		t.Fatalf("%d %s, again %d %s", made.StatusCode, made.Bytes, again.StatusCode, again.Bytes)
	}
	var list struct{ Items []struct{ ID, Name string } }
	owner.Want(200, "GET", path, nil, &list)
	if len(list.Items) != 1 {
		t.Fatalf("%d sensors", len(list.Items))
	}
	sensor.ID = list.Items[0].ID
	one := path + "/" + sensor.ID
	tag := owner.Want(200, "GET", one, nil, nil).Header.Get("ETag")
	for _, want := range []int{200, 412} {
		if r := owner.Do("PATCH", one, map[string]any{"name": "By the window"}, "If-Match", tag); r.StatusCode != want {
			t.Errorf("%d %s, want %d", r.StatusCode, r.Bytes, want)
		}
	}
	for name, c := range map[string]*shelltest.Client{"a stranger": stranger, "who has it off": without} {
		t.Log(name)
		c.Refuse(404, "GET", one, nil)
		c.Refuse(404, "PATCH", one, map[string]any{"name": "mine"})
		c.Refuse(404, "POST", path, body)
	}
	without.Refuse(404, "GET", path, nil)
	stranger.Want(200, "GET", path, nil, &list)
	if len(list.Items) != 0 {
		t.Errorf("a stranger's list has %v", list.Items)
	}
	viewer.Refuse(403, "POST", path, body)
	for c, want := range map[*shelltest.Client]bool{owner: true, stranger: false, without: false} {
		if found := c.Want(200, "GET", "/api/v1/client/search?q=window", nil, nil); strings.Contains(string(found.Bytes), sensor.ID) != want {
			t.Errorf("search: %s, want it found %t", found.Bytes, want)
		}
	}
}

// The whole server starts with the product, whose tables are made and whose routes
// are in the document.
func TestInTheServer(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "mybeacon-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	cfg := node.DefaultConfig()
	cfg.HTTP, cfg.Ops, cfg.Data, cfg.Executable = "127.0.0.1:0", "off", dir, exe
	cfg.AdminEmail, cfg.AdminPassword, cfg.Log = "admin@example.org", "correct horse battery", slog.New(slog.DiscardHandler)
	n := node.New(cfg)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- n.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	select {
	case err := <-ended:
		ended <- err
		t.Fatal(err)
	case <-n.Ready():
	}
	answer, err := http.Get(n.URL() + "/api/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if text, err := io.ReadAll(answer.Body); err != nil || !strings.Contains(string(text), path) {
		t.Errorf("the document does not have the product's routes, %v", err)
	}
}
