package tag

import (
	"time"

	"mybeacon/actors/zone"
	"mybeacon/geometry/fence"
	"mybeacon/geometry/locate"
	"mybeacon/geometry/zonemodel"
	"mybeacon/schema"
)

// Effects is what a message caused, in order. Rev is left to who sends it on.
type Effects struct {
	Moved  []schema.TagMoved
	Fixes  []schema.Fix // for storage
	Visits []schema.Visit
	Zones  []*zone.Presence

	Lessons []*Lessons // whoever takes them owns them
}

// Reset empties e and keeps its memory.
func (e *Effects) Reset() {
	e.Moved, e.Fixes, e.Visits = e.Moved[:0], e.Fixes[:0], e.Visits[:0]
	clear(e.Zones)
	clear(e.Lessons)
	e.Zones, e.Lessons = e.Zones[:0], e.Lessons[:0]
}

func (e *Effects) none() bool {
	return len(e.Moved) == 0 && len(e.Fixes) == 0 && len(e.Visits) == 0 && len(e.Zones) == 0 && len(e.Lessons) == 0
}

// State is one tag. See [New].
type State struct {
	key   Key
	cfg   *Config
	plans *Plans

	mem       memory
	committed *memory // nil while the tag is away: then away has what is left
	away      away
	window    window
	plan      *Plan            // of the newest fix
	track     locate.Track     // of plan's locator; nil until the first fix and while the tag rests
	zoning    *zonemodel.Track // of plan's model; nil like track, and where there is none
	travel    float64          // how surely the tag is on its way, by the newest fix
	shares    []fence.Share    // reused: of all zones
	wholes    []fence.Share    // reused: of those that are no part, with their parts
	parts     []fence.Share    // reused: of the parts of one
	taught    lesson
}

// memory is the part of a tag that must survive a failure of its actor: losing
// it would leave a visit open for ever. It is a plain value.
type memory struct {
	choice   choice
	stays    [levels]stay  // in a zone, and in a part of it
	stayPlan schema.PlanID // whose zones the numbers in stays mean
	fixed    schema.EventTime
	heard    schema.EventTime // newest observation that a fix has seen
	last     schema.Fix       // newest; At is zero when there is none
	stored   schema.Fix       // newest that went to storage
	present  bool
	seen     time.Time // server's clock: the last frame that heard it
}

// stay is where a tag is on one level of zones.
type stay struct {
	shown fence.Decision   // the zone that fixes show
	since schema.EventTime // for how long they have
	fence fence.State      // the zone that it has entered
	visit schema.Visit     // open exactly while the fence is inside; else zero
}

// away is what matters of the memory of a tag that is not present.
type away struct {
	plan         schema.PlanID
	fixed, heard schema.EventTime
	seen         time.Time
}

// New returns a tag of which nothing is known.
func New(cfg *Config, plans *Plans, key Key) *State {
	return &State{key: key, cfg: cfg, plans: plans}
}

// Commit marks what has happened so far as told to everybody.
func (s *State) Commit() {
	if !s.mem.present {
		s.committed, s.away = nil, away{s.mem.choice.plan, s.mem.fixed, s.mem.heard, s.mem.seen}
		return
	}
	if s.committed == nil {
		s.committed = new(memory)
	}
	*s.committed = s.mem
}

// Recover goes back to the last Commit and forgets the window and the track: one
// of them made the actor fail.
func (s *State) Recover() {
	if s.committed != nil {
		s.mem = *s.committed
	} else {
		s.mem = memory{choice: choice{plan: s.away.plan}, fixed: s.away.fixed, heard: s.away.heard, seen: s.away.seen}
	}
	s.rest()
}

// rest gives back the memory that only a moving tag needs.
func (s *State) rest() {
	s.tire()
	s.window.rest()
}

// tire gives back what was found of the tag, but not what was heard.
func (s *State) tire() {
	if s.track != nil {
		s.track.Reset()
	}
	s.track, s.zoning, s.plan = nil, nil, nil
	s.shares, s.wholes, s.parts = nil, nil, nil
	s.taught = lesson{}
}

// Heard takes in what a frame says of the tag.
func (s *State) Heard(h *Heard, e *Effects) {
	if h.Frame.ArrivedAt.After(s.mem.seen) {
		s.mem.seen = h.Frame.ArrivedAt
	}
	oldest := s.mem.fixed.Add(time.Second - s.cfg.Window) // older ones no fix would see
	s.window.note(s.cfg, h, oldest)
	s.advance(e)
}

// Progress takes in how far a device has delivered that does not hear the tag now.
func (s *State) Progress(p *Progress, e *Effects) {
	if s.window.progress(p) {
		s.advance(e)
	}
}

// Tide takes in how far a plan has been heard.
func (s *State) Tide(t *Tide, e *Effects) {
	s.window.tide(t)
	s.advance(e)
}

