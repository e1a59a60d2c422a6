package ble

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"mybeacon/engine/module"
	"mybeacon/engine/modules/ble/nearby"
	"mybeacon/engine/modules/ble/store"
	"mybeacon/schema"
)

// The pauses between attempts to publish after one failed.
const (
	minRetry = time.Second
	maxRetry = 30 * time.Second
)

// The pause after publishing what others changed, so that a stream of changes is
// read together and reading takes a tenth of the time at most.
const (
	minPause   = 50 * time.Millisecond
	pauseShare = 9 // times as long as publishing took
)

// Module is the product. The zero value is not usable; see [New].
type Module struct {
	host  module.Host
	store *store.Store
	ears  *nearby.Ears

	publishing sync.Mutex    // one publication at a time, so that an older world never follows a newer one
	radios     radios        // of the world that was published last; guarded by publishing
	stale      chan struct{} // of one: the world must be published again
	computing  chan struct{} // of one: a turn to compute something long
	stop       context.CancelFunc
	done       sync.WaitGroup
}

// New returns the module, to be started by the node.
func New() *Module {
	return &Module{ears: nearby.New(), stale: make(chan struct{}, 1), computing: make(chan struct{}, 1)}
}

// ID implements module.Module.
func (m *Module) ID() string { return "ble" }

// Start implements module.Module.
func (m *Module) Start(ctx context.Context, host module.Host) error {
	m.host = host
	m.store = store.New(host.DB)
	if err := m.publish(ctx); err != nil {
		return fmt.Errorf("start ble: %w", err)
	}
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	m.stop = stop
	m.done.Go(func() { host.DB.Watch(background, func(string) { m.markStale() }) })
	m.done.Go(func() { m.republish(background) })
	m.done.Go(func() { m.listenToReferences(background) })
	m.done.Go(func() { m.rollUp(background) })
	m.done.Go(func() { m.ears.Run(background) })
	m.done.Go(func() { m.keepHeard(background) })
	return nil
}

// Stop implements module.Module.
func (m *Module) Stop(ctx context.Context) error {
	m.stop()
	stopped := make(chan struct{})
	go func() {
		m.done.Wait()
		close(stopped)
	}()
	select {
	case <-stopped:
		return nil
	case <-ctx.Done():
		return errors.Join(errors.New("stop ble: background work did not end"), ctx.Err())
	}
}

// extend publishes a new tag. The lock keeps it from being overtaken by a world
// that was read before the tag was stored.
func (m *Module) extend(t store.Tag) {
	m.publishing.Lock()
	defer m.publishing.Unlock()
	m.host.Extend(module.World{Tags: []schema.Tag{t.Tag}, Names: []module.Name{nameOf(t)}})
}

// changed publishes what a call just changed. The change itself is stored, so a
// failure is not the caller's: it is left to the background.
func (m *Module) changed(ctx context.Context) {
	if err := m.publish(context.WithoutCancel(ctx)); err != nil {
		m.host.Log.WarnContext(ctx, "publish after a change failed, will try again", "module", m.ID(), "error", err)
		m.markStale()
	}
}

func (m *Module) markStale() {
	select {
	case m.stale <- struct{}{}:
	default: // it is marked already
	}
}

// republish publishes whenever the world is stale, with growing pauses while
// that fails.
func (m *Module) republish(ctx context.Context) {
	pause := minRetry
	for {
		select {
		case <-ctx.Done():
			return
		case <-m.stale:
		}
		began := time.Now()
		err := m.publish(ctx)
		if err == nil {
			pause = minRetry
			wait(ctx, max(minPause, min(pauseShare*time.Since(began), maxRetry)))
			continue
		}
		if ctx.Err() != nil {
			return
		}
		m.host.Log.WarnContext(ctx, "publish failed, will try again", "module", m.ID(), "error", err, "after", pause)
		m.markStale()
		wait(ctx, pause)
		pause = min(2*pause, maxRetry)
	}
}

func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// publish reads the world and hands it to the engine. The reading begins after
// the lock is held: what was committed before the call is in it.
func (m *Module) publish(ctx context.Context) error {
	m.publishing.Lock()
	defer m.publishing.Unlock()
	w, err := m.store.World(ctx, m.radios)
	if err != nil {
		return fmt.Errorf("read the world: %w", err)
	}
	m.radios = m.radios.with(w)
	m.host.Publish(worldOf(w, m.radios))
	return nil
}

// radios is what is known of plans' radios. It is immutable: published layouts
// share its readings.
type radios map[schema.PlanID]store.Radio

// with returns the radios of the world's plans: as they were read now or before.
func (r radios) with(w store.World) radios {
	next := radios{}
	for _, p := range w.Plans {
		if fresh, ok := w.Radios[p.ID]; ok {
			next[p.ID] = fresh
		} else if old, ok := r[p.ID]; ok {
			next[p.ID] = old
		}
	}
	return next
}
