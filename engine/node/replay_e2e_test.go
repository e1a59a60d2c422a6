package node_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"mybeacon/bench/replay"
	"mybeacon/engine/embedded"
	"mybeacon/engine/store/clickhouse"
)

// sharedData returns the folder of recorded sites, or skips the test where it
// is absent.
func sharedData(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("MYBEACON_SHARED_DATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "data")
	}
	if _, err := os.Stat(dir); err != nil {
		t.Skip("skipped: no recorded sites here (MYBEACON_SHARED_DATA, or shared/data beside the repository)")
	}
	return dir
}

func replayInto(t *testing.T, s *server, dir, site string) replay.Result {
	t.Helper()
	result, err := replay.Run(t.Context(), replay.Config{
		Dir: dir, Server: s.URL(), Email: adminEmail, Password: adminPassword, Create: true, Site: site, Log: s.cfg.Log,
	})
	if err != nil {
		t.Fatal(err)
	}
	if result.ObservationsSent == 0 || result.ObservationsAcked != result.ObservationsSent || result.FramesAcked != result.FramesSent {
		t.Fatalf("not all was acknowledged: %+v", result)
	}
	return result
}

// counts are what must not change when the same is sent again.
const counts = `SELECT
	(SELECT count() FROM observations FINAL), (SELECT count() FROM fixes FINAL),
	(SELECT count() FROM zone_visits FINAL), (SELECT count() FROM zone_visits FINAL WHERE left_at IS NULL)`

func TestReplayAddsNothingTheSecondTime(t *testing.T) {
	cfg := testConfig(t)
	s := start(t, cfg)
	dir := filepath.Join("..", "..", "bench", "recording", "testdata", "kiosk")
	first := replayInto(t, s, dir, "Kiosk")
	s.until(t, "SELECT count() FROM observations FINAL", strconv.Itoa(first.ObservationsAcked))
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}

	s = start(t, cfg)
	before := s.ask(t, counts)
	again := replayInto(t, s, dir, "Kiosk")
	if again.Organisation != first.Organisation || again.Location != first.Location || again.FramesSent != first.FramesSent {
		t.Errorf("the second replay made another site: %+v, then %+v", first, again)
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	s = start(t, cfg)
	if after := s.ask(t, counts); after != before {
		t.Errorf("observations, fixes, visits, open visits were %s, are %s", before, after)
	}
}

// The recorded flat: counts equal what was acknowledged, and the visits are
// those of somebody who walks through its rooms.
func TestRecordedFlat(t *testing.T) {
	dir := filepath.Join(sharedData(t), "rtls", "flat")
	s := start(t, testConfig(t))
	result := replayInto(t, s, dir, "")
	if got := s.ask(t, "SELECT count() FROM observations FINAL"); got != strconv.Itoa(result.ObservationsAcked) {
		t.Errorf("%s observations stored, %d acknowledged", got, result.ObservationsAcked)
	}
	s.until(t, "SELECT count() > 100 FROM fixes FINAL", "1")
	s.until(t, "SELECT uniq(zone_name) >= 4 FROM visits WHERE tag_name = 'robot'", "1")
	if got := s.ask(t, "SELECT count() FROM visits WHERE tag_name = '' OR zone_name = ''"); got != "0" {
		t.Errorf("%s visits without a name", got)
	}
	if got := s.ask(t, "SELECT count() FROM observations FINAL WHERE late"); got != "0" {
		t.Errorf("%s observations were late: the replay must keep the receivers together", got)
	}
	runReadyQueries(t, s)
}

// runReadyQueries runs every query of the analysts' page.
func runReadyQueries(t *testing.T, s *server) {
	t.Helper()
	page, err := os.ReadFile(filepath.Join("..", "..", "schema", "clickhouse", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	queries := regexp.MustCompile("(?s)```sql\n(.*?)```").FindAllSubmatch(page, -1)
	if len(queries) != 15 {
		t.Fatalf("the page has %d queries, not fifteen", len(queries))
	}
	endpoint, err := embedded.ReadEndpoint(s.cfg.Data)
	if err != nil {
		t.Fatal(err)
	}
	for i, q := range queries {
		var out strings.Builder
		if err := clickhouse.Query(t.Context(), endpoint.URL, string(q[1]), "TabSeparated", &out); err != nil {
			t.Errorf("query %d: %v", i+1, err)
		} else if testing.Verbose() {
			fmt.Printf("query %d:\n%.300s\n", i+1, out.String())
		}
	}
}
