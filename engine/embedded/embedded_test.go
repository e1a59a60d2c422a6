package embedded_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mybeacon/engine/embedded"
	"mybeacon/engine/embedded/embeddedtest"
)

func TestFindRuntimeNamesTheFix(t *testing.T) {
	if _, err := embedded.FindRuntime(""); err != nil {
		t.Fatalf("the binaries are not installed: %v", err)
	}
	if _, err := embedded.FindRuntime(t.TempDir()); err == nil || !strings.Contains(err.Error(), "make runtime") {
		t.Errorf("an empty directory: %v", err)
	}
	t.Setenv(embedded.RuntimeEnv, "/nonexistent")
	if _, err := embedded.FindRuntime(""); err == nil || !strings.Contains(err.Error(), "/nonexistent") || !strings.Contains(err.Error(), "make runtime") {
		t.Errorf("a wrong variable: %v", err)
	}
}

func TestPlatform(t *testing.T) {
	for _, c := range []struct {
		goos, goarch string
		avx2         bool
		want         string
	}{
		{"linux", "amd64", true, ""},
		{"linux", "amd64", false, "AVX2"},
		{"linux", "arm64", false, "linux/arm64"},
		{"darwin", "amd64", true, "darwin/amd64"},
	} {
		err := embedded.CheckPlatform(c.goos, c.goarch, c.avx2)
		if c.want == "" {
			if err != nil {
				t.Error(err)
			}
		} else if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "MYBEACON_CLICKHOUSE_URL") {
			t.Errorf("%+v: %v; want %q and the way out", c, err, c.want)
		}
	}
}

func TestReachable(t *testing.T) {
	inner := filepath.Join(t.TempDir(), "inner", "data")
	if err := os.MkdirAll(inner, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Dir(inner), 0o700); err != nil {
		t.Fatal(err)
	}
	nobody := &syscall.Credential{Uid: 65533, Gid: 65533} // whoever runs the tests, it is not this one
	for _, c := range []struct {
		path string
		as   *syscall.Credential
		want bool
	}{
		{inner, nobody, false},
		{filepath.Join(inner, "not", "there"), nobody, false},
		{inner, nil, true},
		{inner, &syscall.Credential{Uid: uint32(os.Getuid()), Gid: uint32(os.Getgid())}, true},
		{"/usr/bin", nobody, true},
		{"/etc/hostname", nobody, true},
	} {
		if got := embedded.Reachable(c.path, c.as); got != c.want {
			t.Errorf("%s for %+v: %t, want %t", c.path, c.as, got, c.want)
		}
	}
}

func TestFailedStartsSayWhy(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*embedded.Config)
		want   string
	}{
		"no directory":         {func(c *embedded.Config) { c.DataDir = "" }, "data: is empty"},
		"a file":               {func(c *embedded.Config) { c.DataDir = c.Runtime.LibChDB }, "is a file"},
		"wrong setting":        {func(c *embedded.Config) { c.PostgresSettings = map[string]string{"shared_bufers": "1MB"} }, "shared_bufers"},
		"wrong program":        {func(c *embedded.Config) { c.Executable = "/bin/false" }, "clickhouse ended while starting"},
		"no program":           {func(c *embedded.Config) { c.Executable = "/nonexistent" }, "no such file"},
		"wrong library":        {func(c *embedded.Config) { c.Runtime.LibChDB = "/etc/hostname" }, "/etc/hostname"},
		"missing secrets":      {loseSecrets, "secrets.json is missing"},
		"user that is not":     {func(c *embedded.Config) { c.RunAs = "no-such-user" }, "no-such-user"},
		"root as the database": {func(c *embedded.Config) { c.RunAs = "root" }, "cannot run as user root"},
	} {
		cfg := embeddedtest.Config(t)
		c.change(&cfg)
		if cfg.RunAs != "" && os.Geteuid() != 0 {
			continue // who is not root runs PostgreSQL as himself
		}
		s, err := embedded.Start(t.Context(), cfg)
		if err == nil {
			stop(t, s)
			t.Errorf("%s: started", name)
			continue
		}
		if !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want %q", name, err, c.want)
		}
		if embedded.InUse(cfg.DataDir) {
			t.Errorf("%s: the directory is still locked", name)
		}
	}
}

func loseSecrets(c *embedded.Config) {
	dir := filepath.Join(c.DataDir, "postgres")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		panic(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "PG_VERSION"), []byte("18\n"), 0o600); err != nil {
		panic(err)
	}
}

func TestReadEndpointOfNobody(t *testing.T) {
	_, err := embedded.ReadEndpoint(t.TempDir())
	if err == nil || !strings.Contains(err.Error(), "no server is running") || !strings.Contains(err.Error(), "--data") {
		t.Errorf("%v", err)
	}
	dir := t.TempDir()
	want := embedded.Endpoint{URL: "http://u:p@host:8123/db", PID: 7}
	if err := embedded.WriteEndpoint(dir, want); err != nil {
		t.Fatal(err)
	}
	if got, err := embedded.ReadEndpoint(dir); err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestLines(t *testing.T) {
	var got []string
	write, tail := embedded.NewLines(func(s string) { got = append(got, s) })
	for _, piece := range []string{"one\ntw", "o\r\n\n", "", strings.Repeat("x", 5000), "\nlast\n"} {
		if n, err := write([]byte(piece)); n != len(piece) || err != nil {
			t.Errorf("write returned %d, %v", n, err)
		}
	}
	if diff := cmp.Diff([]string{"one", "two", strings.Repeat("x", 4096), "last"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for range 100 {
		write([]byte("again\n"))
	}
	if n := strings.Count(tail(), "\n") + 1; n != 12 {
		t.Errorf("%d lines are kept, want 12", n)
	}
}
