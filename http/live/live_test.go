package live_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	hub "mybeacon/engine/live"
	"mybeacon/http/live"
	"mybeacon/schema"
)

var (
	shop    = schema.DeriveID[schema.LocationID]([]byte("shop"))
	foreign = schema.DeriveID[schema.LocationID]([]byte("foreign"))
	maria   = schema.DeriveID[schema.TagID]([]byte("maria"))
)

type names struct{}

func (names) TagInfo(id schema.TagID) (schema.Tag, bool) {
	return schema.Tag{ID: id, Name: "Maria", Type: "person"}, true
}

func (names) ZoneName(schema.ZoneID) (string, bool) { return "Kitchen", true }

// door is a small set of callers: the bearer tokens "good" and, nameless, "guest", the
// cookie "good" and one ticket. revoked ends the rights of all.
type door struct {
	tickets atomic.Int32
	revoked atomic.Pointer[schema.Error]
}

func (d *door) Viewer(r *http.Request) (live.Viewer, error) {
	v := live.Viewer{Key: "ann", MayWatch: d.mayWatch, MayLook: d.mayWatch}
	if c, err := r.Cookie("mybeacon_session"); err == nil && c.Value == "good" {
		v.ByCookie = true
		return v, nil
	}
	if r.Header.Get("Authorization") == "Bearer good" {
		return v, nil
	}
	if r.Header.Get("Authorization") == "Bearer guest" {
		v.Key, v.Nameless = "guest", true
		return v, nil
	}
	if r.URL.Query().Get("ticket") == "good" && d.tickets.Add(-1) >= 0 {
		return v, nil
	}
	return live.Viewer{}, schema.Errorf(schema.Unauthorized, "", "not logged in")
}

func (d *door) mayWatch(_ context.Context, location schema.LocationID) error {
	if location != shop {
		return schema.Errorf(schema.NotFound, "", "there is no such location")
	}
	if e := d.revoked.Load(); e != nil {
		return e
	}
	return nil
}

type fixture struct {
	door   *door
	hub    *hub.Hub
	maps   *live.Maps
	dial   func(ctx context.Context, url string, o *websocket.DialOptions) (*websocket.Conn, *http.Response, error)
	refuse atomic.Int64
}

// pipes is a network of net.Pipe connections, which virtual time understands.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { p.once.Do(func() { close(p.done) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80} }

func (p *pipes) DialContext(context.Context, string, string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case p.conns <- server:
		return client, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func newFixture(t *testing.T, change func(*live.MapsConfig)) *fixture {
	t.Helper()
	f := &fixture{door: &door{}}
	cfg := hub.DefaultConfig()
	cfg.Names = names{}
	var err error
	if f.hub, err = hub.New(cfg); err != nil {
		t.Fatal(err)
	}
	mc := live.DefaultMapsConfig()
	mc.Log, mc.Hub, mc.Viewers = slog.New(slog.DiscardHandler), f.hub, f.door
	mc.Refuse = func(w http.ResponseWriter, _ *http.Request, err error) {
		f.refuse.Add(1)
		status := map[schema.Kind]int{schema.Forbidden: 403, schema.Invalid: 400, schema.Unauthorized: 401, schema.NotFound: 404, schema.Unavailable: 503}[schema.KindOf(err)]
		http.Error(w, err.Error(), status)
	}
	if change != nil {
		change(&mc)
	}
	if f.maps, err = live.NewMaps(mc); err != nil {
		t.Fatal(err)
	}
	network := &pipes{conns: make(chan net.Conn), done: make(chan struct{})}
	server := &http.Server{Handler: f.maps, ReadHeaderTimeout: time.Minute}
	served := make(chan error)
	go func() { served <- server.Serve(network) }()
	transport := &http.Transport{DialContext: network.DialContext}
	f.dial = func(ctx context.Context, url string, o *websocket.DialOptions) (*websocket.Conn, *http.Response, error) {
		if o == nil {
			o = &websocket.DialOptions{HTTPHeader: http.Header{"Authorization": {"Bearer good"}}}
		}
		o.HTTPClient = &http.Client{Transport: transport}
		if o.Subprotocols == nil {
			o.Subprotocols = []string{live.MapProtocol}
		}
		return websocket.Dial(ctx, "ws://mybeacon.test"+url, o)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := f.maps.Shutdown(ctx); err != nil {
			t.Errorf("shutdown: %v", err)
		}
		f.hub.Close()
		transport.CloseIdleConnections()
		_ = server.Close()
		<-served
	})
	return f
}

