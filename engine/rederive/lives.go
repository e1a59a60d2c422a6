package rederive

import (
	"cmp"
	"context"
	"slices"
	"time"

	"mybeacon/actors/rerun"
	"mybeacon/actors/tag"
	"mybeacon/schema"
)

// lives are some tags of one organisation that live through a stretch of the past
// again.
type lives struct {
	cfg         *Config
	span        Span // From moves on as time is lived through
	tags        map[schema.TagID]*one
	stints      map[schema.DeviceID][]Stint        // in order of time
	offsets     []schema.Offsets                   // in force on the way
	corrections map[schema.PlanID][]tag.Correction // of these, made ready
	newest      schema.EventTime                   // that any device of theirs heard of anything
	fresh       time.Time                          // when that arrived, at the latest

	// Of a start only: how far each plan had been heard, and who spoke.
	tides   map[schema.PlanID]schema.EventTime
	sources map[schema.DeviceID]*speaker
	learn   func(*tag.Lessons)
}

// one is one of these tags.
type one struct {
	late   Late
	past   []schema.Fix // stored ones, for the state it begins with
	visits []schema.Visit
	shown  Shown
	run    *rerun.Run // nil until it is heard first
	second schema.EventTime
	heard  []rerun.Observation // in that second
	first  schema.EventTime    // late data may have changed what comes then
	from   schema.EventTime    // rows before are settled
	last   schema.EventTime    // of the newest difference so far
	fixes  int                 // changed so far
	stays  int

	fixed   schema.EventTime    // of a start: newest stored fix
	waits   bool                // of a start: something of it is not fixed yet
	waiting []rerun.Observation // of a start: in seconds that the plan was not heard to the end of
}

// begin reads what the tags were before from, and returns them as they were then.
func begin(ctx context.Context, cfg *Config, span Span, late []Late) (*lives, error) {
	l := &lives{cfg: cfg, span: span, tags: make(map[schema.TagID]*one, len(late))}
	for _, d := range late {
		// A tag that seemed absent before was not: its visit and its last fix ended then.
		from := d.From.Add(-absence).Second()
		l.tags[d.Tag] = &one{late: d, first: from, from: from}
		l.span.Tags = append(l.span.Tags, d.Tag)
	}
	past, err := cfg.Store.Derived(ctx, l.span)
	if err != nil {
		return nil, err
	}
	for id, shown := range past.Shown {
		if o := l.tags[id]; o != nil {
			o.shown = shown
		}
	}
	for _, f := range past.Fixes {
		if o := l.tags[f.Tag]; o != nil {
			o.past = append(o.past, f)
		}
	}
	for _, v := range past.Visits {
		if o := l.tags[v.Tag]; o != nil {
			o.visits = append(o.visits, v)
		}
	}
	return l, nil
}

// listen learns when the devices listened, up to a time.
func (l *lives) listen(ctx context.Context, to schema.EventTime) error {
	span := l.span
	span.From, span.To = span.From.Add(-l.cfg.Reach), to
	stints, err := l.cfg.Store.Stints(ctx, span)
	if err != nil {
		return err
	}
	slices.SortFunc(stints, func(a, b Stint) int { return cmp.Compare(a.From, b.From) })
	if l.offsets, err = l.cfg.Store.Corrections(ctx, span); err != nil {
		return err
	}
	l.corrections = make(map[schema.PlanID][]tag.Correction)
	l.stints = make(map[schema.DeviceID][]Stint)
	for _, s := range stints {
		l.stints[s.Source.Device] = append(l.stints[s.Source.Device], s)
		l.newest = max(l.newest, s.To)
		if s.Arrived.After(l.fresh) {
			l.fresh = s.Arrived
		}
	}
	return nil
}

// corrected returns what was in force on a plan, as far as the plan can use it now.
func (l *lives) corrected(id schema.PlanID) []tag.Correction {
	if ready, known := l.corrections[id]; known {
		return ready
	}
	var ready []tag.Correction
	if plan := l.cfg.Actors.Plans().Plan(id); plan != nil {
		for i := range l.offsets {
			if o := &l.offsets[i]; o.Plan == id {
				c, err := plan.Correct(o.From, o.Receivers)
				if err != nil {
					l.cfg.Log.Warn("learned offsets cannot be used", "plan", id.String(), "from", o.From.Time(), "error", err)
					continue
				}
				ready = append(ready, c)
			}
		}
	}
	l.corrections[id] = ready
	return ready
}

