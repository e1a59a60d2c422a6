package crash

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"mybeacon/bench/rig"
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
	var got []rig.Visit
	err := rig.On(ctx, cfg.Program, func(s *rig.Server) (err error) {
		got, err = killed(ctx, cfg, s, &f)
		return err
	})
	if err != nil {
		return f, fmt.Errorf("the server that is killed: %w", err)
	}
	f.Visits, f.VisitsWrong, err = rig.Astray(ctx, cfg.Program, cfg.life(), f.Seconds, got, cfg.Log)
	return f, err
}

// killed streams while the server is killed, and counts what it has in the end.
func killed(ctx context.Context, cfg Config, s *rig.Server, f *Figures) ([]rig.Visit, error) {
	world, err := cfg.life().World()
	if err != nil {
		return nil, err
	}
	there, err := rig.Provision(ctx, s, world)
	if err != nil {
		return nil, err
	}
	fleet, err := rig.Dial(ctx, s, there.Devices, nil)
	if err != nil {
		return nil, err
	}
	defer func() { _ = fleet.Close() }() // again, when rig.Settle did not come to it
	streaming, cancel := context.WithCancel(ctx)
	defer cancel()
	enough, streamed := make(chan struct{}), make(chan error, 1)
	go func() {
		var err error
		f.Seconds, err = rig.Stream(streaming, world, fleet, math.MaxInt, enough)
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
	if err := rig.Settle(ctx, s, fleet); err != nil {
		return nil, err
	}
	r, err := compared(ctx, cfg, s, there.Devices, f.Seconds)
	if err != nil {
		return nil, err
	}
	f.Tally = r.Count(fleet)
	return rig.Visits(ctx, s)
}

func compared(ctx context.Context, cfg Config, s *rig.Server, devices []provision.Device, seconds int) (*rig.Record, error) {
	r, err := rig.NewRecord(cfg.life(), devices, seconds)
	if err != nil {
		return nil, err
	}
	return r, r.Read(ctx, s)
}

// kills kills the server and starts it again, and returns how long that took each
// time.
func kills(ctx context.Context, cfg Config, s *rig.Server) ([]time.Duration, error) {
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
		if err := s.Kill(); err != nil {
			return nil, fmt.Errorf("kill the server: %w", err)
		}
		if err := s.Start(ctx); err != nil {
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
