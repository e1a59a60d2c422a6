package crash

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"mybeacon/bench/demo"
	"mybeacon/bench/load"
	"mybeacon/bench/sim"
	"mybeacon/engine/provision"
	"mybeacon/schema"
)

const (
	// base is the event time at which the site's life begins: 2026-01-01T00:00:00Z.
	base schema.EventTime = 1_767_225_600_000
	// maxAhead is how far a frame may be ahead of the oldest one that is not
	// acknowledged, in event time. So two seconds are on their way at most, which is
	// for how long a fix waits for a receiver that is behind: after a kill the
	// receivers come back one by one.
	maxAhead = time.Second
	// prelude is how many seconds the receivers hear nothing at first. A fix waits for
	// the receivers that have spoken before, so that without it the first visits would
	// depend on which of them connected first.
	prelude = 3
	// bootID names the receivers' only start.
	bootID = "crash"
)

// newWorld returns the site at its first second. Equal configurations live the same
// life.
func newWorld(cfg Config) (*sim.World, error) {
	c := sim.DefaultConfig()
	c.Seed, c.Tags, c.BootID = cfg.Seed, cfg.Tags, bootID
	return sim.New(c)
}

// second returns the event time of the n-th second.
func second(n int) schema.EventTime { return base.Add(time.Duration(n) * time.Second) }

// step lets the world live through its n-th second and returns what its receivers
// send.
func step(world *sim.World, n int) []sim.FrameOf {
	frames := world.Step(second(n))
	if n < prelude {
		for i := range frames {
			frames[i].Frame.Observations = nil
		}
	}
	return frames
}

// provisioned makes the site on the running server.
func provisioned(ctx context.Context, s *server, world *sim.World) (provision.Result, error) {
	c, err := provision.Login(ctx, provision.Config{Server: s.url(), Email: adminEmail, Password: adminPassword})
	if err != nil {
		return provision.Result{}, err
	}
	site := demo.Describe(world, "en")
	site.Clock, site.KeepDays = "source", schema.KeepForever
	return c.Ensure(ctx, site)
}

// dial connects the site's receivers.
func dial(ctx context.Context, s *server, devices []provision.Device) (*load.Fleet, error) {
	quiet := slog.New(slog.DiscardHandler) // that connections are lost is the point
	return load.Dial(ctx, load.FleetConfig{Server: s.url(), Devices: devices, BootID: bootID, Log: quiet})
}

// stream lets the world live and sends what its receivers hear, until the channel is
// closed or most seconds have passed, and waits until all is acknowledged. It
// returns how many seconds passed.
func stream(ctx context.Context, world *sim.World, fleet *load.Fleet, most int, enough <-chan struct{}) (int, error) {
	n := 0
	for ; n < most; n++ {
		select {
		case <-enough:
			return n, fleet.Drain(ctx)
		default:
		}
		if err := fleet.Await(ctx, second(n+1).Add(-maxAhead)); err != nil {
			return n, err
		}
		for _, out := range step(world, n) {
			if err := fleet.Send(ctx, out.Receiver, out.Frame); err != nil {
				return n, err
			}
		}
	}
	return n, fleet.Drain(ctx)
}

// settle stops the server in order, so that everything it derived is stored, and
// starts it again to be asked.
func settle(ctx context.Context, s *server, fleet *load.Fleet) error {
	if n := fleet.Rejected(); n > 0 {
		return fmt.Errorf("the server refused %d observations of a correct site", n)
	}
	if err := errors.Join(fleet.Close(), s.stop()); err != nil {
		return err
	}
	return s.start(ctx)
}
