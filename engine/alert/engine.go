package alert

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"mybeacon/schema"
)

// Stored is what has been stored of visits. It may be away.
type Stored interface {
	// Flush returns when all that was told before is stored.
	Flush(context.Context) error
	// Since returns the visits of the plans that are open, and those that began or ended at
	// a time or later.
	Since(ctx context.Context, plans map[schema.PlanID]schema.EventTime) ([]schema.Visit, error)
}

// Receivers tells when receivers spoke.
type Receivers interface {
	// Silences returns what is known of the devices of the location's receivers; of those
	// named, unless that are none.
	Silences(location schema.LocationID, named []schema.ReceiverID) []Silence
}

// Batteries tells which batteries are low. A product implements it.
type Batteries interface {
	// AlertBatteries returns the tags of the organisation that were last at the location, or
	// nobody knows where, and whose battery was below so many per cent.
	AlertBatteries(ctx context.Context, org schema.OrganisationID, location schema.LocationID, below int) ([]Charge, error)
}

// Sources are where an [Engine] learns from.
type Sources struct {
	Sites     Sites
	Plans     func(schema.LocationID) []schema.PlanID // of a location, now
	Stored    Stored
	Receivers Receivers
	Batteries Batteries
	Things    Things
	Now       func() time.Time // nil: time.Now
}

// How often the engine looks.
const (
	lookEvery    = time.Second      // at the server's clock, and again at what was not stored
	noteEvery    = 2 * time.Second  // up to when events were looked at
	batteryEvery = time.Minute      // at batteries, which take months
	catchUpEvery = 10 * time.Second // at what is stored, if at all: whoever changes rules makes it be read
	gatherFor    = 100 * time.Millisecond
)

// maxPending is how many alerts may wait while the database is away.
const maxPending = 20_000

// Engine finds out what is to be told: one goroutine, [Engine.Run].
type Engine struct {
	store   *Store
	service *Service // while it runs
	tap     *Tap
	from    Sources
	log     *slog.Logger
	now     func() time.Time

	state   *State
	pending Effects
	absent  map[schema.TagID]sight // of tags that lost rules may be about
	moved   map[schema.TagID]bool  // absences to be stored
	through map[schema.PlanID]schema.EventTime
	noted   time.Time
	behind  bool // it has to be read what is stored
	told    map[schema.PlanID]schema.EventTime

	stale    chan struct{}
	counters Counters
	asked    chan chan struct{}
}

// Counters say how the engine is doing.
type Counters struct {
	Raised, Ended, Lost, Dropped, CaughtUp atomic.Uint64
}

// NewEngine returns an engine; [Engine.Prepare] comes next.
func NewEngine(s *Store, tap *Tap, from Sources, log *slog.Logger) *Engine {
	if from.Now == nil {
		from.Now = time.Now
	}
	return &Engine{
		store: s, tap: tap, from: from, log: log, now: from.Now, state: NewState(from.Sites),
		absent: map[schema.TagID]sight{}, moved: map[schema.TagID]bool{}, through: map[schema.PlanID]schema.EventTime{},
		told: map[schema.PlanID]schema.EventTime{}, stale: make(chan struct{}, 1), asked: make(chan chan struct{}),
	}
}

// Counters returns what was counted since the start.
func (e *Engine) Counters() *Counters { return &e.counters }

// Changed tells that rules may have changed; they are read soon.
func (e *Engine) Changed() {
	select {
	case e.stale <- struct{}{}:
	default:
	}
}

