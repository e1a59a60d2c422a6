package actors

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"mybeacon/actors/device"
	"mybeacon/actors/dispatch"
	"mybeacon/actors/mailbox"
	"mybeacon/actors/plan"
	"mybeacon/actors/tag"
	"mybeacon/actors/zone"
	"mybeacon/schema"
)

// System is the actors of one engine. Its methods may be called from any
// goroutine, and none but Stop and Settle blocks.
type System struct {
	cfg     Config
	pool    *dispatch.Pool
	layouts *tag.Plans
	devices *registry[schema.DeviceID]
	plans   *registry[schema.PlanID]
	tags    *registry[tag.Key]
	zones   *registry[schema.ZoneID]
	visits  visitBook

	calibrations calibrationBook

	supervisors []*supervisor
	counters    counters
	rev         atomic.Uint64
	stopped     atomic.Bool
	stopSweep   chan struct{}
	sweeping    sync.WaitGroup
}

type counters struct {
	device, plan, tag, zone  mailbox.Counters
	unknown, repeated, stale atomic.Uint64
	lessons                  atomic.Uint64 // lost
}

// New starts the actors of an engine: none yet, and the workers that will run
// them. Stop releases what it holds.
func New(cfg Config) (*System, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg.complete()
	s := &System{
		cfg:       cfg,
		pool:      dispatch.New(cfg.Workers, 0),
		layouts:   tag.NewPlans(cfg.Layouts, cfg.Locate, cfg.Tag.Model, cfg.Log),
		visits:    visitBook{open: make(map[schema.VisitID]schema.Visit)},
		stopSweep: make(chan struct{}),
	}
	s.rev.Store(uint64(cfg.Start.UnixMilli()) << 20)
	s.populate()
	s.sweeping.Go(s.sweep)
	return s, nil
}

// populate makes the registries, each with a supervisor of its own.
func (s *System) populate() {
	root := actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger {
		return slog.New(onlyWarnings{s.cfg.Log.Handler()})
	})).Root
	h := host{s}
	s.devices = newRegistry(s, root, "device", &s.counters.device,
		func(id schema.DeviceID) byte { return id[15] },
		func(id schema.DeviceID, _ any) func() actor.Actor {
			state := device.New(&s.cfg.Device, id)
			return func() actor.Actor { return device.NewActor(h, state) }
		})
	s.plans = newRegistry(s, root, "plan", &s.counters.plan,
		func(id schema.PlanID) byte { return id[15] },
		func(id schema.PlanID, _ any) func() actor.Actor {
			state := plan.New(&s.cfg.Plan, id).Follow(s.layouts)
			state.Restore(s.calibrations.of(id))
			return func() actor.Actor { return plan.NewActor(h, state) }
		})
	s.tags = newRegistry(s, root, "tag", &s.counters.tag,
		func(k tag.Key) byte { return k.Tag[15] },
		func(k tag.Key, _ any) func() actor.Actor {
			cell := tag.NewCell(tag.New(&s.cfg.Tag, s.layouts, k))
			return func() actor.Actor { return tag.NewActor(h, cell) }
		})
	s.zones = newRegistry(s, root, "zone", &s.counters.zone,
		func(id schema.ZoneID) byte { return id[15] },
		func(_ schema.ZoneID, first any) func() actor.Actor {
			state := zone.NewState(first.(*zone.Presence).Place)
			return func() actor.Actor { return zone.NewActor(h, state) }
		})
}

func newRegistry[K comparable](s *System, root *actor.RootContext, kind string, c *mailbox.Counters,
	shard func(K) byte, create func(K, any) func() actor.Actor,
) *registry[K] {
	guardian := newSupervisor(kind, s.cfg.Log)
	s.supervisors = append(s.supervisors, guardian)
	return &registry[K]{
		kind: kind, root: root, limit: int64(s.cfg.MaxActors),
		box:      func() *mailbox.Mailbox { return mailbox.New(s.cfg.MailboxLimit, c) },
		dispatch: s.pool, guardian: guardian, shard: shard, create: create,
	}
}

