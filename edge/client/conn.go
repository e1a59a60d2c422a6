package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/coder/websocket"
	"google.golang.org/protobuf/proto"

	"mybeacon/schema"
	"mybeacon/schema/wire"
	"mybeacon/schema/wire/wirepb"
)

// Time limits of a connection. The engine shows life every 20 s, so a minute of
// silence means that it, or the way to it, is gone.
const (
	dialTimeout  = 30 * time.Second
	helloTimeout = 15 * time.Second
	readTimeout  = time.Minute
	writeTimeout = time.Minute
	pingEvery    = 25 * time.Second
	readLimit    = 1 << 20
)

// run keeps a connection until the context ends.
func (c *Client) run(ctx context.Context) {
	wait := backoff{min: c.cfg.MinBackoff, max: c.cfg.MaxBackoff}
	for ctx.Err() == nil {
		start := time.Now()
		err := c.connection(ctx)
		c.setConnected(false)
		if ctx.Err() != nil {
			return
		}
		wait.reset(time.Since(start))
		if c.Err() != nil {
			wait.slow()
		}
		pause, told := retryHint(err)
		if !told {
			pause = wait.next()
		}
		c.cfg.Log.Info("uplink lost", "error", err, "again_in", pause)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
}

// retryHint is the wait that the engine drew for this device when it closed:
// "retry_ms=2000" in the reason.
func retryHint(err error) (time.Duration, bool) {
	var ce websocket.CloseError
	if !errors.As(err, &ce) {
		return 0, false
	}
	_, rest, found := strings.Cut(ce.Reason, "retry_ms=")
	if !found {
		return 0, false
	}
	digits, _, _ := strings.Cut(rest, " ")
	ms, err := strconv.ParseUint(digits, 10, 16)
	if err != nil {
		return 0, false
	}
	return time.Duration(ms) * time.Millisecond, true
}

func (c *Client) setConnected(up bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if up {
		c.stats.Connects++
		c.refused = nil
	}
	c.stats.Connected = up
}

func (c *Client) refuse(why string) {
	c.mu.Lock()
	c.refused = errRefused(why)
	c.mu.Unlock()
	c.queue.wake()
}

// conn is one connection: one goroutine writes, one reads.
type conn struct {
	*Client
	ws           *websocket.Conn
	credit       credit               // the writer's
	takesReports bool                 // the engine does; the writer's after hello
	grants       chan credit          // from the reader, the latest wins
	pings        map[uint64]time.Time // on their way; guarded by Client.mu
}

// connection makes a connection and serves it to its end.
func (c *Client) connection(ctx context.Context) error {
	ws, err := c.dial(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = ws.CloseNow() }()
	ws.SetReadLimit(readLimit)
	k := &conn{Client: c, ws: ws, grants: make(chan credit, 1), pings: map[uint64]time.Time{}}
	if err := k.hello(ctx); err != nil {
		c.noteRefusal(err)
		return err
	}
	c.queue.rewind()
	c.setConnected(true)
	c.cfg.Log.Info("uplink connected")

	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	reader := make(chan struct{})
	go func() {
		defer close(reader)
		cancel(k.read(ctx))
	}()
	err = k.write(ctx)
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	_ = ws.CloseNow()
	<-reader
	c.noteRefusal(err)
	return err
}

func (c *Client) dial(ctx context.Context) (*websocket.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	token, err := c.token(ctx)
	if err != nil {
		return nil, fmt.Errorf("log in: %w", err)
	}
	ws, resp, err := websocket.Dial(ctx, c.url, &websocket.DialOptions{ //nolint:bodyclose // the library closes it
		HTTPClient:   c.cfg.HTTPClient,
		HTTPHeader:   http.Header{"Authorization": {"Bearer " + token}},
		Subprotocols: []string{wire.Subprotocol},
	})
	if resp != nil && (resp.StatusCode == http.StatusUnauthorized || resp.StatusCode == http.StatusForbidden) {
		c.refuse(resp.Status)
	}
	if err != nil {
		return nil, fmt.Errorf("dial: %w", err)
	}
	return ws, nil
}

func (c *Client) token(ctx context.Context) (string, error) {
	if c.cfg.Login == nil {
		return c.cfg.Token, nil
	}
	token, err := c.cfg.Login(ctx)
	if schema.KindOf(err) == schema.Unauthorized {
		c.refuse("log-in refused")
	}
	return token, err
}

// noteRefusal remembers that the engine took the token back.
func (c *Client) noteRefusal(err error) {
	if status := websocket.CloseStatus(err); status == wire.CloseUnauthorized {
		c.refuse(fmt.Sprintf("close code %d", status))
	}
}

func (k *conn) send(ctx context.Context, b []byte) error {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	return k.ws.Write(ctx, websocket.MessageBinary, b)
}

func (k *conn) sendControl(ctx context.Context, m *wirepb.ToEngine) error {
	b, err := proto.Marshal(m)
	if err != nil {
		return fmt.Errorf("encode: %w", err)
	}
	return k.send(ctx, b)
}

func (k *conn) receive(ctx context.Context, limit time.Duration) (*wirepb.ToDevice, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	kind, b, err := k.ws.Read(ctx)
	if err != nil {
		return nil, fmt.Errorf("read: %w", err)
	}
	msg := new(wirepb.ToDevice)
	if kind != websocket.MessageBinary || proto.Unmarshal(b, msg) != nil {
		return nil, errors.New("the engine sent what is no message of the device protocol")
	}
	return msg, nil
}

func (k *conn) hello(ctx context.Context) error {
	sent := time.Now()
	err := k.sendControl(ctx, &wirepb.ToEngine{Body: &wirepb.ToEngine_Hello{
		Hello: &wirepb.Hello{Protocol: wire.Protocol, BootId: k.cfg.BootID, Agent: k.cfg.Agent, TakesConfig: k.cfg.OnConfig != nil},
	}})
	if err != nil {
		return err
	}
	msg, err := k.receive(ctx, helloTimeout)
	if err != nil {
		return err
	}
	w := msg.GetWelcome()
	if w == nil || w.Protocol != wire.Protocol {
		return fmt.Errorf("the engine answered hello with %T, protocol %d", msg.Body, w.GetProtocol())
	}
	k.learn(sent, w.NowMs)
	k.credit, k.takesReports = creditOf(w.Credit), w.TakesReports
	k.tellAgain()
	return nil
}

func creditOf(c *wirepb.Credit) credit {
	return credit{frames: max(1, int(c.GetFrames())), bytes: int(c.GetBytes())}
}

func (k *conn) learn(sent time.Time, nowMs int64) {
	received := time.Now()
	k.mu.Lock()
	defer k.mu.Unlock()
	k.offset.learn(sent, time.UnixMilli(nowMs), received)
}

// write sends what there is to send until the context ends or writing fails.
func (k *conn) write(ctx context.Context) error {
	ping := time.NewTicker(pingEvery)
	defer ping.Stop()
	var id uint64
	for {
		changed := k.queue.wait()
		if err := k.flush(ctx); err != nil {
			return err
		}
		select {
		case <-changed:
		case k.credit = <-k.grants:
		case <-ping.C:
			id++
			if err := k.ping(ctx, id); err != nil {
				return err
			}
		case <-ctx.Done():
			_ = k.ws.Close(websocket.StatusNormalClosure, "")
			return ctx.Err()
		}
	}
}

// flush sends the report, the controls and every frame that the credit allows.
func (k *conn) flush(ctx context.Context) error {
	if err := k.sendReport(ctx); err != nil {
		return err
	}
	for m := k.firstControl(); m != nil; m = k.nextControl() {
		if err := k.sendControl(ctx, m); err != nil {
			return err // it stays the first, for the next connection
		}
	}
	for {
		frames := k.queue.take(k.credit)
		if len(frames) == 0 {
			return nil
		}
		if err := k.send(ctx, wire.AppendFramesMessage(nil, frames...)); err != nil {
			return err
		}
	}
}

func (k *conn) firstControl() *wirepb.ToEngine {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.controls) == 0 {
		return nil
	}
	return k.controls[0]
}

