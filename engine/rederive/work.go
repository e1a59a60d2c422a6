package rederive

import (
	"context"
	"fmt"
	"time"

	"mybeacon/schema"
)

const (
	// step is how much time is lived through between two looks at what is stored.
	step = 10 * time.Minute
	// pending is for how long before the end rows may still change: a fix holds for 30 s
	// and says so when it is stored.
	pending = time.Minute
)

// work lets tags live again through the time that their late data fall in, and stores
// what came out. It returns the tags that must be tried again.
func (j *Job) work(ctx context.Context, late []Late, arrived time.Time) (left []Late, err error) {
	first, last := late[0].From, late[0].To
	for _, d := range late {
		first, last = min(first, d.From), max(last, d.To)
	}
	span := Span{Organisation: late[0].Organisation, From: first.Add(-j.cfg.Reach).Second(), Arrived: arrived}
	to := min(last.Add(j.cfg.Agree), first.Add(step)).Add(pending).Second()
	span.To = to
	l, err := begin(ctx, &j.cfg, span, late)
	if err != nil {
		return nil, err
	}
	for {
		end, present, err := l.through(ctx, to)
		if err != nil {
			return nil, err
		}
		if err := j.settle(ctx, l, end, present); err != nil {
			return nil, err
		}
		if len(l.tags) == 0 {
			return nil, nil
		}
		if present {
			for _, o := range l.tags {
				left = append(left, o.late)
			}
			return left, nil
		}
		to = to.Add(step)
	}
}

// settle compares what was found up to end with what is stored and writes what is
// certain. Tags whose late data are worked in leave the lives. Present says that the
// end is the newest there is.
func (j *Job) settle(ctx context.Context, l *lives, end schema.EventTime, present bool) error {
	span := l.span
	span.Tags, span.From, span.To = nil, end, end
	for id, o := range l.tags {
		span.Tags = append(span.Tags, id)
		span.From = min(span.From, o.from)
	}
	stored, err := j.cfg.Store.Derived(ctx, span)
	if err != nil {
		return err
	}
	byTag := split(stored)
	now := moment{end, present, j.liveVisits()}
	var c Changes
	for id, o := range l.tags {
		if end <= o.from && !present {
			continue
		}
		done, err := j.judge(ctx, o, now, byTag[id], &c)
		if err != nil {
			return err
		}
		if done {
			c.Done = append(c.Done, Done{Late: o.late, Until: end, At: j.cfg.Now(), Fixes: o.fixes, Visits: o.stays})
			delete(l.tags, id)
		}
	}
	return j.write(ctx, &c)
}

// liveVisits returns what the actors hold open, by tag.
func (j *Job) liveVisits() map[schema.TagID]map[schema.VisitID]bool {
	out := make(map[schema.TagID]map[schema.VisitID]bool)
	for _, v := range j.cfg.Actors.OpenVisits() {
		if out[v.Tag] == nil {
			out[v.Tag] = make(map[schema.VisitID]bool)
		}
		out[v.Tag][v.ID] = true
	}
	return out
}

func split(d Derived) map[schema.TagID]Derived {
	out := make(map[schema.TagID]Derived)
	for _, f := range d.Fixes {
		o := out[f.Tag]
		o.Fixes = append(o.Fixes, f)
		out[f.Tag] = o
	}
	for _, v := range d.Visits {
		o := out[v.Tag]
		o.Visits = append(o.Visits, v)
		out[v.Tag] = o
	}
	return out
}

// moment is up to when tags have lived again.
type moment struct {
	end     schema.EventTime
	present bool // nothing is known of what comes after
	live    map[schema.TagID]map[schema.VisitID]bool
}

