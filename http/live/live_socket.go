package live

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/coder/websocket"

	hub "mybeacon/engine/live"
	"mybeacon/schema"
)

const (
	maxMapRequest  = 64 << 10
	firstMessage   = 10 * time.Second
	mapWrite       = 10 * time.Second
	mapPing        = 25 * time.Second
	mapPong        = 35 * time.Second // after the ping: 60 s of silence in all
	rightsEvery    = 3 * time.Second  // asked of the store only when something changed
	rightsPatience = time.Minute      // for how long rights may stay unchecked while the store is away
	keptBuffer     = 64 << 10         // a larger one, from a snapshot, is not kept
)

var (
	errSilent = errors.New("no answer to pings")
	errSlow   = errors.New("does not take its messages")
	errLeft   = errors.New("the client left")
)

// mapSocket is one client of a live map. serve runs on the handler's goroutine
// and writes; the library's reads; upkeep's pings and checks rights.
type mapSocket struct {
	maps     *Maps
	conn     *websocket.Conn
	viewer   Viewer
	location schema.LocationID
}

func (s *mapSocket) serve() {
	// The connection lives until everything about it is done, also the close
	// handshake; what ends earlier has contexts of its own.
	life, end := context.WithCancel(s.maps.cut)
	defer end()
	err := s.watch(life)
	switch {
	case errors.Is(err, errSlow) || errors.Is(err, errSilent):
		s.maps.slow.Add(1)
		_ = s.conn.CloseNow()
	case err != nil && !errors.Is(err, errLeft):
		code, reason := s.maps.closing(err)
		_ = s.conn.Close(code, reason)
	default:
		_ = s.conn.CloseNow()
	}
}

// watch returns why the socket ends, nil when the client left.
func (s *mapSocket) watch(life context.Context) error {
	options, err := s.receive(life)
	if err != nil || options == nil {
		return err
	}
	if err := s.viewer.MayWatch(life, s.location); err != nil {
		return err
	}
	sub, err := s.maps.cfg.Hub.Subscribe(s.location, *options)
	if err != nil {
		return err
	}
	defer sub.Close()
	ctx, cancel := context.WithCancelCause(s.conn.CloseRead(life))
	defer cancel(nil)
	defer context.AfterFunc(s.maps.stopping, func() { cancel(hub.ErrClosed) })()
	done := make(chan struct{})
	go func() { defer close(done); s.upkeep(ctx, cancel) }()
	err = s.tell(ctx, life, sub)
	cancel(nil)
	<-done
	return err
}

// tell writes messages until the context ends, and returns its cause.
func (s *mapSocket) tell(ctx, life context.Context, sub *hub.Subscription) error {
	var buf []byte
	for {
		var err error
		if buf, err = sub.Next(ctx, buf); err != nil {
			return endOf(ctx, err)
		}
		if err := s.write(life, buf); err != nil {
			return err
		}
		s.maps.cfg.Metrics.told(sub.Changed())
		if cap(buf) > keptBuffer {
			buf = nil
		}
	}
}

// endOf returns why the context ended, nil when it was the client's doing.
func endOf(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
		return cause
	}
	return nil
}

// write uses the connection's context, not the watcher's: a write that was
// interrupted would take the connection with it, and no close code would follow.
func (s *mapSocket) write(life context.Context, message []byte) error {
	ctx, cancel := context.WithTimeout(life, mapWrite)
	defer cancel()
	err := s.conn.Write(ctx, websocket.MessageText, message)
	if err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return errSlow
	}
	if err != nil {
		return errLeft
	}
	return nil
}

// receive waits for the subscription; nil options mean that the client left.
func (s *mapSocket) receive(life context.Context) (*hub.Options, error) {
	late := make(chan struct{})
	timer := time.AfterFunc(firstMessage, func() {
		defer close(late)
		_ = s.conn.Close(closeSlow, "no subscription within 10 s")
	})
	stop := context.AfterFunc(s.maps.stopping, func() {
		_ = s.conn.Close(s.maps.closing(hub.ErrClosed))
	})
	defer stop()
	kind, text, err := s.conn.Read(life)
	if !timer.Stop() {
		<-late
		return nil, nil
	}
	if err != nil {
		return nil, nil // the client left, or was told why it must
	}
	if kind != websocket.MessageText {
		return nil, schema.Errorf(schema.Invalid, "", `send text such as {"sub":{"location":"…"}}`)
	}
	return s.parse(text)
}

func (s *mapSocket) parse(text []byte) (*hub.Options, error) {
	var request struct {
		Sub *struct {
			Location schema.LocationID `json:"location"`
			RateMS   *int64            `json:"rate_ms"`
			Since    *hub.Cursor       `json:"since"`
		} `json:"sub"`
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&request); err != nil {
		return nil, schema.Errorf(schema.Invalid, "sub", "%s", jsonComplaint(err))
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, schema.Errorf(schema.Invalid, "sub", "must be one JSON object")
	}
	if request.Sub == nil || request.Sub.Location.IsZero() {
		return nil, schema.Errorf(schema.Invalid, "sub.location", "is missing; give the location's id")
	}
	s.location = request.Sub.Location
	options := &hub.Options{Since: request.Sub.Since, Nameless: s.viewer.Nameless}
	if rate := request.Sub.RateMS; rate != nil {
		if *rate < hub.MinRate.Milliseconds() || *rate > hub.MaxRate.Milliseconds() {
			return nil, schema.Errorf(schema.Invalid, "sub.rate_ms", "must be %d to %d", hub.MinRate.Milliseconds(), hub.MaxRate.Milliseconds())
		}
		options.Rate = time.Duration(*rate) * time.Millisecond
	}
	return options, nil
}

func jsonComplaint(err error) string {
	var ours *schema.Error
	if errors.As(err, &ours) {
		return ours.Message
	}
	return fmt.Sprintf("is not the JSON that is expected: %.60v", err)
}

// upkeep pings and checks rights until the context ends.
func (s *mapSocket) upkeep(ctx context.Context, cancel context.CancelCauseFunc) {
	ping, rights := time.NewTicker(mapPing), time.NewTicker(rightsEvery)
	defer ping.Stop()
	defer rights.Stop()
	checked := time.Now()
	pinged := make(chan error, 1)
	waiting := false
	defer func() {
		if waiting {
			_ = <-pinged // only its end matters
		}
	}()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ping.C:
			if !waiting {
				waiting = true
				go func() { pinged <- s.ping(ctx) }()
			}
		case err := <-pinged:
			waiting = false
			if err != nil && ctx.Err() == nil {
				cancel(errSilent)
			}
		case now := <-rights.C:
			err := s.viewer.MayWatch(ctx, s.location)
			if err == nil {
				checked = now
			} else if final(err) || now.Sub(checked) > rightsPatience {
				cancel(err)
			}
		}
	}
}

func (s *mapSocket) ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, mapPong)
	defer cancel()
	return s.conn.Ping(ctx)
}

// final reports whether the error says that the rights are gone, rather than
// that they cannot be checked.
func final(err error) bool {
	switch schema.KindOf(err) {
	case schema.Unauthorized, schema.Forbidden, schema.NotFound:
		return true
	default:
		return false
	}
}
