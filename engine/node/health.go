package node

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
	"mybeacon/schema/wire"
)

const (
	// offlineAfter is for how long nothing must be heard of a device to be offline. A
	// connection alone proves nothing: of a box without power it stays half-open for
	// minutes. Devices show life every 25 s at least.
	offlineAfter = 28 * time.Second
	// seenLook is how often it is looked at who went offline; it is stored at once,
	// since lists are filtered by it.
	seenLook = time.Second
	// seenFlush is how often the last times of devices that stay online are stored:
	// the lists show the live ones, the store only what survives a restart.
	seenFlush = 10 * time.Second
	// rateWindow is over how long the frames of a minute are measured.
	rateWindow = time.Minute
	// forgetAfter is after how long a silent device is left to the store alone.
	forgetAfter = time.Hour
)

// seenStore keeps when devices were last heard of.
type seenStore interface {
	SawDevices(context.Context, map[schema.DeviceID]postgres.Seen) error
	NobodyOnline(context.Context) error
	ReportDevices(context.Context, map[schema.DeviceID]wire.Report) error
}

// deviceStates keeps what is known of devices. It implements actors.Health and
// answers the console's lists. It is safe for concurrent use.
type deviceStates struct {
	store seenStore
	log   *slog.Logger

	mu sync.Mutex
	// Of those heard lately; bounded by the enrolled devices.
	state   map[schema.DeviceID]*deviceState
	reports map[schema.DeviceID]wire.Report // not stored yet
}

// deviceState is what is known of one device.
type deviceState struct {
	heard    time.Time
	stored   postgres.Seen // as the store has it
	measured bool
	offset   time.Duration // of its clock, as of the last measurement
	rate     float64       // frames a minute
	counted  uint64        // frames at since
	since    time.Time
}

func (s *deviceState) online(now time.Time) bool { return now.Sub(s.heard) < offlineAfter }

func newDeviceStates(store seenStore, log *slog.Logger) *deviceStates {
	return &deviceStates{store: store, log: log, state: map[schema.DeviceID]*deviceState{}, reports: map[schema.DeviceID]wire.Report{}}
}

// of returns the device's state; the caller holds mu.
func (d *deviceStates) of(id schema.DeviceID) *deviceState {
	s, known := d.state[id]
	if !known {
		s = &deviceState{}
		d.state[id] = s
	}
	return s
}

// Heard notes that the device showed life now.
func (d *deviceStates) Heard(id schema.DeviceID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.of(id).heard = time.Now()
}

// DeviceHealth implements actors.Health.
func (d *deviceStates) DeviceHealth(h schema.DeviceHealth) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.of(h.Device)
	if h.LastSeen.After(s.heard) {
		s.heard = h.LastSeen
	}
	s.offset, s.measured = h.ClockOffset, true
	s.count(h.FramesTotal, time.Now())
}

// Reported takes what the device says of itself; the newest counts.
func (d *deviceStates) Reported(id schema.DeviceID, r wire.Report) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.of(id).heard = time.Now()
	d.reports[id] = r
}

// count measures the rate from the frames so far; fewer than before means that the
// count began anew.
func (s *deviceState) count(total uint64, now time.Time) {
	passed := now.Sub(s.since)
	switch {
	case s.since.IsZero(), total < s.counted:
		s.counted, s.since = total, now
	case passed >= time.Second:
		s.rate = float64(total-s.counted) / passed.Minutes()
		if passed >= rateWindow {
			s.counted, s.since = total, now
		}
	}
}

// Online reports whether the device is online and when it was heard of last since the
// server started.
func (d *deviceStates) Online(id schema.DeviceID) (online bool, lastSeen time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s, known := d.state[id]
	if !known {
		return false, time.Time{}
	}
	return s.online(time.Now()), s.heard
}

// Measured returns what the engine itself measured of an online device: how many frames
// a minute it sends, and how far its clock is ahead of ours.
func (d *deviceStates) Measured(id schema.DeviceID) (framesPerMinute float64, offset time.Duration, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s, known := d.state[id]
	if !known || !s.measured || !s.online(time.Now()) {
		return 0, 0, false
	}
	return s.rate, s.offset, true
}

// Run stores who is online and the last times, and once more when the context ends.
func (d *deviceStates) Run(ctx context.Context) error {
	fresh := d.store.NobodyOnline(ctx) == nil
	tick := time.NewTicker(seenLook)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
			defer cancel()
			d.flush(last, true)
			_ = d.store.NobodyOnline(last) // the next start says it again
			return nil
		case <-tick.C:
			// Until then the store says who was online before the start.
			if fresh = fresh || d.store.NobodyOnline(ctx) == nil; fresh {
				d.flush(ctx, false)
			}
		}
	}
}

// flush stores what is due, or all that the store does not have.
func (d *deviceStates) flush(ctx context.Context, all bool) {
	d.flushReports(ctx)
	due := d.due(time.Now(), all)
	if len(due) == 0 {
		return
	}
	if err := d.store.SawDevices(ctx, due); err != nil {
		d.log.Warn("when devices were seen is not stored, will be tried again", "error", err)
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for id, seen := range due {
		if s, known := d.state[id]; known {
			s.stored = seen
		}
	}
}

func (d *deviceStates) flushReports(ctx context.Context) {
	d.mu.Lock()
	reports := d.reports
	d.reports = map[schema.DeviceID]wire.Report{}
	d.mu.Unlock()
	if len(reports) == 0 {
		return
	}
	if err := d.store.ReportDevices(ctx, reports); err != nil { // the next one comes in a minute
		d.log.Warn("what devices report is not stored", "devices", len(reports), "error", err)
	}
}

// due returns what the store is to be told, and forgets who was silent for long.
func (d *deviceStates) due(now time.Time, all bool) map[schema.DeviceID]postgres.Seen {
	d.mu.Lock()
	defer d.mu.Unlock()
	due := map[schema.DeviceID]postgres.Seen{}
	for id, s := range d.state {
		seen := postgres.Seen{Online: s.online(now), At: s.heard}
		switch {
		case seen == s.stored:
			if now.Sub(s.heard) > forgetAfter {
				delete(d.state, id)
			}
		case all, seen.Online != s.stored.Online, seen.At.Sub(s.stored.At) >= seenFlush:
			due[id] = seen
		}
	}
	return due
}
