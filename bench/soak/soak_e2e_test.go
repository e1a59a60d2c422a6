package soak

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"mybeacon/bench/rig/rigtest"
	"mybeacon/schema"
)

func TestMain(m *testing.M) { rigtest.Main(m) }

func config(t *testing.T) Config {
	t.Helper()
	cfg := DefaultConfig()
	cfg.Minutes, cfg.Tags, cfg.Program = 1, 6, rigtest.Program(t)
	cfg.sizes = sizes{length: 30 * time.Second, outage: time.Second, noise: time.Second, loris: 3, maps: 2, mutant: 100}
	return cfg
}

// Every fault happens once to a whole server, and nothing acknowledged is lost.
func TestSoak(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped: it takes a minute")
	}
	cfg := config(t)
	figures, err := Run(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if err := figures.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + text.String())
	if figures.Acked == 0 || figures.Visits == 0 || figures.Seconds < 20 || len(figures.Faults) < 5 {
		t.Errorf("nothing was measured: %+v", figures)
	}
	if figures.Missing != 0 || figures.Duplicated != 0 {
		t.Errorf("the faults lost or doubled what was acknowledged: %+v", figures)
	}
	for _, h := range figures.Faults {
		if h.Effect == "" || h.RecoveredS < 0 || h.LastedS < 0 {
			t.Errorf("a fault tells nothing: %+v", h)
		}
	}
	for _, name := range []string{"R6", "R10", "R11", "R15", "R20"} {
		if !slices.ContainsFunc(figures.NotRun, func(s string) bool { return strings.HasPrefix(s, name) }) {
			t.Errorf("%s is not among what was not run: %q", name, figures.NotRun)
		}
	}
	keys(t, figures)
}

func keys(t *testing.T, figures Figures) {
	t.Helper()
	raw, err := json.Marshal(figures)
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(raw, &got); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{
		"seconds", "faults", "acked", "acked_lost", "duplicated", "visits", "visits_wrong", "disconnects",
		"disconnects_unexpected", "ack_p99_ms", "rss_mb", "rss_slope_percent_per_h", "not_run",
	} {
		if _, there := got[key]; !there {
			t.Errorf("%s lacks %s", raw, key)
		}
	}
	if got["rss_slope_percent_per_h"] != nil {
		t.Errorf("a run of seconds has a slope: %s", raw)
	}
}

func TestConfigNamesWhatIsWrong(t *testing.T) {
	f := func(field string, change func(*Config)) {
		t.Helper()
		cfg := config(t)
		change(&cfg)
		_, err := Run(t.Context(), cfg)
		if schema.KindOf(err) != schema.Invalid || !strings.Contains(err.Error(), field) {
			t.Errorf("got %v, want something invalid about %s", err, field)
		}
	}
	f("minutes", func(c *Config) { c.Minutes = 0 })
	f("minutes", func(c *Config) { c.Minutes = maxMinutes + 1 })
	f("minutes", func(c *Config) { c.Full = true })
	f("tags", func(c *Config) { c.Tags = 0 })
	f("log", func(c *Config) { c.Log = nil })
	f("server", func(c *Config) { c.File += "-not" })
}

// Some scanners connect, are idle, and come back after a kill.
func TestSockets(t *testing.T) {
	cfg := SocketsConfig{Sockets: 30, Seconds: 2, Program: rigtest.Program(t)}
	figures, err := Sockets(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if figures.Disconnects != 0 || figures.BackS <= 0 || figures.ConnectS <= 0 || figures.BaseMB <= 0 || figures.LargestMB < figures.BaseMB {
		t.Errorf("%+v", figures)
	}
	raw, err := json.Marshal(figures)
	var got map[string]float64
	if err != nil || json.Unmarshal(raw, &got) != nil || len(got) != 8 || got["sockets"] != 30 {
		t.Errorf("%s, %v", raw, err)
	}
	var text bytes.Buffer
	if err := figures.WriteText(&text); err != nil || bytes.Count(text.Bytes(), []byte("\n")) != 8 {
		t.Errorf("%v\n%s", err, &text)
	}
}

func TestSocketsConfigNamesWhatIsWrong(t *testing.T) {
	good := SocketsConfig{Sockets: 1, Seconds: 1, Program: rigtest.Program(t)}
	for field, change := range map[string]func(*SocketsConfig){
		"sockets": func(c *SocketsConfig) { c.Sockets = maxSockets + 1 },
		"seconds": func(c *SocketsConfig) { c.Seconds = 0 },
		"server":  func(c *SocketsConfig) { c.File = "" },
	} {
		cfg := good
		change(&cfg)
		if _, err := Sockets(t.Context(), cfg); schema.KindOf(err) != schema.Invalid || !strings.Contains(err.Error(), field) {
			t.Errorf("got %v, want something invalid about %s", err, field)
		}
	}
}
