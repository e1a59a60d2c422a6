package alert

import (
	"slices"
	"time"

	"mybeacon/schema"
)

func (s *State) find(k key) *watch {
	if plan, ok := s.plans[k]; ok {
		return s.watches[plan][k]
	}
	return nil
}

// keep watches a cause, unless there are too many.
func (s *State) keep(w *watch) bool {
	if len(s.plans) >= maxWatched {
		s.refused++
		return false
	}
	if s.watches[w.plan] == nil {
		s.watches[w.plan] = map[key]*watch{}
	}
	s.watches[w.plan][w.key], s.plans[w.key] = w, w.plan
	return true
}

func (s *State) forget(k key) {
	plan := s.plans[k]
	delete(s.watches[plan], k)
	if len(s.watches[plan]) == 0 {
		delete(s.watches, plan)
	}
	delete(s.plans, k)
}

// begin takes that a cause has begun, or goes on.
func (s *State) begin(r *Rule, w watch, e *Effects) {
	if old := s.find(w.key); old != nil && !s.over(old, w.began, e) {
		if !old.ended.IsZero() && !w.began.Before(old.ended) {
			old.ended, old.seen = time.Time{}, time.Time{} // within the hold: it is the same
		}
		return
	}
	mine := w
	if !s.keep(&mine) {
		return
	}
	if w.after == 0 && r.Schedule.Open(w.began) {
		s.raise(r, &mine, w.began, e)
	}
}

// over ends an alert whose cause has been gone for the hold at a time, and reports
// whether it has.
func (s *State) over(w *watch, now time.Time, e *Effects) bool {
	if w.ended.IsZero() || now.Before(w.ended.Add(Hold)) {
		return false
	}
	e.Ended = append(e.Ended, End{w.alert, w.ended})
	s.forget(w.key)
	return true
}

// end takes that a cause has ended. One that was long enough before, and of which only
// the end is known, is told all the same.
func (s *State) end(k key, at time.Time, e *Effects) {
	w := s.find(k)
	if w == nil || !w.ended.IsZero() || at.Before(w.began) { // the end of something before
		return
	}
	r := s.rules[k.rule]
	if w.alert.IsZero() && r.Kind == Stay {
		if met := r.met(w); met.Before(at) && r.Schedule.Open(met) {
			s.raise(r, w, met, e)
		}
	}
	if w.alert.IsZero() {
		s.forget(k)
		return
	}
	w.ended, w.seen = at, time.Time{}
}

func (s *State) raise(r *Rule, w *watch, at time.Time, e *Effects) {
	// A rule that was changed, or switched off and on, is another one: what goes on is told anew.
	w.alert = schema.DeriveID[ID](r.ID[:], w.Tag[:], w.Zone[:], w.Receiver[:], stampOf(w.began), stampOf(r.Since))
	tag, _ := s.sites.TagInfo(w.Tag)
	e.Raised = append(e.Raised, Alert{
		ID: w.alert, Organisation: r.Organisation, Location: r.Location, Rule: r.ID, RuleName: r.Name, Kind: r.Kind, Subject: w.Subject,
		Plan: w.plan, BeganAt: w.began, At: at, Value: w.value, Bound: w.bound, Console: r.Notify.Console, TagType: tag.Type,
		since: r.Since,
	})
}

func stampOf(t time.Time) []byte { return []byte(t.UTC().Format(time.RFC3339Nano)) }

// Tide lets time pass on a plan: that of what its receivers heard.
func (s *State) Tide(plan schema.PlanID, through schema.EventTime, e *Effects) {
	now := through.Time()
	if now.Before(s.tides[plan]) {
		return
	}
	s.tides[plan] = now
	s.pass(plan, now, e)
}

// Clock lets time pass for what is judged by the server's.
func (s *State) Clock(now time.Time, e *Effects) {
	s.pass(schema.PlanID{}, now, e)
	if now.Sub(s.swept) >= sweepEvery {
		s.swept = now
		s.sweep(now, e)
	}
}

// patience is for how long an ended cause waits for its plan's tide, which may never come:
// the plan's scanners may be away for good.
const patience = Hold + 5*time.Minute

// sweepEvery is how often it is looked for what no tide ends.
const sweepEvery = 10 * time.Second

// sweep closes by the server's clock what ended and is not closed by its tide, and what is
// about things that are not there any more.
func (s *State) sweep(now time.Time, e *Effects) {
	for k := range s.plans {
		w := s.find(k)
		switch {
		case s.vanished(w):
			if !w.alert.IsZero() {
				at := w.ended
				if at.IsZero() {
					at = now
				}
				e.Ended = append(e.Ended, End{w.alert, at})
			}
			s.forget(k)
		case w.ended.IsZero():
		case w.seen.IsZero():
			w.seen = now
		case now.Sub(w.seen) >= patience:
			e.Ended = append(e.Ended, End{w.alert, w.ended})
			s.forget(k)
		}
	}
}

