package live_test

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/coder/websocket"
	gocmp "github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/protobuf/proto"

	"mybeacon/edge/client"
	"mybeacon/engine/batch"
	"mybeacon/engine/embedded/embeddedtest"
	"mybeacon/engine/ingest"
	sink "mybeacon/engine/sink/clickhouse"
	store "mybeacon/engine/store/clickhouse"
	"mybeacon/http/live"
	"mybeacon/schema"
	migrations "mybeacon/schema/clickhouse"
	"mybeacon/schema/wire"
	"mybeacon/schema/wire/wirepb"
)

func TestMain(m *testing.M) { embeddedtest.Main(m) }

// registry is a directory in memory.
type registry struct {
	mu      sync.Mutex
	devices map[string]ingest.Device // by token
}

func (r *registry) DeviceByToken(_ context.Context, token string) (ingest.Device, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if d, known := r.devices[token]; known {
		return d, nil
	}
	return ingest.Device{}, schema.Errorf(schema.Unauthorized, "token", "is nobody's")
}

func (r *registry) Device(id schema.DeviceID) (ingest.Device, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, d := range r.devices {
		if d.Source.Device == id {
			return d, true
		}
	}
	return ingest.Device{}, false
}

func (r *registry) Tag(schema.OrganisationID, schema.Transmitter) (schema.TagID, bool) {
	return schema.TagID{}, false
}

// counters stands for the actors: it counts what they are told.
type counters struct {
	mu       sync.Mutex
	frames   int
	up, down int
}

func (c *counters) Frame(schema.FrameAdmitted) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.frames++
}

func (c *counters) DeviceConnected(schema.Source, time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.up++
}

func (c *counters) DeviceDisconnected(schema.DeviceID, time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.down++
}

// warehouse is a migrated ClickHouse database of the test's own.
func warehouse(t testing.TB) driver.Conn {
	t.Helper()
	db, err := store.Open(embeddedtest.NewClickHouseDatabase(t), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if err := db.Migrate(t.Context(), migrations.FS); err != nil {
		t.Fatal(err)
	}
	return db.Conn()
}

// scannerHouse is one running server, as far as devices see it.
type scannerHouse struct {
	url     string
	devices *live.Devices
	ingest  *ingest.Ingest
	journal *batch.Batch[schema.FrameAdmitted]
	actors  *counters
	reg     *prometheus.Registry
	http    *httptest.Server
	lines   *lines
	stopped sync.Once
}

// lines is a listener whose connections can be broken: the test server forgets
// those that became sockets.
type lines struct {
	net.Listener
	mu    sync.Mutex
	conns []net.Conn
}

func (l *lines) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err == nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.conns = append(l.conns, c)
	}
	return c, err
}

// cut breaks all connections.
func (l *lines) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.conns {
		_ = c.Close()
	}
	l.conns = nil
}

func newRegistry() *registry {
	source := schema.Source{Organisation: schema.OrganisationID{1}, Device: schema.DeviceID{2}, KeepDays: schema.KeepForever}
	return &registry{devices: map[string]ingest.Device{"good-token": {Source: source, Number: 42, Clock: ingest.ClockSource}}}
}

// startHouse starts a server in front of the warehouse. change may be nil; addr
// is "" or where to listen.
func startHouse(t testing.TB, conn driver.Conn, dir *registry, addr string, change func(*ingest.Config, *live.DevicesConfig)) *scannerHouse {
	t.Helper()
	h := &scannerHouse{actors: &counters{}, reg: prometheus.NewRegistry()}
	cfg := batch.DefaultConfig()
	cfg.MaxAge = 20 * time.Millisecond
	var err error
	s := sink.New(conn)
	if h.journal, err = batch.NewObservations(cfg, s); err != nil {
		t.Fatal(err)
	}
	ic := ingest.DefaultConfig()
	ic.Directory, ic.Stored, ic.Actors, ic.Journal, ic.Metrics = dir, s, h.actors, h.journal, ingest.NewMetrics(h.reg)
	dc := live.DefaultDevicesConfig()
	dc.Log, dc.Refuse = ic.Log, refuse
	if change != nil {
		change(&ic, &dc)
	}
	if h.ingest, err = ingest.New(ic); err != nil {
		t.Fatal(err)
	}
	dc.Ingest = h.ingest
	if h.devices, err = live.NewDevices(dc); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/v1/device/stream", h.devices.Stream)
	mux.HandleFunc("POST /api/v1/device/frames", h.devices.Frames)
	h.http = httptest.NewUnstartedServer(mux)
	_ = h.http.Listener.Close()
	listener, err := net.Listen("tcp", cmp.Or(addr, "127.0.0.1:0"))
	if err != nil {
		t.Fatal(err)
	}
	h.lines = &lines{Listener: listener}
	h.http.Listener = h.lines
	h.http.Start()
	h.url = h.http.URL
	t.Cleanup(func() { h.stop(t) })
	return h
}