// judge adds to the changes what is certain of one tag, and reports whether its late
// data are worked in.
func (j *Job) judge(ctx context.Context, o *one, at moment, stored Derived, c *Changes) (done bool, err error) {
	end, live := at.end, at.live[o.late.Tag]
	var found Derived
	var underWay []schema.Visit
	there := false
	if o.run != nil {
		if at.present && len(live) == 0 {
			o.run.Leave(end) // who is in no visit is not waited for by anybody
		}
		found.Fixes, found.Visits = o.run.Fixes(), o.run.Visits()
		underWay, there = o.run.State().Visits(), o.run.Present()
	}
	firm := end
	if there {
		firm = min(end, o.run.Heard())
	}
	v := compare(stretch{o.from, end, firm, underWay, live}, found, stored)
	amended, err := j.exchange(ctx, v, live, c)
	if err != nil {
		return false, err
	}
	if !amended {
		v.differs(end)
	}
	o.last = max(o.last, v.last)
	past := end >= o.late.To.Add(j.cfg.Agree)
	settled := end.Sub(max(o.last, o.late.To)) >= j.cfg.Agree && !o.quiet(end)
	done = past && (settled || !there && len(underWay) == 0 && o.last < end)
	certain := end
	if !done {
		certain = min(end.Add(-pending), firm.Add(-hold))
	}
	o.certain(v, certain, c)
	if !done && o.run != nil {
		o.from = max(o.from, certain)
		o.run.Forget(certain)
	}
	return done, nil
}

// quiet reports whether the tag is there and was not heard just before the end: it may
// turn out to have been absent.
func (o *one) quiet(end schema.EventTime) bool {
	const pause = 10 * time.Second
	return o.run != nil && o.run.Present() && end.Sub(o.run.Heard()) > pause
}

// exchange puts visits that began at another time in the place of stored ones, and
// reports whether it could: the actors may have ended one meanwhile.
func (j *Job) exchange(ctx context.Context, v *verdict, live map[schema.VisitID]bool, c *Changes) (all bool, err error) {
	all = true
	for _, x := range v.exchanges {
		x.visit.Rev, x.instead.Rev = j.cfg.Actors.Revs(1), j.cfg.Actors.Revs(1) // before the actors write more of it
		if live[x.instead.ID] {
			ok, err := j.cfg.Actors.Amend(ctx, x.instead.ID, x.visit)
			if err != nil {
				return false, fmt.Errorf("amend a visit: %w", err)
			}
			if all = all && ok; !ok {
				continue
			}
		}
		c.Visits, c.GoneVisits = append(c.Visits, x.visit), append(c.GoneVisits, x.instead)
	}
	return all, nil
}

// certain adds the differences up to a time to the changes.
func (o *one) certain(v *verdict, until schema.EventTime, c *Changes) {
	fixes, visits := len(c.Fixes)+len(c.GoneFixes), len(c.Visits)+len(c.GoneVisits)
	for _, f := range v.fixes {
		if f.At <= until {
			c.Fixes = append(c.Fixes, f)
		}
	}
	for _, f := range v.goneFixes {
		if f.At <= until {
			f.Rev = 0
			c.GoneFixes = append(c.GoneFixes, f)
		}
	}
	for _, s := range v.visits {
		if s.LeftAt <= until {
			c.Visits = append(c.Visits, s)
		}
	}
	for _, s := range v.goneVisits {
		if max(s.EnteredAt, s.LeftAt) <= until {
			s.Rev = 0
			c.GoneVisits = append(c.GoneVisits, s)
		}
	}
	o.fixes += len(c.Fixes) + len(c.GoneFixes) - fixes
	o.stays += len(c.Visits) + len(c.GoneVisits) - visits
}

// write gives the rows that have none yet a rev and stores them.
func (j *Job) write(ctx context.Context, c *Changes) error {
	n := len(c.Fixes) + len(c.GoneFixes) + len(c.Visits) + len(c.GoneVisits)
	if n == 0 && len(c.Done) == 0 {
		return nil
	}
	rev := j.cfg.Actors.Revs(n)
	for _, list := range [][]schema.Fix{c.Fixes, c.GoneFixes} {
		for i := range list {
			list[i].Rev = rev
			rev++
		}
	}
	for _, list := range [][]schema.Visit{c.Visits, c.GoneVisits} {
		for i := range list {
			if list[i].Rev == 0 {
				list[i].Rev = rev
			}
			rev++
		}
	}
	if err := j.cfg.Store.Write(ctx, *c); err != nil {
		return err
	}
	j.cfg.Metrics.wrote(c)
	return nil
}