// Await returns when all that was told before is looked at, and stored if the database is
// there.
func (e *Engine) Await(ctx context.Context) error {
	done := make(chan struct{})
	select {
	case e.asked <- done:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Prepare reads the rules and how things stood when the server stopped, before anything
// happens, and lets the tap through what they are about.
func (e *Engine) Prepare(ctx context.Context) error {
	rules, err := e.store.activeRules(ctx)
	if err != nil {
		return err
	}
	open, err := e.store.openAlerts(ctx)
	if err != nil {
		return err
	}
	if err := e.recall(ctx); err != nil {
		return err
	}
	e.state.SetRules(rules)
	for _, a := range open {
		e.state.Restore(a)
	}
	away := make([]schema.TagID, 0, len(e.absent))
	for id := range e.absent {
		away = append(away, id)
	}
	e.tap.attend(e.state.interest(), away)
	e.behind = true
	return nil
}

// recall reads who was away, and up to when events were looked at.
func (e *Engine) recall(ctx context.Context) error {
	absent, err := e.store.absences(ctx)
	if err != nil {
		return err
	}
	for _, s := range absent {
		e.absent[s.tag] = s
	}
	e.told, err = e.store.progress(ctx)
	return err
}

// Run finds out what is to be told until the context ends, and has the service tell it.
func (e *Engine) Run(ctx context.Context, service *Service) error {
	e.service = service
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	var caughtUp, batteries time.Time
	for {
		var asked chan struct{}
		select {
		case <-ctx.Done():
			return nil
		case <-e.stale:
			e.reload(ctx)
		case <-e.tap.wake:
			e.pause(ctx)
		case <-tick.C:
		case asked = <-e.asked:
			e.reloadIfStale(ctx)
		}
		now := e.now()
		if e.behind && now.Sub(caughtUp) >= catchUpEvery {
			caughtUp = now
			e.catchUp(ctx)
		}
		e.look(now)
		if now.Sub(batteries) >= batteryEvery {
			batteries = now
			e.lookAtBatteries(ctx, now)
		}
		e.keepAll(ctx)
		if asked != nil {
			close(asked)
		}
	}
}

// pause lets events gather: a burst is told in few digests.
func (e *Engine) pause(ctx context.Context) {
	timer := time.NewTimer(gatherFor)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// look takes what has happened.
func (e *Engine) look(now time.Time) {
	c := e.tap.drain()
	if c.lost > 0 {
		e.counters.Lost.Add(c.lost)
		e.behind = true
		e.log.Warn("alerts are behind: it is read from storage who is where", "lost", c.lost)
	}
	for _, v := range c.visits {
		e.state.Visit(v, &e.pending)
	}
	for _, s := range c.sights {
		e.sighted(s)
		e.state.seen(s, &e.pending)
	}
	for plan, through := range c.tides {
		e.state.Tide(plan, through, &e.pending)
		e.through[plan] = max(e.through[plan], through)
	}
	for _, r := range e.state.silent {
		e.state.quiet(r, e.from.Receivers.Silences(r.Location, r.Receivers), now, &e.pending)
	}
	e.state.Clock(now, &e.pending)
}

func (e *Engine) sighted(s sight) {
	if s.absent {
		e.absent[s.tag] = s
	} else {
		delete(e.absent, s.tag)
	}
	e.moved[s.tag] = true
}

func (e *Engine) lookAtBatteries(ctx context.Context, now time.Time) {
	for _, r := range e.state.battery {
		found, err := e.from.Batteries.AlertBatteries(ctx, r.Organisation, r.Location, r.Below+recovered)
		if err != nil {
			e.log.Warn("batteries not looked at, will be tried again", "error", err)
			return
		}
		e.state.drained(r, found, now, &e.pending)
	}
}

func (e *Engine) reloadIfStale(ctx context.Context) {
	select {
	case <-e.stale:
		e.reload(ctx)
	default:
	}
}

// reload takes the rules as they are now. What is inside of zones that nobody asked about
// before is read from storage.
func (e *Engine) reload(ctx context.Context) {
	rules, err := e.store.activeRules(ctx)
	if err != nil {
		e.log.Warn("alert rules not read, the last known ones stay in force", "error", err)
		e.Changed()
		e.pause(ctx)
		return
	}
	fresh := map[bool]bool{} // whether one about zones is, or one about others
	for i := range rules {
		if r, old := &rules[i], e.state.rules[rules[i].ID]; old == nil || !r.same(old) {
			fresh[r.Kind.zonal()] = true
		}
	}
	e.state.SetRules(rules)
	e.tap.attend(e.state.interest(), nil)
	e.behind = e.behind || fresh[true]
	if fresh[false] {
		for _, s := range e.absent {
			e.state.seen(s, &e.pending)
		}
	}
}

// overlap is by how much more is read than was not looked at: the end of a visit comes to
// light later than the tide passes it. It is shorter than the hold, so that what was one
// alert stays one.
const overlap = Settle + 10*time.Second

// catchUp reads what is stored: who is where, and what came and went since it was last
// looked. What happens meanwhile waits in the tap, and comes after.
func (e *Engine) catchUp(ctx context.Context) {
	plans := map[schema.PlanID]schema.EventTime{}
	for at := range e.state.at {
		for _, plan := range e.from.Plans(at) {
			since, known := e.told[plan]
			if !known {
				since = schema.EventTimeOf(e.now())
			}
			plans[plan] = since.Add(-overlap)
		}
	}
	var visits []schema.Visit
	err := e.from.Stored.Flush(ctx)
	if err == nil && len(plans) > 0 {
		visits, err = e.from.Stored.Since(ctx, plans)
	}
	if err != nil {
		e.log.Warn("alerts cannot read who is where, will be tried again", "error", err)
		return
	}
	e.behind = false
	e.counters.CaughtUp.Add(1)
	e.state.Replay(visits, &e.pending)
	absent := make(map[schema.TagID]bool, len(e.absent))
	for id, s := range e.absent {
		absent[id] = true
		e.state.seen(s, &e.pending)
	}
	e.look(e.now())
	e.state.settle(absent, &e.pending)
}

// keepAll stores what was found out; while the database is away it waits.
func (e *Engine) keepAll(ctx context.Context) {
	if over := len(e.pending.Raised) + len(e.pending.Ended) - maxPending; over > 0 {
		cut := min(over, len(e.pending.Raised))
		e.pending.Raised = e.pending.Raised[cut:]
		e.counters.Dropped.Add(uint64(cut))
	}
	if len(e.pending.Raised)+len(e.pending.Ended) > 0 {
		if err := e.keep(ctx); err != nil {
			if ctx.Err() == nil {
				e.log.Warn("alerts are not stored, will be tried again", "waiting", len(e.pending.Raised), "error", err)
			}
			return // nor is it noted that they were looked at
		}
	}
	e.note(ctx)
}

// batch is how many alerts one transaction stores.
const batch = 500

func (e *Engine) keep(ctx context.Context) error {
	for len(e.pending.Raised) > 0 {
		n := min(batch, len(e.pending.Raised))
		err := eachIfRefused(ctx, e, e.pending.Raised[:n], func(some []Alert) error {
			stored, err := e.service.raise(ctx, some, e.state.rules, e.from.Things, e.now())
			e.counters.Raised.Add(uint64(stored))
			return err
		})
		if err != nil {
			return err
		}
		e.pending.Raised = e.pending.Raised[n:]
	}
	for len(e.pending.Ended) > 0 {
		n := min(batch, len(e.pending.Ended))
		err := eachIfRefused(ctx, e, e.pending.Ended[:n], func(some []End) error { return e.service.end(ctx, some) })
		if err != nil {
			return err
		}
		e.counters.Ended.Add(uint64(n))
		e.pending.Ended = e.pending.Ended[n:]
	}
	e.pending = Effects{}
	return nil
}

// eachIfRefused stores some, and one by one when the database refuses them together: one
// that cannot be stored is dropped, and does not keep the others waiting for ever. While
// the database is away all wait.
func eachIfRefused[T Alert | End](ctx context.Context, e *Engine, some []T, store func([]T) error) error {
	err := store(some)
	if err == nil || passing(ctx, err) {
		return err
	}
	for i := range some {
		if err := store(some[i : i+1]); passing(ctx, err) {
			return err // those before are there, and are known when they come again
		} else if err != nil {
			e.counters.Dropped.Add(1)
			e.log.Error("an alert cannot be stored and is dropped", "alert", some[i], "error", err)
		}
	}
	return nil
}

// passing reports whether an error is one of the moment rather than of what was stored.
func passing(ctx context.Context, err error) bool {
	return err != nil && (ctx.Err() != nil || schema.KindOf(err) == schema.Unavailable || errors.Is(err, context.DeadlineExceeded))
}

// note stores up to when events were looked at, and who is away.
func (e *Engine) note(ctx context.Context) {
	due := len(e.moved) > 0 || len(e.through) > 0 && e.now().Sub(e.noted) >= noteEvery
	if e.behind || !due {
		return
	}
	e.noted = e.now()
	if err := e.store.note(ctx, e.moved, e.absent, e.through); err != nil {
		if ctx.Err() == nil {
			e.log.Warn("how far alerts have come is not stored, will be tried again", "error", err)
		}
		return
	}
	for plan, through := range e.through {
		e.told[plan] = through
	}
	clear(e.moved)
	clear(e.through)
}
