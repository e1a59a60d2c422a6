package wire

import (
	"encoding/json"
	"math"
	"unicode"
	"unicode/utf8"

	"mybeacon/schema"
	"mybeacon/schema/wire/wirepb"
)

// Report is what a device says of itself.
type Report struct {
	Version       string          `json:"version"`        // of its program
	ConfigVersion int64           `json:"config_version"` // that it runs; 0: none yet
	Modules       map[string]bool `json:"modules"`        // which run, by product id
	Health        Health          `json:"health"`
}

// Health is how a device is. Values that it cannot measure are zero.
type Health struct {
	Queue  int64   `json:"queue"`  // frames that wait to be acknowledged
	CPU    float64 `json:"cpu"`    // share of all its cores that is in use, 0 to 1
	Memory float64 `json:"memory"` // share of its memory that is in use, 0 to 1
}

// Bounds of a report.
const (
	maxVersionText   = 64
	maxReportModules = 32
	maxModuleID      = 32
)

// CheckVersion refuses what is no short printable text.
func CheckVersion(version string) error {
	if utf8.RuneCountInString(version) > maxVersionText || !printable(version) {
		return schema.Errorf(schema.Invalid, "version", "has at most %d printable characters", maxVersionText)
	}
	return nil
}

func printable(s string) bool {
	if !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		if !unicode.IsPrint(r) {
			return false
		}
	}
	return true
}

// Check refuses a report with values that cannot be.
func (r Report) Check() error {
	if err := CheckVersion(r.Version); err != nil {
		return err
	}
	switch h := r.Health; {
	case r.ConfigVersion < 0:
		return schema.Errorf(schema.Invalid, "config_version", "must not be below 0")
	case len(r.Modules) > maxReportModules:
		return schema.Errorf(schema.TooLarge, "modules", "names at most %d modules", maxReportModules)
	case h.Queue < 0:
		return schema.Errorf(schema.Invalid, "health.queue", "must not be below 0")
	case !share(h.CPU):
		return schema.Errorf(schema.Invalid, "health.cpu", "is a share from 0 to 1")
	case !share(h.Memory):
		return schema.Errorf(schema.Invalid, "health.memory", "is a share from 0 to 1")
	}
	for id := range r.Modules {
		if id == "" || len(id) > maxModuleID || !printable(id) {
			return schema.Errorf(schema.Invalid, "modules", "%.40q is not a module's id", id)
		}
	}
	return nil
}

// ReadReport reads a report as it came over a stream, and checks it.
func ReadReport(m *wirepb.Report) (Report, error) {
	r := Report{
		Version: m.GetVersion(), ConfigVersion: m.GetConfigVersion(), Modules: m.GetModules(),
		Health: Health{Queue: m.GetQueue(), CPU: m.GetCpu(), Memory: m.GetMemory()},
	}
	return r, r.Check()
}

// Message returns the report as it goes over a stream.
func (r Report) Message() *wirepb.Report {
	return &wirepb.Report{
		Version: r.Version, ConfigVersion: r.ConfigVersion, Modules: r.Modules,
		Queue: r.Health.Queue, Cpu: r.Health.CPU, Memory: r.Health.Memory,
	}
}

func share(f float64) bool { return !math.IsNaN(f) && f >= 0 && f <= 1 }

// HealthJSON returns the stored form of a health.
func (r Report) HealthJSON() []byte { return mustJSON(r.Health) }

// ModulesJSON returns the stored form of the modules.
func (r Report) ModulesJSON() []byte {
	if r.Modules == nil {
		return []byte("{}")
	}
	return mustJSON(r.Modules)
}

func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic("BUG: a report cannot be encoded: " + err.Error())
	}
	return b
}
