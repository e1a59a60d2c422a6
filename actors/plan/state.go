package plan

import (
	"time"

	"mybeacon/actors/tag"
	"mybeacon/schema"
)

// Delivered is what a device tells its plan of each frame. It and what it points
// to are immutable.
type Delivered struct {
	Source  schema.Source
	Through schema.EventTime // up to when the device has delivered everything
	Heard   schema.EventTime // newest observation of any of Tags
	Tags    []schema.TagID   // that the frame moves; they have been told
}

// Droppable lets an over-full mailbox drop the oldest: the next one tells more.
func (*Delivered) Droppable() {}

// Delivery is a message for one tag.
type Delivery struct {
	Tag tag.Key
	Msg *tag.Tide
}

// State is one plan. See [New].
type State struct {
	cfg       *Config
	id        schema.PlanID
	receivers []receiver
	elapsed   time.Duration // since the first word, as the receivers live through it
	tide      schema.EventTime
	waiting   map[tag.Key]schema.EventTime // for a tide beyond that time
	learning  *learning                    // nil while it knows no layouts

	words, wordsThen uint64 // how many there were, and at the time of since
	since            time.Time
}

type receiver struct {
	device    schema.DeviceID
	spoken    bool // or only expected to
	delivered schema.EventTime
	lived     time.Duration // what it has lived through, on the scale of State.elapsed
	spoke     time.Duration // State.elapsed at its last word
	behind    time.Duration // how far it was behind the plan's clock when it told something new last
}

// longestStep is the most that one word moves elapsed: a clock that jumps, or the
// end of an outage, must not make all others look dead. It is how rarely a
// receiver may speak.
const longestStep = 5 * time.Second

// maxReceivers is more than a plan may have (locate.MaxReceivers), and bounds
// what devices that come and go leave behind.
const maxReceivers = 5000

// New returns a plan of which nothing is known.
func New(cfg *Config, id schema.PlanID) *State {
	return &State{cfg: cfg, id: id, waiting: make(map[tag.Key]schema.EventTime)}
}

// Follow lets the plan know its layout: which receivers are going to speak, and what
// their tags teach about them. It comes before everything else.
func (s *State) Follow(plans *tag.Plans) *State {
	s.learning = &learning{plans: plans, id: s.id, cfg: s.cfg}
	return s
}

// Delivered takes in a device's word and appends to out what the waiting tags are
// told when the tide has moved.
func (s *State) Delivered(d *Delivered, out []Delivery) []Delivery {
	if s.words++; s.words == 1 {
		s.expect()
	}
	s.hear(d.Source.Device, d.Through)
	for _, id := range d.Tags {
		k := tag.Key{Organisation: d.Source.Organisation, Tag: id}
		// What comes after its second was fixed joins the next, so a tag waits for
		// a new tide in any case.
		if until, waits := s.waiting[k]; waits || len(s.waiting) < s.cfg.MaxTags {
			s.waiting[k] = max(until, d.Heard, s.tide)
		}
	}
	if tide := s.measure(); tide != s.tide {
		s.tide = tide
		if s.learning != nil {
			s.learning.keepDays = d.Source.KeepDays
			s.learning.reach(tide)
		}
		out = s.tell(out)
	}
	return out
}

// expect makes room for the receivers of the layout: what the first one to speak
// has heard must not be all that counts.
func (s *State) expect() {
	if s.learning == nil {
		return
	}
	p := s.learning.plans.Plan(s.id)
	if p == nil {
		return
	}
	for _, r := range p.Layout.Receivers {
		if !r.Device.IsZero() && len(s.receivers) < maxReceivers {
			s.receivers = append(s.receivers, receiver{device: r.Device})
		}
	}
}

// hear notes how far a device has delivered.
func (s *State) hear(device schema.DeviceID, through schema.EventTime) {
	r := s.receiver(device)
	if !r.spoken {
		// It may be behind the others at first. What it then makes up for is not time
		// that they live through: several who begin would make each other look dead.
		behind := min(max(s.newest().Sub(through), 0), s.cfg.Patience)
		*r = receiver{device: device, spoken: true, delivered: through, lived: s.elapsed - behind}
	}
	step := min(max(through.Sub(r.delivered), 0), longestStep)
	// Who comes back from the dead leads again soon, should all others go.
	r.lived = max(r.lived, s.elapsed-s.cfg.Patience) + step
	news := through != r.delivered
	r.delivered = through
	s.elapsed = max(s.elapsed, r.lived)
	if r.spoke = s.elapsed; news { // else it holds something back, behind a gap
		r.behind = max(s.clock().Sub(through), 0)
	}
}