// open opens a socket that watches the shop.
func (f *fixture) open(t *testing.T) *websocket.Conn {
	t.Helper()
	c := f.connect(t, nil)
	f.send(t, c, fmt.Sprintf(`{"sub":{"location":%q}}`, shop))
	return c
}

func (f *fixture) connect(t *testing.T, o *websocket.DialOptions) *websocket.Conn {
	t.Helper()
	c, _, err := f.dial(t.Context(), "/", o)
	if err != nil {
		t.Fatal(err)
	}
	c.SetReadLimit(1 << 20)
	t.Cleanup(func() { _ = c.CloseNow() })
	return c
}

func (f *fixture) send(t *testing.T, c *websocket.Conn, text string) {
	t.Helper()
	if err := c.Write(t.Context(), websocket.MessageText, []byte(text)); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, c *websocket.Conn) hub.Message {
	t.Helper()
	_, text, err := c.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var m hub.Message
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return m
}

// closeCode reads until the socket ends.
func closeCode(t *testing.T, c *websocket.Conn) (websocket.StatusCode, string) {
	t.Helper()
	for {
		if _, _, err := c.Read(t.Context()); err != nil {
			var ce websocket.CloseError
			errors.As(err, &ce)
			return ce.Code, ce.Reason
		}
	}
}

func moved(x float64) schema.TagMoved {
	return schema.TagMoved{Fix: schema.Fix{Location: shop, Tag: maria, X: x, At: schema.EventTimeOf(time.Now()), Rev: uint64(x)}}
}

func TestMapSnapshotThenDeltas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		f.hub.TagMoved(moved(1))
		c := f.open(t)
		if m := read(t, c); m.Type != hub.TypeSnapshot || len(m.Tags) != 1 || m.Tags[0].Name != "Maria" || m.Tags[0].X != 1 {
			t.Fatalf("first message: %+v", m)
		}
		f.hub.TagMoved(moved(2))
		if m := read(t, c); m.Type != hub.TypeDelta || m.Tags[0].X != 2 {
			t.Fatalf("second message: %+v", m)
		}
		if s := f.maps.Stats(); s.Open != 1 {
			t.Errorf("%+v", s)
		}
		if err := c.Close(websocket.StatusNormalClosure, ""); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if s := f.maps.Stats(); s.Open != 0 || f.hub.Stats().Watchers != 0 {
			t.Errorf("after leaving: %+v, %+v", s, f.hub.Stats())
		}
	})
}