// vanished reports whether the tag, zone or plan of a cause has been removed.
func (s *State) vanished(w *watch) bool {
	if !w.Tag.IsZero() {
		if _, known := s.sites.TagInfo(w.Tag); !known {
			return true
		}
	}
	if w.plan.IsZero() {
		return false
	}
	l, known := s.sites.Layout(w.plan)
	return !known || !w.Zone.IsZero() && !slices.ContainsFunc(l.Zones, func(z schema.Zone) bool { return z.ID == w.Zone })
}

func (s *State) pass(plan schema.PlanID, now time.Time, e *Effects) {
	for k, w := range s.watches[plan] {
		r := s.rules[k.rule]
		if r.Kind == Capacity && s.allowed(r, w.plan, w.Zone) == 0 {
			s.end(k, now, e)
		}
		if s.find(k) == w && !s.over(w, now, e) && w.alert.IsZero() {
			s.judge(r, w, now, e)
		}
	}
}

// met returns when the condition was met, as far as the rule was there.
func (r *Rule) met(w *watch) time.Time {
	at := w.began.Add(w.after)
	if at.Before(r.Since) {
		return r.Since
	}
	return at
}

// judge raises what has gone on for long enough. What became too long outside of the
// schedule is told when that opens, if it still goes on.
func (s *State) judge(r *Rule, w *watch, now time.Time, e *Effects) {
	met := r.met(w)
	lag := time.Duration(0)
	if r.Kind == Stay {
		lag = Settle
	}
	if now.Before(met.Add(lag)) {
		return
	}
	if r.Schedule.Open(met) {
		s.raise(r, w, met, e)
		return
	}
	if at := now.Add(-lag); at.After(met) && r.Schedule.Open(at) {
		s.raise(r, w, at, e)
	}
}

// Replay takes what is stored of visits in the place of what was told: those that are
// open, and those that began or ended lately, in any order. Zones are counted when all
// who are inside are known.
func (s *State) Replay(visits []schema.Visit, e *Effects) {
	s.reset()
	for _, v := range visits {
		if v.LeftAt.IsZero() {
			s.place(v)
		}
	}
	last := map[schema.ZoneID]schema.Visit{}
	for _, v := range visits {
		if before, known := last[v.Zone]; !known || changed(before) < changed(v) {
			last[v.Zone] = v
		}
		tag, _ := s.sites.TagInfo(v.Tag)
		for _, r := range s.at[v.Location] {
			if r.Kind != Capacity && r.covers(v.Zone) && r.concerns(v.Tag, tag.Type) {
				s.visited(r, v, e)
			}
		}
	}
	for zone, v := range last {
		for _, r := range s.at[v.Location] {
			if r.Kind == Capacity && r.covers(zone) {
				s.recount(r, v, e)
			}
		}
	}
}

// changed is when a visit changed who is inside, as far as is known.
func changed(v schema.Visit) schema.EventTime { return max(v.EnteredAt, v.LeftAt) }

// recount judges a zone once by who is inside: it is too full since the tag came that
// was one too many of those who are there.
func (s *State) recount(r *Rule, last schema.Visit, e *Effects) {
	at := changed(last)
	since, most := s.crowdOf(r, last.Zone), s.allowed(r, last.Plan, last.Zone)
	if most > 0 && len(since) > most {
		at = since[most]
	}
	s.crowd(r, last, at.Time(), e)
}

// reset forgets who is inside, and what is not raised, before it is told anew from what
// is stored.
func (s *State) reset() {
	clear(s.inside)
	for k := range s.plans {
		if w := s.find(k); w.alert.IsZero() && !w.plan.IsZero() {
			s.forget(k)
		}
	}
}

// settle ends what storage knows nothing of any more: causes whose end nobody told.
func (s *State) settle(absent map[schema.TagID]bool, e *Effects) {
	for k := range s.plans {
		w, r := s.find(k), s.rules[k.rule]
		if w.alert.IsZero() || !w.ended.IsZero() || w.plan.IsZero() {
			continue
		}
		visit, inside := s.inside[k.Zone][k.Tag]
		at := s.tides[w.plan]
		if at.Before(w.began) {
			at = w.began
		}
		switch {
		case (r.Kind == Enter || r.Kind == Stay) && !inside:
			s.end(k, at, e)
		case r.Kind == Leave && inside:
			s.end(k, visit.EnteredAt.Time(), e)
		case r.Kind == TagLost && !absent[k.Tag]:
			s.end(k, at, e)
		case r.Kind == Capacity && !s.crowded(r, w):
			s.end(k, at, e)
		}
	}
}

func (s *State) crowded(r *Rule, w *watch) bool {
	most := s.allowed(r, w.plan, w.Zone)
	return most > 0 && len(s.crowdOf(r, w.Zone)) > most
}
