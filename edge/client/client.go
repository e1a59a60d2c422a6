package client

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"mybeacon/schema"
	"mybeacon/schema/wire"
	"mybeacon/schema/wire/wirepb"
)

// streamPath is where the engine listens for devices.
const streamPath = "/api/v1/device/stream"

// Config of a client. URL and Token are needed, the rest has defaults.
type Config struct {
	URL   string // of the server: http://host:8080, https://…, ws://…, wss://…
	Token string // of the device
	// Login, if set, gives the token in place of Token: it is asked before each
	// connection, see [KeyLogin].
	Login  func(context.Context) (token string, err error)
	BootID string // of this start; frames that name none get it
	Agent  string // program and version, for people
	Log    *slog.Logger

	// MaxFrames and MaxBytes bound the unacknowledged frames held (default 32,768
	// and 16 MiB: some hours of a scanner, since the engine may store nothing for
	// so long and its live maps go on all the same).
	MaxFrames int
	MaxBytes  int

	// MinBackoff and MaxBackoff bound the wait before a reconnect (default 1 s
	// and 60 s).
	MinBackoff time.Duration
	MaxBackoff time.Duration

	// OnAck hears every acknowledged range; ranges are cumulative and repeat.
	OnAck func(bootID string, from, to uint64)
	// OnRejected hears every refusal.
	OnRejected func(wire.Rejection)

	// OnConfig hears of the configuration and its version: after a connection, and
	// when it was changed. It is to be reported once it runs, see [Client.Report].
	OnConfig func(version int64, config wire.DeviceConfig)

	// HTTPClient dials; nil is a client with the system's roots and no time limit.
	HTTPClient *http.Client
}

func (c *Config) setDefaults() {
	set(&c.Log, slog.New(slog.DiscardHandler))
	set(&c.Agent, "mybeacon")
	set(&c.MaxFrames, 32_768)
	set(&c.MaxBytes, 16<<20)
	set(&c.MinBackoff, time.Second)
	set(&c.MaxBackoff, time.Minute)
	set(&c.HTTPClient, &http.Client{})
}

