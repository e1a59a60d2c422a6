package client_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"

	"mybeacon/edge/client"
	"mybeacon/schema"
	"mybeacon/schema/wire"
	"mybeacon/schema/wire/wirepb"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// engine is the other side of the protocol, driven by the test: it lets devices
// in and hands their messages over.
type engine struct {
	url    string
	token  string
	credit *wirepb.Credit
	clock  time.Duration // ahead of this machine's

	shut    atomic.Bool // lets nobody in
	reports atomic.Bool // takes reports

	conns chan *engineConn
}

// engineConn is one connection after hello; its methods belong to the test.
type engineConn struct {
	t     *testing.T
	ws    *websocket.Conn
	hello *wirepb.Hello
	in    chan *wirepb.ToEngine // closed when the connection is over
}

func newEngine(t *testing.T) *engine {
	e := &engine{token: "secret", credit: &wirepb.Credit{Frames: 100, Bytes: 1 << 20}, conns: make(chan *engineConn, 16)}
	ctx, cancel := context.WithCancel(context.Background())
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { e.serve(ctx, t, w, r) }))
	e.url = server.URL
	t.Cleanup(func() { cancel(); server.Close() })
	return e
}

func (e *engine) serve(ctx context.Context, t *testing.T, w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/api/v1/device/stream" || r.Header.Get("Authorization") != "Bearer "+e.token || e.shut.Load() {
		http.Error(w, "no", http.StatusUnauthorized)
		return
	}
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{wire.Subprotocol}})
	if err != nil {
		return
	}
	defer func() { _ = ws.CloseNow() }()
	ws.SetReadLimit(4 << 20)
	c := &engineConn{t: t, ws: ws, in: make(chan *wirepb.ToEngine, 1000)}
	defer close(c.in)
	for {
		_, b, err := ws.Read(ctx)
		if err != nil {
			return
		}
		m := new(wirepb.ToEngine)
		if err := proto.Unmarshal(b, m); err != nil {
			t.Errorf("the client sent %x: %v", b, err)
			return
		}
		if hello := m.GetHello(); hello != nil {
			c.hello = hello
			c.send(&wirepb.ToDevice{Body: &wirepb.ToDevice_Welcome{Welcome: &wirepb.Welcome{
				Protocol: 1, NowMs: time.Now().Add(e.clock).UnixMilli(), DeviceNumber: 1, Credit: e.credit, TakesReports: e.reports.Load(),
			}}})
			e.conns <- c
			continue
		}
		c.in <- m
	}
}

func (e *engine) next(t *testing.T) *engineConn {
	t.Helper()
	select {
	case c := <-e.conns:
		return c
	case <-time.After(10 * time.Second):
		t.Fatal("the client did not connect")
		return nil
	}
}

func (c *engineConn) send(m *wirepb.ToDevice) {
	b, err := proto.Marshal(m)
	if err != nil {
		c.t.Fatal(err)
	}
	if err := c.ws.Write(context.Background(), websocket.MessageBinary, b); err != nil {
		c.t.Logf("the engine's write: %v", err)
	}
}

func (c *engineConn) ack(from, to uint64) {
	c.send(&wirepb.ToDevice{Body: &wirepb.ToDevice_Ack{Ack: &wirepb.Ack{Ranges: []*wirepb.Range{{BootId: "b", From: from, To: to}}, NowMs: 1}}})
}

// seqs receives n frames and returns their numbers in order.
func (c *engineConn) seqs(n int) (out []uint64) {
	c.t.Helper()
	for len(out) < n {
		select {
		case m, open := <-c.in:
			if !open {
				c.t.Fatalf("the connection ended after %v", out)
			}
			for _, f := range m.GetFrames().GetFrames() {
				out = append(out, f.Seq)
			}
		case <-time.After(10 * time.Second):
			c.t.Fatalf("only %v of %d frames came", out, n)
		}
	}
	return out
}

// nothing asserts that what was sent so far is all: a ping-like drop notice
// travels behind it.
func (c *engineConn) nothing(uplink *client.Client) {
	c.t.Helper()
	uplink.Drop("marker", 1, 1, "test")
	m := <-c.in
	if m.GetDropped().GetBootId() != "marker" {
		c.t.Errorf("got %v, want nothing more", m)
	}
}

