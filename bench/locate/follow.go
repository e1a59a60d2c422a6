package locate

import (
	"log/slog"
	"time"

	"mybeacon/actors"
	"mybeacon/actors/tag"
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
	accuracy95 float64 // NaN when it is not known
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
)

// follower gives one part to a fresh engine.
type follower struct {
	site    *recording.Site
	layout  *schema.Layout
	zones   map[schema.ZoneID]int
	dead    int // receiver that sends nothing, or −1
	state   *tag.State
	effects tag.Effects
	radius  *radius
	trail   trail
	shown   epoch
	present bool
}

// layouts is the only plan of the engine.
type layouts struct{ layout *schema.Layout }

// Layout implements tag.Layouts.
func (l layouts) Layout(id schema.PlanID) (*schema.Layout, bool) {
	return l.layout, id == l.layout.Plan
}

func follow(site *recording.Site, p part, without string) (trail, error) {
	cfg := actors.DefaultConfig()
	cfg.Tag.Fence = cfg.Fence
	f := &follower{site: site, layout: layoutOf(site), zones: make(map[schema.ZoneID]int), dead: -1, trail: trail{part: p}}
	for i, z := range f.layout.Zones {
		f.zones[z.ID] = i
	}
	for i, r := range site.Receivers {
		if r.Name == without {
			f.dead = i
		}
	}
	plans := tag.NewPlans(layouts{f.layout}, cfg.Locate, slog.New(slog.DiscardHandler))
	plans.Plan(f.layout.Plan) // the tables are the plan's and not the first fix's
	f.state = tag.New(&cfg.Tag, plans, tag.Key{Organisation: f.layout.Organisation, Tag: schema.TagID{1}})
	var err error
	if f.radius, err = newRadius(f.layout, cfg); err != nil {
		return trail{}, err
	}
	f.run()
	return f.trail, nil
}

// run lives through the part epoch by epoch, up to the last one that is heard to
// its end.
func (f *follower) run() {
	events, heard := f.trail.events, make([][]tag.Sample, len(f.site.Receivers))
	quiet := events[0].At // when anything was heard last
	for at := f.epochOf(events[0].At); ; at += time.Second {
		for ; len(events) > 0 && events[0].At <= at; events = events[1:] {
			e := events[0]
			heard[e.Receiver] = append(heard[e.Receiver], tag.Sample{At: f.eventTime(e.At).Add(-tick), RSSI: e.RSSI})
			quiet = e.At
		}
		f.live(at, heard)
		for r := range heard {
			heard[r] = nil // the engine keeps messages
		}
		if len(events) == 0 || at+time.Second > f.last() {
			return
		}
		if at-quiet >= pause {
			at = f.epochOf(events[0].At) - time.Second
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

// live lets the second before the epoch pass. Each receiver sends what it heard
// when it heard it, and at the end that it has listened until then.
func (f *follower) live(at time.Duration, heard [][]tag.Sample) {
	end := f.eventTime(at)
	var messages []any
	for r, samples := range heard {
		if len(samples) > 0 && r != f.dead {
			f.radius.hear(r, samples)
			head := &tag.Frame{Source: f.source(r), Delivered: samples[len(samples)-1].At, ArrivedAt: end.Time()}
			messages = append(messages, &tag.Heard{Frame: head, Samples: samples})
		}
	}
	for r := range heard {
		if r != f.dead {
			messages = append(messages, &tag.Progress{Device: f.layout.Receivers[r].Device, Delivered: end})
		}
	}
	f.effects.Reset()
	start := time.Now()
	for _, m := range messages {
		switch m := m.(type) {
		case *tag.Heard:
			f.state.Heard(m, &f.effects)
		case *tag.Progress:
			f.state.Progress(m, &f.effects)
		}
	}
	f.note(at, time.Since(start))
}

func (f *follower) source(receiver int) schema.Source {
	p := &f.layout.Receivers[receiver]
	return schema.Source{
		Organisation: f.layout.Organisation, Device: p.Device, Location: f.layout.Location,
		Plan: f.layout.Plan, Receiver: p.Receiver, KeepDays: schema.KeepForever,
	}
}

// note takes down what the engine has found in the second before the epoch.
func (f *follower) note(at, spent time.Duration) {
	for i := range f.effects.Moved {
		f.moved(&f.effects.Moved[i], spent)
	}
	for _, v := range f.effects.Visits {
		f.visited(v)
	}
	if f.present {
		f.shown.at = at
		f.trail.epochs = append(f.trail.epochs, f.shown)
	}
}

func (f *follower) moved(m *schema.TagMoved, spent time.Duration) {
	if f.present = m.Presence == schema.Present; !f.present {
		f.radius.reset()
		return
	}
	f.shown = epoch{
		x: m.X, y: m.Y, zone: f.zone(m.Zone),
		accuracy: m.AccuracyM, accuracy95: f.radius.of95(&m.Fix),
	}
	f.trail.spent = append(f.trail.spent, spent)
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
