package rederive

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"mybeacon/actors/device"
	"mybeacon/actors/tag"
	"mybeacon/schema"
)

// Restart is what a start asks of what is stored.
type Restart interface {
	// OpenVisits returns the visits without an end.
	OpenVisits(ctx context.Context) ([]schema.Visit, error)
	// Active returns the tags that were heard in the last minutes in which anything
	// arrived, by now at the latest, and the others that are named; and when those
	// minutes began.
	Active(ctx context.Context, now time.Time, also []tag.Key) (active []Active, since time.Time, err error)
}

// Active is a tag to take up.
type Active struct {
	tag.Key
	Fixed schema.EventTime // newest stored fix; zero when there is none
	Heard schema.EventTime // oldest observation that arrived lately; zero when there is none
}

// from returns from when on the tag has to live again.
func (a *Active) from() schema.EventTime {
	if a.Fixed.IsZero() {
		return a.Heard
	}
	return a.Fixed
}

const (
	// resumeReach is for how long before its newest stored fix a tag lives again: its
	// track has settled by then, and a start must not take long.
	resumeReach = 2 * time.Minute
	// relearnReach is how far back at most lessons are given once more that are in no
	// stored calibration.
	relearnReach = 5 * time.Minute
	// resumeTags is how many tags are taken up at once.
	resumeTags = 256
	// sameVisit is by how much the ends of a visit may differ between two lives that
	// began at different moments.
	sameVisit = 3 * time.Second
)

// Resume takes up the tags and devices as they were when the server stopped. It comes
// before the first frame. When the patience is over, the tags that are left get back
// their open visits only, the next observations place them, and the job works in what
// they missed; as it does with what storage lacks.
func Resume(ctx context.Context, cfg Config, from Restart, patience time.Duration) error {
	if err := cfg.Validate(); err != nil {
		return err
	}
	r := &resuming{
		cfg: &cfg, open: make(map[tag.Key][]schema.Visit), learned: make(map[schema.PlanID]schema.EventTime), devices: make(map[schema.DeviceID]*device.Restore),
		lessons: make(map[schema.PlanID][]*tag.Lessons),
	}
	for _, c := range cfg.Actors.Calibrations() {
		r.learned[c.Plan] = schema.EventTime(c.Through)
	}
	visits, err := from.OpenVisits(ctx)
	if err != nil {
		return err
	}
	var also []tag.Key
	for _, v := range visits {
		k := tag.Key{Organisation: v.Organisation, Tag: v.Tag}
		if r.open[k] == nil {
			also = append(also, k)
		}
		r.open[k] = append(r.open[k], v)
	}
	active, since, err := from.Active(ctx, cfg.Now(), also)
	if err != nil {
		return err
	}
	if err := r.owe(ctx, cfg.Lacks); err != nil {
		return err
	}
	limit, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err = r.all(limit, active)
	if err != nil && (ctx.Err() != nil || limit.Err() == nil) {
		return err
	}
	if err != nil {
		cfg.Log.Warn("not all tags were taken up in time; the others get their open visits back only", "tags", len(active), "taken_up", r.tags)
		if err := r.owe(ctx, since); err != nil {
			return err
		}
	}
	for _, v := range r.open {
		cfg.Actors.Restore(v)
	}
	r.tell()
	cfg.Metrics.resume(r.tags)
	return cfg.Actors.Settle(ctx)
}

// owe leaves what arrived since to the job, unless that is zero.
func (r *resuming) owe(ctx context.Context, since time.Time) error {
	if since.IsZero() {
		return nil
	}
	if err := r.cfg.Store.Owe(ctx, Owed{From: since, Until: r.cfg.Now()}); err != nil {
		return fmt.Errorf("leave tags to be derived again: %w", err)
	}
	return nil
}

// resuming is a start under way.
type resuming struct {
	cfg  *Config
	open map[tag.Key][]schema.Visit // of tags that were not taken up yet
	tags int

	learned map[schema.PlanID]schema.EventTime // up to when a plan's calibration has its lessons
	lessons map[schema.PlanID][]*tag.Lessons
	devices map[schema.DeviceID]*device.Restore
}

// all takes up the tags, those with one organisation and about the same past together.
func (r *resuming) all(ctx context.Context, active []Active) error {
	active = slices.DeleteFunc(active, func(a Active) bool { return a.from().IsZero() })
	slices.SortFunc(active, func(a, b Active) int {
		return cmp.Or(slices.Compare(a.Organisation[:], b.Organisation[:]), cmp.Compare(b.from(), a.from())) // newest first: they are seen
	})
	for len(active) > 0 {
		n := 1
		for n < len(active) && n < resumeTags && active[n].Organisation == active[0].Organisation && active[0].from().Sub(active[n].from()) <= resumeReach {
			n++
		}
		if err := r.group(ctx, active[:n]); err != nil {
			return err
		}
		active = active[n:]
	}
	return nil
}

