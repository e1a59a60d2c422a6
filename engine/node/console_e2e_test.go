//go:build console

package node_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"mybeacon/bench/demo"
)

// shards is between how many servers the flows are divided: they wait more than
// they work.
const shards = 2

// The flows of the console in a real browser, each against a server of its own with
// the demo site. `make test-browser` names the browser.
func TestConsoleInABrowser(t *testing.T) {
	chromium := os.Getenv("MYBEACON_CHROMIUM")
	if chromium == "" {
		t.Skip("skipped: MYBEACON_CHROMIUM names no browser (make test-browser sets it)")
	}
	for i := range shards {
		t.Run(fmt.Sprintf("%d of %d", i+1, shards), func(t *testing.T) {
			t.Parallel()
			flows(t, withDemo(t), fmt.Sprintf("--shard=%d/%d", i+1, shards))
		})
	}
}

// withDemo starts a server whose demo site moves.
func withDemo(t *testing.T) *server {
	t.Helper()
	s := start(t, testConfig(t))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- demo.Run(ctx, demo.Config{Server: s.URL(), Email: adminEmail, Password: adminPassword, Tags: 40, Log: s.cfg.Log})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("demo: %v", err)
		}
	})
	s.until(t, "SELECT uniq(tag) > 30 FROM fixes", "1")
	return s
}

func flows(t *testing.T, s *server, shard string) {
	t.Helper()
	limit, stop := context.WithTimeout(t.Context(), 12*time.Minute)
	defer stop()
	npm := exec.CommandContext(limit, "npm", "run", "--silent", "test:browser", "--", shard)
	npm.Dir = filepath.Join("..", "..", "web")
	npm.Env = append(os.Environ(), "MYBEACON_E2E_URL="+s.URL(), "MYBEACON_ADMIN_EMAIL="+adminEmail, "MYBEACON_ADMIN_PASSWORD="+adminPassword, "NO_COLOR=1")
	var out bytes.Buffer
	npm.Stdout, npm.Stderr = &out, &out
	npm.WaitDelay = 5 * time.Second
	if err := npm.Run(); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	t.Logf("%s", out.String())
}