// Frame gives the actors an admitted frame. It never blocks: when the device's
// mailbox is full, its oldest frame is dropped and counted. The frame must not be
// changed afterwards.
func (s *System) Frame(f schema.FrameAdmitted) {
	if s.stopped.Load() || f.Device.IsZero() {
		return
	}
	s.devices.summon(f.Device, &device.Frame{FrameAdmitted: f})
}

// DeviceConnected says that a device opened a connection, at the server's time.
func (s *System) DeviceConnected(src schema.Source, at time.Time) {
	if s.stopped.Load() || src.Device.IsZero() {
		return
	}
	s.devices.summon(src.Device, &device.Connected{Source: src, At: at})
}

// DeviceDisconnected says that a connection of a device ended, at the server's
// time. The device is offline when it has not been heard of for 30 s.
func (s *System) DeviceDisconnected(id schema.DeviceID, at time.Time) {
	s.devices.tell(id, &device.Disconnected{At: at})
}

// Forget says that a plan was removed, or lost a zone or a receiver, after
// Layouts shows it: visits to what is no more are closed.
func (s *System) Forget(id schema.PlanID) { s.tags.broadcast(&tag.Recheck{Plan: id}) }

// OpenVisits returns the visits that the output was told of and that have not
// ended, in no order.
func (s *System) OpenVisits() []schema.Visit { return s.visits.list() }

// Restore takes up visits that were open when the engine stopped. It must come
// before the frames. A visit to a zone that is no more is closed at its entry.
func (s *System) Restore(visits []schema.Visit) {
	for _, v := range visits {
		if v.LeftAt.IsZero() && !v.Tag.IsZero() {
			s.visits.note(v)
			s.tags.summon(tag.Key{Organisation: v.Organisation, Tag: v.Tag}, &tag.Restore{Visit: v})
		}
	}
}

// Settle waits until all that was given to the system before has had its
// effects, or until ctx is done. An actor that pauses after failures holds it up.
func (s *System) Settle(ctx context.Context) error {
	// A zone publishes in a second step, after the presences that waited.
	for _, stage := range []func() <-chan struct{}{s.devices.settle, s.plans.settle, s.tags.settle, s.zones.settle, s.zones.settle} {
		select {
		case <-stage():
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// Stop takes nothing more in, waits until what was taken in has had its effects
// or ctx is done, and ends all actors. Open visits stay open: they are restored
// at the next start. A second call does nothing.
func (s *System) Stop(ctx context.Context) error {
	if s.stopped.Swap(true) {
		return nil
	}
	close(s.stopSweep)
	s.sweeping.Wait()
	err := s.Settle(ctx)
	for _, v := range s.supervisors {
		v.stop()
	}
	s.devices.each(func(m *member) { s.devices.root.Stop(m.pid) })
	s.plans.each(func(m *member) { s.plans.root.Stop(m.pid) })
	s.tags.each(func(m *member) { s.tags.root.Stop(m.pid) })
	s.zones.each(func(m *member) { s.zones.root.Stop(m.pid) })
	closed := make(chan struct{})
	go func() {
		_ = s.pool.Close()
		close(closed)
	}()
	select {
	case <-closed:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// sweep tells all actors the time, so that they notice what follows from nothing
// happening: a device that went, memory that is not needed.
func (s *System) sweep() {
	t := time.NewTicker(s.cfg.SweepEvery)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			now := s.cfg.Now()
			s.devices.broadcast(&device.Sweep{Now: now})
			s.plans.broadcast(&plan.Sweep{Now: now})
			s.tags.broadcast(&tag.Sweep{Now: now})
			s.zones.broadcast(&zone.Sweep{Now: now})
		case <-s.stopSweep:
			return
		}
	}
}
