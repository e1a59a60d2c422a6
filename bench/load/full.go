package load

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/coder/websocket"

	"mybeacon/engine/provision"
)

const (
	// maxUnstored is how far ahead of the oldest unacknowledged frame a crowd goes,
	// in event time. It is more than an acknowledgement takes, and below the 6 s
	// after which the server takes an observation as late.
	maxUnstored = 3 * time.Second
	// maxUnseen is how far ahead of the map it goes; a fix needs the second itself.
	maxUnseen = 3 * time.Second
	// fixedRate is half of the observations a second that a server must carry.
	fixedRate = 25_000
	// warmUp is what passes before each part is measured, at most a third of it.
	warmUp = 5 * time.Second
)

// Ingest measures the way in; see the package's description.
func Ingest(ctx context.Context, cfg Config) (Figures, error) {
	if err := cfg.Validate(); err != nil {
		return Figures{}, err
	}
	if cfg.Stage == StageDecode {
		return decode(ctx, cfg)
	}
	s, err := startServer(ctx, cfg)
	if err != nil {
		return Figures{}, err
	}
	figures, err := full(ctx, cfg, s)
	if err = errors.Join(err, s.stop()); err != nil {
		return figures, err
	}
	return figures, inserts(ctx, cfg, &figures)
}

// full measures a running server.
func full(ctx context.Context, cfg Config, s *server) (f Figures, err error) {
	r := &run{cfg: cfg, crowd: newCrowd(cfg.Tags, cfg.Receivers, cfg.Seed, "load"), seen: newSightings()}
	there, token, err := s.provision(ctx, r.crowd.site())
	if err != nil {
		return f, err
	}
	conn, err := s.watch(ctx, there.Location, token)
	if err != nil {
		return f, err
	}
	watched := make(chan struct{})
	go func() { defer close(watched); r.watch(ctx, conn) }()
	defer func() { _ = conn.CloseNow(); <-watched }()
	if err := r.dial(ctx, s.URL(), there.Devices); err != nil {
		return f, err
	}
	defer func() { err = errors.Join(err, r.fleet.Close()) }()
	if err := r.closedLoop(ctx, &f); err != nil {
		return f, err
	}
	if f.Dropped, err = s.dropped(ctx); err != nil {
		return f, err
	}
	if err := r.halfLoad(ctx, &f); err != nil {
		return f, err
	}
	err = r.fixedLoad(ctx, &f)
	f.RSSMB = peakRSS()
	return f, err
}

// run is a crowd that streams to a server. Its methods belong to one goroutine,
// but for watch.
type run struct {
	cfg   Config
	crowd *crowd
	fleet *Fleet
	seen  *sightings
}

func (r *run) dial(ctx context.Context, url string, devices []provision.Device) (err error) {
	r.fleet, err = Dial(ctx, FleetConfig{Server: url, Devices: devices, BootID: "load", Log: warnings(r.cfg.Log)})
	return err
}

// watch takes in live messages until the connection ends.
func (r *run) watch(ctx context.Context, conn *websocket.Conn) {
	for {
		_, message, err := conn.Read(ctx)
		if err == nil {
			err = r.seen.take(message)
		}
		if err != nil {
			r.seen.fail(err)
			return
		}
	}
}

// beat sends the frames of half a second; before says when the i-th may go.
func (r *run) beat(ctx context.Context, before func(i int) error) error {
	frames, _ := r.crowd.next()
	for i := range frames {
		if err := before(i); err != nil {
			return err
		}
		if end := frames[i].SentAt; i == len(frames)-1 && end == end.Second() {
			r.seen.completes(end.Add(-time.Second))
		}
		if err := r.fleet.Send(ctx, i, frames[i]); err != nil {
			return err
		}
	}
	return nil
}

// keepUp waits for what is too old to be neither stored nor seen.
func (r *run) keepUp(ctx context.Context) error {
	if err := r.fleet.Await(ctx, r.crowd.now().Add(-maxUnstored)); err != nil {
		return err
	}
	seconds := r.crowd.beats/beatsPerSecond - int(maxUnseen/time.Second)
	return r.seen.await(ctx, seconds*r.cfg.Tags)
}