func TestMapOverTCP(t *testing.T) {
	f := newFixture(t, nil)
	server := httptest.NewServer(f.maps)
	defer server.Close()
	c, _, err := websocket.Dial(t.Context(), server.URL, &websocket.DialOptions{
		Subprotocols: []string{live.MapProtocol},
		HTTPHeader:   http.Header{"Cookie": {"mybeacon_session=good"}, "Origin": {server.URL}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow() // the test is over
	f.send(t, c, fmt.Sprintf(`{"sub":{"location":%q,"rate_ms":100}}`, shop))
	if m := read(t, c); m.Type != hub.TypeSnapshot {
		t.Fatalf("%+v", m)
	}
	for i := range 5 {
		f.hub.TagMoved(moved(float64(i + 1)))
		if m := read(t, c); len(m.Tags) != 1 || m.Tags[0].X != float64(i+1) {
			t.Fatalf("message %d: %+v", i, m)
		}
	}
}

func TestMapRefusesForeignPages(t *testing.T) {
	for name, test := range map[string]struct {
		secure bool
		header http.Header
		status int
	}{
		"own page":               {false, http.Header{"Cookie": {"mybeacon_session=good"}, "Origin": {"http://mybeacon.test"}}, 101},
		"own page behind TLS":    {true, http.Header{"Cookie": {"mybeacon_session=good"}, "Origin": {"https://mybeacon.test"}}, 101},
		"listed page":            {true, http.Header{"Cookie": {"mybeacon_session=good"}, "Origin": {"https://console.example.com"}}, 101},
		"plain page of TLS":      {true, http.Header{"Cookie": {"mybeacon_session=good"}, "Origin": {"http://mybeacon.test"}}, 403},
		"no origin":              {false, http.Header{"Cookie": {"mybeacon_session=good"}}, 403},
		"two origins":            {false, http.Header{"Cookie": {"mybeacon_session=good"}, "Origin": {"http://mybeacon.test", "http://evil.test"}}, 403},
		"null":                   {false, http.Header{"Cookie": {"mybeacon_session=good"}, "Origin": {"null"}}, 403},
		"foreign page":           {false, http.Header{"Cookie": {"mybeacon_session=good"}, "Origin": {"http://evil.test"}}, 403},
		"look-alike prefix":      {false, http.Header{"Cookie": {"mybeacon_session=good"}, "Origin": {"http://mybeacon.test.evil.test"}}, 403},
		"look-alike suffix":      {false, http.Header{"Cookie": {"mybeacon_session=good"}, "Origin": {"http://evilmybeacon.test"}}, 403},
		"trailing dot":           {false, http.Header{"Cookie": {"mybeacon_session=good"}, "Origin": {"http://mybeacon.test."}}, 403},
		"other port":             {false, http.Header{"Cookie": {"mybeacon_session=good"}, "Origin": {"http://mybeacon.test:81"}}, 403},
		"with a path":            {false, http.Header{"Cookie": {"mybeacon_session=good"}, "Origin": {"http://mybeacon.test/"}}, 403},
		"bearer needs no origin": {false, http.Header{"Authorization": {"Bearer good"}}, 101},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t, func(c *live.MapsConfig) {
					c.Secure, c.Origins = test.secure, []string{"https://console.example.com"}
				})
				c, answer, err := f.dial(t.Context(), "/", &websocket.DialOptions{HTTPHeader: test.header})
				if c != nil {
					_ = c.CloseNow()
				}
				if answer == nil || answer.StatusCode != test.status {
					t.Errorf("got %v, %v; want status %d", answer, err, test.status)
				}
			})
		})
	}
}

func TestMapNeedsItsProtocol(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		for _, offers := range [][]string{{}, {"mybeacon.v1+protobuf"}, {"xmybeacon.v1+json"}} {
			_, answer, err := f.dial(t.Context(), "/", &websocket.DialOptions{
				Subprotocols: offers, HTTPHeader: http.Header{"Authorization": {"Bearer good"}},
			})
			if err == nil || answer.StatusCode != 400 {
				t.Errorf("%v: %v", offers, err)
			}
		}
		c := f.connect(t, &websocket.DialOptions{
			Subprotocols: []string{"mybeacon.v9+json", live.MapProtocol}, HTTPHeader: http.Header{"Authorization": {"Bearer good"}},
		})
		if c.Subprotocol() != live.MapProtocol {
			t.Errorf("chose %q", c.Subprotocol())
		}
	})
}

func TestMapTicketIsTakenOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		f.door.tickets.Store(1)
		header := http.Header{"Origin": {"http://mybeacon.test"}}
		for i, want := range []websocket.StatusCode{websocket.StatusNormalClosure, 4401} {
			c, _, err := f.dial(t.Context(), "/?ticket=good", &websocket.DialOptions{HTTPHeader: header.Clone()})
			if err != nil {
				t.Fatal(err)
			}
			if i == 0 {
				f.send(t, c, fmt.Sprintf(`{"sub":{"location":%q}}`, shop))
				read(t, c)
				_ = c.Close(websocket.StatusNormalClosure, "")
				continue
			}
			if code, _ := closeCode(t, c); code != want {
				t.Errorf("use %d: closed with %v, want %v", i+1, code, want)
			}
		}
	})
}

