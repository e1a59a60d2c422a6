package actors

import (
	"context"
	"fmt"
	"log/slog"

	"mybeacon/actors/device"
	"mybeacon/actors/plan"
	"mybeacon/actors/tag"
	"mybeacon/actors/zone"
	"mybeacon/schema"
)

// host is the system as its actors see it.
type host struct{ s *System }

var (
	_ device.Host = host{}
	_ plan.Host   = host{}
	_ tag.Host    = host{}
	_ zone.Host   = host{}
)

// Tell sends a device's message to a tag. Only being heard makes a tag's actor,
// and only a registered tag is heard: so the registry is bounded by admission.
func (h host) Tell(k tag.Key, msg any) {
	if _, heard := msg.(*tag.Heard); heard {
		h.s.tags.summon(k, msg)
	} else {
		h.s.tags.tell(k, msg)
	}
}

// Delivered sends a device's word to its plan.
func (h host) Delivered(d *plan.Delivered) { h.s.plans.summon(d.Source.Plan, d) }

// Emit gives the output what a tag found. Visits come first: they began before the
// fix that confirmed them.
func (h host) Emit(e *tag.Effects) {
	out := h.s.cfg.Output
	for _, v := range e.Visits {
		v.Rev = h.s.rev.Add(1)
		h.s.visits.note(v)
		out.Visit(v)
	}
	for _, m := range e.Moved {
		m.Rev = h.s.rev.Add(1)
		out.TagMoved(m)
	}
	for _, f := range e.Fixes {
		f.Rev = h.s.rev.Add(1)
		out.Fix(f)
	}
	for _, p := range e.Zones {
		if p.Inside {
			h.s.zones.summon(p.Zone, p)
		} else {
			h.s.zones.tell(p.Zone, p)
		}
	}
	for _, l := range e.Lessons {
		h.s.plans.tell(l.Plan, l)
	}
}

// Tide tells how far a plan has been heard.
func (h host) Tide(id schema.PlanID, through schema.EventTime) {
	if h.s.cfg.Tides != nil {
		h.s.cfg.Tides.Tide(id, through)
	}
}

// Learned tells the output what is in force on a plan.
func (h host) Learned(o schema.Offsets) {
	if h.s.cfg.Learned != nil {
		h.s.cfg.Learned.Offsets(o)
	}
}

func (h host) Calibrated(c plan.Calibration) { h.s.calibrations.keep(c) }
func (h host) LostLessons(n uint64)          { h.s.counters.lessons.Add(n) }

func (h host) Health(d schema.DeviceHealth)         { h.s.cfg.Health.DeviceHealth(d) }
func (h host) Occupancy(o schema.Occupancy)         { h.s.cfg.Output.Occupancy(o) }
func (h host) RetireDevice(id schema.DeviceID) bool { return h.s.devices.retire(id) }
func (h host) RetirePlan(id schema.PlanID) bool     { return h.s.plans.retire(id) }
func (h host) RetireTag(k tag.Key) bool             { return h.s.tags.retire(k) }
func (h host) RetireZone(id schema.ZoneID) bool     { return h.s.zones.retire(id) }

// Repeated counts a frame that was dropped.
func (h host) Repeated(v device.Verdict) {
	if v == device.Stale {
		h.s.counters.stale.Add(1)
	} else {
		h.s.counters.repeated.Add(1)
	}
}

// Unknown counts a message that its actor does not know. It is a defect, so the
// first one is logged.
func (h host) Unknown(msg any) {
	if h.s.counters.unknown.Add(1) == 1 {
		h.s.cfg.Log.Error("BUG: an actor got a message that it does not know", "type", fmt.Sprintf("%T", msg))
	}
}

// onlyWarnings passes what protoactor has to say on, but not its chatter about
// every start and restart: the supervisor tells of those, with the reason.
type onlyWarnings struct{ slog.Handler }

func (h onlyWarnings) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= slog.LevelWarn && h.Handler.Enabled(ctx, l)
}

func (h onlyWarnings) WithAttrs(a []slog.Attr) slog.Handler {
	return onlyWarnings{h.Handler.WithAttrs(a)}
}

func (h onlyWarnings) WithGroup(name string) slog.Handler {
	return onlyWarnings{h.Handler.WithGroup(name)}
}
