package live

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"

	"mybeacon/engine/ingest"
	"mybeacon/schema"
	"mybeacon/schema/wire"
)

// DevicesConfig is what the devices' socket and POST need.
//
// The socket speaks [wire.Subprotocol], one binary message each way at a time:
// after hello the device sends frames, the server answers with acks every
// AckEvery at most. The device's token travels in Authorization: Bearer. Close
// codes are those of package wire.
type DevicesConfig struct {
	Log    *slog.Logger
	Ingest *ingest.Ingest
	// Refuse answers a request with a problem document.
	Refuse func(http.ResponseWriter, *http.Request, error)
	Limits wire.Limits
	Now    func() time.Time
	// States is told how devices are.
	States DeviceStates

	MaxSockets int           // connected devices
	MaxPosts   int           // POSTs being handled: each may hold an unpacked body
	AckEvery   time.Duration // acks are collected that long
	PostWait   time.Duration // a POST waits that long for storage
	Heartbeat  time.Duration // the server shows life that often
	Silence    time.Duration // a device that says nothing for so long is cut
}

// DeviceStates is told how devices are. Its methods do not wait.
type DeviceStates interface {
	// Heard says that the device shows life: at most once a second of each.
	Heard(schema.DeviceID)
	// Reported says what the device says of itself; it was checked.
	Reported(schema.DeviceID, wire.Report)
}

// nobody is told.
type nobody struct{}

// Heard implements [DeviceStates].
func (nobody) Heard(schema.DeviceID) {}

// Reported implements [DeviceStates].
func (nobody) Reported(schema.DeviceID, wire.Report) {}

// DefaultDevicesConfig returns the bounds of a server; Log, Ingest and Refuse are
// left to set.
func DefaultDevicesConfig() DevicesConfig {
	return DevicesConfig{
		Limits: wire.DefaultLimits(), Now: time.Now, States: nobody{}, MaxSockets: 20_000, MaxPosts: 64,
		AckEvery: 50 * time.Millisecond, PostWait: 10 * time.Second,
		Heartbeat: 20 * time.Second, Silence: time.Minute,
	}
}

// Validate reports what is missing or wrong.
func (c DevicesConfig) Validate() error {
	switch {
	case c.Log == nil || c.Ingest == nil || c.Refuse == nil || c.Now == nil || c.States == nil:
		return errors.New("live: DevicesConfig needs Log, Ingest, Refuse, Now and States")
	case c.MaxSockets <= 0 || c.MaxPosts <= 0:
		return errors.New("live: MaxSockets and MaxPosts must be positive")
	case c.AckEvery <= 0 || c.PostWait <= 0 || c.Heartbeat <= 0 || c.Silence <= 0:
		return errors.New("live: times must be positive")
	default:
		return nil
	}
}

// Devices handles GET /api/v1/device/stream and POST /api/v1/device/frames.
type Devices struct {
	cfg      DevicesConfig
	posts    postSlots
	stopping context.Context // ends when Shutdown begins
	stop     context.CancelFunc
	cut      context.Context // ends when Shutdown's patience does
	cutAll   context.CancelFunc

	mu      sync.Mutex
	sockets int
	closed  bool
	idle    chan struct{} // closed when Shutdown began and no socket is left
}

// NewDevices returns the handlers.
func NewDevices(cfg DevicesConfig) (*Devices, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	d := &Devices{cfg: cfg, posts: postSlots{limit: cfg.MaxPosts, byOrg: map[schema.OrganisationID]int{}}, idle: make(chan struct{})}
	d.stopping, d.stop = context.WithCancel(context.Background())
	d.cut, d.cutAll = context.WithCancel(context.Background())
	return d, nil
}

// Sockets returns how many devices are connected.
func (d *Devices) Sockets() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.sockets
}

// Shutdown takes nothing more from the devices, tells them what is stored of
// what they sent, and closes their sockets with code 1012; it cuts what is left
// when the context ends. Call it before the ingest and the journal are stopped.
func (d *Devices) Shutdown(ctx context.Context) error {
	d.mu.Lock()
	if !d.closed {
		d.closed = true
		d.stop()
		if d.sockets == 0 {
			close(d.idle)
		}
	}
	d.mu.Unlock()
	defer d.cutAll()
	select {
	case <-d.idle:
		return nil
	case <-ctx.Done():
	}
	d.cutAll()
	<-d.idle
	return ctx.Err()
}

// enter counts a socket.
func (d *Devices) enter() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return schema.Errorf(schema.Unavailable, "", "the server is stopping")
	}
	if d.sockets >= d.cfg.MaxSockets {
		return schema.Errorf(schema.Unavailable, "", "%d devices are connected, which is this server's bound", d.sockets)
	}
	d.sockets++
	return nil
}

func (d *Devices) leave() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.sockets--
	if d.closed && d.sockets == 0 {
		close(d.idle)
	}
}

// jitter draws the wait of one device before it comes back, so that a server that
// starts again meets some hundreds of devices a second and not all at once.
func (d *Devices) jitter() time.Duration {
	spread := time.Duration(d.Sockets()) * 2 * time.Millisecond
	return 500*time.Millisecond + rand.N(min(max(spread, 4500*time.Millisecond), 40*time.Second))
}

// maxToken bounds what is hashed for a caller nobody knows.
const maxToken = 512

// deviceToken returns the bearer token of a request.
func deviceToken(r *http.Request) (string, error) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	token = strings.TrimSpace(token)
	if !strings.EqualFold(scheme, "Bearer") || token == "" || len(token) > maxToken {
		return "", schema.Errorf(schema.Unauthorized, "Authorization", "is Bearer and the device's token")
	}
	return token, nil
}
