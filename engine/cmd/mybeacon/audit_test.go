package main

import (
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"mybeacon/engine/audit"
	"mybeacon/engine/embedded"
	"mybeacon/engine/embedded/embeddedtest"
	"mybeacon/engine/store/postgres"
)

func TestMain(m *testing.M) { embeddedtest.Main(m) }

// startRelational runs the relational store of a server's data directory, with an
// organisation that has a renamed tag in its log.
func startRelational(t *testing.T) (embedded.Config, *embedded.Stores) {
	t.Helper()
	cfg := embeddedtest.Config(t)
	stores, err := embedded.StartPostgres(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	db, err := postgres.Open(t.Context(), stores.PostgresURL())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	o, err := db.CreateOrganisation(t.Context(), postgres.Organisation{Name: "Bikes", TimeZone: "Europe/Moscow", KeepDays: 365})
	if err != nil {
		t.Fatal(err)
	}
	renamed := audit.Entry{
		Organisation: o.ID, Action: audit.Change, Object: audit.Object{Kind: "tag", Name: "#42"},
		Fields: []audit.Field{{Name: "name", Old: "Велосипед №5", New: "Велосипед №6"}},
	}
	if err := db.Append(t.Context(), postgres.In(o.ID), renamed, renamed); err != nil {
		t.Fatal(err)
	}
	return cfg, stores
}

// The log is verified and written out beside a running store and on a stopped one, and
// a change of it is found.
func TestAuditCommands(t *testing.T) {
	clean(t)
	cfg, stores := startRelational(t)
	verify := func(want int) verification {
		t.Helper()
		code, stdout, stderr := call(t, "audit", "verify", "--json", "--data", cfg.DataDir)
		var v verification
		if err := json.Unmarshal([]byte(stdout), &v); err != nil || code != want {
			t.Fatalf("exit %d, want %d: %s %s %v", code, want, stdout, stderr, err)
		}
		return v
	}
	running := verify(0)
	if running.Entries < 2 || running.Broken != 0 || running.Chains < 1 {
		t.Errorf("%+v", running)
	}
	code, stdout, stderr := call(t, "audit", "export", "--format", "txt", "--data", cfg.DataDir, "--organisation", "Bikes", "--action", "change")
	if lines := strings.Split(stdout, "\n"); code != 0 || len(lines) != 3 || !strings.HasSuffix(lines[0], ` | система | Изменение | Метка #42: "Велосипед №5" → "Велосипед №6" | IP: -`) {
		t.Errorf("exit %d: %s %s", code, stdout, stderr)
	}
	tamper(t, stores.PostgresURL())
	if err := stores.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}

	file := filepath.Join(t.TempDir(), "log.csv")
	code, _, stderr = call(t, "audit", "export", "-o", file, "--data", cfg.DataDir)
	text, err := os.ReadFile(file)
	if code != 0 || err != nil {
		t.Fatalf("exit %d: %s %v", code, stderr, err)
	}
	if rows, err := csv.NewReader(strings.NewReader(string(text))).ReadAll(); err != nil || len(rows) < 4 {
		t.Errorf("%q %v", rows, err)
	}
	if v := verify(1); v.Broken != 1 || v.Details[0].Fault != audit.Changed || v.Entries <= running.Entries {
		t.Errorf("%+v", v)
	}
	if code, _, stderr := call(t, "audit", "verify", "--data", cfg.DataDir); code != 1 || !strings.Contains(stderr, "its hash does not fit") {
		t.Errorf("exit %d: %s", code, stderr)
	}
}

func tamper(t *testing.T, url string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	if _, err := conn.Exec(t.Context(), `UPDATE audit_entry SET body = replace(body, '№6', '№7') WHERE seq = (SELECT max(seq) - 1 FROM audit_entry WHERE action = 'change')`); err != nil {
		t.Fatal(err)
	}
}

func TestAuditUsage(t *testing.T) {
	clean(t)
	f := func(want int, message string, args ...string) {
		t.Helper()
		code, stdout, stderr := call(t, args...)
		if code != want || !strings.Contains(stdout+stderr, message) {
			t.Errorf("mybeacon %s: exit %d, want %d with %q\n%s%s", strings.Join(args, " "), code, want, message, stdout, stderr)
		}
	}
	empty := t.TempDir()
	f(1, "no server has kept its data in "+empty, "audit", "verify", "--data", empty)
	f(2, "--format", "audit", "export", "--format", "xls")
	f(2, "can't be used together", "audit", "export", "--system", "--organisation", "x")
	for _, day := range []string{"yesterday", "2024-13-01"} {
		if _, err := moment("from", day, time.UTC, 0); err == nil {
			t.Errorf("%q was read as a time", day)
		}
	}
}
