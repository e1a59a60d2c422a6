package main

import (
	"encoding/json"
	"strings"
	"testing"

	"mybeacon/engine/store/postgres"
)

// Devices are listed, bound and given tokens beside a running store.
func TestDeviceCommands(t *testing.T) {
	clean(t)
	cfg, stores := startRelational(t)
	defer func() {
		if err := stores.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	}()
	db, err := postgres.Open(t.Context(), stores.PostgresURL())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	bikes, err := organisationNamed(t.Context(), db, "Bikes")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.CreateLocation(t.Context(), bikes.ID, postgres.Location{Name: "shed", TimeZone: "UTC"}); err != nil {
		t.Fatal(err)
	}
	if _, err := db.CreateDevice(t.Context(), bikes.ID, postgres.Device{MAC: "02:00:00:00:00:01", Name: "d\x1boor", Clock: "device"}, ""); err != nil {
		t.Fatal(err)
	}
	do := func(want int, args ...string) (deviceShown, string) {
		t.Helper()
		code, stdout, stderr := call(t, append(append([]string{"device"}, args...), "--postgres-url", stores.PostgresURL(), "--data", cfg.DataDir)...)
		if code != want {
			t.Fatalf("%v: exit %d, want %d\n%s%s", args, code, want, stdout, stderr)
		}
		var shown deviceShown
		_ = json.Unmarshal([]byte(stdout), &shown)
		return shown, stdout + stderr
	}
	if shown, _ := do(0, "list", "--json", "--organisation", "Bikes"); shown.Number != 1 || shown.Status != "never" || shown.Organisation != "Bikes" {
		t.Errorf("got %+v", shown)
	}
	if _, text := do(0, "list", "receiver #1"); !strings.Contains(text, "02:00:00:00:00:01") || strings.Contains(text, "\x1b") {
		t.Errorf("got %q", text)
	}
	if shown, _ := do(0, "token", "02-00-00-00-00-01", "--json"); !strings.HasPrefix(shown.Token, "mbd_") {
		t.Errorf("got %+v", shown)
	} else if bound, err := db.DeviceByToken(t.Context(), shown.Token); err != nil || bound.Number != 1 {
		t.Errorf("the token lets in %+v, %v", bound, err)
	}
	if shown, _ := do(0, "bind", "#1", "--nobody", "--json"); shown.Organisation != "" {
		t.Errorf("got %+v", shown)
	}
	if shown, _ := do(0, "bind", "1", "--organisation", "Bikes", "--location", "shed", "--json"); shown.Location != "shed" {
		t.Errorf("got %+v", shown)
	}
	if _, text := do(0, "list", "--unbound"); strings.Contains(text, "02:00") {
		t.Errorf("got %q", text)
	}
	for _, bad := range [][]string{{"token", "77"}, {"token", "x"}, {"bind", "1", "--organisation", "None"}, {"bind", "1", "--organisation", "Bikes", "--location", "roof"}} {
		do(1, bad...)
	}
	do(2, "bind", "1")
}
