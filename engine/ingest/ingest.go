package ingest

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"mybeacon/schema"
	"mybeacon/schema/wire"
)

// Ingest is the way in. Make it with New, end it with Stop.
type Ingest struct {
	cfg      Config
	lateness *lateness
	tenants  *tenants
	relief   *relief
	loads    chan struct{} // one token per reader of stored sequences

	lastFrame atomic.Int64 // Unix milliseconds of the server's clock

	ctx    context.Context // ends with Stop
	cancel context.CancelFunc
	work   sync.WaitGroup // loaders, recheck and watchStorage

	mu      sync.Mutex
	stopped bool
	devices map[schema.DeviceID]*device
}

// maxLoads bounds the questions to the warehouse after a restart, when all
// devices come back at once.
const maxLoads = 8

// New returns an ingest that takes devices.
func New(cfg Config) (*Ingest, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	in := &Ingest{
		cfg: cfg, lateness: newLateness(&cfg), tenants: newTenants(cfg), relief: newRelief(),
		loads: make(chan struct{}, maxLoads), ctx: ctx, cancel: cancel, devices: map[schema.DeviceID]*device{},
	}
	in.work.Go(in.recheck)
	in.work.Go(in.watchStorage)
	return in, nil
}

// Open lets a device in. The session is told of acknowledgements once
// [Session.Attach] made it the device's stream. The caller closes it.
func (in *Ingest) Open(ctx context.Context, token string) (*Session, error) {
	who, err := in.authenticate(ctx, token)
	if err != nil {
		return nil, err
	}
	dev, err := in.hold(who.Device)
	if err != nil {
		return nil, err
	}
	return newSession(in, dev, token, who), nil
}

// OpenRequest lets a device in for one POST. It refuses with [schema.TooMany]
// when the device has too many of them open, or its organisation is above its
// quota; the cause says when to come again. The caller closes the session.
func (in *Ingest) OpenRequest(ctx context.Context, token string) (*Session, error) {
	s, err := in.Open(ctx, token)
	if err != nil {
		return nil, err
	}
	if !s.dev.beginRequest(in.cfg.MaxRequests) {
		s.Close()
		return nil, &schema.Error{
			Kind: schema.TooMany, Message: fmt.Sprintf("the device has %d requests open; wait for their answers", in.cfg.MaxRequests),
			Err: throttle{s.RateLimit(), time.Second},
		}
	}
	s.request = true
	if err := s.tenantOf(s.binding().Organisation).admit(); err != nil {
		s.Close()
		return nil, err
	}
	s.paid.Store(true)
	return s, nil
}

// Refused counts a message that was refused before it was read.
func (in *Ingest) Refused(r wire.Reason) { in.cfg.Metrics.refuse(r) }

func (in *Ingest) authenticate(ctx context.Context, token string) (Device, error) {
	who, err := in.cfg.Directory.DeviceByToken(ctx, token)
	if schema.KindOf(err) == schema.Unauthorized {
		in.cfg.Metrics.unauthorized()
	}
	return who, err
}

// hold returns the device's state and keeps it from being forgotten until
// release.
func (in *Ingest) hold(id schema.DeviceID) (*device, error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.stopped {
		return nil, schema.Errorf(schema.Unavailable, "", "the server is stopping")
	}
	dev, known := in.devices[id]
	if !known {
		if len(in.devices) >= in.cfg.MaxDevices {
			in.forgetIdle()
		}
		if len(in.devices) >= in.cfg.MaxDevices {
			return nil, schema.Errorf(schema.Unavailable, "", "%d devices are connected, which is this server's bound", len(in.devices))
		}
		dev = newDevice(in, id)
		in.devices[id] = dev
	}
	dev.holds++
	return dev, nil
}

func (in *Ingest) release(dev *device) {
	in.mu.Lock()
	defer in.mu.Unlock()
	dev.holds--
	dev.idleSince = time.Now()
	in.forgetIdle()
}

// Stats is what an ingest holds.
type Stats struct {
	Devices       int       // whose sequences are remembered
	Organisations int       // of these and of who was here lately
	InFlight      int       // observations that wait for storage
	LastFrame     time.Time // when a message with frames came; zero: not yet
	Shed          error     // why frames are shed; nil: they are not
	ShedSince     time.Time // when Shed is set
}

// Stats returns the present state.
func (in *Ingest) Stats() Stats {
	in.mu.Lock()
	s := Stats{Devices: len(in.devices)}
	in.mu.Unlock()
	if at := in.lastFrame.Load(); at != 0 {
		s.LastFrame = time.UnixMilli(at)
	}
	if since, cause := in.relief.why(); cause != nil {
		s.Shed, s.ShedSince = cause, since
	}
	in.tenants.mu.Lock()
	defer in.tenants.mu.Unlock()
	s.Organisations, s.InFlight = len(in.tenants.byOrg), in.tenants.flying
	return s
}

// forgetIdle forgets some devices that have been away; their sequences are read
// from the warehouse when they come back. It looks at a few per call, so that a
// release costs the same however many there are; the caller holds mu.
func (in *Ingest) forgetIdle() {
	looked := 0
	for id, dev := range in.devices {
		if dev.holds == 0 && time.Since(dev.idleSince) >= in.cfg.IdleDevice && dev.idle() {
			delete(in.devices, id)
		}
		if looked++; looked == 16 {
			return
		}
	}
}

// Stop ends all sessions and waits for the background work. Frames that wait for
// the warehouse's answer are let go unacknowledged: their devices send them
// again. Frames in the journal are acknowledged still, if their sessions are
// asked. Stop the journal after it.
func (in *Ingest) Stop(ctx context.Context) error {
	in.mu.Lock()
	in.stopped = true
	devices := make([]*device, 0, len(in.devices))
	for _, dev := range in.devices {
		devices = append(devices, dev)
	}
	in.mu.Unlock()
	in.cancel()
	for _, dev := range devices {
		dev.end(schema.Errorf(schema.Unavailable, "", "the server is stopping"))
	}
	idle := make(chan struct{})
	go func() {
		defer close(idle)
		in.work.Wait()
	}()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