// receiver returns the device's place, in that of the one which was silent longest
// when there are too many.
func (s *State) receiver(device schema.DeviceID) *receiver {
	stalest := 0
	for i := range s.receivers {
		if s.receivers[i].device == device {
			return &s.receivers[i]
		}
		if s.receivers[i].spoke < s.receivers[stalest].spoke {
			stalest = i
		}
	}
	if len(s.receivers) < maxReceivers {
		stalest = len(s.receivers)
		s.receivers = append(s.receivers, receiver{})
	}
	s.receivers[stalest] = receiver{device: device}
	return &s.receivers[stalest]
}

// measure returns the tide. It may go back: a receiver that comes to life again
// is behind the others at first. Tags never fix a second twice, so that does no
// harm; going on from a tide that one wrong clock made would.
func (s *State) measure() schema.EventTime {
	clock := s.clock()
	slowest := clock
	for i := range s.receivers {
		r := &s.receivers[i]
		switch {
		case !s.lives(r):
		case !r.spoken:
			slowest = 0
		case r.behind+s.elapsed-r.spoke < s.cfg.Patience:
			slowest = min(slowest, r.delivered)
		}
	}
	return max(slowest, clock.Add(-s.cfg.Grace)).Second()
}

func (s *State) lives(r *receiver) bool { return s.elapsed-r.spoke < s.cfg.Patience }

// living returns how many receivers speak.
func (s *State) living() (n int) {
	for i := range s.receivers {
		if r := &s.receivers[i]; r.spoken && s.lives(r) {
			n++
		}
	}
	return n
}

// newest returns the newest word of those who live, zero when there is none.
func (s *State) newest() schema.EventTime {
	var newest schema.EventTime
	for i := range s.receivers {
		if r := &s.receivers[i]; r.spoken && s.lives(r) {
			newest = max(newest, r.delivered)
		}
	}
	return newest
}

// clock returns the plan's clock.
func (s *State) clock() schema.EventTime {
	var first, second schema.EventTime
	living := 0
	for i := range s.receivers {
		r := &s.receivers[i]
		if !r.spoken || !s.lives(r) {
			continue
		}
		living++
		if r.delivered > first {
			first, second = r.delivered, first
		} else {
			second = max(second, r.delivered)
		}
	}
	if living < 3 {
		return first
	}
	return second
}

// tell tells the waiting tags of the tide. Those that it does not reach go on
// waiting.
func (s *State) tell(out []Delivery) []Delivery {
	if len(s.waiting) == 0 {
		return out
	}
	msg := &tag.Tide{Plan: s.id, Through: s.tide, Living: s.living()}
	if s.learning != nil {
		msg.Corrections = s.learning.inForce
	}
	for k, until := range s.waiting {
		out = append(out, Delivery{k, msg})
		if until < s.tide {
			delete(s.waiting, k)
		}
	}
	return out
}

// Lessons takes in what a tag's fix teaches.
func (s *State) Lessons(m *tag.Lessons) {
	if s.learning == nil {
		panic("BUG: lessons for a plan that follows no layout")
	}
	s.learning.take(m)
}

// Restore takes up what was learned before the plan was forgotten. It comes after
// Follow and before any word.
func (s *State) Restore(c *Calibration) { s.learning.saved = c }

// Learned returns the changes of what is in force since the last call, and how many
// lessons were lost meanwhile.
func (s *State) Learned() (news []schema.Offsets, lost uint64) {
	if l := s.learning; l != nil {
		news, lost = l.news, l.lost
		l.news, l.lost = nil, 0
	}
	return news, lost
}

// Calibration returns all that was learned, and false when that is what it was at
// the last call.
func (s *State) Calibration() (Calibration, bool) {
	l := s.learning
	if l == nil || !l.changed || l.known == nil {
		return Calibration{}, false
	}
	l.changed = false
	c := export(l.plan.Layout, l.known)
	c.Through = int64(l.applied)
	return c, true
}

// Idle tells the time of the server and reports whether no word has come for the
// duration, so that the plan may be forgotten.
func (s *State) Idle(now time.Time, after time.Duration) bool {
	if s.since.IsZero() || s.words != s.wordsThen {
		s.since, s.wordsThen = now, s.words
	}
	return now.Sub(s.since) >= after
}
