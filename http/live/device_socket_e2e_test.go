package live_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	gocmp "github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	"mybeacon/engine/ingest"
	"mybeacon/http/live"
	"mybeacon/schema/wire"
	"mybeacon/schema/wire/wirepb"
)

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
	ws, _, err := websocket.Dial(t.Context(), url+"/api/v1/device/stream", &websocket.DialOptions{ // the library closes it
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
		options := &websocket.DialOptions{HTTPHeader: header, Subprotocols: protocols}
		_, resp, err := websocket.Dial(t.Context(), h.url+"/api/v1/device/stream", options) // the library closes it
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
	f("the token is taken back", nil, func(t *testing.T, _ *scannerHouse, dir *registry, ws *websocket.Conn) {
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

// A device that is cut for sending rubbish has heard of each refusal before.
func TestRefusalsAreToldBeforeTheCut(t *testing.T) {
	h := startHouse(t, warehouse(t), newRegistry(), "", nil)
	ws := dialDevice(t, h.url, "good-token")
	hello(t, ws)
	const faults = 17
	for range faults {
		write(t, ws, []byte{0xff})
	}
	told := 0
	for told < faults {
		_, b, err := ws.Read(t.Context())
		if err != nil {
			t.Fatalf("told of %d of %d refusals: %v", told, faults, err)
		}
		var m wirepb.ToDevice
		if err := proto.Unmarshal(b, &m); err != nil {
			t.Fatal(err)
		}
		told += len(m.GetRejected().GetItems())
	}
	if code, _ := closing(t, ws); code != wire.CloseProtocol {
		t.Errorf("closed with %d", code)
	}
}
