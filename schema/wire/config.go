package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"mybeacon/schema"
)

// MaxConfigBytes bounds a configuration's JSON, so that a push stays one small
// message.
const MaxConfigBytes = 4 << 10

// Bounds of a configuration's values.
const (
	minReportEvery = 10
	maxReportEvery = 3600
)

// WiFi is the id of the module that hears Wi-Fi, and BLE of the one that hears
// Bluetooth. Every scanner knows these two; products may bring more.
const (
	BLE  = "ble"
	WiFi = "wifi"
)

// DeviceConfig is what a device is told to do. What the JSON leaves out has its default,
// so that a device and a server of different ages understand each other.
type DeviceConfig struct {
	// Modules are the device's parts by product id. A module that is not named is off.
	Modules map[string]ModuleConfig `json:"modules"`
	// ReportEveryS is how often the device reports how it is, in seconds.
	ReportEveryS int `json:"report_every_s"`
}

// ModuleConfig is what one module of a device is told.
type ModuleConfig struct {
	Enabled bool `json:"enabled"`
	// MinRSSIDBm leaves out what is heard more quietly, -127 to 0 dBm; nil: nothing
	// is left out.
	MinRSSIDBm *float64 `json:"min_rssi_dbm,omitempty"`
}

// DefaultConfig returns what a device does that was told nothing: it hears
// Bluetooth and reports once a minute.
func DefaultConfig() DeviceConfig {
	return DeviceConfig{Modules: map[string]ModuleConfig{BLE: {Enabled: true}, WiFi: {}}, ReportEveryS: 60}
}

// ReportEvery is how often the device reports.
func (c DeviceConfig) ReportEvery() time.Duration { return time.Duration(c.ReportEveryS) * time.Second }

// On returns which modules are switched on and off.
func (c DeviceConfig) On() map[string]bool {
	on := make(map[string]bool, len(c.Modules))
	for id, m := range c.Modules {
		on[id] = m.Enabled
	}
	return on
}

// Switch returns the configuration with the modules switched on or off; others stay
// as they are.
func (c DeviceConfig) Switch(on map[string]bool) DeviceConfig {
	c.Modules = maps.Clone(c.Modules)
	for id, enabled := range on {
		if m, known := c.Modules[id]; known || enabled { // what is not named is off
			m.Enabled = enabled
			c.Modules[id] = m
		}
	}
	return c
}

// JSON returns the configuration's one form: equal configurations give equal bytes.
func (c DeviceConfig) JSON() []byte {
	b, err := json.Marshal(c)
	if err != nil {
		panic("BUG: a configuration cannot be encoded: " + err.Error())
	}
	return b
}

// ReadConfig reads a configuration that was checked when it was made. Keys that it
// does not know are from a newer server and are left out.
func ReadConfig(b []byte) (DeviceConfig, error) {
	c := DefaultConfig()
	if len(b) == 0 {
		return c, nil
	}
	if len(b) > MaxConfigBytes {
		return DeviceConfig{}, schema.Errorf(schema.TooLarge, "config", "%d bytes; a configuration may have %d", len(b), MaxConfigBytes)
	}
	if err := json.Unmarshal(b, &c); err != nil {
		return DeviceConfig{}, fmt.Errorf("read the configuration: %w", err)
	}
	if c.Modules == nil {
		c.Modules = DefaultConfig().Modules
	}
	return c, nil
}

// CheckConfig reads a configuration that somebody wrote. It refuses what it does not
// know, names the field, and says what would be right. products are the ids of the
// modules that there are beside [BLE] and [WiFi].
func CheckConfig(b []byte, products []string) (DeviceConfig, error) {
	if len(b) > MaxConfigBytes {
		return DeviceConfig{}, schema.Errorf(schema.TooLarge, "config", "%d bytes; a configuration may have %d", len(b), MaxConfigBytes)
	}
	c := DefaultConfig()
	modules := map[string]json.RawMessage{}
	err := object(b, "", map[string]any{"modules": &modules, "report_every_s": &c.ReportEveryS})
	if err != nil {
		return DeviceConfig{}, err
	}
	if c.ReportEveryS < minReportEvery || c.ReportEveryS > maxReportEvery {
		return DeviceConfig{}, schema.Errorf(schema.Invalid, "report_every_s", "%d is out of range: %d to %d seconds", c.ReportEveryS, minReportEvery, maxReportEvery)
	}
	known := append([]string{BLE, WiFi}, products...)
	for _, id := range slices.Sorted(maps.Keys(modules)) {
		if c.Modules[id], err = checkModule(id, modules[id], known); err != nil {
			return DeviceConfig{}, err
		}
	}
	return c, nil
}

func checkModule(id string, b []byte, known []string) (ModuleConfig, error) {
	var m ModuleConfig
	if !slices.Contains(known, id) {
		return m, unknownModule(id, known)
	}
	fields := map[string]any{"enabled": &m.Enabled}
	if id == BLE {
		fields["min_rssi_dbm"] = &m.MinRSSIDBm
	}
	field := "modules." + id
	if err := object(b, field, fields); err != nil {
		return m, err
	}
	if m.MinRSSIDBm != nil && (*m.MinRSSIDBm < -127 || *m.MinRSSIDBm > 0) {
		return m, schema.Errorf(schema.Invalid, field+".min_rssi_dbm", "%g is out of range: -127 to 0 dBm", *m.MinRSSIDBm)
	}
	return m, nil
}

// CheckModules refuses switches of modules that there are not.
func CheckModules(on map[string]bool, products []string) error {
	known := append([]string{BLE, WiFi}, products...)
	for _, id := range slices.Sorted(maps.Keys(on)) {
		if !slices.Contains(known, id) {
			return unknownModule(id, known)
		}
	}
	return nil
}

func unknownModule(id string, known []string) error {
	known = slices.Compact(slices.Sorted(slices.Values(known)))
	return schema.Errorf(schema.Invalid, "modules", "there is no module %.40q: name some of %s", id, strings.Join(known, ", "))
}

// object reads a JSON object into the fields that it may have, so that a wrong key or
// value can be named with its path.
func object(b []byte, at string, fields map[string]any) error {
	var raw map[string]json.RawMessage
	dec := json.NewDecoder(bytes.NewReader(b))
	if err := dec.Decode(&raw); err != nil || raw == nil || !ended(dec) {
		return schema.Errorf(schema.Invalid, at, "is not a JSON object")
	}
	names := slices.Sorted(maps.Keys(fields))
	for _, key := range slices.Sorted(maps.Keys(raw)) {
		path := strings.TrimPrefix(at+"."+key, ".")
		into, known := fields[key]
		if !known {
			return schema.Errorf(schema.Invalid, at, "%.40q is not known here: there is %s", key, strings.Join(names, ", "))
		}
		if err := json.Unmarshal(raw[key], into); err != nil {
			return schema.Errorf(schema.Invalid, path, "%.40q is not %s", raw[key], wanted(into))
		}
	}
	return nil
}

func ended(dec *json.Decoder) bool {
	_, err := dec.Token()
	return err == io.EOF
}

func wanted(into any) string {
	switch into.(type) {
	case *bool:
		return "true or false"
	case *int:
		return "a whole number"
	case **float64:
		return "a number"
	default:
		return "an object of modules by their ids"
	}
}
