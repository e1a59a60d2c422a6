package alert_test

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mybeacon/engine/alert"
	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

// site is what an engine learns from: things with names, and visits that are stored.
type site struct {
	mu       sync.Mutex
	plan     schema.PlanID
	layout   schema.Layout
	stored   map[schema.VisitID]schema.Visit
	silences []alert.Silence
	charges  []alert.Charge
	closed   bool // the plan is removed
	removed  map[schema.TagID]bool
	poison   schema.TagID // whose alerts cannot be stored
	stands   time.Time    // the engine's clock; zero: it goes
	ahead    atomic.Int64 // of the engine's clock, in nanoseconds
	read     atomic.Int64 // how often it was read what is stored
}

func (s *site) Layout(schema.PlanID) (*schema.Layout, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.layout
	l.Zones = slices.Clone(l.Zones)
	return &l, !s.closed
}

func (s *site) TagInfo(id schema.TagID) (schema.Tag, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return schema.Tag{ID: id, Type: "asset"}, !s.removed[id]
}

// draw puts the zone on the plan unless it is there.
func (s *site) draw(zone schema.ZoneID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.ContainsFunc(s.layout.Zones, func(z schema.Zone) bool { return z.ID == zone }) {
		s.layout.Zones = append(s.layout.Zones, schema.Zone{ID: zone})
	}
}

func (s *site) Flush(context.Context) error { s.read.Add(1); return nil }

func (s *site) now() time.Time {
	at := s.stands
	if at.IsZero() {
		at = time.Now()
	}
	return at.Add(time.Duration(s.ahead.Load()))
}

func (s *site) Since(_ context.Context, plans map[schema.PlanID]schema.EventTime) (found []schema.Visit, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, v := range s.stored {
		if since := plans[v.Plan]; v.LeftAt.IsZero() || v.LeftAt >= since || v.EnteredAt >= since {
			found = append(found, v)
		}
	}
	return found, nil
}

func (s *site) Silences(schema.LocationID, []schema.ReceiverID) []alert.Silence {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.silences
}

func (s *site) AlertBatteries(context.Context, schema.OrganisationID, schema.LocationID, int) ([]alert.Charge, error) {
	return s.charges, nil
}

func (s *site) AlertNames(_ context.Context, _ postgres.Scope, _ schema.LocationID, c alert.Condition) (alert.Names, error) {
	names := alert.Names{}
	for _, id := range c.Tags {
		names[id] = "Forklift"
		if id == s.poison && !id.IsZero() {
			names[id] = "\x00" // which no database takes
		}
	}
	for _, id := range c.Zones {
		names[id] = "Cold store"
	}
	return names, nil
}

// running is an engine at work.
type running struct {
	*world
	*site
	tap    *alert.Tap
	engine *alert.Engine
	stop   func()
}

func (w *world) run(s *site) *running {
	w.t.Helper()
	r := &running{world: w, site: s, tap: alert.NewTap()}
	r.engine = alert.NewEngine(w.Store, r.tap, alert.Sources{
		Sites: s, Plans: func(schema.LocationID) []schema.PlanID { return []schema.PlanID{s.plan} },
		Stored: s, Receivers: s, Batteries: s, Things: s, Now: s.now,
	}, slog.New(slog.DiscardHandler))
	if err := r.engine.Prepare(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.engine.Run(ctx, w.Service) }()
	r.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			w.t.Error(err)
		}
	})
	w.t.Cleanup(r.stop)
	return r
}

func newSite() *site {
	return &site{plan: schema.NewID[schema.PlanID](), stored: map[schema.VisitID]schema.Visit{}}
}

// visit tells of a stay and stores it, as the engine does; a zero left is an open one.
func (r *running) visit(tag schema.TagID, zone schema.ZoneID, entered, left time.Time) schema.Visit {
	v := schema.Visit{
		Organisation: r.org.ID, Tag: tag, Location: r.world.site.ID, Plan: r.plan, Zone: zone, EnteredAt: schema.EventTimeOf(entered),
		ID: schema.NewVisitID(r.org.ID, tag, zone, schema.EventTimeOf(entered)),
	}
	if !left.IsZero() {
		v.LeftAt = schema.EventTimeOf(left)
	}
	r.draw(zone)
	r.mu.Lock()
	r.stored[v.ID] = v
	r.mu.Unlock()
	r.tap.Visit(v)
	return v
}