// listening returns up to when a device is known to have delivered by a time. Frames
// of one boot have no gaps, so it listened between any two of them; a boot whose
// first row is not of its first frame had heard nothing for a while.
func (l *lives) listening(device schema.DeviceID, before schema.EventTime) (at schema.EventTime) {
	const least = time.Second // that one frame covers
	for _, s := range l.stints[device] {
		if woke := s.From.Add(-time.Duration(min(s.FirstSeq, 3600)-1) * least); before > woke || before >= s.From {
			at = max(at, min(before, max(s.To, woke)))
		}
	}
	return at
}

// through lives up to a time, or up to what is whole; it returns how far that is, and
// whether it is the present: nothing is known of what comes after.
func (l *lives) through(ctx context.Context, to schema.EventTime) (end schema.EventTime, present bool, err error) {
	if err := l.listen(ctx, to); err != nil {
		return 0, false, err
	}
	end, present = to, l.newest < to
	if present && l.span.Arrived.Sub(l.fresh) < 3*l.cfg.Moving {
		end = min(to, l.newest.Add(-l.cfg.Moving)) // what was heard just now may not be all
	}
	end = end.Second()
	if err := l.read(ctx, end); err != nil {
		return 0, false, err
	}
	for _, o := range l.tags {
		l.flush(o)
		if o.run != nil {
			o.run.Silence(end)
		}
	}
	return end, present, nil
}

// read feeds what was heard before end, in pieces.
func (l *lives) read(ctx context.Context, end schema.EventTime) error {
	for l.span.From < end {
		span := l.span
		span.To = end - 1
		rows, err := l.cfg.Store.Heard(ctx, span, l.cfg.Rows)
		if err != nil {
			return err
		}
		next := end
		if len(rows) == l.cfg.Rows {
			// The last second may go on. One that fills a piece by itself is cut.
			next = max(rows[len(rows)-1].At.Second(), l.span.From.Second().Add(time.Second))
		}
		for i := range rows {
			if rows[i].At < next {
				l.feed(&rows[i])
			}
		}
		l.span.From = next
	}
	return nil
}

func (l *lives) feed(h *Heard) {
	o := l.tags[h.Tag]
	if o == nil {
		return
	}
	if s := h.At.Second(); s != o.second {
		l.flush(o)
		o.second = s
	}
	o.heard = append(o.heard, rerun.Observation{Source: *h.Source, At: h.At, RSSI: h.RSSI})
	if l.sources != nil {
		l.speaks(*h.Source, h.At)
		l.sources[h.Source.Device].heard[h.Tag] = h.At
	}
}

// flush lives through the second that was gathered.
func (l *lives) flush(o *one) {
	if len(o.heard) == 0 {
		return
	}
	if l.tides != nil && o.second > o.fixed && o.second >= l.tides[o.heard[0].Source.Plan] {
		o.waiting = append(o.waiting, o.heard...)
		o.heard = o.heard[:0]
		return
	}
	l.born(o)
	if o.second < o.first {
		// What it was in when it was heard last before may have ended otherwise too.
		o.from = min(o.first, o.second.Add(-hold))
	}
	o.run.Second(o.second, o.heard)
	o.heard = o.heard[:0]
}

// born makes the tag as it was stored when it is heard first.
func (l *lives) born(o *one) {
	if o.run == nil {
		o.run = rerun.New(rerun.Config{
			Tag: l.cfg.Actors.TagConfig(), Plans: l.cfg.Actors.Plans(), Listening: l.listening, Corrections: l.corrected, Lessons: l.learn,
		}, o.late.Key, o.before(o.second))
		o.past, o.visits = nil, nil
	}
}

// before returns what is stored of the tag at a time.
func (o *one) before(at schema.EventTime) (p tag.Past) {
	for _, v := range o.visits {
		if v.EnteredAt < at && (v.LeftAt.IsZero() || v.LeftAt >= at) {
			p.Visits = append(p.Visits, v)
		}
	}
	// A whole before its parts.
	slices.SortFunc(p.Visits, func(a, b schema.Visit) int { return slices.Compare(a.Parent[:], b.Parent[:]) })
	shown := o.shown
	for _, f := range o.past {
		if f.At >= at {
			break
		}
		shown.next(f)
	}
	if f := &shown.Fix; !f.At.IsZero() && (len(p.Visits) > 0 || at.Sub(f.At) < absence) {
		p.Stored, p.Since = *f, shown.Since
	}
	return p
}