func refuse(w http.ResponseWriter, _ *http.Request, err error) {
	status := map[schema.Kind]int{
		schema.Invalid: 400, schema.Unauthorized: 401, schema.TooLarge: 413, schema.TooMany: 429, schema.Unavailable: 503,
	}[schema.KindOf(err)]
	http.Error(w, err.Error(), max(status, 400))
}

// stop ends the server as a node does.
func (h *scannerHouse) stop(t testing.TB) {
	h.stopped.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := errors.Join(h.devices.Shutdown(ctx), h.ingest.Stop(ctx), h.journal.Stop(ctx)); err != nil {
			t.Error(err)
		}
		h.http.Close()
	})
}

// kill ends it as a crash does: connections break, nothing is told.
func (h *scannerHouse) kill() {
	h.stopped.Do(func() {
		over, cancel := context.WithCancel(context.Background())
		cancel()
		h.lines.cut()
		_ = h.devices.Shutdown(over)
		_ = h.ingest.Stop(context.Background())
		_ = h.journal.Stop(over)
		h.http.Close()
	})
}

func (h *scannerHouse) counter(t testing.TB, name string, label string) float64 {
	t.Helper()
	families, err := h.reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == name && (label == "" || strings.Contains(fmt.Sprint(m.GetLabel()), label)) {
				sum += m.GetCounter().GetValue()
			}
		}
	}
	return sum
}

func uplink(t testing.TB, url string, change func(*client.Config)) *client.Client {
	t.Helper()
	cfg := client.Config{URL: url, Token: "good-token", BootID: "boot-1", MinBackoff: time.Millisecond, MaxBackoff: 50 * time.Millisecond}
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

const replayBase = schema.EventTime(1_767_225_600_000)

// scanFrame is a deterministic frame of seq%7 observations.
func scanFrame(seq uint64) schema.Frame {
	f := schema.Frame{BootID: "boot-1", Seq: seq, SentAt: replayBase + schema.EventTime(seq*1000)}
	for i := range seq % 7 {
		f.Observations = append(f.Observations, schema.Observation{
			At: f.SentAt - schema.EventTime(i*100), Transmitter: schema.IBeacon([16]byte{7}, 1, uint16(i)), RSSI: schema.CentiDBm(-5000 - int(seq)),
		})
	}
	return f
}

func flush(t testing.TB, c *client.Client) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := c.Flush(ctx); err != nil {
		t.Fatalf("%v, with %+v", err, c.Stats())
	}
}

func query[T any](t testing.TB, conn driver.Conn, sql string) (v T) {
	t.Helper()
	if err := conn.QueryRow(t.Context(), sql).Scan(&v); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return v
}

func TestScannerToWarehouse(t *testing.T) {
	conn := warehouse(t)
	h := startHouse(t, conn, newRegistry(), "", nil)
	c := uplink(t, h.url, nil)
	sent := 0
	for seq := uint64(1); seq <= 500; seq++ {
		f := scanFrame(seq)
		sent += len(f.Observations)
		if err := c.Send(t.Context(), f); err != nil {
			t.Fatal(err)
		}
	}
	flush(t, c)
	frames, observations := c.Acked()
	if rows := query[uint64](t, conn, "SELECT count() FROM observations FINAL"); frames != 500 || observations != sent || rows != uint64(sent) {
		t.Errorf("%d frames and %d observations acked, %d rows; want 500, %d, %d", frames, observations, rows, sent, sent)
	}
	if offset, known := c.Offset(); !known || offset.Abs() > time.Second {
		t.Errorf("clock offset %v, known %v", offset, known)
	}
	if h.actors.frames != 500 {
		t.Errorf("the actors saw %d frames", h.actors.frames)
	}
}

