package node_test

import (
	"context"
	"io"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"mybeacon/engine/embedded"
	"mybeacon/engine/node"
	"mybeacon/engine/store/clickhouse"
)

const (
	adminEmail    = "admin@example.org"
	adminPassword = "correct horse battery"
)

// server is a whole node on embedded stores of its own.
type server struct {
	*node.Node
	cfg  node.Config
	stop func() error // waits until all is stopped
}

func testConfig(t *testing.T) node.Config {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "mybeacon-test-") // t.TempDir's paths are too long to read in logs
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	cfg := node.DefaultConfig()
	cfg.HTTP, cfg.Ops, cfg.Data, cfg.Executable = "127.0.0.1:0", "127.0.0.1:0", dir, exe
	cfg.AdminEmail, cfg.AdminPassword = adminEmail, adminPassword
	cfg.Log = slog.New(slog.DiscardHandler)
	if os.Getenv("MYBEACON_TEST_LOG") != "" {
		cfg.Log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	return cfg
}

// start runs a node until the test ends or stop is called.
func start(t *testing.T, cfg node.Config) *server {
	t.Helper()
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	n := node.New(cfg)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- n.Run(ctx) }()
	select {
	case err := <-ended:
		cancel()
		t.Fatalf("the server did not start: %v", err)
	case <-n.Ready():
	}
	stopped := false
	stop := func() error {
		if stopped {
			return nil
		}
		stopped = true
		cancel()
		return <-ended
	}
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	return &server{Node: n, cfg: cfg, stop: stop}
}

// ask puts a question to the running server's warehouse, as the command
// "clickhouse query" does.
func (s *server) ask(t *testing.T, sql string) string {
	t.Helper()
	endpoint, err := embedded.ReadEndpoint(s.cfg.Data)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := clickhouse.Query(t.Context(), endpoint.URL, sql, "TabSeparated", &out); err != nil {
		t.Fatalf("%s\n%v", sql, err)
	}
	return strings.TrimSpace(out.String())
}

// until repeats a question until it is answered as wanted: what the actors
// derive is stored a moment after the frames.
func (s *server) until(t *testing.T, sql, want string) {
	t.Helper()
	s.untilWithin(t, 20*time.Second, sql, want)
}

func (s *server) untilWithin(t *testing.T, patience time.Duration, sql, want string) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		got := s.ask(t, sql)
		if got == want {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s\nanswers %q, want %q", sql, got, want)
		}
		<-time.After(100 * time.Millisecond)
	}
}

func readAll(t *testing.T, r io.ReadCloser) string {
	t.Helper()
	defer r.Close()
	text, err := io.ReadAll(io.LimitReader(r, 1<<20))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
