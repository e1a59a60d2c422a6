package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mybeacon/engine/store/postgres"
)

// typed makes the text the standard input until the test ends.
func typed(t *testing.T, text string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "typed")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	in, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	before := os.Stdin
	os.Stdin = in
	t.Cleanup(func() {
		os.Stdin = before
		_ = in.Close()
	})
}

// Accounts are made, listed and let in again beside a running store.
func TestUserCommands(t *testing.T) {
	clean(t)
	cfg, stores := startRelational(t)
	t.Cleanup(func() {
		if err := stores.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	db, err := postgres.Open(t.Context(), stores.PostgresURL())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	user := func(want int, args ...string) (stdout, stderr string) {
		t.Helper()
		code, stdout, stderr := call(t, append(append([]string{"user"}, args...), "--data", cfg.DataDir)...)
		if code != want {
			t.Fatalf("user %v: got %d, want %d: %s", args, code, want, stderr)
		}
		return stdout, stderr
	}
	var made told
	stdout, _ := user(0, "create", "root@example.com", "--super-admin", "--json")
	if err := json.Unmarshal([]byte(stdout), &made); err != nil || made.Email != "root@example.com" || len(made.Password) < 20 || made.ID.IsZero() {
		t.Errorf("got %s, %v", stdout, err)
	}
	typed(t, "a fine day outside\nand a second line\n")
	stdout, _ = user(0, "create", "maria@example.com", "--organisation", "Bikes", "--role", "admin", "--name", "Мария", "--password-stdin")
	if strings.Contains(stdout, "fine day") || !strings.Contains(stdout, "created maria@example.com") {
		t.Errorf("got %s", stdout)
	}
	typed(t, "password123\n")
	if _, stderr := user(1, "create", "x@example.com", "--super-admin", "--password-stdin"); !strings.Contains(stderr, "password") {
		t.Errorf("got %s", stderr)
	}
	user(1, "create", "MARIA@example.com", "--super-admin")
	user(1, "create", "y@example.com", "--organisation", "Cars")
	user(2, "create", "y@example.com")
	user(1, "create", "nonsense", "--super-admin")

	stdout, _ = user(0, "list")
	if lines := strings.Split(strings.TrimSpace(stdout), "\n"); len(lines) != 3 || !strings.Contains(lines[1], "Мария") || !strings.Contains(lines[2], "super-admin") {
		t.Errorf("got\n%s", stdout)
	}
	stdout, _ = user(0, "list", "--organisation", "Bikes", "--json")
	var one listed
	if err := json.Unmarshal([]byte(stdout), &one); err != nil || one.Role != "admin" || one.Organisation != "Bikes" || one.LastLogin != nil {
		t.Errorf("got %s, %v", stdout, err)
	}

	before := hashOf(t, db, "maria@example.com")
	stdout, _ = user(0, "reset-password", "Maria@example.com", "--no-totp")
	if !strings.Contains(stdout, "password: ") || hashOf(t, db, "maria@example.com") == before {
		t.Errorf("got %s", stdout)
	}
	user(1, "reset-password", "nobody@example.com")
}

func hashOf(t *testing.T, db *postgres.DB, email string) string {
	t.Helper()
	_, hash, err := db.AccountByEmail(t.Context(), email)
	if err != nil {
		t.Fatal(err)
	}
	return hash
}

func TestPlainTextCommandsNoTerminal(t *testing.T) {
	if got := plain("a\x1b[2J\u202eb\n"); strings.ContainsAny(got, "\x1b\n\u202e") {
		t.Errorf("got %q", got)
	}
}
