package embedded_test

import (
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mybeacon/engine/embedded"
	"mybeacon/engine/embedded/embeddedtest"
)

// A clone below root's home or a temporary directory is the usual first try.
// PostgreSQL runs there, with its programs below a closed directory too, and
// still reads nothing that its user may not.
func TestPostgresRunsBelowAClosedDirectory(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root starts PostgreSQL as another user")
	}
	closed := filepath.Join(t.TempDir(), "closed")
	if err := os.Mkdir(closed, 0o700); err != nil {
		t.Fatal(err)
	}
	secret := filepath.Join(closed, "secret")
	if err := os.WriteFile(secret, []byte("of root"), 0o644); err != nil {
		t.Fatal(err)
	}
	cfg := embeddedtest.Config(t)
	cfg.DataDir = filepath.Join(closed, "data")
	programs := filepath.Join(closed, "programs")
	if err := os.CopyFS(programs, os.DirFS(cfg.Runtime.PostgresDir)); err != nil {
		t.Fatal(err)
	}
	cfg.Runtime.PostgresDir = programs
	before := outside(t)
	for range 2 { // the second start finds a cluster
		s, err := embedded.StartPostgres(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range []string{secret, "/etc/shadow"} {
			var text string
			if err := pgExec(t.Context(), s.PostgresURL(), "SELECT pg_read_file('"+file+"')", &text); err == nil || !strings.Contains(err.Error(), "Permission denied") {
				t.Errorf("PostgreSQL read %s: %d bytes, %v", file, len(text), err)
			}
		}
		if err := embedded.Kill(s.Postgres().PID(), 9); err != nil {
			t.Fatal(err)
		}
		eventually(t, "PostgreSQL is back", func() error { return pgExec(t.Context(), s.PostgresURL(), "SELECT 1") })
		stop(t, s)
	}
	if after := outside(t); len(after) > len(before) {
		t.Errorf("left behind: %v", after)
	}
}

// A temporary directory that is the server's alone is as closed as the others.
func TestPostgresRunsWithAClosedTemporaryDirectory(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root starts PostgreSQL as another user")
	}
	cfg := embeddedtest.Config(t)
	closed := filepath.Join(t.TempDir(), "closed")
	if err := os.Mkdir(closed, 0o700); err != nil {
		t.Fatal(err)
	}
	cfg.DataDir = filepath.Join(closed, "data")
	t.Setenv("TMPDIR", closed)
	s, err := embedded.StartPostgres(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := pgExec(t.Context(), s.PostgresURL(), "SELECT 1"); err != nil {
		t.Error(err)
	}
	at, err := url.Parse(s.PostgresURL())
	if err != nil {
		t.Fatal(err)
	}
	socket := at.Query().Get("host")
	if _, err := os.Stat(socket); err != nil {
		t.Errorf("the socket's directory: %v", err)
	}
	stop(t, s)
	if _, err := os.Stat(filepath.Dir(socket)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%s was left behind: %v", filepath.Dir(socket), err)
	}
}

// outside lists the directories that servers made outside their data directory.
func outside(t *testing.T) []string {
	t.Helper()
	list, err := fs.Glob(os.DirFS(os.TempDir()), "mybeacon-run-*")
	if err != nil {
		t.Fatal(err)
	}
	return list
}
