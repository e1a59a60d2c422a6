package wire_test

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mybeacon/schema"
	"mybeacon/schema/wire"
	"mybeacon/schema/wire/wirepb"
)

// What somebody writes is checked, and the error names the field and the fix.
func TestCheckConfig(t *testing.T) {
	f := func(text, wantField, wantText string) {
		t.Helper()
		_, err := wire.CheckConfig([]byte(text), []string{"temperature"})
		if err == nil || !strings.HasPrefix(err.Error(), wantField) || !strings.Contains(err.Error(), wantText) {
			t.Errorf("%s: %v, want %s … %s", text, err, wantField, wantText)
		}
	}
	f(``, "", "not a JSON object")
	f(`null`, "", "not a JSON object")
	f(`[]`, "", "not a JSON object")
	f(`{} {}`, "", "not a JSON object")
	f(`{"modles": {}}`, "", `"modles" is not known here: there is modules, report_every_s`)
	f(`{"report_every_s": 9}`, "report_every_s", "10 to 3600")
	f(`{"report_every_s": 10.5}`, "report_every_s", "a whole number")
	f(`{"modules": []}`, "modules", "an object of modules")
	f(`{"modules": {"bel": {}}}`, "modules", "ble, temperature, wifi")
	f(`{"modules": {"ble": true}}`, "modules.ble", "not a JSON object")
	f(`{"modules": {"ble": {"enabled": "yes"}}}`, "modules.ble.enabled", "true or false")
	f(`{"modules": {"ble": {"min_rssi_dbm": -200}}}`, "modules.ble.min_rssi_dbm", "-127 to 0")
	f(`{"modules": {"wifi": {"min_rssi_dbm": -90}}}`, "modules.wifi", "there is enabled")
	f(strings.Repeat(" ", wire.MaxConfigBytes)+"{}", "config", "may have 4096")

	c, err := wire.CheckConfig([]byte(`{"modules": {"temperature": {"enabled": true}, "ble": {"min_rssi_dbm": -90}}}`), []string{"temperature"})
	if err != nil || c.ReportEveryS != 60 {
		t.Fatalf("%+v, %v", c, err)
	}
	if diff := cmp.Diff(map[string]bool{"ble": false, "wifi": false, "temperature": true}, c.On()); diff != "" {
		t.Error(diff)
	}
	again, err := wire.ReadConfig(c.JSON())
	if diff := cmp.Diff(c, again); diff != "" || err != nil {
		t.Errorf("%v, %s", err, diff)
	}
}

// Switching leaves the rest and the configuration that it came from as they are.
func TestSwitch(t *testing.T) {
	c := wire.DefaultConfig()
	c.Modules["ble"] = wire.ModuleConfig{Enabled: true, MinRSSIDBm: new(-80.0)}
	s := c.Switch(map[string]bool{"ble": false, "wifi": true, "unknown": false})
	if s.Modules["ble"].Enabled || *s.Modules["ble"].MinRSSIDBm != -80 || !s.Modules["wifi"].Enabled || len(s.Modules) != 2 || !c.Modules["ble"].Enabled {
		t.Errorf("%+v from %+v", s, c)
	}
}

// What a device cannot mean is refused.
func TestReportCheck(t *testing.T) {
	good := wire.Report{Version: "edge 1.2 β", ConfigVersion: 7, Modules: map[string]bool{"ble": true}, Health: wire.Health{Queue: 1, CPU: 1, Memory: 0}}
	got, err := wire.ReadReport(good.Message())
	if diff := cmp.Diff(good, got); diff != "" || err != nil {
		t.Errorf("%v, %s", err, diff)
	}
	many := map[string]bool{}
	for i := range 33 {
		many[strings.Repeat("m", i+1)] = true
	}
	for name, bad := range map[string]wire.Report{
		"control characters": {Version: "a\nb"}, "a long version": {Version: strings.Repeat("v", 65)}, "broken UTF-8": {Version: "\xff"},
		"a version below 0": {ConfigVersion: -1}, "many modules": {Modules: many}, "no id": {Modules: map[string]bool{"": true}},
		"a queue below 0": {Health: wire.Health{Queue: -1}}, "no number": {Health: wire.Health{CPU: math.NaN()}}, "more than all": {Health: wire.Health{Memory: 1.01}},
	} {
		if err := bad.Check(); schema.KindOf(err) != schema.Invalid && schema.KindOf(err) != schema.TooLarge {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := wire.ReadReport(&wirepb.Report{Cpu: math.Inf(1)}); err == nil {
		t.Error("infinity is a share")
	}
}

// Whatever somebody writes, it is refused or read back as it was understood.
func FuzzCheckConfig(f *testing.F) {
	for _, seed := range []string{`{}`, `{"modules":{"ble":{"enabled":true,"min_rssi_dbm":-90}},"report_every_s":10}`, `{"modules":null}`, `{"a":{"b":[1]}}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := wire.CheckConfig(b, nil)
		if err != nil {
			return
		}
		again, err := wire.ReadConfig(c.JSON())
		if diff := cmp.Diff(c, again); diff != "" || err != nil {
			t.Errorf("%v, %s", err, diff)
		}
	})
}
