package device

import (
	"time"

	"mybeacon/schema"
)

// health is what a device's lists show of it. All times but the offset's first
// half are of the server's clock.
type health struct {
	sessions int // open connections: a new one may come before the old one is known to be gone
	lastSeen time.Time
	frames   uint64
	offset   time.Duration
	best     time.Duration // greatest offset since the last report
	bestSet  bool

	told   bool
	online bool // as told
	toldAt time.Time
}

// frame notes a frame. A frame's delay makes the device's clock look late, so
// the greatest offset of a period is the truest.
func (h *health) frame(f *schema.FrameAdmitted) {
	h.frames++
	if f.ArrivedAt.After(h.lastSeen) {
		h.lastSeen = f.ArrivedAt
	}
	offset := f.SentAt.Time().Sub(f.ArrivedAt)
	if !h.bestSet || offset > h.best {
		h.best, h.bestSet = offset, true
	}
}

// Connected notes a connection made on the server's clock.
func (s *State) Connected(src schema.Source, at time.Time) {
	s.setSource(src)
	s.health.sessions++
	if at.After(s.health.lastSeen) {
		s.health.lastSeen = at
	}
}

// Disconnected notes the end of a connection. The device stays online for
// Config.OnlineFor after it was last heard: it may be reconnecting.
func (s *State) Disconnected() {
	if s.health.sessions > 0 {
		s.health.sessions--
	}
}

// Health returns what is to be told at the server's time now, and false when
// that is nothing.
func (s *State) Health(now time.Time) (schema.DeviceHealth, bool) {
	h := &s.health
	online := h.sessions > 0 || !h.lastSeen.IsZero() && now.Sub(h.lastSeen) <= s.cfg.OnlineFor
	due := h.bestSet && now.Sub(h.toldAt) >= s.cfg.HealthEvery
	if h.told && online == h.online && !due {
		return schema.DeviceHealth{}, false
	}
	if !h.told && h.lastSeen.IsZero() {
		return schema.DeviceHealth{}, false
	}
	if h.bestSet {
		h.offset, h.bestSet = h.best, false
	}
	h.told, h.online, h.toldAt = true, online, now
	return schema.DeviceHealth{
		Organisation: s.source.Organisation, Device: s.id, Location: s.source.Location,
		Online: online, LastSeen: h.lastSeen, ClockOffset: h.offset, FramesTotal: h.frames,
	}, true
}

// Idle reports whether nothing was heard of the device for the duration and no
// tag waits for its progress, so that it may be forgotten.
func (s *State) Idle(now time.Time, after time.Duration) bool {
	return s.health.sessions == 0 && len(s.recent) == 0 && now.Sub(s.health.lastSeen) >= after
}