func (k *conn) nextControl() *wirepb.ToEngine {
	k.mu.Lock()
	k.controls = k.controls[1:]
	k.mu.Unlock()
	return k.firstControl()
}

// maxPings bounds the pings that an engine which never answers leaves open.
const maxPings = 16

func (k *conn) ping(ctx context.Context, id uint64) error {
	k.mu.Lock()
	if len(k.pings) < maxPings {
		k.pings[id] = time.Now()
	}
	k.mu.Unlock()
	return k.sendControl(ctx, &wirepb.ToEngine{Body: &wirepb.ToEngine_Ping{Ping: &wirepb.Ping{Id: id}}})
}

func (k *conn) pong(p *wirepb.Pong) {
	k.mu.Lock()
	sent, known := k.pings[p.Id]
	delete(k.pings, p.Id)
	k.mu.Unlock()
	if known {
		k.learn(sent, p.NowMs)
	}
}

// read handles the engine's messages until one cannot be read.
func (k *conn) read(ctx context.Context) error {
	for {
		msg, err := k.receive(ctx, readTimeout)
		if err != nil {
			return err
		}
		switch m := msg.Body.(type) {
		case *wirepb.ToDevice_Ack:
			k.acked(m.Ack.Ranges)
		case *wirepb.ToDevice_Rejected:
			k.rejected(m.Rejected)
		case *wirepb.ToDevice_Credit:
			select {
			case <-k.grants:
			default:
			}
			k.grants <- creditOf(m.Credit)
		case *wirepb.ToDevice_Pong:
			k.pong(m.Pong)
		case *wirepb.ToDevice_Config:
			k.configured(m.Config)
		}
	}
}

func (k *conn) acked(ranges []*wirepb.Range) {
	for _, r := range ranges {
		k.queue.ack(r.BootId, wire.SeqRange{From: r.From, To: r.To})
		if k.cfg.OnAck != nil {
			k.cfg.OnAck(r.BootId, r.From, r.To)
		}
	}
}

func (k *conn) rejected(list *wirepb.RejectedList) {
	for _, item := range list.Items {
		r := wire.Rejection{BootID: item.BootId, Seq: item.Seq, Index: int(item.Index), Reason: wire.Reason(item.Code)}
		k.queue.reject(r)
		if k.cfg.OnRejected != nil {
			k.cfg.OnRejected(r)
		}
	}
	if list.More > 0 {
		k.cfg.Log.Warn("the engine refused more than it listed", "more", list.More)
	}
}
