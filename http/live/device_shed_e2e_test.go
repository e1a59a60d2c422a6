package live_test

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"mybeacon/engine/ingest"
	"mybeacon/http/live"
	"mybeacon/schema/wire"
	"mybeacon/schema/wire/wirepb"
)

// stalling is a journal that says that nothing is stored, when it is told to.
type stalling struct {
	ingest.Journal
	mu  sync.Mutex
	err error
}

func (s *stalling) Stalled() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

func (s *stalling) set(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
}

// While storage takes nothing a socket has credit without a bound worth the name,
// one that connects meanwhile too, and nothing is acknowledged. A POST is 503.
// Afterwards the sockets are closed, to send again soon, and all is stored once.
func TestDevicesWhileStorageTakesNothing(t *testing.T) {
	conn, journal := warehouse(t), &stalling{}
	h := startHouse(t, conn, newRegistry(), "", func(c *ingest.Config, _ *live.DevicesConfig) {
		journal.Journal, c.Journal = c.Journal, journal
	})
	ws := dialDevice(t, h.url, "good-token")
	if credit := hello(t, ws).GetCredit(); credit.GetFrames() != 256 {
		t.Errorf("credit %v", credit)
	}
	journal.set(errors.New("no space left on device"))
	const wide = 1 << 30
	for m := receive(t, ws); m.GetCredit().GetFrames() != wide || m.GetCredit().GetBytes() != wide; m = receive(t, ws) {
		if m.GetAck() == nil || len(m.GetAck().GetRanges()) > 0 {
			t.Fatalf("got %v, want a credit", m)
		}
	}
	_ = ws.CloseNow()
	ws = dialDevice(t, h.url, "good-token")
	if credit := hello(t, ws).GetCredit(); credit.GetFrames() != wide {
		t.Errorf("credit of who comes meanwhile: %v", credit)
	}
	enc := wire.NewEncoder()
	const frames = 600
	for seq := uint64(1); seq <= frames; seq++ {
		write(t, ws, wire.AppendFramesMessage(nil, enc.AppendFrame(nil, scanFrame(7*seq+1)))) // one observation
	}
	write(t, ws, marshal(t, &wirepb.ToEngine{Body: &wirepb.ToEngine_Ping{Ping: &wirepb.Ping{Id: 9}}}))
	for m := receive(t, ws); m.GetPong().GetId() != 9; m = receive(t, ws) {
		if len(m.GetAck().GetRanges()) > 0 {
			t.Fatalf("acknowledged: %v", m)
		}
	}
	if n := h.counter(t, "mybeacon_ingest_shed_frames_total", ""); n != frames {
		t.Errorf("%v frames shed, want %d", n, frames)
	}
	if status, b := post(t, h.url, []byte(postBody)); status != http.StatusServiceUnavailable {
		t.Errorf("a POST: %d %s", status, b)
	}

	journal.set(nil)
	began := time.Now()
	code, reason := closing(t, ws)
	wait, err := strconv.Atoi(strings.TrimPrefix(reason, "retry_ms="))
	if took := time.Since(began); code != websocket.StatusServiceRestart || err != nil || wait > 1000 || took > 5*time.Second {
		t.Errorf("after %v closed with %d %q", took, code, reason)
	}
	c := uplink(t, h.url, nil)
	for seq := uint64(1); seq <= frames; seq++ {
		if err := c.Send(t.Context(), scanFrame(7*seq+1)); err != nil {
			t.Fatal(err)
		}
	}
	flush(t, c)
	if rows := query[uint64](t, conn, "SELECT count() FROM observations"); rows != frames {
		t.Errorf("%d rows, want %d", rows, frames)
	}
}
