package crash_test

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"mybeacon/bench/crash"
	"mybeacon/bench/rig/rigtest"
	"mybeacon/schema"
)

func TestMain(m *testing.M) { rigtest.Main(m) }

func config(t *testing.T) crash.Config {
	t.Helper()
	cfg := crash.DefaultConfig()
	cfg.Kills, cfg.Tags, cfg.Calm, cfg.Program = 1, 8, time.Second, rigtest.Program(t)
	return cfg
}

func TestOneKill(t *testing.T) {
	figures, err := crash.Run(t.Context(), config(t))
	if err != nil {
		t.Fatal(err)
	}
	if figures.Kills != 1 || figures.Acked == 0 || figures.Visits == 0 || figures.Seconds == 0 {
		t.Errorf("nothing was measured: %+v", figures)
	}
	if figures.Missing != 0 || figures.Duplicated != 0 {
		t.Errorf("a kill lost or doubled what was acknowledged: %+v", figures)
	}
	if !(figures.RecoveryP99 > 0) {
		t.Errorf("a recovery took no time: %+v", figures)
	}
	text, err := json.Marshal(figures)
	var got map[string]float64
	if err != nil || json.Unmarshal(text, &got) != nil || len(got) != 6 {
		t.Fatalf("%s, %v", text, err)
	}
	for _, key := range []string{"kills", "acked", "missing", "duplicated", "visits_wrong", "recovery_p99_s"} {
		if _, there := got[key]; !there {
			t.Errorf("%s lacks %s", text, key)
		}
	}
	var lines bytes.Buffer
	if err := figures.WriteText(&lines); err != nil || strings.Count(lines.String(), "\n") != 7 {
		t.Errorf("%v\n%s", err, &lines)
	}
}

func TestConfigNamesWhatIsWrong(t *testing.T) {
	f := func(field string, change func(*crash.Config)) {
		t.Helper()
		cfg := config(t)
		change(&cfg)
		_, err := crash.Run(t.Context(), cfg)
		if schema.KindOf(err) != schema.Invalid || !strings.Contains(err.Error(), field) {
			t.Errorf("got %v, want something invalid about %s", err, field)
		}
	}
	f("kills", func(c *crash.Config) { c.Kills = -1 })
	f("tags", func(c *crash.Config) { c.Tags = 0 })
	f("calm", func(c *crash.Config) { c.Calm = 0 })
	f("log", func(c *crash.Config) { c.Log = nil })
	f("server", func(c *crash.Config) { c.Program.File += "-not" })
}

// A program that is no server is an error with its last words, and soon.
func TestNotAServer(t *testing.T) {
	cfg := config(t)
	cfg.Program.File = "/bin/ls"
	if _, err := os.Stat(cfg.Program.File); err != nil {
		t.Skip("skipped: no /bin/ls here")
	}
	_, err := crash.Run(t.Context(), cfg)
	if err == nil || !strings.Contains(err.Error(), "ended while it started") || !strings.Contains(err.Error(), "serve") {
		t.Errorf("got %v", err)
	}
}