// Refused observations are told before their frame is let go, so that the sender
// counts what is stored exactly.
func TestSenderCountsWhatIsStored(t *testing.T) {
	conn := warehouse(t)
	h := startHouse(t, conn, newRegistry(), "", nil)
	c := uplink(t, h.url, nil)
	for seq := uint64(1); seq <= 60; seq++ {
		f := scanFrame(seq)
		if len(f.Observations) > 2 {
			f.Observations[1].RSSI = wire.AirAbsent
		}
		if seq%10 == 0 {
			f.SentAt = 5
		}
		if err := c.Send(t.Context(), f); err != nil {
			t.Fatal(err)
		}
	}
	flush(t, c)
	s := c.Stats()
	rows := query[uint64](t, conn, "SELECT count() FROM observations FINAL")
	if s.FramesAcked != 60 || uint64(s.ObservationsAcked) != rows || s.ObservationsAcked+s.ObservationsRejected != s.ObservationsSent || s.ObservationsRejected == 0 {
		t.Errorf("%+v, %d rows", s, rows)
	}
}

// R9: each frame three times, out of order, over reconnects and server restarts:
// the warehouse holds exactly what was sent.
func TestWarehouseHoldsExactlyWhatWasSent(t *testing.T) {
	conn, dir := warehouse(t), newRegistry()
	const frames = 400
	rng := rand.New(rand.NewPCG(1, 2))
	var script []uint64
	for seq := uint64(1); seq <= frames; seq++ {
		script = append(script, seq, seq, seq)
	}
	rng.Shuffle(len(script), func(i, j int) { script[i], script[j] = script[j], script[i] })

	h := startHouse(t, conn, dir, "", nil)
	addr := strings.TrimPrefix(h.url, "http://")
	acks := make(chan struct{}, 1)
	c := uplink(t, h.url, func(c *client.Config) {
		c.OnAck = func(string, uint64, uint64) {
			select {
			case acks <- struct{}{}:
			default:
			}
		}
	})
	broken := false
	for i, seq := range script {
		if err := c.Send(t.Context(), scanFrame(seq)); err != nil {
			t.Fatal(err)
		}
		if broken { // go on when the line is there again
			waitAck(t, acks)
		}
		broken = i%300 == 299 || i%97 == 96
		switch {
		case i%300 == 299: // the server is killed and comes back
			h.kill()
			h = startHouse(t, conn, dir, addr, nil)
		case i%97 == 96: // the line breaks
			h.lines.cut()
		}
		if broken {
			select {
			case <-acks: // of before
			default:
			}
		}
	}
	flush(t, c)
	want := 0
	sum := int64(0)
	for seq := uint64(1); seq <= frames; seq++ {
		for _, o := range scanFrame(seq).Observations {
			want++
			sum += int64(o.RSSI) * int64(seq)
		}
	}
	rows := query[uint64](t, conn, "SELECT count() FROM observations FINAL")
	got := query[int64](t, conn, "SELECT sum(toInt64(rssi_cdbm) * toInt64(seq)) FROM observations FINAL")
	if rows != uint64(want) || got != sum {
		t.Errorf("%d rows with sum %d, want %d and %d", rows, got, want, sum)
	}
	if n := c.Stats().Connects; n < 10 {
		t.Errorf("%d connections: the line was meant to break more often", n)
	}
}

func waitAck(t testing.TB, acks <-chan struct{}) {
	t.Helper()
	select {
	case <-acks:
	case <-time.After(20 * time.Second):
		t.Fatal("no ack")
	}
}

