package plan

import (
	"bytes"
	"cmp"
	"slices"
	"time"

	"mybeacon/actors/tag"
	"mybeacon/geometry/locate"
	"mybeacon/schema"
)

// Lessons count by epochs of event time and not as they come, so that equal input
// gives equal offsets in whatever order the tags get to run: the offsets for the
// seconds of an epoch come from all lessons of seconds that lie lag before it, in
// order of second and tag. Within the lag every tag has got to its fixes, unless the
// engine is behind by so much; what comes later is dropped and counted.
const (
	epoch = 10 * time.Second
	lag   = 30 * time.Second
)

// relearnAfter is how far the tide must go back before it is taken for what it was
// before that had been wrong: a clock that ran ahead.
const relearnAfter = time.Minute

// maxCorrections is how many changes of the offsets tags are told of: a tag may be
// behind by some epochs, not by many.
const maxCorrections = 8

// learning is what a plan learns about its receivers.
type learning struct {
	plans   *tag.Plans
	id      schema.PlanID
	cfg     *Config
	plan    *tag.Plan
	site    locate.Locator // of calibration
	known   *locate.Calibration
	pending []*tag.Lessons

	began    bool
	epoch    schema.EventTime // the newest of which the offsets are decided
	applied  schema.EventTime // up to this second lessons were taken
	inForce  []tag.Correction // oldest first; never changed, but replaced
	keepDays uint16
	told     bool // that some receiver has an offset

	saved   *Calibration // to begin with
	changed bool         // since the last Calibration
	news    []schema.Offsets
	lost    uint64
}

// take keeps lessons until their epoch. Those that come before the first word were
// given before the engine stopped, and are learned once more.
func (l *learning) take(m *tag.Lessons) {
	if !l.cfg.Learn {
		m.Recycle()
		return
	}
	if !l.began && len(l.pending) < l.cfg.MaxLessons {
		l.pending = append(l.pending, m)
		return
	}
	if m.Site != l.site || m.Second < l.applied || len(l.pending) >= l.cfg.MaxLessons {
		l.drop(m)
		return
	}
	l.pending = append(l.pending, m)
}

func (l *learning) drop(m *tag.Lessons) {
	l.lost++
	m.Recycle()
}

func (l *learning) dropAll() {
	for _, m := range l.pending {
		l.drop(m)
	}
	l.pending = nil
}

// reach decides the offsets for all seconds before the tide.
func (l *learning) reach(tide schema.EventTime) {
	if !l.cfg.Learn {
		return
	}
	newest := epochOf(tide - 1)
	again := !l.began && len(l.pending) > 0
	if !l.began || newest < l.epoch.Add(-relearnAfter) {
		l.epoch = newest
		if again {
			l.epoch = min(newest, epochOf(l.oldest().Add(lag)))
		}
		l.began, l.applied = true, l.epoch.Add(-lag)
	}
	l.follow(l.epoch)
	if l.known == nil { // a plan without positions has nothing to learn
		l.dropAll()
	}
	for l.epoch < newest && len(l.pending) > 0 {
		l.epoch = l.epoch.Add(epoch)
		l.apply()
	}
	if n := len(l.news); again && n > 1 {
		l.news = l.news[n-1:] // what was in force before was told before
	}
	if newest > l.epoch { // nothing to be learned on the way
		l.epoch = newest
		l.applied = newest.Add(-lag)
	}
}

// oldest returns the second of the oldest lesson that waits.
func (l *learning) oldest() schema.EventTime {
	at := l.pending[0].Second
	for _, m := range l.pending {
		at = min(at, m.Second)
	}
	return at
}

func epochOf(t schema.EventTime) schema.EventTime {
	const ms = schema.EventTime(epoch / time.Millisecond)
	return t - (t%ms+ms)%ms
}

// follow begins a new calibration when the plan places tags in another way, with
// what is known of the receivers that stayed.
func (l *learning) follow(from schema.EventTime) {
	p := l.plans.Plan(l.id)
	var site locate.Locator
	if p != nil {
		site = p.Locator()
	}
	if p == l.plan && site == l.site {
		return
	}
	if l.site != site {
		l.move(p, site, from)
	}
	l.plan = p
}

func (l *learning) move(p *tag.Plan, site locate.Locator, from schema.EventTime) {
	if l.known != nil {
		old := export(l.plan.Layout, l.known)
		l.saved = &old
	}
	kept := l.pending[:0]
	for _, m := range l.pending {
		if m.Site == site {
			kept = append(kept, m)
		} else {
			l.drop(m)
		}
	}
	l.pending, l.inForce, l.site, l.known = slices.Clip(kept), nil, site, nil
	if site == nil {
		return
	}
	// What was stored wrongly is not worth a plan without corrections.
	l.known, _ = calibrate(p.Layout, site, l.saved)
	l.plan, l.saved = p, nil
	l.enforce(from)
}

// apply learns what belongs to the epoch.
func (l *learning) apply() {
	l.applied = l.epoch.Add(-lag)
	slices.SortFunc(l.pending, func(a, b *tag.Lessons) int {
		return cmp.Or(cmp.Compare(a.Second, b.Second), bytes.Compare(a.Tag[:], b.Tag[:]))
	})
	n := 0
	for n < len(l.pending) && l.pending[n].Second < l.applied {
		l.known.Learn(l.pending[n].Items)
		l.pending[n].Recycle()
		n++
	}
	if n == 0 {
		return
	}
	l.pending = slices.Delete(l.pending, 0, n)
	l.changed = true
	l.enforce(l.epoch)
}

// enforce puts what is known into force, if that changes anything.
func (l *learning) enforce(from schema.EventTime) {
	offsets := l.known.Offsets()
	if n := len(l.inForce); n > 0 && l.inForce[n-1].Offsets == offsets {
		return
	}
	told := l.tell(from, offsets)
	if len(told.Receivers) == 0 && !l.told {
		return // none at all need not be told
	}
	l.told = len(told.Receivers) > 0
	kept := l.inForce[max(0, len(l.inForce)+1-maxCorrections):]
	l.inForce = append(slices.Clip(slices.Clone(kept)), tag.Correction{From: from, Site: l.site, Offsets: offsets})
	l.news = append(l.news, told)
}

// tell returns offsets as others get to know of them.
func (l *learning) tell(from schema.EventTime, o *locate.Offsets) schema.Offsets {
	layout := l.plan.Layout
	out := schema.Offsets{
		Organisation: layout.Organisation, Location: layout.Location, Plan: layout.Plan,
		From: from, KeepDays: l.keepDays,
	}
	for i, r := range layout.Receivers {
		if db := o.DB(i); db != 0 {
			out.Receivers = append(out.Receivers, schema.ReceiverOffset{Receiver: r.Receiver, Offset: schema.CentiDBmOf(db)})
		}
	}
	return out
}