func TestMapCloseCodes(t *testing.T) {
	id := shop.String()
	for name, test := range map[string]struct {
		header http.Header
		send   string
		code   websocket.StatusCode
		reason string
	}{
		"nobody":                {http.Header{}, "", 4401, "log in"},
		"foreign location":      {nil, `{"sub":{"location":"` + foreign.String() + `"}}`, 4403, "not open to you"},
		"no message":            {nil, "", 4408, "10 s"},
		"not JSON":              {nil, `hello`, 1008, "sub: is not the JSON"},
		"two objects":           {nil, `{"sub":{"location":"` + id + `"}} {}`, 1008, "one JSON object"},
		"unknown field":         {nil, `{"sub":{"location":"` + id + `","tags":[]}}`, 1008, "unknown field"},
		"no location":           {nil, `{"sub":{}}`, 1008, "sub.location: is missing"},
		"no sub":                {nil, `{}`, 1008, "sub.location"},
		"not an id":             {nil, `{"sub":{"location":"` + strings.Repeat("ы", 300) + `"}}`, 1008, "is not a UUID"},
		"too fast":              {nil, `{"sub":{"location":"` + id + `","rate_ms":49}}`, 1008, "sub.rate_ms: must be 50 to 10000"},
		"rate overflows":        {nil, `{"sub":{"location":"` + id + `","rate_ms":9223372036854775807}}`, 1008, "sub.rate_ms"},
		"rate of zero":          {nil, `{"sub":{"location":"` + id + `","rate_ms":0}}`, 1008, "sub.rate_ms"},
		"message of 100 KB":     {nil, strings.Repeat(" ", 100<<10), websocket.StatusMessageTooBig, ""},
		"deeply nested":         {nil, strings.Repeat("[", 60_000), 1008, ""},
		"a second message":      {nil, `{"sub":{"location":"` + id + `"}}` + "|x", 1008, ""},
		"since of another sort": {nil, `{"sub":{"location":"` + id + `","since":7}}`, 1008, "sub"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t, nil)
				var o *websocket.DialOptions
				if test.header != nil {
					o = &websocket.DialOptions{HTTPHeader: test.header}
				}
				c := f.connect(t, o)
				if test.send != "" {
					go func() {
						for part := range strings.SplitSeq(test.send, "|") {
							_ = c.Write(context.Background(), websocket.MessageText, []byte(part))
						}
					}()
				}
				code, reason := closeCode(t, c)
				if code != test.code || !strings.Contains(reason, test.reason) {
					t.Errorf("closed with %d %q, want %d %q", code, reason, test.code, test.reason)
				}
			})
		})
	}
}

func TestMapChecksRightsAgain(t *testing.T) {
	for name, test := range map[string]struct {
		err   *schema.Error
		code  websocket.StatusCode
		after time.Duration
	}{
		"forbidden":  {schema.Errorf(schema.Forbidden, "", "role changed"), 4403, 5 * time.Second},
		"logged out": {schema.Errorf(schema.Unauthorized, "", "session over"), 4401, 5 * time.Second},
		"store away": {schema.Errorf(schema.Unavailable, "", "no connection"), 1013, 70 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t, nil)
				c := f.open(t)
				read(t, c)
				f.door.revoked.Store(test.err)
				start := time.Now()
				code, _ := closeCode(t, c)
				if d := time.Since(start); code != test.code || d > test.after {
					t.Errorf("closed with %d after %v, want %d within %v", code, d, test.code, test.after)
				}
			})
		})
	}
}

