package locate

import (
	"time"

	"mybeacon/bench/recording"
	"mybeacon/schema"
)

// trail is what the engine said of one part.
type trail struct {
	part
	epochs  []epoch
	visits  []visit
	spent   []time.Duration // per fix: wall time in the tag's state
	outside int             // fixes outside the plan
}

// epoch is what the engine shows at a whole second.
type epoch struct {
	at         time.Duration // of the recording
	x, y       float64
	accuracy   float64 // radius of 68 %
	accuracy95 float64 // and of 95 %
	zone       int     // index in Site.Zones, or outside
}

// visit is a stay in a zone as the engine keeps it, in times of the recording.
type visit struct {
	id       schema.VisitID
	zone     int
	from, to time.Duration
}

// outside is the zone of what is in none.
const outside = -1

const (
	// base is the event time of a part's origin; only that it is a whole second
	// matters, and that the earliest recording is after the epoch.
	base schema.EventTime = 1_767_225_600_000
	// tick puts what was heard at a whole second into the engine's second that
	// ends there: the engine's seconds begin with their first millisecond, epochs
	// end with their last.
	tick = time.Millisecond
	// pause is the silence after which a recording is taken as interrupted. It is
	// above the silence that makes a tag absent, so the engine has noticed.
	pause = 2 * time.Minute
	// mourning is longer than a plan waits for a receiver that says nothing.
	mourning = 30 * time.Second
)

// follower gives one part to a fresh engine.
type follower struct {
	site    *recording.Site
	engine  *engine
	zones   map[schema.ZoneID]int
	dead    int // receiver that sends nothing, or −1
	trail   trail
	shown   epoch
	present bool
}

func follow(site *recording.Site, plant *plant, p part, without string) trail {
	f := &follower{site: site, engine: plant.engine(), zones: make(map[schema.ZoneID]int), dead: -1, trail: trail{part: p}}
	for i, z := range plant.layout.Zones {
		f.zones[z.ID] = i
	}
	for i, r := range site.Receivers {
		if r.Name == without {
			f.dead = i
		}
	}
	f.run()
	return f.trail
}

// run lives through the part epoch by epoch, up to the last one that is heard to
// its end. The receivers have been listening for a second when it begins, and long
// enough for a dead one to be given up.
func (f *follower) run() {
	events := f.trail.events
	quiet := events[0].At // when anything was heard last
	before := time.Second
	if f.dead >= 0 {
		before = mourning
	}
	for ; before > 0; before -= time.Second {
		f.live(f.epochOf(events[0].At) - before)
	}
	for at := f.epochOf(events[0].At); ; at += time.Second {
		n := 0
		for ; n < len(events) && events[n].At <= at; n++ {
			quiet = events[n].At
		}
		f.live(at, events[:n]...)
		if events = events[n:]; len(events) == 0 || at+time.Second > f.last() {
			return
		}
		if at-quiet >= pause {
			at = f.epochOf(events[0].At) - time.Second
			f.live(at)
		}
	}
}

// last is when the part was heard last.
func (f *follower) last() time.Duration { return f.trail.events[len(f.trail.events)-1].At }

// epochOf returns the first epoch that is not before at.
func (f *follower) epochOf(at time.Duration) time.Duration {
	since := at - f.trail.origin
	whole := since.Truncate(time.Second)
	if since > whole {
		whole += time.Second
	}
	return f.trail.origin + whole
}

func (f *follower) eventTime(at time.Duration) schema.EventTime { return base.Add(at - f.trail.origin) }

func (f *follower) recorded(at schema.EventTime) time.Duration { return at.Sub(base) + f.trail.origin }

// live lets the second before the epoch pass. At its end each receiver sends a
// frame of what it heard in it, or that it heard nothing.
func (f *follower) live(at time.Duration, events ...recording.Event) {
	heard := make([][]schema.Heard, len(f.site.Receivers)) // the engine may keep them
	for _, e := range events {
		o := schema.Observation{At: f.eventTime(e.At).Add(-tick), RSSI: e.RSSI}
		heard[e.Receiver] = append(heard[e.Receiver], schema.Heard{Observation: o, Tag: f.engine.id})
	}
	f.engine.effects.Reset()
	f.engine.spent = 0
	for r := range heard {
		if r != f.dead {
			f.engine.frame(r, f.eventTime(at), heard[r])
		}
	}
	f.note(at)
}

// note takes down what the engine has found in the second before the epoch.
func (f *follower) note(at time.Duration) {
	for i := range f.engine.effects.Moved {
		f.moved(&f.engine.effects.Moved[i])
	}
	for _, v := range f.engine.effects.Visits {
		f.visited(v)
	}
	if f.present {
		f.shown.at = at
		f.trail.epochs = append(f.trail.epochs, f.shown)
	}
}

func (f *follower) moved(m *schema.TagMoved) {
	if f.present = m.Presence == schema.Present; !f.present {
		return
	}
	f.shown = epoch{
		x: m.X, y: m.Y, zone: f.zone(m.Zone),
		accuracy: m.AccuracyM, accuracy95: m.Accuracy95M,
	}
	f.trail.spent = append(f.trail.spent, f.engine.spent)
	if b := f.site.Bounds; !(m.X >= b.Min.X && m.X <= b.Max.X && m.Y >= b.Min.Y && m.Y <= b.Max.Y) {
		f.trail.outside++
	}
}

func (f *follower) zone(id schema.ZoneID) int {
	if i, ok := f.zones[id]; ok {
		return i
	}
	return outside
}

// visited notes a visit at its entry, without an end, and again at its exit.
func (f *follower) visited(v schema.Visit) {
	const open = 1<<63 - 1
	stay := visit{v.ID, f.zone(v.Zone), f.recorded(v.EnteredAt), open}
	if !v.LeftAt.IsZero() {
		stay.to = f.recorded(v.LeftAt)
	}
	for i := range f.trail.visits {
		if f.trail.visits[i].id == v.ID {
			f.trail.visits[i] = stay
			return
		}
	}
	f.trail.visits = append(f.trail.visits, stay)
}