// What was sent and not acknowledged when the server stops is told before the
// socket closes.
func TestShutdownTellsWhatIsStored(t *testing.T) {
	conn := warehouse(t)
	h := startHouse(t, conn, newRegistry(), "", func(_ *ingest.Config, d *live.DevicesConfig) { d.AckEvery = time.Hour })
	ws := dialDevice(t, h.url, "good-token")
	hello(t, ws)
	enc := wire.NewEncoder()
	write(t, ws, wire.AppendFramesMessage(nil, enc.AppendFrame(nil, scanFrame(1)), enc.AppendFrame(nil, scanFrame(2))))
	write(t, ws, marshal(t, &wirepb.ToEngine{Body: &wirepb.ToEngine_Ping{Ping: &wirepb.Ping{Id: 9}}}))
	if p := receive(t, ws).GetPong(); p.GetId() != 9 { // so the frames were read
		t.Fatalf("got %v, want a pong", p)
	}
	go h.stop(t)
	want := &wirepb.Range{BootId: "boot-1", From: 1, To: 2}
	if got := receive(t, ws).GetAck().GetRanges(); len(got) != 1 || !proto.Equal(got[0], want) {
		t.Errorf("acks %v, want %v", got, want)
	}
	code, reason := closing(t, ws)
	if code != websocket.StatusServiceRestart || !strings.HasPrefix(reason, "retry_ms=") {
		t.Errorf("closed with %d %q", code, reason)
	}
}

func dialDevice(t testing.TB, url, token string) *websocket.Conn {
	t.Helper()
	ws, _, err := websocket.Dial(t.Context(), url+"/api/v1/device/stream", &websocket.DialOptions{
		HTTPHeader: http.Header{"Authorization": {"Bearer " + token}}, Subprotocols: []string{wire.Subprotocol},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ws.CloseNow() })
	return ws
}

