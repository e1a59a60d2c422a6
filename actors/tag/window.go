package tag

import (
	"cmp"
	"slices"
	"time"

	"mybeacon/geometry/locate"
	"mybeacon/schema"
)

// receiver is what a tag remembers of one device that hears it.
type receiver struct {
	source    schema.Source    // at the newest frame that heard the tag
	heard     schema.EventTime // newest sample
	delivered schema.EventTime // as the device said last: less than before when its clock was set back
	gap       gap
	plan      *Plan    // for which place was looked up
	place     int      // in plan's layout, or -1
	samples   []sample // ordered by time, then power
	seen      int      // how many of them the second that is being fixed has
}

// gap is the newest silence of a receiver about the tag that was long enough to be
// an absence and is over.
type gap struct {
	from  schema.EventTime // it heard the tag last before
	quiet schema.EventTime // up to when it had delivered without hearing it again
}

// placeOn returns the receiver's place on the plan, or -1. The look-up is kept
// until the plan changes.
func (r *receiver) placeOn(p *Plan) int {
	if r.source.Plan != p.Layout.Plan {
		return -1
	}
	if r.plan != p {
		r.plan, r.place = p, p.receiver(r.source.Receiver)
	}
	return r.place
}

// sample is one observation in the window.
type sample struct {
	at   schema.EventTime
	rssi schema.CentiDBm
}

func (a sample) compare(b sample) int {
	return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.rssi, b.rssi))
}

// take puts a sample in its place, which is almost always the last.
func (r *receiver) take(s sample) {
	if r.samples == nil {
		r.samples = make([]sample, 0, 8) // a window at one a second, without growing to it
	}
	if n := len(r.samples); n == 0 || r.samples[n-1].compare(s) <= 0 {
		r.samples = append(r.samples, s)
		return
	}
	i, _ := slices.BinarySearchFunc(r.samples, s, sample.compare)
	r.samples = slices.Insert(r.samples, i, s)
}

// from returns the index of the first sample that is not before a time. It is asked
// for the end of a second, behind which there is hardly ever more than another one.
func (r *receiver) from(at schema.EventTime) int {
	n := len(r.samples)
	for n > 0 && r.samples[n-1].at >= at {
		n--
	}
	return n
}

// window is who heard the tag, when and how loudly.
type window struct {
	receivers []receiver
	samples   int              // of all receivers
	fresh     schema.EventTime // the oldest sample that no fix has seen; zero when there is none
	located   []locate.Sample  // reused
	order     []*receiver      // reused
	tides     []Tide           // the newest of each plan
}

// note takes in what one frame says.
func (w *window) note(cfg *Config, h *Heard, oldest schema.EventTime) {
	at := w.receiver(h.Frame.Source.Device, cfg.MaxReceivers)
	r := &w.receivers[at]
	if r.source != h.Frame.Source {
		r.source, r.plan = h.Frame.Source, nil
	}
	r.hearAgain(cfg, h)
	if r.heard > r.delivered {
		w.rewind(r, oldest.Add(cfg.Window))
	}
	for _, s := range h.Samples {
		r.heard = max(r.heard, s.At)
		if s.At < oldest {
			continue
		}
		if w.samples >= cfg.MaxSamples {
			w.dropOldest()
		}
		r.take(sample{s.At, s.RSSI})
		w.samples++
		if w.fresh.IsZero() || s.At < w.fresh {
			w.fresh = s.At
		}
	}
}

// hearAgain notes what the frame says besides its samples: how far the device has
// delivered, and that it had not heard the tag for long.
func (r *receiver) hearAgain(cfg *Config, h *Heard) {
	before := r.delivered
	r.delivered = h.Frame.Delivered
	if len(h.Samples) == 0 || r.heard.IsZero() {
		return
	}
	first := h.Samples[0].At
	for _, s := range h.Samples {
		first = min(first, s.At)
	}
	if first.Sub(r.heard) < cfg.Fence.Timeout {
		return
	}
	if !h.Frame.Before.IsZero() {
		before = h.Frame.Before
	}
	r.gap = gap{r.heard, min(before, first)}
}

// rewind forgets what a receiver heard in a future that its clock has taken back. What
// is not before unseen no fix has seen.
func (w *window) rewind(r *receiver, unseen schema.EventTime) {
	n := r.from(r.delivered + 1)
	w.samples -= len(r.samples) - n
	r.samples, r.heard = r.samples[:n], r.delivered
	w.fresh = 0
	for i := range w.receivers {
		r := &w.receivers[i]
		if n := r.from(unseen); n < len(r.samples) && (w.fresh.IsZero() || r.samples[n].at < w.fresh) {
			w.fresh = r.samples[n].at
		}
	}
}

// receiver returns the index of the device, in the place of the one that heard
// the tag longest ago when there are too many.
func (w *window) receiver(id schema.DeviceID, limit int) int {
	stalest := 0
	for i := range w.receivers {
		if w.receivers[i].source.Device == id {
			return i
		}
		if w.receivers[i].heard < w.receivers[stalest].heard {
			stalest = i
		}
	}
	if len(w.receivers) < limit {
		w.receivers = append(w.receivers, receiver{source: schema.Source{Device: id}})
		return len(w.receivers) - 1
	}
	w.samples -= len(w.receivers[stalest].samples)
	w.receivers[stalest] = receiver{source: schema.Source{Device: id}}
	return stalest
}

