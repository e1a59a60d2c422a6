package live_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	hub "mybeacon/engine/live"
	"mybeacon/http/live"
	"mybeacon/schema"
)

// narrow bounds what the kernel holds for a peer that does not read, so that it is
// noticed at once and not after megabytes.
type narrow struct{ net.Listener }

func (n narrow) Accept() (net.Conn, error) {
	c, err := n.Listener.Accept()
	if err == nil {
		err = c.(*net.TCPConn).SetWriteBuffer(16 << 10)
	}
	return c, err
}

// audience is a crowd of watchers over real connections.
type audience struct {
	url string

	mu  sync.Mutex
	lag []time.Duration // of every tag in every delta
}

func (a *audience) dial(t *testing.T, readBuffer int) *websocket.Conn {
	t.Helper()
	transport := &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := (&net.Dialer{}).DialContext(ctx, network, address)
		if err == nil && readBuffer > 0 {
			err = c.(*net.TCPConn).SetReadBuffer(readBuffer)
		}
		return c, err
	}}
	c, _, err := websocket.Dial(t.Context(), a.url, &websocket.DialOptions{
		HTTPClient: &http.Client{Transport: transport}, Subprotocols: []string{live.MapProtocol}, HTTPHeader: http.Header{"Authorization": {"Bearer good"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	c.SetReadLimit(1 << 20)
	if err := c.Write(t.Context(), websocket.MessageText, fmt.Appendf(nil, `{"sub":{"location":%q,"rate_ms":100}}`, shop)); err != nil {
		t.Fatal(err)
	}
	return c
}

// listen reads and notes how old the news is.
func (a *audience) listen(ctx context.Context, c *websocket.Conn) {
	for {
		_, text, err := c.Read(ctx)
		if err != nil {
			return
		}
		now := time.Now()
		var m struct {
			Type string
			Tags []struct{ At time.Time }
		}
		if json.Unmarshal(text, &m) != nil || m.Type != hub.TypeDelta {
			continue
		}
		a.mu.Lock()
		for _, tag := range m.Tags {
			a.lag = append(a.lag, now.Sub(tag.At))
		}
		a.mu.Unlock()
	}
}

// p99 returns the lag that 99 of 100 tags did not exceed since it was last asked.
func (a *audience) p99() time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	slices.Sort(a.lag)
	p := a.lag[len(a.lag)*99/100]
	a.lag = a.lag[:0]
	return p
}

// R12, scaled: of two hundred watchers twenty stop reading. They are cut within
// the time of a write, the others do not notice, and none costs more than 256 KiB.
func TestCrowdWithStalledWatchers(t *testing.T) {
	const good, stalled, tags = 180, 20, 100
	f := newFixture(t, func(c *live.MapsConfig) { c.MaxSockets, c.MaxPerViewer = good+stalled, good+stalled })
	server := httptest.NewUnstartedServer(f.maps)
	server.Listener = narrow{server.Listener}
	server.Start()
	defer server.Close()
	a := &audience{url: server.URL}

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var all sync.WaitGroup
	defer all.Wait()
	defer cancel()
	all.Go(func() { f.walk(ctx, tags) })
	before := held()
	conns := make([]*websocket.Conn, 0, good+stalled)
	defer func() {
		for _, c := range conns {
			_ = c.CloseNow()
		}
	}()
	for range good {
		c := a.dial(t, 0)
		conns = append(conns, c)
		all.Go(func() { a.listen(ctx, c) })
	}
	const period = 3 * time.Second
	wait(t, period)
	a.p99() // of the time when the crowd came
	wait(t, period)
	calm := a.p99()
	for range stalled {
		conns = append(conns, a.dial(t, 4<<10)) // reads nothing
	}
	wait(t, period)
	disturbed := a.p99()
	each := (int64(held()) - int64(before)) / (good + stalled)
	if each > 256<<10 {
		t.Errorf("%d KiB a socket", each>>10)
	}
	limit := time.After(20 * time.Second)
	for f.maps.Stats().CutSlow != stalled {
		select {
		case <-time.After(20 * time.Millisecond):
		case <-limit:
			t.Fatalf("%+v: %d do not read", f.maps.Stats(), stalled)
		}
	}
	if s := f.maps.Stats(); s.Open != good {
		t.Errorf("%d sockets are open, want %d", s.Open, good)
	}
	a.p99()
	wait(t, period)
	after := a.p99()
	t.Logf("99 %% of the news within %v, with stalled watchers %v, after them %v; %d bytes a socket with its client", calm, disturbed, after, each)
	// Whatever else the machine does at the time counts with and without them.
	if limit := 2*max(calm, after) + 250*time.Millisecond; disturbed > limit {
		t.Errorf("the others waited %v with the stalled ones, %v without", disturbed, max(calm, after))
	}
}

func wait(t *testing.T, d time.Duration) {
	t.Helper()
	select {
	case <-time.After(d):
	case <-t.Context().Done():
	}
}

// walk moves the tags, each twice a second.
func (f *fixture) walk(ctx context.Context, tags int) {
	tick := time.NewTicker(time.Second / time.Duration(2*tags))
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			f.hub.TagMoved(schema.TagMoved{Fix: schema.Fix{
				Location: shop, Tag: schema.TagID{9, byte(n % tags)}, X: float64(n % 50), At: schema.EventTimeOf(now), Rev: uint64(n),
			}})
		}
	}
}