// advance fixes the seconds that are closed, and notices that the tag is gone, or
// was gone before it came back. Each fix uses up a sample at least, so the loop is
// as bounded as the window.
func (s *State) advance(e *Effects) {
	for {
		second, waits := s.next()
		if waits && !s.closed(second) {
			return
		}
		if s.mem.present && s.silent(second, waits) {
			s.leave(s.mem.heard, e)
			if !waits {
				s.window = window{}
			}
		}
		if !waits {
			return
		}
		s.fix(second, e)
	}
}

// next returns the second that is to be fixed next, if there is one.
func (s *State) next() (second schema.EventTime, waits bool) {
	if s.window.fresh.IsZero() {
		return 0, false
	}
	second = s.window.fresh.Second()
	if s.mem.fixed > 0 {
		second = max(second, s.mem.fixed.Add(time.Second))
	}
	return second, true
}

// closed reports whether nothing more is to be waited for before fixing a second.
func (s *State) closed(second schema.EventTime) bool {
	end := second.Add(time.Second)
	return s.window.closed(end.Add(-s.cfg.Window), end, s.cfg.Grace)
}

// silent reports whether the tag is absent, or was absent before the closed second
// in which it is heard again. Who may still have heard it in time is waited for as
// long as before a fix: whether a tag was gone must not depend on which receiver
// spoke first.
func (s *State) silent(second schema.EventTime, again bool) bool {
	deadline := s.mem.heard.Add(s.cfg.Fence.Timeout + time.Second - time.Millisecond).Second()
	if again {
		return second >= deadline && s.window.quiet(s.mem.heard, s.cfg.Window, deadline, s.standing)
	}
	return s.window.quiet(s.mem.heard, s.cfg.Window, deadline.Add(s.cfg.Grace), s.standing)
}

// standing reports whether the receiver is still where it heard the tag from. One
// that was taken off its plan will never tell that the tag is gone.
func (s *State) standing(r *receiver) bool {
	p := s.plans.Plan(r.source.Plan)
	return p != nil && r.placeOn(p) >= 0
}

// leave makes the tag absent from when it was last heard. What was heard since is
// kept.
func (s *State) leave(heard schema.EventTime, e *Effects) {
	s.leaveZones(heard, e)
	s.mem.present = false
	s.holdStored(heard, e)
	s.mem.stored = schema.Fix{}
	if !s.mem.last.At.IsZero() {
		s.mem.last.Zone, s.mem.last.ZoneP = schema.ZoneID{}, 0
		e.Moved = append(e.Moved, schema.TagMoved{Fix: s.mem.last, Presence: schema.Absent})
	}
	s.mem.choice = choice{plan: s.mem.choice.plan}
	for l := range s.mem.stays {
		s.mem.stays[l].show()
	}
	s.tire()
}

// Recheck ends the visit to a zone that its plan has no longer, and the presence
// of a tag that no receiver is left to tell about.
func (s *State) Recheck(id schema.PlanID, e *Effects) {
	if !s.mem.present || s.mem.choice.plan != id {
		return
	}
	p := s.plans.Plan(id)
	if p == nil || s.orphaned() {
		s.leave(s.newest(), e)
		s.window = window{}
		return
	}
	s.dropLostZones(p, s.newest(), e)
}

// newest returns when the tag was heard last, fixed or not.
func (s *State) newest() schema.EventTime {
	t := s.mem.heard
	for i := range s.window.receivers {
		t = max(t, s.window.receivers[i].heard)
	}
	return t
}

// orphaned reports whether every receiver that heard the tag last was taken off
// its plan.
func (s *State) orphaned() bool {
	some, since := false, s.newest().Add(-s.cfg.Window)
	for i := range s.window.receivers {
		r := &s.window.receivers[i]
		if r.heard > since {
			if s.standing(r) {
				return false
			}
			some = true
		}
	}
	return some
}

// retireAfter is how long an absent tag must not be heard before its actor goes,
// and restAfter how long a present one before it gives back its memory: it may be
// that all scanners are away.
const (
	retireAfter = 10 * time.Minute
	restAfter   = 30 * time.Minute
)

// Sweep tells the time of the server and returns whether the tag may be
// forgotten.
func (s *State) Sweep(now time.Time) (retire bool) {
	if s.mem.seen.IsZero() {
		s.mem.seen = now
	}
	unheard := now.Sub(s.mem.seen)
	if unheard >= restAfter {
		s.rest()
	}
	return !s.mem.present && unheard >= retireAfter
}

// Clear forgets all, after ending what is open: for a tag whose memory itself
// makes its actor fail again and again.
func (s *State) Clear(e *Effects) {
	for l := part; l >= whole; l-- {
		s.closeVisit(l, s.newest(), e)
	}
	*s = State{key: s.key, cfg: s.cfg, plans: s.plans}
}

func sinceEpoch(t schema.EventTime) time.Duration { return time.Duration(t) * time.Millisecond }

func eventTime(d time.Duration) schema.EventTime { return schema.EventTime(d.Milliseconds()) }
