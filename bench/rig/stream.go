package rig

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
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
	// BootID names the receivers' only start.
	BootID = "bench"
)

// Life is a simulated site's. Equal ones are lived the same way.
type Life struct {
	Tags int
	Seed uint64
}

// Validate names the first field that is wrong.
func (l Life) Validate() error {
	if l.Tags < 1 || l.Tags > sim.MaxTags {
		return schema.Errorf(schema.Invalid, "tags", "%d must be 1 to %d", l.Tags, sim.MaxTags)
	}
	return nil
}

// World returns the site at its first second.
func (l Life) World() (*sim.World, error) {
	c := sim.DefaultConfig()
	c.Seed, c.Tags, c.BootID = l.Seed, l.Tags, BootID
	return sim.New(c)
}

// Second returns the event time of the n-th second.
func Second(n int) schema.EventTime { return base.Add(time.Duration(n) * time.Second) }

// Step lets the world live through its n-th second and returns what its receivers
// send.
func Step(world *sim.World, n int) []sim.FrameOf {
	frames := world.Step(Second(n))
	if n < prelude {
		for i := range frames {
			frames[i].Frame.Observations = nil
		}
	}
	return frames
}

// Provision makes the site on the running server.
func Provision(ctx context.Context, s *Server, world *sim.World) (provision.Result, error) {
	c, err := s.Login(ctx)
	if err != nil {
		return provision.Result{}, err
	}
	site := demo.Describe(world, "en")
	site.Clock, site.KeepDays = "source", schema.KeepForever
	return c.Ensure(ctx, site)
}

// Dial connects the site's receivers, through the client if it is not nil.
func Dial(ctx context.Context, s *Server, devices []provision.Device, through *http.Client) (*load.Fleet, error) {
	quiet := slog.New(slog.DiscardHandler) // that connections are lost is the point
	return load.Dial(ctx, load.FleetConfig{Server: s.URL(), Devices: devices, BootID: BootID, Log: quiet, HTTP: through})
}

// Stream lets the world live and sends what its receivers hear, until the channel is
// closed or most seconds have passed, and waits until all is acknowledged. It
// returns how many seconds passed.
func Stream(ctx context.Context, world *sim.World, fleet *load.Fleet, most int, enough <-chan struct{}) (int, error) {
	n := 0
	for ; n < most; n++ {
		select {
		case <-enough:
			return n, fleet.Drain(ctx)
		default:
		}
		if err := fleet.Await(ctx, Second(n+1).Add(-maxAhead)); err != nil {
			return n, err
		}
		for _, out := range Step(world, n) {
			if err := fleet.Send(ctx, out.Receiver, out.Frame); err != nil {
				return n, err
			}
		}
	}
	return n, fleet.Drain(ctx)
}

// Settle stops the server in order, so that everything it derived is stored, and
// starts it again to be asked.
func Settle(ctx context.Context, s *Server, fleet *load.Fleet) error {
	if n := fleet.Rejected(); n > 0 {
		return fmt.Errorf("the server refused %d observations of a correct site", n)
	}
	if err := errors.Join(fleet.Close(), s.Stop()); err != nil {
		return err
	}
	return s.Start(ctx)
}

// Login returns a client with all rights on the running server.
func (s *Server) Login(ctx context.Context) (*provision.Client, error) {
	return provision.Login(ctx, provision.Config{Server: s.URL(), Email: AdminEmail, Password: AdminPassword})
}

// On does something with a fresh server that runs, and removes it.
func On(ctx context.Context, program Program, do func(*Server) error) (err error) {
	s, err := NewServer(program)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Release()) }()
	if err := s.Start(ctx); err != nil {
		return err
	}
	return do(s)
}

// Astray lets a fresh, undisturbed server take the first seconds of the life and
// returns how many visits that has, and how many of them have no partner of their own
// in got; those are logged.
func Astray(ctx context.Context, program Program, life Life, seconds int, got []Visit, log *slog.Logger) (visits, wrong int, err error) {
	want, err := undisturbed(ctx, program, life, seconds)
	if err != nil {
		return 0, 0, fmt.Errorf("the undisturbed server: %w", err)
	}
	lone := unmatched(want, got)
	for _, v := range lone {
		log.Debug("a visit of the undisturbed server has no match", "visit", fmt.Sprintf("%+v", v))
	}
	return len(want), len(lone), nil
}

// undisturbed lets a fresh server take the first seconds of the life, and returns the
// visits that it has then.
func undisturbed(ctx context.Context, program Program, life Life, seconds int) (list []Visit, err error) {
	err = On(ctx, program, func(s *Server) error {
		world, err := life.World()
		if err != nil {
			return err
		}
		there, err := Provision(ctx, s, world)
		if err != nil {
			return err
		}
		fleet, err := Dial(ctx, s, there.Devices, nil)
		if err != nil {
			return err
		}
		defer func() { _ = fleet.Close() }() // again, when Settle did not come to it
		if _, err := Stream(ctx, world, fleet, seconds, nil); err != nil {
			return err
		}
		if err := Settle(ctx, s, fleet); err != nil {
			return err
		}
		list, err = Visits(ctx, s)
		return err
	})
	return list, err
}
