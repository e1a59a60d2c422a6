package rerun

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"mybeacon/actors/tag"
	"mybeacon/schema"
)

// Observation is one time that the tag was heard.
type Observation struct {
	Source schema.Source
	At     schema.EventTime
	RSSI   schema.CentiDBm
}

// Listening returns up to when a device is known to have delivered by the moment
// before: the newest such time that is not after before. It is asked for devices
// that heard the tag, when the tag has not been heard for its timeout.
type Listening func(device schema.DeviceID, before schema.EventTime) schema.EventTime

// Config is what a run needs.
type Config struct {
	Tag       *tag.Config
	Plans     *tag.Plans
	Listening Listening
	// Corrections returns what was in force on a plan, oldest first. It may be nil:
	// nothing was.
	Corrections func(schema.PlanID) []tag.Correction
	// Lessons takes what fixes teach, and owns it. It may be nil: that was learned when
	// it happened.
	Lessons func(*tag.Lessons)
}

// Run is one tag under way. Make it with [New].
type Run struct {
	cfg     Config
	state   *tag.State
	heard   schema.EventTime // newest observation
	by      schema.DeviceID  // of it
	devices []device         // that heard the tag within the window before
	plans   []schema.PlanID  // of these devices
	effects tag.Effects

	fixes  map[schema.EventTime]schema.Fix
	visits map[schema.VisitID]schema.Visit
}

type device struct {
	id    schema.DeviceID
	heard schema.EventTime
}

// New returns a tag with a past; a zero past is that of a tag which was absent.
func New(cfg Config, key tag.Key, past tag.Past) *Run {
	r := &Run{
		cfg: cfg, state: tag.New(cfg.Tag, cfg.Plans, key),
		fixes: make(map[schema.EventTime]schema.Fix), visits: make(map[schema.VisitID]schema.Visit),
	}
	r.state.Live(past)
	return r
}

// Second lives through a second in which the tag was heard, and what passed before
// in silence. Heard is all of it, in any order; seconds come in order.
func (r *Run) Second(second schema.EventTime, heard []Observation) {
	r.Silence(second)
	r.hear(heard, second.Add(time.Second))
	for _, p := range r.plans {
		tide := tag.Tide{Plan: p, Through: second.Add(time.Second)}
		if r.cfg.Corrections != nil {
			tide.Corrections = r.cfg.Corrections(p)
		}
		r.state.Tide(&tide, &r.effects)
	}
	r.take()
}

// Hear takes in what more of the tag was heard, in order of seconds, without
// fixing it: not all receivers may have spoken.
func (r *Run) Hear(heard []Observation) {
	if len(heard) == 0 {
		return
	}
	newest := heard[0].At
	for i := range heard {
		newest = max(newest, heard[i].At)
	}
	r.hear(heard, newest)
	r.take()
}

// Silence lives up to a time without hearing the tag: it may turn out to be absent.
func (r *Run) Silence(through schema.EventTime) {
	timeout := r.cfg.Tag.Fence.Timeout
	if len(r.devices) == 0 || through < r.heard.Add(timeout) {
		return
	}
	for _, d := range r.devices {
		if at := min(r.cfg.Listening(d.id, through), through); at >= d.heard {
			r.state.Progress(&tag.Progress{Device: d.id, Delivered: at}, &r.effects)
		}
	}
	r.take()
}

// hear gives the tag one message per device, in the order of the devices' ids.
func (r *Run) hear(heard []Observation, delivered schema.EventTime) {
	sorted := slices.Clone(heard)
	slices.SortFunc(sorted, func(a, b Observation) int {
		return cmp.Or(slices.Compare(a.Source.Device[:], b.Source.Device[:]), cmp.Compare(a.At, b.At), cmp.Compare(a.RSSI, b.RSSI))
	})
	for len(sorted) > 0 {
		n := 1
		for n < len(sorted) && sorted[n].Source.Device == sorted[0].Source.Device {
			n++
		}
		r.device(sorted[:n], delivered)
		sorted = sorted[n:]
	}
}

