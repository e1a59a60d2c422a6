package live_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/prometheus/client_golang/prometheus"

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
		if d.Device == id {
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

// R9: each frame three times, out of order and of two starts of the scanner, over
// reconnects and server restarts: the warehouse holds exactly what was sent,
// whatever the order.
func TestWarehouseHoldsExactlyWhatWasSent(t *testing.T) {
	for range 3 {
		seed := rand.Uint64()
		t.Run(fmt.Sprint(seed), func(t *testing.T) { testWarehouseHolds(t, rand.New(rand.NewPCG(seed, 2))) })
	}
}

func testWarehouseHolds(t *testing.T, rng *rand.Rand) {
	conn, dir := warehouse(t), newRegistry()
	const frames = 200 // of each start
	type id struct {
		boot string
		seq  uint64
	}
	var script []id
	for seq := uint64(1); seq <= frames; seq++ {
		for range 3 {
			script = append(script, id{"boot-1", seq}, id{"boot-2", seq})
		}
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
	for i, next := range script {
		f := scanFrame(next.seq)
		f.BootID = next.boot
		if err := c.Send(t.Context(), f); err != nil {
			t.Fatal(err)
		}
		if broken { // go on when the line is there again
			waitAck(t, acks)
		}
		kill, cut := rng.IntN(300) == 0 || i == 500, rng.IntN(100) == 0 || i%250 == 249
		broken = kill || cut
		switch {
		case kill: // the server is killed and comes back
			h.kill()
			h = startHouse(t, conn, dir, addr, nil)
		case cut: // the line breaks
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
			want += 2
			sum += 2 * int64(o.RSSI) * int64(seq)
		}
	}
	rows := query[uint64](t, conn, "SELECT count() FROM observations FINAL")
	got := query[int64](t, conn, "SELECT sum(toInt64(rssi_cdbm) * toInt64(seq)) FROM observations FINAL")
	if rows != uint64(want) || got != sum {
		t.Errorf("%d rows with sum %d, want %d and %d", rows, got, want, sum)
	}
	if n := c.Stats().Connects; n < 4 {
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
