//go:build console

package node_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"mybeacon/bench/demo"
)

// The flows of the console in a real browser, against this very server and the
// demo site. `make test` names the browser.
func TestConsoleInABrowser(t *testing.T) {
	chromium := os.Getenv("MYBEACON_CHROMIUM")
	if chromium == "" {
		t.Skip("skipped: MYBEACON_CHROMIUM names no browser (make test sets it)")
	}
	s := start(t, testConfig(t))
	ctx, cancel := context.WithCancel(t.Context())
	demoEnded := make(chan error, 1)
	go func() {
		demoEnded <- demo.Run(ctx, demo.Config{Server: s.URL(), Email: adminEmail, Password: adminPassword, Tags: 40, Log: s.cfg.Log})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-demoEnded; err != nil {
			t.Errorf("demo: %v", err)
		}
	})
	s.until(t, "SELECT uniq(tag) > 30 FROM fixes", "1")

	limit, stop := context.WithTimeout(t.Context(), 8*time.Minute)
	defer stop()
	npm := exec.CommandContext(limit, "npm", "run", "--silent", "test:browser")
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
