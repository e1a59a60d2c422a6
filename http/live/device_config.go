package live

import (
	"context"
	"time"

	"mybeacon/schema/wire"
	"mybeacon/schema/wire/wirepb"
)

// configure sends the device its configuration, if it takes one and was sent another.
func (s *deviceSocket) configure(ctx context.Context) error {
	device := s.session.Device()
	if !s.takesConfig || device.ConfigVersion == s.configured {
		return nil
	}
	config, err := wire.ReadConfig([]byte(device.Config))
	if err != nil {
		// The device goes on with what it has; its list shows that.
		s.devices.cfg.Log.Error("a stored configuration cannot be read", "device", device.Device, "version", device.ConfigVersion, "error", err)
		return nil
	}
	s.configured = device.ConfigVersion
	return s.send(ctx, &wirepb.ToDevice{Body: &wirepb.ToDevice_Config{Config: &wirepb.Config{
		Version: device.ConfigVersion, Json: config.JSON(),
	}}})
}

// report takes what the device says of itself.
func (s *deviceSocket) report(m *wirepb.Report) {
	r, err := wire.ReadReport(m)
	if err != nil {
		s.refuse(&wire.Error{Reason: wire.ReportInvalid, Err: err})
		return
	}
	s.devices.cfg.States.Reported(s.session.Device().Device, r)
}

// heardEvery is how often it is told that a device shows life, however much it sends.
const heardEvery = time.Second

// heard notes that a message came: whatever it held, the device is there.
func (s *deviceSocket) heard(err error) {
	if err != nil {
		return
	}
	if now := time.Now(); now.Sub(s.heardAt) >= heardEvery {
		s.heardAt = now
		s.devices.cfg.States.Heard(s.session.Device().Device)
	}
}
