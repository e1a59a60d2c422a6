package node_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"mybeacon/engine/embedded/embeddedtest"
	"mybeacon/engine/live"
	"mybeacon/schema"
)

// R5: neither the warehouse nor the spool takes anything. The map goes on for far
// more frames than a scanner has credit for, nothing is acknowledged, and the
// server says so. When there is room again, all that was sent is stored once, by
// itself and within seconds.
func TestStorageTakesNothing(t *testing.T) {
	cfg := testConfig(t)
	gate := embeddedtest.NewGate(t, embeddedtest.NewClickHouseDatabase(t))
	cfg.PostgresURL, cfg.ClickHouseURL, cfg.Ops = embeddedtest.NewPostgresDatabase(t), gate.URL, freeAddress(t)
	s := start(t, cfg)
	made := provisioned(t, s)
	conn := watch(t, s, made.Location)
	finish, all := streams(t, s, made)
	acked(t, all, 50)

	spool := filepath.Join(cfg.Data, "spill")
	breakSpool(t, spool)
	gate.Shut()
	awaitFigure(t, s, "mybeacon_ingest_shed_frames_total", float64(3*256*len(all)))
	before := make([]int, len(all))
	for i, one := range all {
		before[i] = one.Stats().FramesAcked
	}
	// The rest of the house goes on: somebody walks in and is seen.
	at := time.Now().Add(-8 * time.Second)
	for second := 1; second <= 8; second++ {
		for _, dev := range made.Devices {
			status, text := post(t, s, dev.Token, frame(second, at.Add(time.Duration(second)*time.Second), -61.5))
			if status != http.StatusServiceUnavailable || !strings.Contains(text, "live maps have the frames") {
				t.Fatalf("a POST meanwhile: %d %s", status, text)
			}
		}
	}
	awaitName(t, conn, "Maria")
	for i, one := range all {
		st := one.Stats()
		if st.FramesAcked != before[i] || st.Connects != 1 || st.FramesQueued < 3*256 {
			t.Errorf("scanner %d: %+v, and %d acks when shedding began", i, st, before[i])
		}
	}
	awaitPart(t, s, "ingest", "degraded", "live maps only")
	if status, text := get(t, s.URL()+"/readyz"); status != http.StatusServiceUnavailable || !strings.Contains(text, `"spool":"failed"`) {
		t.Errorf("/readyz: %d %s", status, text)
	}
	if status, _ := get(t, s.URL()+"/livez"); status != http.StatusOK {
		t.Errorf("/livez: %d", status)
	}

	mendSpool(t, spool)
	back := time.Now()
	for status := 0; status != http.StatusOK; status, _ = get(t, s.URL()+"/readyz") {
		if time.Since(back) > 10*time.Second {
			t.Fatal("not ready 10 s after there was room")
		}
		<-time.After(50 * time.Millisecond)
	}
	t.Logf("ready %v after there was room", time.Since(back))
	acked(t, all, 50)
	t.Logf("acknowledged again %v after there was room", time.Since(back))
	gate.Open()
	sent := finish()
	for second := 1; second <= 8; second++ { // sent again, as it was told to
		for _, dev := range made.Devices {
			if status, text := post(t, s, dev.Token, frame(second, at.Add(time.Duration(second)*time.Second), -61.5)); status != http.StatusOK {
				t.Fatalf("a POST afterwards: %d %s", status, text)
			}
		}
	}
	frames := 0
	for _, one := range all {
		st := one.Stats()
		frames += st.FramesAcked
		if st.FramesAcked != st.FramesSent || st.FramesQueued != 0 || st.Connects != 2 {
			t.Errorf("%+v", st)
		}
	}
	if frames != sent {
		t.Errorf("%d frames acknowledged of %d", frames, sent)
	}
	want := fmt.Sprint(sent + 8*len(made.Devices))
	s.until(t, "SELECT count() FROM observations FINAL", want)
	s.until(t, "SELECT uniqExact(device, boot_id, seq, idx) FROM observations", want)
	s.until(t, "SELECT countIf(late) FROM observations FINAL WHERE boot_id = 'story'", "0") // the map had used them
	s.until(t, "SELECT count() > 0, count() - uniqExact(tag, at) FROM fixes", "1\t0")       // none was found twice
	s.until(t, "SELECT uniq(tag_name), uniq(visit_id) FROM visits", "1\t1")
	awaitPart(t, s, "ingest", "ok", "")
}

// breakSpool puts a file where the spool's directory is: a disk that takes
// nothing, whoever asks.
func breakSpool(t *testing.T, dir string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(dir, dir+".away"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
}

func mendSpool(t *testing.T, dir string) {
	t.Helper()
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(dir+".away", dir); err != nil {
		t.Fatal(err)
	}
}

// awaitFigure waits until a metric has reached the least.
func awaitFigure(t *testing.T, s *server, name string, least float64) {
	t.Helper()
	line := regexp.MustCompile(`(?m)^` + name + ` (\S+)$`)
	for limit := time.Now().Add(60 * time.Second); ; <-time.After(100 * time.Millisecond) {
		_, text := get(t, "http://"+s.cfg.Ops+"/metrics")
		found := line.FindStringSubmatch(text)
		if found == nil {
			t.Fatalf("no metric %s", name)
		}
		v, err := strconv.ParseFloat(found[1], 64)
		if err != nil {
			t.Fatal(err)
		}
		if v >= least {
			return
		}
		if time.Now().After(limit) {
			t.Fatalf("%s is %v, want %v", name, v, least)
		}
	}
}

// awaitPart waits until a part of the health report is as wanted.
func awaitPart(t *testing.T, s *server, name, state, detail string) {
	t.Helper()
	for limit := time.Now().Add(20 * time.Second); ; <-time.After(100 * time.Millisecond) {
		_, text := get(t, "http://"+s.cfg.Ops+"/healthz?verbose")
		var report struct {
			Parts []struct{ Name, State, Detail string }
		}
		if err := json.Unmarshal([]byte(text), &report); err != nil {
			t.Fatal(err)
		}
		for _, p := range report.Parts {
			if p.Name == name && p.State == state && strings.Contains(p.Detail, detail) {
				return
			}
		}
		if time.Now().After(limit) {
			t.Fatalf("%s is not %s, %q: %s", name, state, detail, text)
		}
	}
}

// awaitName waits until the map shows the tag in a zone.
func awaitName(t *testing.T, conn *websocket.Conn, name string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for {
		_, text, err := conn.Read(ctx)
		if err != nil {
			t.Fatal(err)
		}
		var m live.Message
		if err := json.Unmarshal(text, &m); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		for _, tag := range m.Tags {
			if tag.Name == name && tag.Zone != (schema.ZoneID{}) {
				return
			}
		}
	}
}