// device gives the tag what one device heard.
func (r *Run) device(heard []Observation, delivered schema.EventTime) {
	newest := heard[len(heard)-1]
	msg := &tag.Heard{Frame: &tag.Frame{Source: newest.Source, Delivered: delivered}, Samples: make([]tag.Sample, len(heard))}
	for i, o := range heard {
		msg.Samples[i] = tag.Sample{At: o.At, RSSI: o.RSSI}
	}
	if newest.At >= r.heard {
		r.heard, r.by = newest.At, newest.Source.Device
	}
	r.note(newest)
	r.state.Heard(msg, &r.effects)
}

// note remembers who heard the tag last, which is who will tell that it is gone.
func (r *Run) note(o Observation) {
	since := r.heard.Add(-r.cfg.Tag.Window)
	r.devices = slices.DeleteFunc(r.devices, func(d device) bool { return d.heard <= since || d.id == o.Source.Device })
	r.devices = append(r.devices, device{o.Source.Device, o.At})
	if !slices.Contains(r.plans, o.Source.Plan) {
		r.plans = append(r.plans, o.Source.Plan)
	}
}

// take keeps what was found: of each fix and each visit the newest word.
func (r *Run) take() {
	for _, f := range r.effects.Fixes {
		r.fixes[f.At] = f
	}
	for _, v := range r.effects.Visits {
		r.visits[v.ID] = v
	}
	for _, l := range r.effects.Lessons {
		if r.cfg.Lessons == nil {
			l.Recycle()
		} else {
			r.cfg.Lessons(l)
		}
	}
	r.effects.Reset()
	if !r.state.Present() && !r.state.Waits() {
		r.plans = r.plans[:0]
	}
}

// Present reports whether the tag is there.
func (r *Run) Present() bool { return r.state.Present() }

// Heard returns when the tag was heard last.
func (r *Run) Heard() schema.EventTime { return r.heard }

// HeardBy returns the device that heard the tag last.
func (r *Run) HeardBy() schema.DeviceID { return r.by }

// State returns the tag as it is now. Once it is given to the live system, the run
// is over.
func (r *Run) State() *tag.State { return r.state }

// Fixes returns the fixes for storage so far, in order.
func (r *Run) Fixes() []schema.Fix {
	out := make([]schema.Fix, 0, len(r.fixes))
	for _, f := range r.fixes {
		out = append(out, f)
	}
	slices.SortFunc(out, func(a, b schema.Fix) int { return cmp.Compare(a.At, b.At) })
	return out
}

// Visits returns the visits that began or ended so far, in order of their entry.
func (r *Run) Visits() []schema.Visit {
	out := make([]schema.Visit, 0, len(r.visits))
	for _, v := range r.visits {
		out = append(out, v)
	}
	slices.SortFunc(out, func(a, b schema.Visit) int {
		return cmp.Or(cmp.Compare(a.EnteredAt, b.EnteredAt), slices.Compare(a.Zone[:], b.Zone[:]))
	})
	return out
}

// Leave makes the tag absent if it has not been heard for its timeout, whoever may
// not have been listening.
func (r *Run) Leave(through schema.EventTime) {
	if len(r.devices) == 0 || through < r.heard.Add(r.cfg.Tag.Fence.Timeout) {
		return
	}
	for _, d := range r.devices {
		r.state.Progress(&tag.Progress{Device: d.id, Delivered: through}, &r.effects)
	}
	r.take()
}

// Forget drops what was found before a time: fixes, and visits that ended.
func (r *Run) Forget(before schema.EventTime) {
	maps.DeleteFunc(r.fixes, func(at schema.EventTime, _ schema.Fix) bool { return at < before })
	maps.DeleteFunc(r.visits, func(_ schema.VisitID, v schema.Visit) bool { return !v.LeftAt.IsZero() && v.LeftAt < before })
}