// dropOldest makes room in the receiver that holds most, the older of equals. Only a
// transmitter that floods gets here, or a receiver whose clock is minutes ahead: what
// it heard waits for a second that is long to come, and must not push out what the
// others hear now.
func (w *window) dropOldest() {
	var most *receiver
	for i := range w.receivers {
		r := &w.receivers[i]
		if len(r.samples) == 0 {
			continue
		}
		if most == nil || len(r.samples) > len(most.samples) || len(r.samples) == len(most.samples) && r.samples[0].at < most.samples[0].at {
			most = r
		}
	}
	if most == nil {
		panic("BUG: the window counts samples that it does not hold")
	}
	most.samples = slices.Delete(most.samples, 0, 1)
	w.samples--
}

// progress notes how far a device has delivered.
func (w *window) progress(p *Progress) bool {
	for i := range w.receivers {
		if r := &w.receivers[i]; r.source.Device == p.Device {
			r.delivered = p.Delivered
			return true
		}
	}
	return false
}

// quiet reports whether every receiver that counts and that heard the tag in the
// time up to heard has told that it did not hear it again up to through; and that
// there are such. One that hears the tag again tells of the silence before.
func (w *window) quiet(heard schema.EventTime, within time.Duration, through schema.EventTime, counts func(*receiver) bool) bool {
	some := false
	for i := range w.receivers {
		r := &w.receivers[i]
		from, told := r.heard, r.delivered
		if from > heard {
			from, told = r.gap.from, r.gap.quiet
		}
		if from <= heard.Add(-within) || from > heard || !counts(r) {
			continue
		}
		if told < through {
			return false
		}
		some = true
	}
	return some
}

// maxTides is how many plans a tag listens to: more floors than a receiver can be
// heard through.
const maxTides = 8

// tide notes how far a plan has been heard, in the place of the plan that was
// heard least far when there are too many.
func (w *window) tide(t *Tide) {
	least := 0
	for i := range w.tides {
		if w.tides[i].Plan == t.Plan {
			w.tides[i] = *t
			return
		}
		if w.tides[i].Through < w.tides[least].Through {
			least = i
		}
	}
	if len(w.tides) < maxTides {
		w.tides = append(w.tides, *t)
	} else {
		w.tides[least] = *t
	}
}

// through returns how far a plan has been heard.
func (w *window) through(plan schema.PlanID) schema.EventTime {
	for i := range w.tides {
		if w.tides[i].Plan == plan {
			return w.tides[i].Through
		}
	}
	return 0
}

// closed reports whether every plan that heard the tag after since has been heard
// up to end. A plan whose receivers are all gone has no tide; it is waited for as
// long as a receiver is.
func (w *window) closed(since, end schema.EventTime, grace time.Duration) bool {
	for i := range w.tides {
		if w.tides[i].Through >= end.Add(grace) {
			return true
		}
	}
	some := false
	for i := range w.receivers {
		if r := &w.receivers[i]; r.heard > since {
			if some = true; w.through(r.source.Plan) < end {
				return false
			}
		}
	}
	return some
}

// prune forgets samples up to a time.
func (w *window) prune(through schema.EventTime) {
	for i := range w.receivers {
		r := &w.receivers[i]
		n := 0
		for n < len(r.samples) && r.samples[n].at <= through {
			n++
		}
		if n > 0 {
			r.samples = slices.Delete(r.samples, 0, n)
			w.samples -= n
		}
	}
}

// locate returns the samples before end that the plan's receivers heard, with
// their age at end. The order is that of the receivers on the plan and then of
// time, so that sums over them come out the same whatever the order of arrival. The
// result is valid until the next call.
func (w *window) locate(p *Plan, end schema.EventTime) []locate.Sample {
	w.order = w.order[:0]
	for i := range w.receivers {
		if r := &w.receivers[i]; len(r.samples) > 0 && r.placeOn(p) >= 0 {
			w.order = append(w.order, r)
		}
	}
	slices.SortFunc(w.order, func(a, b *receiver) int { return cmp.Compare(a.place, b.place) })
	w.located = w.located[:0]
	for _, r := range w.order {
		for _, s := range r.samples[:r.seen] {
			w.located = append(w.located, locate.Sample{Receiver: r.place, RSSIdBm: s.rssi.DBm(), Age: end.Sub(s.at)})
		}
	}
	return w.located
}

// see marks all samples before end as seen and returns when the newest was heard. What
// locate, loudest and choose say of that end goes by it.
func (w *window) see(end schema.EventTime) (newest schema.EventTime) {
	w.fresh = 0
	for i := range w.receivers {
		r := &w.receivers[i]
		n := r.from(end)
		if r.seen = n; n > 0 {
			newest = max(newest, r.samples[n-1].at)
		}
		if n < len(r.samples) && (w.fresh.IsZero() || r.samples[n].at < w.fresh) {
			w.fresh = r.samples[n].at
		}
	}
	return newest
}

// rest gives back what only fixes need.
func (w *window) rest() {
	for i := range w.receivers {
		w.receivers[i].samples, w.receivers[i].seen = nil, 0
	}
	w.samples, w.fresh, w.located, w.order = 0, 0, nil, nil
}

// loudestAge is how old a sample may be to name the receiver of a fix, unless
// all are older: the window is longer than a walk past a receiver.
const loudestAge = 2 * time.Second

// loudest returns the receiver on the plan that heard the tag loudest before end.
// Equal powers go to the receiver that comes first on the plan.
func (w *window) loudest(p *Plan, end schema.EventTime) (best *receiver, rssi schema.CentiDBm) {
	recent := false
	for i := range w.receivers {
		r := &w.receivers[i]
		if r.placeOn(p) < 0 {
			continue
		}
		for _, s := range r.samples[:r.seen] {
			isRecent := end.Sub(s.at) <= loudestAge
			better := best == nil || isRecent && !recent
			if !better && isRecent == recent {
				better = s.rssi > rssi || s.rssi == rssi && r.place < best.place
			}
			if better {
				best, rssi, recent = r, s.rssi, isRecent
			}
		}
	}
	return best, rssi
}