func (r *running) tide(at time.Time) { r.tap.Tide(r.plan, schema.EventTimeOf(at)) }

func (r *running) presence(tag schema.TagID, at time.Time, p schema.Presence) {
	r.tap.TagMoved(schema.TagMoved{Fix: schema.Fix{
		Organisation: r.org.ID, Tag: tag, Location: r.world.site.ID, Plan: r.plan, At: schema.EventTimeOf(at),
	}, Presence: p})
}

// want requires that after all was looked at so many alerts are open and over.
func (r *running) want(what string, open, over int) []alert.Alert {
	r.t.Helper()
	if err := r.engine.Await(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
	all, _, err := r.Alerts(r.t.Context(), r.scope(), alert.Filter{}, postgres.Page{Limit: 200})
	if err != nil {
		r.t.Fatal(err)
	}
	n := map[bool]int{}
	for _, a := range all {
		n[a.EndedAt.IsZero()]++
	}
	if n[true] != open || n[false] != over {
		r.t.Errorf("%s: %d alerts open and %d over, want %d and %d", what, n[true], n[false], open, over)
	}
	return all
}

// soon is when things happen: after the rules were made.
func soon() time.Time { return time.Now().Add(time.Second).Truncate(time.Second) }

// A tag that enters raises one alert, also when it flaps, and a while after it has left
// for good that is over, at the time at which it left.
func TestEnter(t *testing.T) {
	w := newWorld(t, nil)
	zone, other, tag := schema.NewID[schema.ZoneID](), schema.NewID[schema.ZoneID](), schema.NewID[schema.TagID]()
	w.rule(alert.Enter, func(r *alert.Rule) { r.Zones = []schema.ZoneID{zone} })
	r, at := w.run(newSite()), soon()
	r.visit(tag, other, at, time.Time{})
	r.visit(tag, zone, at.Add(-time.Hour), at.Add(-time.Minute)) // before there was a rule
	r.want("elsewhere, and before", 0, 0)
	r.visit(tag, zone, at, time.Time{})
	found := r.want("entered", 1, 0)
	if a := found[0]; a.TagName != "Forklift" || a.ZoneName != "Cold store" || a.TagType != "asset" || !a.At.Equal(at) || a.State() != alert.Open {
		t.Errorf("%+v", a)
	}
	r.visit(tag, zone, at, at.Add(10*time.Second))
	r.tide(at.Add(20 * time.Second))
	r.visit(tag, zone, at.Add(25*time.Second), time.Time{})
	r.tide(at.Add(time.Hour))
	r.want("came back at once", 1, 0)
	r.visit(tag, zone, at.Add(25*time.Second), at.Add(time.Minute))
	r.tide(at.Add(2*time.Hour + time.Second))
	if over := r.want("left", 0, 1); !over[0].EndedAt.Equal(at.Add(time.Minute)) {
		t.Errorf("it ended at %v", over[0].EndedAt)
	}
}

// A stay is judged by what the plan's receivers have heard: while they are silent nobody
// stays too long, and who has left in time is not told of although that comes to light late.
func TestStay(t *testing.T) {
	w := newWorld(t, nil)
	zone := schema.NewID[schema.ZoneID]()
	w.rule(alert.Stay, func(r *alert.Rule) { r.After = 10 * time.Minute })
	r, at := w.run(newSite()), soon()
	long, short := schema.NewID[schema.TagID](), schema.NewID[schema.TagID]()
	r.visit(long, zone, at, time.Time{})
	r.visit(short, zone, at, time.Time{})
	r.tide(at.Add(10 * time.Minute))
	r.want("an end may still come to light", 0, 0)
	r.visit(short, zone, at, at.Add(9*time.Minute))
	r.tide(at.Add(10*time.Minute + alert.Settle))
	found := r.want("too long", 1, 0)
	if a := found[0]; a.Tag != long || !a.At.Equal(at.Add(10*time.Minute)) || a.Bound != 600 {
		t.Errorf("%+v", a)
	}
	missed := schema.NewID[schema.TagID]()
	r.visit(missed, zone, at, at.Add(time.Hour)) // of which the engine hears both ends at once
	r.want("was too long", 2, 0)
}

// A zone is over its capacity, the rule's or its own, and is not any more.
func TestCapacity(t *testing.T) {
	w := newWorld(t, nil)
	zone := schema.NewID[schema.ZoneID]()
	s := newSite()
	s.layout.Zones = []schema.Zone{{ID: zone, Capacity: 2}}
	w.rule(alert.Capacity, nil)
	r, at := w.run(s), soon()
	var tags [3]schema.TagID
	for i := range tags {
		tags[i] = schema.NewID[schema.TagID]()
		r.visit(tags[i], zone, at.Add(time.Duration(i)*time.Second), time.Time{})
	}
	if found := r.want("full", 1, 0); found[0].Value != 3 || found[0].Bound != 2 || found[0].Zone != zone {
		t.Errorf("%+v", found[0])
	}
	r.visit(tags[0], zone, at, at.Add(time.Second)) // told late: others have come since
	r.tide(at.Add(time.Hour))
	r.want("room again", 0, 1)
}

// A tag is lost when its plan has heard for so long without it; a dead site loses nobody.
func TestLost(t *testing.T) {
	w := newWorld(t, nil)
	w.rule(alert.TagLost, func(r *alert.Rule) { r.After = 5 * time.Minute })
	r, at := w.run(newSite()), soon()
	tag := schema.NewID[schema.TagID]()
	r.presence(tag, at, schema.Present)
	r.presence(tag, at, schema.Absent)
	r.want("no time has passed on the plan", 0, 0)
	r.tide(at.Add(5 * time.Minute))
	r.want("lost", 1, 0)
	r.presence(tag, at.Add(time.Hour), schema.Present)
	r.tide(at.Add(time.Hour + alert.Hold))
	if over := r.want("back", 0, 1); !over[0].EndedAt.Equal(at.Add(time.Hour)) || !over[0].BeganAt.Equal(at) {
		t.Errorf("%+v", over[0])
	}
}

// A receiver is silent by the server's clock, and one that was never heard is not.
func TestReceiverSilentAndBattery(t *testing.T) {
	w := newWorld(t, nil)
	w.rule(alert.ReceiverSilent, func(r *alert.Rule) { r.After = time.Minute })
	w.rule(alert.BatteryLow, func(r *alert.Rule) { r.Below = 20 })
	s := newSite()
	s.silences = []alert.Silence{
		{Receiver: schema.NewID[schema.ReceiverID](), Since: time.Now().Add(-2 * time.Minute)},
		{Receiver: schema.NewID[schema.ReceiverID](), Since: time.Now().Add(-time.Second)},
		{Receiver: schema.NewID[schema.ReceiverID]()},
		{Receiver: schema.NewID[schema.ReceiverID](), Since: time.Now(), Online: true},
	}
	s.charges = []alert.Charge{
		{Tag: schema.NewID[schema.TagID](), Type: "asset", Percent: 9, At: time.Now()},
		{Tag: schema.NewID[schema.TagID](), Type: "asset", Percent: 22, At: time.Now()},
	}
	r := w.run(s)
	r.want("one is silent, one is low", 2, 0)
}

// Killed at any moment, an engine raises nothing twice, finds out what it missed, and
// ends what ended meanwhile.
func TestRestart(t *testing.T) {
	w := newWorld(t, nil)
	zone, s := schema.NewID[schema.ZoneID](), newSite()
	w.rule(alert.Enter, nil)
	w.rule(alert.TagLost, func(r *alert.Rule) { r.After = time.Minute })
	w.rule(alert.Leave, nil)
	r, at := w.run(s), soon()
	stays, leaves, missed, lost := schema.NewID[schema.TagID](), schema.NewID[schema.TagID](), schema.NewID[schema.TagID](), schema.NewID[schema.TagID]()
	r.visit(stays, zone, at, time.Time{})
	gone := r.visit(leaves, zone, at, time.Time{})
	r.presence(lost, at, schema.Absent)
	r.tide(at.Add(30 * time.Second))
	r.want("two entered", 2, 0)
	r.stop()

	// What was stored while nobody looked.
	gone.LeftAt = schema.EventTimeOf(at.Add(40 * time.Second))
	s.stored[gone.ID] = gone
	came := gone
	came.Tag, came.EnteredAt, came.LeftAt = missed, schema.EventTimeOf(at.Add(50*time.Second)), 0
	came.ID = schema.NewVisitID(w.org.ID, missed, zone, came.EnteredAt)
	s.stored[came.ID] = came

	again := w.run(s)
	again.want("one that was missed entered, one left", 4, 0)
	again.tide(at.Add(5 * time.Minute))
	again.want("the first is over, and who was away is lost", 4, 1)
	again.stop()
	w.run(s).want("nothing is new", 4, 1)
}

// changed tells the running engine that rules may have changed, some time later.
func (r *running) changed() {
	r.t.Helper()
	r.ahead.Add(int64(time.Minute))
	r.engine.Changed()
}

// A rule that is changed, or switched off and on, while its cause goes on tells of that
// anew, whatever the engine has seen of the change.
func TestRuleChangedMeanwhile(t *testing.T) {
	w := newWorld(t, nil)
	rule := w.rule(alert.Capacity, func(r *alert.Rule) { r.Most = 1 })
	zone, r, at := schema.NewID[schema.ZoneID](), w.run(newSite()), soon()
	r.visit(schema.NewID[schema.TagID](), zone, at, time.Time{})
	r.visit(schema.NewID[schema.TagID](), zone, at.Add(time.Second), time.Time{})
	r.visit(schema.NewID[schema.TagID](), zone, at.Add(time.Second), time.Time{})
	r.want("full", 1, 0)
	change := func(f func(*alert.Rule)) {
		t.Helper()
		if _, err := w.ChangeRule(t.Context(), w.scope(), rule.ID, func(r *alert.Rule) error { f(r); return nil }); err != nil {
			t.Fatal(err)
		}
	}
	change(func(r *alert.Rule) { r.Name = "another name" })
	r.changed()
	r.want("another name", 1, 0)
	change(func(r *alert.Rule) { r.Most = 2 })
	r.changed()
	r.want("another condition", 1, 1)
	change(func(r *alert.Rule) { r.Enabled = false })
	change(func(r *alert.Rule) { r.Enabled = true })
	r.changed()
	r.want("off and on", 1, 2)
}

// However often rules change, storage is read at distances, and only for rules about zones.
func TestReadsAtDistances(t *testing.T) {
	w, s := newWorld(t, nil), newSite()
	s.stands = time.Now()
	w.rule(alert.Enter, nil)
	r := w.run(s)
	want := func(what string, reads int64) {
		t.Helper()
		r.want(what, 0, 0)
		if n := s.read.Load(); n != reads {
			t.Errorf("%s: read %d times, want %d", what, n, reads)
		}
	}
	want("at the start", 1)
	r.ahead.Add(int64(time.Minute))
	w.rule(alert.BatteryLow, func(r *alert.Rule) { r.Below = 5 })
	r.engine.Changed()
	want("a rule about batteries", 1)
	w.rule(alert.Leave, nil)
	r.engine.Changed()
	want("a rule about zones", 2)
	w.rule(alert.Capacity, nil)
	r.engine.Changed()
	want("another one at once", 2)
	r.ahead.Add(int64(time.Minute))
	want("some time later", 3)
}

// One alert that cannot be stored is dropped, and does not keep the others.
func TestPoisoned(t *testing.T) {
	w, s := newWorld(t, nil), newSite()
	s.poison = schema.NewID[schema.TagID]()
	w.rule(alert.Enter, nil)
	r, zone, at := w.run(s), schema.NewID[schema.ZoneID](), soon()
	for _, tag := range []schema.TagID{schema.NewID[schema.TagID](), s.poison, schema.NewID[schema.TagID]()} {
		r.visit(tag, zone, at, time.Time{})
	}
	r.want("the others", 2, 0)
	if n := r.engine.Counters().Dropped.Load(); n != 1 {
		t.Errorf("%d were dropped", n)
	}
}
