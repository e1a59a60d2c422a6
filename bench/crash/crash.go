package crash

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"mybeacon/engine/provision"
)

const (
	// leastUp and mostUp bound the time from ready to the next kill. The shortest is
	// less than the uplinks take to come back, so that some kills meet the server
	// while it reads what it has.
	leastUp, mostUp = 50 * time.Millisecond, 2500 * time.Millisecond
)

// Run measures a server; see the package's description.
func Run(ctx context.Context, cfg Config) (Figures, error) {
	if err := cfg.Validate(); err != nil {
		return Figures{}, err
	}
	f := Figures{Kills: cfg.Kills}
	got, err := onServer(ctx, cfg, func(s *server) ([]visit, error) { return killed(ctx, cfg, s, &f) })
	if err != nil {
		return f, fmt.Errorf("the server that is killed: %w", err)
	}
	want, err := onServer(ctx, cfg, func(s *server) ([]visit, error) { return undisturbed(ctx, cfg, s, f.Seconds) })
	if err != nil {
		return f, fmt.Errorf("the undisturbed server: %w", err)
	}
	lone := unmatched(want, got)
	f.Visits, f.VisitsWrong = len(want), len(lone)
	for _, v := range lone {
		cfg.Log.Debug("a visit of the undisturbed server has no match", "visit", fmt.Sprintf("%+v", v))
	}
	return f, nil
}

// onServer does something with a fresh server and returns its visits.
func onServer(ctx context.Context, cfg Config, do func(*server) ([]visit, error)) (list []visit, err error) {
	s, err := newServer(cfg)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.release()) }()
	if err := s.start(ctx); err != nil {
		return nil, err
	}
	return do(s)
}

// killed streams while the server is killed, and counts what it has in the end.
func killed(ctx context.Context, cfg Config, s *server, f *Figures) ([]visit, error) {
	world, err := newWorld(cfg)
	if err != nil {
		return nil, err
	}
	there, err := provisioned(ctx, s, world)
	if err != nil {
		return nil, err
	}
	fleet, err := dial(ctx, s, there.Devices)
	if err != nil {
		return nil, err
	}
	defer func() { _ = fleet.Close() }() // again, when settle did not come to it
	streaming, cancel := context.WithCancel(ctx)
	defer cancel()
	enough, streamed := make(chan struct{}), make(chan error, 1)
	go func() {
		var err error
		f.Seconds, err = stream(streaming, world, fleet, math.MaxInt, enough)
		streamed <- err
	}()
	recoveries, err := kills(ctx, cfg, s)
	if err != nil {
		cancel()
		return nil, errors.Join(err, <-streamed)
	}
	close(enough)
	if err := <-streamed; err != nil {
		return nil, err
	}
	f.RecoveryP99 = p99(recoveries)
	if err := settle(ctx, s, fleet); err != nil {
		return nil, err
	}
	r, err := compared(ctx, cfg, s, there.Devices, f.Seconds)
	if err != nil {
		return nil, err
	}
	r.count(fleet, f)
	return visits(ctx, s)
}

func compared(ctx context.Context, cfg Config, s *server, devices []provision.Device, seconds int) (*record, error) {
	r, err := newRecord(cfg, devices, seconds)
	if err != nil {
		return nil, err
	}
	return r, r.read(ctx, s)
}

// kills kills the server and starts it again, and returns how long that took each
// time.
func kills(ctx context.Context, cfg Config, s *server) ([]time.Duration, error) {
	rng := rand.New(rand.NewPCG(cfg.Seed, 'k'))
	var recoveries []time.Duration
	if err := pause(ctx, cfg.Calm); err != nil {
		return nil, err
	}
	for range cfg.Kills {
		if err := pause(ctx, leastUp+time.Duration(rng.Int64N(int64(mostUp-leastUp)))); err != nil {
			return nil, err
		}
		began := time.Now()
		if err := s.kill(); err != nil {
			return nil, fmt.Errorf("kill the server: %w", err)
		}
		if err := s.start(ctx); err != nil {
			return nil, err
		}
		recoveries = append(recoveries, time.Since(began))
	}
	return recoveries, pause(ctx, cfg.Calm)
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// p99 returns the time that 99 % do not exceed, in seconds; of fewer than a hundred
// that is the longest.
func p99(times []time.Duration) float64 {
	if len(times) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(times))
	return sorted[(len(sorted)*99+99)/100-1].Seconds()
}

// undisturbed streams the same seconds and returns the visits.
func undisturbed(ctx context.Context, cfg Config, s *server, seconds int) ([]visit, error) {
	world, err := newWorld(cfg)
	if err != nil {
		return nil, err
	}
	there, err := provisioned(ctx, s, world)
	if err != nil {
		return nil, err
	}
	fleet, err := dial(ctx, s, there.Devices)
	if err != nil {
		return nil, err
	}
	defer func() { _ = fleet.Close() }() // again, when settle did not come to it
	if _, err := stream(ctx, world, fleet, seconds, nil); err != nil {
		return nil, err
	}
	if err := settle(ctx, s, fleet); err != nil {
		return nil, err
	}
	return visits(ctx, s)
}