func marshal(t testing.TB, m proto.Message) []byte {
	t.Helper()
	b, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func write(t testing.TB, ws *websocket.Conn, b []byte) {
	t.Helper()
	if err := ws.Write(t.Context(), websocket.MessageBinary, b); err != nil {
		t.Fatal(err)
	}
}

func receive(t testing.TB, ws *websocket.Conn) *wirepb.ToDevice {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	_, b, err := ws.Read(ctx)
	if err != nil {
		t.Fatal(err)
	}
	m := new(wirepb.ToDevice)
	if err := proto.Unmarshal(b, m); err != nil {
		t.Fatal(err)
	}
	return m
}

// closing reads to the end and returns how the server closed.
func closing(t testing.TB, ws *websocket.Conn) (websocket.StatusCode, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for {
		if _, _, err := ws.Read(ctx); err != nil {
			var ce websocket.CloseError
			errors.As(err, &ce)
			return websocket.CloseStatus(err), ce.Reason
		}
	}
}

func hello(t testing.TB, ws *websocket.Conn) *wirepb.Welcome {
	t.Helper()
	write(t, ws, marshal(t, &wirepb.ToEngine{Body: &wirepb.ToEngine_Hello{Hello: &wirepb.Hello{Protocol: 1, BootId: "boot-1"}}}))
	w := receive(t, ws).GetWelcome()
	if w == nil {
		t.Fatal("no welcome")
	}
	return w
}

func TestWelcome(t *testing.T) {
	h := startHouse(t, warehouse(t), newRegistry(), "", nil)
	w := hello(t, dialDevice(t, h.url, "good-token"))
	if w.Protocol != 1 || w.DeviceNumber != 42 || w.Credit.Frames == 0 || w.Credit.Bytes == 0 || time.Since(time.UnixMilli(w.NowMs)).Abs() > time.Minute {
		t.Errorf("welcome %v", w)
	}
}

func TestStreamRefusals(t *testing.T) {
	h := startHouse(t, warehouse(t), newRegistry(), "", func(_ *ingest.Config, d *live.DevicesConfig) { d.MaxSockets = 1 })
	f := func(name string, header http.Header, protocols []string, want int) {
		t.Helper()
		_, resp, err := websocket.Dial(t.Context(), h.url+"/api/v1/device/stream", &websocket.DialOptions{HTTPHeader: header, Subprotocols: protocols})
		if err == nil || resp == nil || resp.StatusCode != want {
			t.Errorf("%s: %v, %v, want %d", name, resp, err, want)
		}
	}
	bearer := http.Header{"Authorization": {"Bearer good-token"}}
	f("no token", nil, []string{wire.Subprotocol}, 401)
	f("another scheme", http.Header{"Authorization": {"Basic good-token"}}, []string{wire.Subprotocol}, 401)
	f("a stranger", http.Header{"Authorization": {"Bearer bad-token"}}, []string{wire.Subprotocol}, 401)
	f("a huge token", http.Header{"Authorization": {"Bearer " + strings.Repeat("a", 600)}}, []string{wire.Subprotocol}, 401)
	f("no protocol", bearer, nil, 400)
	f("another protocol", bearer, []string{"mybeacon.v1+json"}, 400)
	f("a foreign page", http.Header{"Authorization": {"Bearer good-token"}, "Origin": {"https://evil.example"}}, []string{wire.Subprotocol}, 403)
	hello(t, dialDevice(t, h.url, "good-token"))
	f("one socket too many", bearer, []string{wire.Subprotocol}, 503)
}

func TestStreamCloseCodes(t *testing.T) {
	conn := warehouse(t)
	f := func(name string, change func(*live.DevicesConfig), act func(*testing.T, *scannerHouse, *registry, *websocket.Conn), want websocket.StatusCode) {
		t.Run(name, func(t *testing.T) {
			dir := newRegistry()
			h := startHouse(t, conn, dir, "", func(_ *ingest.Config, d *live.DevicesConfig) {
				if change != nil {
					change(d)
				}
			})
			ws := dialDevice(t, h.url, "good-token")
			act(t, h, dir, ws)
			if code, reason := closing(t, ws); code != want {
				t.Errorf("closed with %d %q, want %d", code, reason, want)
			}
		})
	}
	frames := wire.AppendFramesMessage(nil, wire.NewEncoder().AppendFrame(nil, scanFrame(1)))
	f("frames before hello", nil, func(t *testing.T, _ *scannerHouse, _ *registry, ws *websocket.Conn) { write(t, ws, frames) }, wire.CloseProtocol)
	f("an old protocol", nil, func(t *testing.T, _ *scannerHouse, _ *registry, ws *websocket.Conn) {
		write(t, ws, marshal(t, &wirepb.ToEngine{Body: &wirepb.ToEngine_Hello{Hello: &wirepb.Hello{}}}))
	}, wire.CloseProtocol)
	f("noise without end", nil, func(t *testing.T, _ *scannerHouse, _ *registry, ws *websocket.Conn) {
		hello(t, ws)
		for range 17 {
			write(t, ws, []byte("noise"))
		}
	}, wire.CloseProtocol)
	f("silence", func(d *live.DevicesConfig) { d.Silence = 50 * time.Millisecond }, func(t *testing.T, _ *scannerHouse, _ *registry, ws *websocket.Conn) { hello(t, ws) }, wire.CloseSilent)
	f("a newer connection", nil, func(t *testing.T, h *scannerHouse, _ *registry, ws *websocket.Conn) {
		hello(t, ws)
		hello(t, dialDevice(t, h.url, "good-token"))
	}, wire.CloseDisplaced)
	f("the token is taken back", func(d *live.DevicesConfig) { d.RenewEvery = 20 * time.Millisecond }, func(t *testing.T, _ *scannerHouse, dir *registry, ws *websocket.Conn) {
		hello(t, ws)
		dir.mu.Lock()
		defer dir.mu.Unlock()
		clear(dir.devices)
	}, wire.CloseUnauthorized)
}

// A bad message is refused with its number and loses nothing else.
func TestBadMessagesLoseNothingElse(t *testing.T) {
	conn := warehouse(t)
	h := startHouse(t, conn, newRegistry(), "", nil)
	ws := dialDevice(t, h.url, "good-token")
	hello(t, ws)
	enc := wire.NewEncoder()
	good := func(seq uint64) []byte { return enc.AppendFrame(nil, scanFrame(seq)) }
	foreign := marshal(t, &wirepb.Frame{BootId: "boot-1", Seq: 3, SentAtMs: int64(replayBase), Device: make([]byte, 16)})
	write(t, ws, wire.AppendFramesMessage(nil, good(1)))
	write(t, ws, []byte{0xff, 0xff})
	write(t, ws, make([]byte, 2<<20))
	if err := ws.Write(t.Context(), websocket.MessageText, []byte(`{"frames":[]}`)); err != nil {
		t.Fatal(err)
	}
	write(t, ws, wire.AppendFramesMessage(nil, good(2), foreign, good(4)))
	var codes []uint32
	var acked wire.SeqSet
	for acked.Count() < 4 {
		m := receive(t, ws)
		for _, r := range m.GetRejected().GetItems() {
			codes = append(codes, r.Code)
			if r.Reason == "" || r.Index != wire.WholeFrame {
				t.Errorf("rejection %v", r)
			}
		}
		for _, r := range m.GetAck().GetRanges() {
			acked.Add(wire.SeqRange{From: r.From, To: r.To})
		}
	}
	if diff := gocmp.Diff([]uint32{100, 101, 100, 208}, codes); diff != "" {
		t.Error(diff)
	}
	if rows := query[uint64](t, conn, "SELECT count() FROM observations FINAL"); rows != 1+2+4 {
		t.Errorf("%d rows, want 7", rows)
	}
	if n := h.counter(t, "mybeacon_bad_frames_total", "message_malformed"); n != 2 {
		t.Errorf("%v malformed messages counted, want 2", n)
	}
}

func post(t testing.TB, url string, body []byte, headers ...string) (*http.Response, []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/api/v1/device/frames", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer good-token")
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, b
}

