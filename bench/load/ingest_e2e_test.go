package load_test

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"

	"mybeacon/bench/load"
)

// keys decodes an object and checks that it has just these keys.
func keys(t *testing.T, figures any, want ...string) map[string]*float64 {
	t.Helper()
	text, err := json.Marshal(figures)
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]*float64
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	for _, key := range want {
		if _, there := got[key]; !there {
			t.Errorf("%s lacks %s", text, key)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%s has other keys than %q", text, want)
	}
	return got
}

var ingestKeys = []string{
	"observations_per_s", "fixes_per_s", "ack_p50_ms", "ack_p99_ms", "live_p99_ms", "live_p99_at_25k_ms", "rss_mb", "allocs_per_observation",
	"insert_rows_per_s", "bare_insert_rows_per_s", "insert_ratio",
}

func TestDecode(t *testing.T) {
	cfg := load.DefaultConfig()
	cfg.Stage, cfg.Tags, cfg.Receivers, cfg.Seconds = load.StageDecode, 200, 14, 1
	figures, err := load.Ingest(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	got := keys(t, figures, ingestKeys...)
	for _, key := range []string{"observations_per_s", "ack_p50_ms", "ack_p99_ms", "rss_mb", "allocs_per_observation"} {
		if v := got[key]; v == nil || *v <= 0 {
			t.Errorf("%s is not above zero: %+v", key, figures)
		}
	}
	if got["fixes_per_s"] != nil || got["live_p99_ms"] != nil || got["insert_ratio"] != nil {
		t.Errorf("the stage has no locator, no map and no warehouse: %+v", figures)
	}
	if figures.AckP99MS < figures.AckP50MS {
		t.Errorf("the percentiles are out of order: %+v", figures)
	}
}

func TestFull(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cfg := load.DefaultConfig()
	cfg.Tags, cfg.Receivers, cfg.Seconds, cfg.Executable = 20, 4, 2, exe
	figures, err := load.Ingest(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	for key, v := range keys(t, figures, ingestKeys...) {
		if key == "live_p99_at_25k_ms" && v == nil {
			continue // the crowd is too small
		}
		if v == nil || *v <= 0 {
			t.Errorf("%s is not above zero: %+v", key, figures)
		}
	}
	if figures.Dropped > 0 {
		t.Errorf("a closed loop filled a mailbox: %+v", figures)
	}
	var text bytes.Buffer
	if err := figures.WriteText(&text); err != nil || bytes.Count(text.Bytes(), []byte("\n")) != 15 {
		t.Errorf("%v\n%s", err, &text)
	}
}
