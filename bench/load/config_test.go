package load_test

import (
	"strings"
	"testing"

	"mybeacon/bench/load"
	"mybeacon/schema"
)

func TestConfigNamesWhatIsWrong(t *testing.T) {
	f := func(field string, change func(*load.Config)) {
		t.Helper()
		cfg := load.DefaultConfig()
		cfg.Stage = load.StageDecode
		change(&cfg)
		_, err := load.Ingest(t.Context(), cfg)
		if schema.KindOf(err) != schema.Invalid || !strings.Contains(err.Error(), field) {
			t.Errorf("got %v, want something invalid about %s", err, field)
		}
	}
	f("tags", func(c *load.Config) { c.Tags = 10_001 })
	f("receivers", func(c *load.Config) { c.Receivers = 2 })
	f("seconds", func(c *load.Config) { c.Seconds = 0 })
	f("stage", func(c *load.Config) { c.Stage = "half" })
	f("executable", func(c *load.Config) { c.Stage = load.StageFull })
	f("log", func(c *load.Config) { c.Log = nil })
}

func TestFencesConfigNamesWhatIsWrong(t *testing.T) {
	f := func(field string, cfg load.FencesConfig) {
		t.Helper()
		_, err := load.Fences(t.Context(), cfg)
		if schema.KindOf(err) != schema.Invalid || !strings.Contains(err.Error(), field) {
			t.Errorf("got %v, want something invalid about %s", err, field)
		}
	}
	f("zones", load.FencesConfig{Zones: 2001, Tags: 1, Seconds: 1})
	f("tags", load.FencesConfig{Zones: 1, Tags: 0, Seconds: 1})
	f("seconds", load.FencesConfig{Zones: 1, Tags: 1, Seconds: 0})
}