func zip(t testing.TB, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	if _, err := z.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

const postBody = `{"frames":[
 {"boot_id":"p","seq":1,"sent_at":"2026-01-31T12:00:00.250Z","observations":[
  {"at":"2026-01-31T12:00:00Z","tag":{"uuid":"01020304-0506-0708-090a-0b0c0d0e0f10","major":1,"minor":2},"rssi_dbm":-61.5},
  {"tag":{"mac":"aa:bb:cc:dd:ee:ff"},"rssi_dbm":127},
  {"tag":{"mac":"aa:bb:cc:dd:ee:ff"},"rssi_dbm":-70}]},
 {"boot_id":"p","seq":3,"sent_at":"2026-01-31T12:00:01Z"},
 {"boot_id":"p","seq":5,"device_id":"00000000-0000-0000-0000-000000000001"}]}`

func TestPostJSON(t *testing.T) {
	conn := warehouse(t)
	h := startHouse(t, conn, newRegistry(), "", nil)
	for range 2 { // the second time nothing is added
		resp, b := post(t, h.url, zip(t, []byte(postBody)), "Content-Encoding", "gzip")
		var got struct {
			Ack      []struct{ From, To int }
			Now      time.Time
			Rejected []struct{ Seq, Index, Code int }
		}
		if err := json.Unmarshal(b, &got); err != nil || resp.StatusCode != 200 {
			t.Fatalf("%d %s: %v", resp.StatusCode, b, err)
		}
		if want := []struct{ From, To int }{{1, 1}, {3, 3}, {5, 5}}; !gocmp.Equal(got.Ack, want) {
			t.Errorf("ack %v, want %v", got.Ack, want)
		}
		if time.Since(got.Now).Abs() > time.Minute {
			t.Errorf("now is %v", got.Now)
		}
	}
	got := query[string](t, conn, `SELECT arrayStringConcat(groupArray(concat(toString(idx), ' ', toString(at), ' ', transmitter, ' ', toString(rssi_cdbm))), '; ') FROM (SELECT * FROM observations FINAL ORDER BY idx)`)
	want := "0 2026-01-31 12:00:00.000 ibeacon:01020304-0506-0708-090a-0b0c0d0e0f10/1/2 -6150; 2 2026-01-31 12:00:00.250 mac:aa:bb:cc:dd:ee:ff -7000"
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestPostRejections(t *testing.T) {
	h := startHouse(t, warehouse(t), newRegistry(), "", nil)
	_, b := post(t, h.url, []byte(postBody))
	var got struct {
		Rejected []struct {
			BootID string `json:"boot_id"`
			Seq    int
			Index  int
			Code   int
			Reason string
		}
	}
	if err := json.Unmarshal(b, &got); err != nil || len(got.Rejected) != 2 {
		t.Fatalf("%s: %v", b, err)
	}
	if r := got.Rejected[0]; r.Seq != 5 || r.Index != -1 || r.Code != 208 || r.BootID != "p" {
		t.Errorf("first rejection %+v", r)
	}
	if r := got.Rejected[1]; r.Seq != 1 || r.Index != 1 || r.Code != 302 || !strings.HasPrefix(r.Reason, "rssi_absent: ") {
		t.Errorf("second rejection %+v", r)
	}
}

func TestPostProtobuf(t *testing.T) {
	conn := warehouse(t)
	h := startHouse(t, conn, newRegistry(), "", nil)
	enc := wire.NewEncoder()
	body := wire.AppendFrames(nil, enc.AppendFrame(nil, scanFrame(5)), enc.AppendFrame(nil, scanFrame(6)))
	resp, b := post(t, h.url, body, "Content-Type", "application/x-protobuf")
	var answer wirepb.FramesAnswer
	if err := proto.Unmarshal(b, &answer); err != nil || resp.StatusCode != 200 || len(answer.Ack) != 1 || answer.Ack[0].From != 5 || answer.Ack[0].To != 6 {
		t.Errorf("%d %v %v", resp.StatusCode, &answer, err)
	}
	if rows := query[uint64](t, conn, "SELECT count() FROM observations FINAL"); rows != 11 {
		t.Errorf("%d rows, want 11", rows)
	}
}

func TestPostRefusals(t *testing.T) {
	h := startHouse(t, warehouse(t), newRegistry(), "", func(c *ingest.Config, _ *live.DevicesConfig) { c.MaxRequests = 1 })
	f := func(name string, body []byte, status int, headers ...string) {
		t.Helper()
		resp, b := post(t, h.url, body, headers...)
		if resp.StatusCode != status {
			t.Errorf("%s: %d %s, want %d", name, resp.StatusCode, b, status)
		}
	}
	f("a stranger", []byte(postBody), 401, "Authorization", "Bearer bad")
	f("no token", []byte(postBody), 401, "Authorization", "")
	f("no JSON", []byte("{"), 400)
	f("XML", []byte("<x/>"), 400, "Content-Type", "text/xml")
	f("deep", []byte(`{"frames":`+strings.Repeat("[", 100_000)), 400)
	f("brotli", []byte(postBody), 400, "Content-Encoding", "br")
	f("no gzip", []byte(postBody), 400, "Content-Encoding", "gzip")
	f("two megabytes", make([]byte, 2<<20), 413)
	f("a bomb", zip(t, make([]byte, 16<<20)), 413, "Content-Encoding", "gzip")
	f("and then a good one", []byte(postBody), 200)
	for _, reason := range []string{"message_too_deep", "message_too_large", "compression_bomb"} {
		if n := h.counter(t, "mybeacon_bad_frames_total", reason); n != 1 {
			t.Errorf("%s counted %v times", reason, n)
		}
	}
}

// away is a warehouse that does not answer.
type away struct{}

func (away) StoredSeqs(ctx context.Context, _ schema.Source, _ string, _ schema.EventTime) ([]wire.SeqRange, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// A POST answers in time what is acknowledged by then: nothing, while the
// warehouse is away.
func TestPostDoesNotWaitForEver(t *testing.T) {
	h := startHouse(t, warehouse(t), newRegistry(), "", func(c *ingest.Config, d *live.DevicesConfig) {
		c.Stored = away{}
		d.PostWait = 100 * time.Millisecond
	})
	resp, b := post(t, h.url, []byte(postBody))
	if want := `"ack":[{"boot_id":"p","from":3,"to":3},{"boot_id":"p","from":5,"to":5}]`; resp.StatusCode != 200 || !strings.Contains(string(b), want) {
		t.Errorf("%d %s, want %s", resp.StatusCode, b, want)
	}
}

func TestDevicesConfig(t *testing.T) {
	if _, err := live.NewDevices(live.DefaultDevicesConfig()); err == nil {
		t.Error("a configuration without an ingest was accepted")
	}
}