func TestMapLimits(t *testing.T) {
	for name, change := range map[string]func(*live.MapsConfig){
		"per viewer": func(c *live.MapsConfig) { c.MaxPerViewer = 2 },
		"of all":     func(c *live.MapsConfig) { c.MaxSockets = 2 },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t, change)
				first := f.open(t)
				f.open(t)
				third := f.connect(t, nil)
				if code, reason := closeCode(t, third); code != 4429 || reason == "" {
					t.Errorf("closed with %d %q, want 4429", code, reason)
				}
				_ = first.CloseNow()
				synctest.Wait()
				if m := read(t, f.open(t)); m.Type != hub.TypeSnapshot {
					t.Errorf("after one left: %+v", m)
				}
				if s := f.maps.Stats(); s.Open != 2 || s.RefusedLimit != 1 {
					t.Errorf("%+v", s)
				}
			})
		})
	}
}

// A client that reads nothing, not even pings, is gone after a bounded time and
// does not hold others.
func TestMapCutsWhoDoesNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		good, stalled := f.open(t), f.open(t)
		read(t, good)
		_ = stalled // never reads: a pipe has no buffer, so the first write stalls
		start := time.Now()
		const messages = 150 // for longer than a write may take
		for i := range messages {
			f.hub.TagMoved(moved(float64(i)))
			if m := read(t, good); len(m.Tags) != 1 || m.Tags[0].X != float64(i) {
				t.Fatalf("message %d: %+v", i, m)
			}
		}
		if d := time.Since(start); d > messages*hub.DefaultRate {
			t.Errorf("the good client was held: %d messages took %v", messages, d)
		}
		if s := f.maps.Stats(); s.Open != 1 || s.CutSlow != 1 {
			t.Errorf("after %v: %+v, want the stalled one cut", time.Since(start), s)
		}
	})
}

// A client whose machine vanished answers no ping.
func TestMapPings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		c := f.open(t)
		read(t, c)
		start := time.Now()
		for time.Since(start) < 5*time.Minute { // reading answers the pings
			read(t, c)
		}
		if s := f.maps.Stats(); s.Open != 1 {
			t.Errorf("%+v, want the socket still open after 5 min", s)
		}
	})
}

func TestMapShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		watching, waiting := f.open(t), f.connect(t, nil)
		read(t, watching)
		time.AfterFunc(time.Second, func() {
			if err := f.maps.Shutdown(context.Background()); err != nil {
				t.Error(err)
			}
		})
		waits := map[string]bool{}
		var both sync.WaitGroup
		var mu sync.Mutex
		for _, c := range []*websocket.Conn{watching, waiting} {
			both.Go(func() {
				code, reason := closeCode(t, c)
				mu.Lock()
				defer mu.Unlock()
				var ms int
				if _, err := fmt.Sscanf(reason, "retry_ms=%d", &ms); err != nil || code != websocket.StatusServiceRestart || ms < 500 || ms > 30_500 {
					t.Errorf("closed with %d %q, want 1012 with a hint", code, reason)
				}
				waits[reason] = true
			})
		}
		both.Wait()
		if code, _ := closeCode(t, f.connect(t, nil)); code != websocket.StatusServiceRestart {
			t.Errorf("a new socket was closed with %d, want 1012", code)
		}
	})
}

// Shutdown does not wait for ever for a client that does not answer.
func TestMapShutdownCuts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		f.open(t) // never reads
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		if err := f.maps.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want the deadline", err)
		}
		synctest.Wait()
		if s := f.maps.Stats(); s.Open != 0 {
			t.Errorf("%+v, want all cut", s)
		}
	})
}

func TestMapsConfig(t *testing.T) {
	good := live.MapsConfig{
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Hub: &hub.Hub{}, Viewers: &door{},
		Refuse: func(http.ResponseWriter, *http.Request, error) {}, MaxSockets: 1, MaxPerViewer: 1,
	}
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*live.MapsConfig){
		"no hub":      func(c *live.MapsConfig) { c.Hub = nil },
		"no sockets":  func(c *live.MapsConfig) { c.MaxSockets = 0 },
		"bad origin":  func(c *live.MapsConfig) { c.Origins = []string{"https://a.example/"} },
		"bare origin": func(c *live.MapsConfig) { c.Origins = []string{"a.example"} },
	} {
		c := good
		change(&c)
		if _, err := live.NewMaps(c); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}
