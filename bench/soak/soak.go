package soak

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"mybeacon/bench/load"
	"mybeacon/bench/rig"
	"mybeacon/bench/sim"
	"mybeacon/engine/provision"
	"mybeacon/schema"
)

// Run soaks a server; see the package's description.
func Run(ctx context.Context, cfg Config) (Figures, error) {
	if err := cfg.Validate(); err != nil {
		return Figures{}, err
	}
	cfg = cfg.complete()
	f := Figures{NotRun: cfg.notRun()}
	var got []rig.Visit
	err := rig.On(ctx, cfg.Program, func(s *rig.Server) (err error) {
		got, err = soaked(ctx, cfg, s, &f)
		return err
	})
	if err != nil {
		return f, fmt.Errorf("the server that is soaked: %w", err)
	}
	f.Visits, f.VisitsWrong, err = rig.Astray(ctx, cfg.Program, cfg.life(), f.Seconds, got, cfg.Log)
	return f, err
}

// bed is a server under load. Its methods belong to the goroutine of the faults,
// except where they are the stream's.
type bed struct {
	cfg    Config
	server *rig.Server
	site   provision.Result
	next   *neighbour
	fleet  *load.Fleet
	wires  *wires
	rng    *rand.Rand
	began  time.Time
	frames recent
	sent   atomic.Int64 // seconds that were streamed
	memory memory
}

// soaked streams while the faults happen, and returns the visits.
func soaked(ctx context.Context, cfg Config, s *rig.Server, f *Figures) ([]rig.Visit, error) {
	world, err := cfg.life().World()
	if err != nil {
		return nil, err
	}
	b := &bed{cfg: cfg, server: s, wires: newWires(), rng: rand.New(rand.NewPCG(cfg.Seed, 's'))}
	if b.site, err = rig.Provision(ctx, s, world); err != nil {
		return nil, err
	}
	if b.next, err = settleNeighbour(ctx, s); err != nil {
		return nil, err
	}
	b.frames = newRecent(len(b.site.Devices))
	if b.fleet, err = rig.Dial(ctx, s, b.site.Devices, &http.Client{Transport: b.wires.transport()}); err != nil {
		return nil, err
	}
	defer func() { _ = b.fleet.Close() }() // again, when Settle did not come to it
	if err := b.soak(ctx, world, f); err != nil {
		return nil, err
	}
	if err := rig.Settle(ctx, s, b.fleet); err != nil {
		return nil, err
	}
	record, err := rig.NewRecord(cfg.life(), b.site.Devices, f.Seconds)
	if err != nil {
		return nil, err
	}
	if err := record.Read(ctx, s); err != nil {
		return nil, err
	}
	f.Tally = record.Count(b.fleet)
	return rig.Visits(ctx, s)
}

// soak runs stream, faults and the watch over memory side by side.
func (b *bed) soak(ctx context.Context, world *sim.World, f *Figures) error {
	b.began = time.Now()
	streaming, stop := context.WithCancel(ctx)
	defer stop()
	p99 := b.fleet.Measure()
	var wait sync.WaitGroup
	var streamed error
	wait.Go(func() {
		if streamed = b.stream(streaming, world); streamed != nil {
			stop() // the faults would wait for ever
		}
	})
	wait.Go(func() { b.memory.watch(streaming, b.server) })
	err := b.disturb(streaming, f)
	stop()
	wait.Wait()
	if err = errors.Join(streamed, err); err != nil {
		return err
	}
	if err := b.fleet.Drain(ctx); err != nil {
		return err
	}
	f.Seconds, f.AckP99MS = int(b.sent.Load()), p99()
	f.RSSMB, f.RSSSlope = b.memory.largest(), b.memory.slope()
	f.Disconnects = b.fleet.Connects() - len(b.site.Devices)
	return nil
}

// stream sends a second of the site's life each second, until the context ends.
func (b *bed) stream(ctx context.Context, world *sim.World) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	whole := context.WithoutCancel(ctx) // a second is sent by all receivers or by none
	for n := 0; ; n++ {
		for _, out := range rig.Step(world, n) {
			b.frames.add(out.Receiver, out.Frame)
			if err := b.fleet.Send(whole, out.Receiver, out.Frame); err != nil {
				return err
			}
		}
		b.sent.Store(int64(n + 1))
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// disturb does one fault after the other until the time is over.
func (b *bed) disturb(ctx context.Context, f *Figures) error {
	all := faults()
	order := b.rng.Perm(len(all))
	done := map[string]bool{}
	for i := 0; b.left() > 0; i++ {
		if i%len(all) == 0 && i > 0 {
			order = b.rng.Perm(len(all))
		}
		if err := pause(ctx, min(b.left(), time.Second+time.Duration(b.rng.Int64N(int64(3*time.Second))))); err != nil {
			return err
		}
		fault := all[order[i%len(all)]]
		if b.left() <= 0 || done[fault.name] && b.left() < fault.least(b.cfg.sizes) {
			continue
		}
		happened, err := b.happen(ctx, fault, f)
		if errors.Is(err, errors.ErrUnsupported) {
			f.NotRun = append(f.NotRun, fault.name+": this system does not allow it")
			done[fault.name] = true
			continue
		}
		if err != nil {
			return fmt.Errorf("%s: %w", fault.name, err)
		}
		done[fault.name] = true
		f.Faults = append(f.Faults, happened)
	}
	for _, fault := range all {
		if !done[fault.name] {
			f.NotRun = append(f.NotRun, fault.name+": its turn did not come")
		}
	}
	return nil
}

func (b *bed) left() time.Duration { return b.cfg.sizes.length - time.Since(b.began) }

// happen lets a fault happen and waits until it has been got over.
func (b *bed) happen(ctx context.Context, fault fault, f *Figures) (Happened, error) {
	connects, began := b.fleet.Connects(), time.Now()
	over, effect, err := fault.do(ctx, b)
	if err != nil {
		return Happened{}, err
	}
	if err := b.caughtUp(ctx); err != nil {
		return Happened{}, err
	}
	h := Happened{
		Name: fault.name, StartedS: tenths(began.Sub(b.began)), LastedS: tenths(over.Sub(began)),
		RecoveredS: tenths(time.Since(over)), Effect: effect,
	}
	if n := b.fleet.Connects() - connects; n > 0 && !fault.disconnects {
		f.Unexpected += n
	}
	b.cfg.Log.Info("a fault is over", "fault", h.Name, "recovered_s", h.RecoveredS, "effect", h.Effect)
	return h, nil
}

// caughtUp waits until all that has been sent until now is acknowledged, and the server
// says that it is ready.
func (b *bed) caughtUp(ctx context.Context) error {
	if err := b.fleet.Await(ctx, rig.Second(int(b.sent.Load())).Add(time.Millisecond)); err != nil {
		return err
	}
	return b.until(ctx, time.Minute, "be ready", func() bool { return b.server.Ready(ctx) })
}

// until asks ten times a second until it is so.
func (b *bed) until(ctx context.Context, patience time.Duration, what string, so func() bool) error {
	for deadline := time.Now().Add(patience); !so(); {
		if time.Now().After(deadline) {
			return schema.Errorf(schema.Unavailable, "", "the server did not %s within %v", what, patience)
		}
		if err := pause(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

func tenths(d time.Duration) float64 { return math.Round(d.Seconds()*10) / 10 }

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(max(d, 0))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