func (r *resuming) group(ctx context.Context, active []Active) error {
	span := Span{Organisation: active[0].Organisation, From: active[0].from(), Arrived: r.cfg.Now().Add(time.Hour)}
	var late []Late
	for i := range active {
		a := &active[i]
		span.From, span.To = min(span.From, a.from()), max(span.To, a.from())
		late = append(late, Late{Key: a.Key, From: a.from()})
	}
	span.From = span.From.Add(-resumeReach)
	all := span
	if err := r.bounds(ctx, &all); err != nil {
		return err
	}
	all.From = all.From.Second()
	span.From, span.To = all.From, all.To
	l, err := begin(ctx, r.cfg, span, late)
	if err != nil {
		return err
	}
	tides, err := r.listen(ctx, l, all)
	if err != nil {
		return err
	}
	for i := range active {
		l.tags[active[i].Tag].fixed = active[i].Fixed
	}
	l.tides, l.learn = tides, r.learn
	if err := l.read(ctx, all.To+1); err != nil {
		return err
	}
	return r.adopt(ctx, l, all.To)
}

// bounds moves the end of the span to the newest moment that devices told of, and its
// beginning to where the plans' calibrations end.
func (r *resuming) bounds(ctx context.Context, span *Span) error {
	stints, err := r.cfg.Store.Stints(ctx, *span)
	if err != nil {
		return err
	}
	for _, s := range stints {
		span.To = max(span.To, s.To)
	}
	for _, s := range stints {
		span.From = min(span.From, max(r.learned[s.Source.Plan], span.To.Add(-relearnReach)))
	}
	return nil
}

// learn keeps the lessons that no calibration has.
func (r *resuming) learn(l *tag.Lessons) {
	if l.Second < r.learned[l.Plan] {
		l.Recycle()
		return
	}
	r.lessons[l.Plan] = append(r.lessons[l.Plan], l)
}

// listen learns when the devices listened, and from that how far the plans had been
// heard when the server stopped.
func (r *resuming) listen(ctx context.Context, l *lives, all Span) (map[schema.PlanID]schema.EventTime, error) {
	if err := l.listen(ctx, all.To); err != nil {
		return nil, err
	}
	all.Tags = nil
	all.From = all.To.Add(-r.cfg.Actors.PlanConfig().Patience)
	stints, err := r.cfg.Store.Stints(ctx, all)
	if err != nil {
		return nil, err
	}
	words := make(map[schema.PlanID][]schema.EventTime)
	l.sources = make(map[schema.DeviceID]*speaker)
	for _, s := range stints {
		l.speaks(s.Source, s.To)
	}
	for _, list := range l.stints {
		for _, s := range list {
			l.speaks(s.Source, s.To)
		}
	}
	for _, s := range l.sources {
		words[s.source.Plan] = append(words[s.source.Plan], s.told)
	}
	tides := make(map[schema.PlanID]schema.EventTime, len(words))
	for plan, told := range words {
		tides[plan] = r.tide(told)
	}
	return tides, nil
}

// tide is how far a plan had been heard, as package plan measures it.
func (r *resuming) tide(told []schema.EventTime) schema.EventTime {
	cfg := r.cfg.Actors.PlanConfig()
	slices.Sort(told)
	clock := told[len(told)-1]
	if n := len(told); n > 2 {
		clock = told[n-2]
	}
	slowest := clock
	for _, t := range told {
		if clock.Sub(t) < cfg.Patience {
			slowest = min(slowest, t)
		}
	}
	return max(slowest, clock.Add(-cfg.Grace)).Second()
}

// speaker is a device, as far as it is to be restored.
type speaker struct {
	source schema.Source
	told   schema.EventTime
	heard  map[schema.TagID]schema.EventTime
}

func (l *lives) speaks(src schema.Source, told schema.EventTime) {
	s := l.sources[src.Device]
	if s == nil {
		s = &speaker{source: src, heard: make(map[schema.TagID]schema.EventTime)}
		l.sources[src.Device] = s
	}
	if told >= s.told {
		s.source, s.told = src, told
	}
}

