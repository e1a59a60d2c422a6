package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// call runs the program and returns its exit code and what it printed.
func call(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(context.Background(), args, &out, &errs)
	return code, out.String(), errs.String()
}

// clean takes the settings of whoever runs the tests out of the environment.
func clean(t *testing.T) {
	for _, setting := range os.Environ() {
		if name, _, _ := strings.Cut(setting, "="); strings.HasPrefix(name, "MYBEACON_") {
			t.Setenv(name, "") // restores it after the test
			if err := os.Unsetenv(name); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestExitCodes(t *testing.T) {
	clean(t)
	f := func(want int, message string, args ...string) {
		t.Helper()
		code, stdout, stderr := call(t, args...)
		if code != want || !strings.Contains(stdout+stderr, message) {
			t.Errorf("mybeacon %s: exit %d, want %d with %q\n%s%s", strings.Join(args, " "), code, want, message, stdout, stderr)
		}
	}
	empty := t.TempDir()
	f(0, "mybeacon", "version")
	f(0, "Usage:", "--help")
	f(0, "the configuration is fine", "serve", "--check-config", "--data", empty)
	f(1, "http", "serve", "--check-config", "--http", "nowhere")
	f(1, "demo-tags", "serve", "--check-config", "--demo-tags", "7")
	f(2, "unknown flag", "serve", "--prot", "8080")
	f(2, "expected", "clickhouse")
	f(2, "speed", "replay", "ble", empty, "--speed=-1")
	f(1, "meta.json", "replay", "ble", empty)
	f(1, empty, "clickhouse", "query", "SELECT 1", "--data", empty)
}

func TestFileOfSettings(t *testing.T) {
	clean(t)
	write := func(text string) string {
		path := filepath.Join(t.TempDir(), "config.json")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	code, _, stderr := call(t, "--config", write(`{"http": "nowhere"}`), "serve", "--check-config")
	if code != exitFailure || !strings.Contains(stderr, "nowhere") {
		t.Errorf("the file's address was not used: exit %d, %s", code, stderr)
	}
	code, _, stderr = call(t, "--config", write(`{"http": "nowhere"}`), "serve", "--check-config", "--http", "127.0.0.1:1")
	if code != 0 {
		t.Errorf("the flag did not win over the file: %s", stderr)
	}
	t.Setenv("MYBEACON_HTTP", "127.0.0.1:2")
	if code, _, stderr = call(t, "--config", write(`{"http": "nowhere"}`), "serve", "--check-config"); code != 0 {
		t.Errorf("the environment did not win over the file: %s", stderr)
	}
	code, _, stderr = call(t, "--config", write(`{"htpt": "127.0.0.1:1"}`), "serve", "--check-config")
	if code != exitUsage || !strings.Contains(stderr, "htpt") {
		t.Errorf("a misspelt key was accepted: exit %d, %s", code, stderr)
	}
	if code, _, stderr = call(t, "--config", write(`[`), "serve", "--check-config"); code != exitUsage {
		t.Errorf("broken JSON was accepted: exit %d, %s", code, stderr)
	}
}