// closedLoop finds the highest rate.
func (r *run) closedLoop(ctx context.Context, f *Figures) error {
	length := time.Duration(r.cfg.Seconds) * time.Second
	at := func(int) error { return nil }
	loop := func(d time.Duration) error {
		for began := time.Now(); time.Since(began) < d; {
			if err := errors.Join(r.beat(ctx, at), r.keepUp(ctx)); err != nil {
				return err
			}
		}
		return nil
	}
	if err := loop(min(warmUp, length/3)); err != nil {
		return err
	}
	stored, seen, s := r.fleet.ledger.stored(), r.seconds(), beginStretch()
	if err := loop(length); err != nil {
		return err
	}
	s.end()
	stored, seen = r.fleet.ledger.stored()-stored, r.seconds()-seen
	f.MeasuredS = s.took.Seconds()
	f.ObservationsPerS, f.FixesPerS, f.AllocsPerObservation = s.perSecond(stored), s.perSecond(seen), s.perEvent(stored)
	return nil
}

func (r *run) seconds() int {
	n, _ := r.seen.seen() // an error ends the next wait
	return n
}

// times is how long things took at a steady rate.
type times struct {
	acks, lives      histogram
	observationsPerS float64 // what was reached
}

// halfLoad goes on at half the highest rate.
func (r *run) halfLoad(ctx context.Context, f *Figures) error {
	t, err := r.timesAt(ctx, f.ObservationsPerS/2)
	if err != nil {
		return err
	}
	f.HalfObservationsPerS = t.observationsPerS
	f.AckP50MS, f.AckP99MS = t.acks.quantile(0.5), t.acks.quantile(0.99)
	f.LiveP50MS, f.LiveP99MS = t.lives.quantile(0.5), t.lives.quantile(0.99)
	return nil
}

// fixedLoad goes on at [fixedRate].
func (r *run) fixedLoad(ctx context.Context, f *Figures) error {
	f.LiveP99At25kMS = math.NaN()
	if r.perBeat()*float64(beatsPerSecond) < fixedRate {
		return nil // faster than people walk, these tags would be a harder task
	}
	t, err := r.timesAt(ctx, fixedRate)
	if err != nil {
		return err
	}
	f.LiveP99At25kMS = t.lives.quantile(0.99)
	return nil
}

// perBeat returns how many observations the receivers make of half a second.
func (r *run) perBeat() float64 { return float64(r.cfg.Tags * min(hearing, r.cfg.Receivers)) }

// timesAt goes on at so many observations a second, by the clock, and measures. The
// receivers speak one after the other, as receivers do that know nothing of each
// other.
func (r *run) timesAt(ctx context.Context, perSecond float64) (*times, error) {
	if err := r.fleet.Drain(ctx); err != nil {
		return nil, err
	}
	interval := time.Duration(r.perBeat() / perSecond * float64(time.Second))
	length := time.Duration(r.cfg.Seconds) * time.Second
	if err := r.steady(ctx, interval, min(warmUp, length/3)); err != nil {
		return nil, err
	}
	t := new(times)
	r.fleet.ledger.measure(&t.acks)
	r.seen.measure(&t.lives)
	stored, s := r.fleet.ledger.stored(), beginStretch()
	if err := r.steady(ctx, interval, length); err != nil {
		return nil, err
	}
	s.end()
	r.fleet.ledger.measure(nil)
	r.seen.measure(nil)
	t.observationsPerS = s.perSecond(r.fleet.ledger.stored() - stored)
	if t.lives.total == 0 {
		return nil, errors.New("too short: no second was both completed and shown at a steady rate")
	}
	return t, nil
}

// steady sends a beat per interval for about d, at least the two of a second.
func (r *run) steady(ctx context.Context, interval, d time.Duration) error {
	began := time.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for k := 0; k < 2*beatsPerSecond || time.Since(began) < d; k++ {
		due := func(i int) error {
			share := time.Duration(i) * interval / time.Duration(r.cfg.Receivers)
			timer.Reset(time.Until(began.Add(time.Duration(k)*interval + share)))
			select {
			case <-timer.C:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		if err := r.beat(ctx, due); err != nil {
			return err
		}
	}
	_, err := r.seen.seen()
	return err
}