// adopt gives what lived again to the actors, and stores what storage lacks.
func (r *resuming) adopt(ctx context.Context, l *lives, end schema.EventTime) error {
	span := l.span
	span.From, span.To = end, end
	for _, o := range l.tags {
		l.finish(o)
		span.From = min(span.From, o.from)
	}
	stored, err := r.cfg.Store.Derived(ctx, span)
	if err != nil {
		return err
	}
	byTag := split(stored)
	var c Changes
	for id, o := range l.tags {
		if o.run != nil {
			o.run.Silence(end)
			o.reconcile(byTag[id], end, &c)
		}
	}
	job := &Job{cfg: *r.cfg}
	if err := job.write(ctx, &c); err != nil {
		return err
	}
	for _, o := range l.tags {
		if o.run == nil {
			continue // it keeps its open visits, if any
		}
		delete(r.open, o.late.Key)
		if r.cfg.Heard != nil {
			by := l.sources[o.run.HeardBy()]
			r.cfg.Heard(o.late.Tag, o.run.Heard(), by.source.Device, by.told)
		}
		s := o.run.State()
		if o.waits = s.Waits(); s.Present() || o.waits {
			r.cfg.Actors.Adopt(o.late.Key, s)
			r.tags++
		}
	}
	r.gather(l)
	return nil
}

// gather keeps what the devices are to be told of whom they heard.
func (r *resuming) gather(l *lives) {
	for id, s := range l.sources {
		d := r.devices[id]
		if d == nil {
			d = &device.Restore{}
			r.devices[id] = d
		}
		d.Source, d.Delivered = s.source, max(d.Delivered, s.told)
		for tag, at := range s.heard {
			d.Heard = append(d.Heard, device.Hearing{Tag: tag, At: at})
			if o := l.tags[tag]; o.run != nil && o.waits {
				d.Waiting = append(d.Waiting, tag)
			}
		}
	}
}

// tell gives the plans and the devices back what they knew.
func (r *resuming) tell() {
	for id, lessons := range r.lessons {
		r.cfg.Actors.Teach(id, lessons)
	}
	for _, d := range r.devices {
		r.cfg.Actors.RestoreDevice(*d)
	}
}

// finish takes in the seconds of the tag that the plan had not been heard to the end
// of.
func (l *lives) finish(o *one) {
	l.flush(o)
	if len(o.waiting) > 0 {
		l.born(o)
		o.run.Hear(o.waiting)
		o.waiting = nil
	}
}

// reconcile adds to the changes what storage lacks of a tag, and makes the tag go on
// with the visits that storage has: it began to live again some time before, so a
// visit may seem to have begun a moment earlier or later than it did.
func (o *one) reconcile(stored Derived, end schema.EventTime, c *Changes) {
	newest := schema.Fix{}
	for _, f := range stored.Fixes {
		newest = f
	}
	for _, f := range o.run.Fixes() {
		// How long the newest one holds may have been told to nobody yet.
		if f.At > o.fixed || f.At == newest.At && f.ValidFor < newest.ValidFor {
			c.Fixes = append(c.Fixes, f)
		}
	}
	free := slices.Clone(stored.Visits)
	for _, d := range o.run.Visits() {
		if !d.LeftAt.IsZero() && d.LeftAt < o.from {
			continue
		}
		i := slices.IndexFunc(free, func(s schema.Visit) bool { return s.ID == d.ID })
		if i < 0 {
			i = slices.IndexFunc(free, func(s schema.Visit) bool { return near(&s, &d) })
		}
		if i < 0 {
			c.Visits = append(c.Visits, d)
			continue
		}
		s := free[i]
		free = slices.Delete(free, i, i+1)
		if s.LeftAt.IsZero() && d.LeftAt.IsZero() {
			o.run.State().Amend(d.ID, s)
		} else if s.LeftAt.IsZero() {
			s.LeftAt, s.Rev = max(d.LeftAt, s.EnteredAt), 0
			c.Visits = append(c.Visits, s)
		}
	}
	o.endOthers(free, end, c)
}

// endOthers ends stored visits that go on although the tag is not in them. Those that
// it has been in since before it began to live again are told by its state alone.
func (o *one) endOthers(free []schema.Visit, end schema.EventTime, c *Changes) {
	under := o.run.State().Visits()
	for _, s := range free {
		if !s.LeftAt.IsZero() || slices.ContainsFunc(under, func(d schema.Visit) bool { return d.ID == s.ID }) {
			continue
		}
		s.LeftAt, s.Rev = max(s.EnteredAt, min(o.run.Heard(), end)), 0
		for _, d := range under {
			if d.Parent.IsZero() == s.Parent.IsZero() {
				s.LeftAt = max(s.EnteredAt, d.EnteredAt)
			}
		}
		c.Visits = append(c.Visits, s)
	}
}

// near reports whether both are one stay, seen from two beginnings.
func near(s, d *schema.Visit) bool {
	apart := func(a, b schema.EventTime) time.Duration { return max(a, b).Sub(min(a, b)) }
	if s.Zone != d.Zone || s.Plan != d.Plan || apart(s.EnteredAt, d.EnteredAt) > sameVisit {
		return false
	}
	return s.LeftAt.IsZero() || d.LeftAt.IsZero() || apart(s.LeftAt, d.LeftAt) <= sameVisit
}
