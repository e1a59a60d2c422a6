package node_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"mybeacon/engine/embedded/embeddedtest"
	"mybeacon/engine/provision"
)

// The warehouse goes away: frames are acknowledged, the map goes on, and the
// server says that it is degraded. It is stopped and started again, and nothing
// of it is missing.
func TestWarehouseAway(t *testing.T) {
	cfg := testConfig(t)
	gate := embeddedtest.NewGate(t, embeddedtest.NewClickHouseDatabase(t))
	cfg.PostgresURL, cfg.ClickHouseURL = embeddedtest.NewPostgresDatabase(t), gate.URL
	s := start(t, cfg)
	made := provisioned(t, s)
	conn := watch(t, s, made.Location)
	begin := time.Now().Add(-20 * time.Second).Truncate(time.Second)
	stand(t, s, made, begin, 1, 4)

	gate.Shut()
	stand(t, s, made, begin, 5, 16)
	if tag := awaitTag(t, conn); tag.Name != "Maria" {
		t.Errorf("during the outage the map shows %+v", tag)
	}
	_ = conn.CloseNow()
	if status, text := fetch(t, s, "/readyz"); status != http.StatusOK || !strings.Contains(text, `"degraded"`) {
		t.Errorf("/readyz during the outage: %d %s", status, text)
	}
	if err := s.stop(); err != nil {
		t.Errorf("stopping during the outage lost something: %v", err)
	}
	kept, err := os.ReadDir(filepath.Join(cfg.Data, "spill"))
	if err != nil || len(kept) == 0 {
		t.Errorf("%d files are kept: %v", len(kept), err)
	}

	gate.Open()
	s = start(t, cfg)
	s.until(t, "SELECT count() FROM observations FINAL", fmt.Sprint(16*len(made.Devices)))
	s.until(t, "SELECT count() FROM observations", fmt.Sprint(16*len(made.Devices)))
	s.until(t, "SELECT uniq(tag_name), uniq(visit_id) FROM visits", "1\t1")
	if status, text := fetch(t, s, "/readyz"); status != http.StatusOK || !strings.Contains(text, `"ready"`) {
		t.Errorf("/readyz after the outage: %d %s", status, text)
	}
}

// stand has all receivers hear the tag alike, in seconds from…to, and expects
// that each frame is acknowledged.
func stand(t *testing.T, s *server, made provision.Result, begin time.Time, from, to int) {
	t.Helper()
	for second := from; second <= to; second++ {
		at := begin.Add(time.Duration(second)*time.Second + 300*time.Millisecond)
		var all sync.WaitGroup
		for _, dev := range made.Devices {
			all.Go(func() {
				status, text := post(t, s, dev.Token, frame(second, at, -61.5))
				if want := fmt.Sprintf(`"from":1,"to":%d}`, second); status != http.StatusOK || !strings.Contains(text, want) {
					t.Errorf("second %d: %d %s, want an ack with %s", second, status, text, want)
				}
			})
		}
		all.Wait()
	}
}

func fetch(t *testing.T, s *server, path string) (status int, text string) {
	t.Helper()
	resp, err := http.Get(s.URL() + path)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, readAll(t, resp.Body)
}
