package node

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
	"mybeacon/schema/wire"
)

// seenList is the store's part of what devices are, in memory.
type seenList struct {
	mu      sync.Mutex
	away    bool
	seen    map[schema.DeviceID]postgres.Seen
	reports map[schema.DeviceID]wire.Report
}

func (l *seenList) SawDevices(_ context.Context, seen map[schema.DeviceID]postgres.Seen) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.away {
		return errors.New("connection refused")
	}
	for id, s := range seen {
		l.seen[id] = s
	}
	return nil
}

func (l *seenList) NobodyOnline(context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.away {
		return errors.New("connection refused")
	}
	for id, s := range l.seen {
		s.Online = false
		l.seen[id] = s
	}
	return nil
}

func (l *seenList) ReportDevices(_ context.Context, reports map[schema.DeviceID]wire.Report) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for id, r := range reports {
		l.reports[id] = r
	}
	return nil
}

func (l *seenList) online(id schema.DeviceID) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.seen[id].Online
}

// watched runs device states over a list for the duration of fn, in virtual time.
func watched(t *testing.T, fn func(*deviceStates, *seenList)) {
	synctest.Test(t, func(t *testing.T) {
		l := &seenList{seen: map[schema.DeviceID]postgres.Seen{}, reports: map[schema.DeviceID]wire.Report{}}
		d := newDeviceStates(l, slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- d.Run(ctx) }()
		synctest.Wait()
		fn(d, l)
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		for id, s := range l.seen {
			if s.Online {
				t.Errorf("after the end %v is online", id)
			}
		}
	})
}

// A device is offline within 30 s of its last word, in what people see and in what lists
// are filtered by; pings every 25 s keep it online. In a bubble of virtual time.
func TestOfflineWithinThirtySeconds(t *testing.T) {
	id := schema.NewID[schema.DeviceID]()
	watched(t, func(d *deviceStates, l *seenList) {
		if online, seen := d.Online(id); online || !seen.IsZero() {
			t.Error("a device that was never here is online")
		}
		for range 10 {
			d.Heard(id)
			time.Sleep(1100 * time.Millisecond)
			if online, _ := d.Online(id); !online || !l.online(id) {
				t.Fatal("it shows life and is offline")
			}
			time.Sleep(25*time.Second - 1100*time.Millisecond)
			if online, _ := d.Online(id); !online || !l.online(id) {
				t.Fatal("it pings every 25 s and is offline")
			}
		}
		time.Sleep(5 * time.Second)
		if online, seen := d.Online(id); online || time.Since(seen) != 30*time.Second {
			t.Errorf("30 s after its last word: online %v, seen %v ago", online, time.Since(seen))
		}
		if l.online(id) {
			t.Error("30 s after its last word lists show it as online")
		}
	})
}

// While the store is away nothing is forgotten. In a bubble of virtual time.
func TestPresenceWaitsForTheStore(t *testing.T) {
	id := schema.NewID[schema.DeviceID]()
	watched(t, func(d *deviceStates, l *seenList) {
		l.mu.Lock()
		l.away = true
		l.mu.Unlock()
		d.Heard(id)
		time.Sleep(10 * time.Second)
		l.mu.Lock()
		l.away = false
		l.mu.Unlock()
		time.Sleep(1100 * time.Millisecond)
		if !l.online(id) {
			t.Error("the store has not learned that it is online")
		}
	})
}

// The frames of a minute are measured, also when their count begins anew, and not of a
// device that is offline. In a bubble of virtual time.
func TestFramesPerMinute(t *testing.T) {
	id := schema.NewID[schema.DeviceID]()
	watched(t, func(d *deviceStates, _ *seenList) {
		total := uint64(1000)
		for i := range 30 {
			if i == 15 {
				total = 0 // its actor began anew
			}
			total += 20
			d.DeviceHealth(schema.DeviceHealth{Device: id, LastSeen: time.Now(), FramesTotal: total, ClockOffset: -time.Second})
			time.Sleep(10 * time.Second)
			rate, offset, ok := d.Measured(id)
			if !ok || offset != -time.Second {
				t.Fatalf("measured %v, %v", offset, ok)
			}
			if i > 0 && i != 15 && (rate < 119 || rate > 121) {
				t.Errorf("round %d: %v frames a minute, want 120", i, rate)
			}
		}
		time.Sleep(30 * time.Second)
		if _, _, ok := d.Measured(id); ok {
			t.Error("an offline device sends frames")
		}
		d.Reported(id, wire.Report{Version: "edge"})
		time.Sleep(1100 * time.Millisecond)
		if online, _ := d.Online(id); !online {
			t.Error("who reports is online")
		}
	})
}