func set[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// Stats is what a client did so far.
type Stats struct {
	Connected    bool
	Connects     int // successful ones
	FramesSent   int // taken by Send
	FramesAcked  int // stored or finally refused
	FramesQueued int // not acknowledged yet

	ObservationsSent     int
	ObservationsAcked    int // stored: without those that were refused
	ObservationsRejected int
}

// Client is an uplink. Make it with [Dial], end it with [Client.Close].
type Client struct {
	cfg    Config
	url    string
	queue  *queue
	cancel context.CancelFunc
	done   chan struct{}

	mu       sync.Mutex
	encoder  *wire.Encoder
	stats    Stats
	refused  error // the engine refused the token
	offset   clockOffset
	controls []*wirepb.ToEngine // waiting to be sent, bounded by maxControls
	report   *wire.Report       // the newest that no engine was told
	told     *wire.Report       // the newest that an engine was told
}

// maxControls bounds the drop notices kept while there is no connection.
const maxControls = 1024

// Dial starts a client and returns at once: the connection is made, and made
// again, in the background until Close. The error is about the configuration.
func Dial(ctx context.Context, cfg Config) (*Client, error) {
	cfg.setDefaults()
	target, err := streamURL(cfg.URL)
	if err != nil {
		return nil, err
	}
	if cfg.Token == "" && cfg.Login == nil {
		return nil, schema.Errorf(schema.Invalid, "token", "the device's token is missing")
	}
	if cfg.BootID == "" {
		cfg.BootID = strings.ReplaceAll(schema.NewID[schema.ID[bootKind]]().String(), "-", "")
	}
	if !wire.ValidBootID(cfg.BootID) {
		return nil, schema.Errorf(schema.Invalid, "boot_id", "%.80q: %s", cfg.BootID, wire.BootIDInvalid.Text())
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	c := &Client{
		cfg: cfg, url: target, queue: newQueue(cfg.MaxFrames, cfg.MaxBytes),
		cancel: cancel, done: make(chan struct{}), encoder: wire.NewEncoder(),
	}
	go func() {
		defer close(c.done)
		c.run(ctx)
	}()
	return c, nil
}

type bootKind struct{}

func streamURL(base string) (string, error) {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" {
		return "", schema.Errorf(schema.Invalid, "url", "%.200q is not an address such as https://beacon.example.org", base)
	}
	switch u.Scheme {
	case "http":
		u.Scheme = "ws"
	case "https":
		u.Scheme = "wss"
	case "ws", "wss":
	default:
		return "", schema.Errorf(schema.Invalid, "url", "%.200q: the scheme is http, https, ws or wss", base)
	}
	if !strings.HasSuffix(u.Path, streamPath) {
		u.Path = strings.TrimSuffix(u.Path, "/") + streamPath
	}
	return u.String(), nil
}

// Send hands a frame over. It waits for room until the context ends, and does
// not wait for the acknowledgement. The frame's bytes are fixed here: its
// observations may be reused afterwards.
func (c *Client) Send(ctx context.Context, frame schema.Frame) error {
	if frame.BootID == "" {
		frame.BootID = c.cfg.BootID
	}
	if err := checkFrame(frame); err != nil {
		return err
	}
	c.mu.Lock()
	raw := c.encoder.AppendFrame(nil, frame)
	c.mu.Unlock()
	if len(raw) > maxFrameBytes {
		return schema.Errorf(schema.TooLarge, "frame", "%d bytes; a frame may have %d: make it shorter", len(raw), maxFrameBytes)
	}
	e := entry{boot: frame.BootID, seq: frame.Seq, raw: raw, observations: len(frame.Observations)}
	if err := c.queue.push(ctx, e, c.Err); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stats.FramesSent++
	c.stats.ObservationsSent += len(frame.Observations)
	return nil
}

// maxFrameBytes leaves room for the message around one frame.
const maxFrameBytes = 1<<20 - 64

func checkFrame(f schema.Frame) error {
	limits := wire.DefaultLimits()
	switch {
	case !wire.ValidBootID(f.BootID):
		return schema.Errorf(schema.Invalid, "boot_id", "%.80q: %s", f.BootID, wire.BootIDInvalid.Text())
	case f.Seq == 0:
		return schema.Errorf(schema.Invalid, "seq", "%s", wire.SeqInvalid.Text())
	case len(f.Observations) > limits.FrameLength:
		return schema.Errorf(schema.TooLarge, "observations", "%s", wire.FrameTooLong.Text())
	default:
		return nil
	}
}

// Drop tells the engine that the frames from…to, both inclusive, will never come,
// for the reason's policy. Frames among them that are still held are let go.
func (c *Client) Drop(bootID string, from, to uint64, reason string) {
	c.queue.drop(bootID, wire.SeqRange{From: from, To: to})
	c.mu.Lock()
	if len(c.controls) < maxControls {
		c.controls = append(c.controls, &wirepb.ToEngine{Body: &wirepb.ToEngine_Dropped{
			Dropped: &wirepb.Dropped{BootId: bootID, From: from, To: to, Reason: reason},
		}})
	}
	c.mu.Unlock()
	c.queue.wake()
}

// Report tells the engine how this device is; only the newest report is kept while
// there is no connection, and it is told again on each new one. An engine that takes no
// reports is told nothing.
func (c *Client) Report(r wire.Report) error {
	if err := r.Check(); err != nil {
		return err
	}
	c.mu.Lock()
	c.report = &r
	c.mu.Unlock()
	c.queue.wake()
	return nil
}

// Flush waits until every frame handed over so far is acknowledged.
func (c *Client) Flush(ctx context.Context) error { return c.queue.drained(ctx, c.Err) }

// Err returns why the engine refuses this device, or nil.
func (c *Client) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.refused
}

// Stats returns the counts so far.
func (c *Client) Stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.stats
	queued, counts := c.queue.state()
	s.FramesQueued = queued
	s.FramesAcked = counts.framesAcked
	s.ObservationsAcked = counts.observationsAcked
	s.ObservationsRejected = counts.observationsRejected
	return s
}

// Acked returns how many frames and observations the engine has stored.
func (c *Client) Acked() (frames, observations int) {
	s := c.Stats()
	return s.FramesAcked, s.ObservationsAcked
}

// Offset returns the engine's clock minus this machine's, as last learned, and
// whether it was learned at all.
func (c *Client) Offset() (time.Duration, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.offset.value()
}

// Close ends the connection and waits for the background work. Frames that were
// not acknowledged are gone: call Flush before, or keep them in a spool.
func (c *Client) Close() error {
	c.cancel()
	<-c.done
	return nil
}
