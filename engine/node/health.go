package node

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"mybeacon/schema"
)

// seenFlush is how often the devices' last times are stored: the lists show the
// live state, the store only what survives a restart.
const seenFlush = 10 * time.Second

// seenStore keeps when devices were last heard of.
type seenStore interface {
	SawDevices(context.Context, map[schema.DeviceID]time.Time) error
}

// deviceStates keeps what is known of devices. It implements actors.Health and
// answers the console's lists.
type deviceStates struct {
	store seenStore
	log   *slog.Logger

	mu    sync.Mutex
	state map[schema.DeviceID]schema.DeviceHealth // bounded by the enrolled devices
	fresh map[schema.DeviceID]time.Time           // not stored yet
}

func newDeviceStates(store seenStore, log *slog.Logger) *deviceStates {
	return &deviceStates{store: store, log: log, state: map[schema.DeviceID]schema.DeviceHealth{}, fresh: map[schema.DeviceID]time.Time{}}
}

// DeviceHealth implements actors.Health.
func (d *deviceStates) DeviceHealth(h schema.DeviceHealth) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.state[h.Device] = h
	d.fresh[h.Device] = h.LastSeen
}

// Online reports whether the device is connected and when it was heard of last
// since the server started.
func (d *deviceStates) Online(id schema.DeviceID) (online bool, lastSeen time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	h := d.state[id]
	return h.Online, h.LastSeen
}

// Run stores the last times now and then, and once more when the context ends.
func (d *deviceStates) Run(ctx context.Context) error {
	tick := time.NewTicker(seenFlush)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
			defer cancel()
			d.flush(last)
			return nil
		case <-tick.C:
			d.flush(ctx)
		}
	}
}

func (d *deviceStates) flush(ctx context.Context) {
	d.mu.Lock()
	fresh := d.fresh
	d.fresh = map[schema.DeviceID]time.Time{}
	d.mu.Unlock()
	if len(fresh) == 0 {
		return
	}
	if err := d.store.SawDevices(ctx, fresh); err != nil {
		d.log.Warn("when devices were seen is not stored, will be tried again", "error", err)
		d.mu.Lock()
		for id, at := range fresh {
			if d.fresh[id].Before(at) {
				d.fresh[id] = at
			}
		}
		d.mu.Unlock()
	}
}