func dial(t *testing.T, e *engine, change func(*client.Config)) *client.Client {
	t.Helper()
	cfg := client.Config{URL: e.url, Token: e.token, BootID: "b", MinBackoff: time.Millisecond, MaxBackoff: 20 * time.Millisecond}
	if change != nil {
		change(&cfg)
	}
	c, err := client.Dial(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func frame(seq uint64, observations int) schema.Frame {
	return schema.Frame{Seq: seq, SentAt: 1_767_225_600_000, Observations: make([]schema.Observation, observations)}
}

func send(t *testing.T, c *client.Client, seqs ...uint64) {
	t.Helper()
	for _, seq := range seqs {
		if err := c.Send(t.Context(), frame(seq, 2)); err != nil {
			t.Fatal(err)
		}
	}
}

func flush(t *testing.T, c *client.Client) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := c.Flush(ctx); err != nil {
		t.Fatalf("%v, %+v", err, c.Stats())
	}
}

func TestSendAckFlush(t *testing.T) {
	e := newEngine(t)
	var mu sync.Mutex
	var heard []uint64
	c := dial(t, e, func(c *client.Config) {
		c.OnAck = func(boot string, from, to uint64) {
			mu.Lock()
			defer mu.Unlock()
			heard = append(heard, from, to)
		}
	})
	conn := e.next(t)
	if conn.hello.BootId != "b" || conn.hello.Protocol != 1 || conn.hello.Agent == "" {
		t.Errorf("hello %v", conn.hello)
	}
	send(t, c, 1, 2, 3)
	if diff := cmp.Diff([]uint64{1, 2, 3}, conn.seqs(3)); diff != "" {
		t.Error(diff)
	}
	conn.ack(1, 2)
	conn.ack(1, 3)
	flush(t, c)
	want := client.Stats{Connected: true, Connects: 1, FramesSent: 3, FramesAcked: 3, ObservationsSent: 6, ObservationsAcked: 6}
	if diff := cmp.Diff(want, c.Stats()); diff != "" {
		t.Error(diff)
	}
	mu.Lock()
	defer mu.Unlock()
	if diff := cmp.Diff([]uint64{1, 2, 1, 3}, heard[:4]); diff != "" {
		t.Error(diff)
	}
}

// After a break everything unacknowledged is sent again, oldest first, and only
// that.
func TestResendAfterABreak(t *testing.T) {
	e := newEngine(t)
	c := dial(t, e, nil)
	conn := e.next(t)
	send(t, c, 1, 2, 3)
	conn.seqs(3)
	conn.ack(2, 2)
	conn.nothing(c)
	_ = conn.ws.CloseNow()
	conn = e.next(t)
	send(t, c, 4)
	if diff := cmp.Diff([]uint64{1, 3, 4}, conn.seqs(3)); diff != "" {
		t.Error(diff)
	}
	conn.ack(1, 4)
	flush(t, c)
}

func TestCreditIsObeyed(t *testing.T) {
	e := newEngine(t)
	e.credit = &wirepb.Credit{Frames: 2, Bytes: 1 << 20}
	c := dial(t, e, nil)
	conn := e.next(t)
	send(t, c, 1, 2, 3, 4, 5)
	conn.seqs(2)
	conn.nothing(c)
	conn.ack(1, 1)
	if diff := cmp.Diff([]uint64{3}, conn.seqs(1)); diff != "" {
		t.Error(diff)
	}
	conn.nothing(c)
	conn.send(&wirepb.ToDevice{Body: &wirepb.ToDevice_Credit{Credit: &wirepb.Credit{Frames: 4, Bytes: 1 << 20}}})
	if diff := cmp.Diff([]uint64{4, 5}, conn.seqs(2)); diff != "" {
		t.Error(diff)
	}
}

// A frame larger than the credit's bytes goes alone.
func TestByteCredit(t *testing.T) {
	e := newEngine(t)
	e.credit = &wirepb.Credit{Frames: 100, Bytes: 10}
	c := dial(t, e, nil)
	conn := e.next(t)
	send(t, c, 1, 2)
	if diff := cmp.Diff([]uint64{1}, conn.seqs(1)); diff != "" {
		t.Error(diff)
	}
	conn.nothing(c)
	conn.ack(1, 1)
	if diff := cmp.Diff([]uint64{2}, conn.seqs(1)); diff != "" {
		t.Error(diff)
	}
}

// Send waits when the memory is full, and ends with its context.
func TestMemoryIsBounded(t *testing.T) {
	e := newEngine(t)
	c := dial(t, e, func(c *client.Config) { c.MaxFrames = 2 })
	conn := e.next(t)
	send(t, c, 1, 2)
	conn.seqs(2)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := c.Send(ctx, frame(3, 1)); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("a third frame of two: %v", err)
	}
	sent := make(chan error)
	go func() { sent <- c.Send(context.Background(), frame(3, 1)) }()
	conn.ack(1, 1)
	if err := <-sent; err != nil {
		t.Error(err)
	}
	conn.seqs(1)
	if s := c.Stats(); s.FramesQueued != 2 || s.FramesSent != 3 {
		t.Errorf("%+v", s)
	}
}

// The engine stores nothing for a while: its live maps get each frame at once, and
// when it closes the connection all of them are sent again, in order, within the
// credit. When the memory is full, the owner decides what is lost, and it is told.
func TestEngineStoresNothingForAWhile(t *testing.T) {
	e := newEngine(t)
	e.credit = &wirepb.Credit{Frames: 2, Bytes: 1 << 20}
	const most = 500
	c := dial(t, e, func(c *client.Config) { c.MaxFrames = most })
	conn := e.next(t)
	send(t, c, 1, 2, 3)
	conn.seqs(2)
	conn.send(&wirepb.ToDevice{Body: &wirepb.ToDevice_Credit{Credit: &wirepb.Credit{Frames: 1 << 30, Bytes: 1 << 30}}})
	conn.seqs(1)
	for seq := uint64(4); seq <= most; seq++ {
		send(t, c, seq)
		if got := conn.seqs(1); got[0] != seq {
			t.Fatalf("frame %d came, want %d", got[0], seq)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := c.Send(ctx, frame(most+1, 1)); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("a frame more than there is memory: %v", err)
	}
	conn.nothing(c)
	if s := c.Stats(); s.FramesQueued != most || s.FramesAcked != 0 {
		t.Errorf("%+v", s)
	}
	c.Drop("b", 1, 10, "oldest")
	if d := (<-conn.in).GetDropped(); d.GetFrom() != 1 || d.GetTo() != 10 || d.GetReason() != "oldest" {
		t.Errorf("told %v", d)
	}
	send(t, c, most+1)
	conn.seqs(1)

	_ = conn.ws.Close(websocket.StatusServiceRestart, "retry_ms=5")
	conn = e.next(t)
	for from := uint64(11); from <= most+1; {
		to := min(from+1, most+1)
		want := []uint64{from, to}[:to-from+1]
		if diff := cmp.Diff(want, conn.seqs(len(want))); diff != "" {
			t.Fatal(diff)
		}
		if from == 11 {
			conn.nothing(c) // two are on their way, which is the credit
		}
		conn.ack(from, to)
		from = to + 1
	}
	flush(t, c)
	if s := c.Stats(); s.FramesAcked != most-10+1 || s.Connects != 2 {
		t.Errorf("%+v", s)
	}
}

func TestRejectionsAreCounted(t *testing.T) {
	e := newEngine(t)
	var mu sync.Mutex
	var heard []wire.Rejection
	c := dial(t, e, func(c *client.Config) {
		c.OnRejected = func(r wire.Rejection) {
			mu.Lock()
			defer mu.Unlock()
			heard = append(heard, r)
		}
	})
	conn := e.next(t)
	send(t, c, 1, 2, 3)
	conn.seqs(3)
	conn.send(&wirepb.ToDevice{Body: &wirepb.ToDevice_Rejected{Rejected: &wirepb.RejectedList{Items: []*wirepb.Rejected{
		{BootId: "b", Seq: 1, Index: 1, Code: 301}, {BootId: "b", Seq: 2, Index: -1, Code: 204}, {Index: -1, Code: 100},
	}}}})
	conn.ack(1, 3)
	flush(t, c)
	if s := c.Stats(); s.FramesAcked != 3 || s.ObservationsAcked != 3 || s.ObservationsRejected != 3 {
		t.Errorf("%+v", s)
	}
	mu.Lock()
	defer mu.Unlock()
	want := []wire.Rejection{
		{BootID: "b", Seq: 1, Index: 1, Reason: wire.RSSIOutOfRange}, {BootID: "b", Seq: 2, Index: wire.WholeFrame, Reason: wire.SentAtFuture},
		{Index: wire.WholeFrame, Reason: wire.MessageMalformed},
	}
	if diff := cmp.Diff(want, heard); diff != "" {
		t.Error(diff)
	}
}

// What the owner drops is let go and told, also when there was no connection.
func TestDrop(t *testing.T) {
	e := newEngine(t)
	c := dial(t, e, nil)
	conn := e.next(t)
	send(t, c, 1, 2)
	conn.seqs(2)
	c.Drop("b", 1, 2, "too old")
	flush(t, c)
	m := <-conn.in
	if d := m.GetDropped(); d.GetBootId() != "b" || d.GetFrom() != 1 || d.GetTo() != 2 || d.GetReason() != "too old" {
		t.Errorf("told %v", m)
	}
	if frames, observations := c.Acked(); frames != 0 || observations != 0 {
		t.Errorf("dropped frames count as acked: %d, %d", frames, observations)
	}
}

// A refused token fails Send and Flush, is tried on, and works when it is mended.
func TestRefusedToken(t *testing.T) {
	e := newEngine(t)
	c := dial(t, e, func(c *client.Config) { c.Token = "wrong" })
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	_ = c.Send(ctx, frame(1, 1)) // may be taken before the refusal
	if err := c.Flush(ctx); schema.KindOf(err) != schema.Unauthorized {
		t.Errorf("flush: %v", err)
	}
	if c.Err() == nil || c.Stats().Connected {
		t.Errorf("err %v, %+v", c.Err(), c.Stats())
	}
}

// A token that is taken back ends the connection and is told to who waits.
func TestTokenTakenBack(t *testing.T) {
	e := newEngine(t)
	c := dial(t, e, nil)
	conn := e.next(t)
	send(t, c, 1)
	conn.seqs(1)
	e.shut.Store(true)
	_ = conn.ws.Close(wire.CloseUnauthorized, "revoked")
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := c.Flush(ctx); schema.KindOf(err) != schema.Unauthorized {
		t.Errorf("flush: %v", err)
	}
	e.shut.Store(false) // mended
	conn = e.next(t)
	conn.seqs(1)
	conn.ack(1, 1)
	flush(t, c)
}

func TestClockOffset(t *testing.T) {
	e := newEngine(t)
	e.clock = 10 * time.Minute
	c := dial(t, e, nil)
	send(t, c, 1)
	e.next(t).seqs(1) // so the welcome was read
	if offset, known := c.Offset(); !known || (offset-10*time.Minute).Abs() > 5*time.Second {
		t.Errorf("offset %v, known %v, want about 10m", offset, known)
	}
}

func TestBadFramesAreNotTaken(t *testing.T) {
	c := dial(t, newEngine(t), nil)
	f := func(name string, fr schema.Frame, want schema.Kind) {
		t.Helper()
		if err := c.Send(t.Context(), fr); schema.KindOf(err) != want {
			t.Errorf("%s: %v", name, err)
		}
	}
	f("no seq", schema.Frame{}, schema.Invalid)
	f("a bad boot", schema.Frame{BootID: "a b", Seq: 1}, schema.Invalid)
	f("too long", frame(1, 10_001), schema.TooLarge)
}

func TestBadConfigurations(t *testing.T) {
	f := func(cfg client.Config) {
		t.Helper()
		if c, err := client.Dial(t.Context(), cfg); schema.KindOf(err) != schema.Invalid {
			t.Errorf("%+v: %v", cfg, err)
			_ = c.Close()
		}
	}
	f(client.Config{URL: "127.0.0.1:80", Token: "t"})
	f(client.Config{URL: "ftp://x", Token: "t"})
	f(client.Config{URL: "http://x"})
	f(client.Config{URL: "http://x", Token: "t", BootID: "a b"})
}
