package live

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	hub "mybeacon/engine/live"
	"mybeacon/schema"
)

// MapProtocol is the WebSocket sub-protocol of the live map.
const MapProtocol = "mybeacon.v1+json"

// Viewer is who opened a socket.
type Viewer struct {
	// Key is equal for all sockets of one principal, whose number is bounded.
	Key string
	// ByCookie says that a cookie proved the identity. A browser sends cookies
	// along for any page that asks, so that the Origin must be checked.
	ByCookie bool
	// MayWatch returns nil while the principal may watch the location; the kinds
	// Unauthorized, Forbidden and NotFound end the socket, others are taken for a
	// passing failure.
	MayWatch func(context.Context, schema.LocationID) error
	// MayLook is MayWatch for one look, of a client that asks again and again.
	MayLook func(context.Context, schema.LocationID) error
	// Nameless hides from the principal who the tags are.
	Nameless bool
}

// Viewers finds out who sent a request, by cookie, bearer token or ?ticket=
// (which it takes); the error's kind is Unauthorized when nobody known did.
type Viewers interface {
	Viewer(*http.Request) (Viewer, error)
}

// MapsConfig is what the live map's socket needs.
type MapsConfig struct {
	Log     *slog.Logger
	Metrics *Metrics // nil: not measured
	Hub     *hub.Hub
	Viewers Viewers
	// Refuse answers a request that does not become a socket.
	Refuse func(http.ResponseWriter, *http.Request, error)
	// Secure says that users reach the server by https, Origins are further
	// origins whose pages may open sockets ("https://console.example.com").
	Secure  bool
	Origins []string
	// MaxSockets bounds all sockets, MaxPerViewer those of one principal.
	MaxSockets, MaxPerViewer int
}

// DefaultMapsConfig returns the bounds of a server; the rest is left to set. The
// screens of a whole company often share one account.
func DefaultMapsConfig() MapsConfig { return MapsConfig{MaxSockets: 4000, MaxPerViewer: 1500} }

// Validate reports what is missing or wrong.
func (c MapsConfig) Validate() error {
	switch {
	case c.Log == nil || c.Hub == nil || c.Viewers == nil || c.Refuse == nil:
		return errors.New("live: MapsConfig needs Log, Hub, Viewers and Refuse")
	case c.MaxSockets <= 0 || c.MaxPerViewer <= 0:
		return errors.New("live: MaxSockets and MaxPerViewer must be positive")
	}
	for _, origin := range c.Origins {
		if u, err := url.Parse(origin); err != nil || u.Host == "" || u.Scheme+"://"+u.Host != origin {
			return fmt.Errorf("live: origin %q must look like https://console.example.com", origin)
		}
	}
	return nil
}

// maxRefusals bounds the sockets that are opened only to be closed with a code
// the browser can see: a caller without rights must not hold more than that.
const maxRefusals = 256

// Maps is the handler of GET /api/v1/live.
type Maps struct {
	cfg      MapsConfig
	stopping context.Context // ends when Shutdown begins
	stop     context.CancelFunc
	cut      context.Context // ends when Shutdown's patience does
	cutAll   context.CancelFunc
	refusals chan struct{}

	mu       sync.Mutex
	byViewer map[string]int
	sockets  int
	idle     chan struct{} // closed when Shutdown began and no socket is left
	closed   bool

	refused [refusalKinds]atomic.Uint64
	slow    atomic.Uint64
}

// The reasons for which a socket is refused or cut.
const (
	refusedAuth = iota
	refusedRights
	refusedLimit
	refusedOrigin
	refusalKinds
)

// MapsStats counts sockets: those open now, and since the start those refused,
// by reason, and those cut because they did not take their messages.
type MapsStats struct {
	Open                                                    int
	RefusedAuth, RefusedRights, RefusedLimit, RefusedOrigin uint64
	CutSlow                                                 uint64
}

// NewMaps returns the handler.
func NewMaps(cfg MapsConfig) (*Maps, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	m := &Maps{cfg: cfg, byViewer: map[string]int{}, refusals: make(chan struct{}, maxRefusals), idle: make(chan struct{})}
	m.stopping, m.stop = context.WithCancel(context.Background())
	m.cut, m.cutAll = context.WithCancel(context.Background())
	return m, nil
}

// Stats returns the counts.
func (m *Maps) Stats() MapsStats {
	m.mu.Lock()
	defer m.mu.Unlock()
	return MapsStats{
		Open:        m.sockets,
		RefusedAuth: m.refused[refusedAuth].Load(), RefusedRights: m.refused[refusedRights].Load(),
		RefusedLimit: m.refused[refusedLimit].Load(), RefusedOrigin: m.refused[refusedOrigin].Load(),
		CutSlow: m.slow.Load(),
	}
}

// Shutdown tells all clients to come back later (1012) and waits until they are
// gone; when the context ends first the rest is cut and the context's error
// returned.
func (m *Maps) Shutdown(ctx context.Context) error {
	m.mu.Lock()
	if !m.closed {
		m.closed = true
		if m.sockets == 0 {
			close(m.idle)
		}
	}
	m.mu.Unlock()
	m.stop()
	defer m.cutAll()
	select {
	case <-m.idle:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// ServeHTTP opens a socket and serves it until it ends.
func (m *Maps) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !offers(r, MapProtocol) {
		m.cfg.Refuse(w, r, schema.Errorf(schema.Invalid, "Sec-WebSocket-Protocol", "must offer %s", MapProtocol))
		return
	}
	viewer, err := m.cfg.Viewers.Viewer(r)
	if err == nil && viewer.ByCookie && !m.ownOrigin(r) {
		m.refused[refusedOrigin].Add(1)
		m.cfg.Refuse(w, r, schema.Errorf(schema.Forbidden, "Origin", "%.100q is not this server; pages of other sites may not watch", r.Header.Get("Origin")))
		return
	}
	if err == nil {
		err = m.enter(viewer.Key)
	}
	if err != nil {
		m.refuse(w, r, err)
		return
	}
	defer m.leave(viewer.Key)
	if conn := m.accept(w, r); conn != nil {
		s := &mapSocket{maps: m, conn: conn, viewer: viewer}
		s.serve()
	}
}

func (m *Maps) accept(w http.ResponseWriter, r *http.Request) *websocket.Conn {
	// The Origin was checked above, more strictly than the library does.
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{MapProtocol}, InsecureSkipVerify: true})
	if err != nil {
		m.cfg.Log.Debug("live socket not opened", "error", err)
		return nil
	}
	conn.SetReadLimit(maxMapRequest)
	return conn
}

// refuse opens the socket only to close it: to a script in a browser all
// answers but a close code look alike.
func (m *Maps) refuse(w http.ResponseWriter, r *http.Request, err error) {
	code, reason := m.closing(err)
	select {
	case m.refusals <- struct{}{}:
		defer func() { <-m.refusals }()
	default:
		m.cfg.Refuse(w, r, err)
		return
	}
	if conn := m.accept(w, r); conn != nil {
		_ = conn.Close(code, reason)
	}
}

// enter counts a socket of the principal in, if the bounds allow.
func (m *Maps) enter(key string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.closed:
		return hub.ErrClosed
	case m.sockets >= m.cfg.MaxSockets:
		return schema.Errorf(schema.TooMany, "", "the server has %d live maps open, try again later", m.sockets)
	case m.byViewer[key] >= m.cfg.MaxPerViewer:
		return schema.Errorf(schema.TooMany, "", "you have %d live maps open, close one", m.byViewer[key])
	}
	m.byViewer[key]++
	m.sockets++
	return nil
}

func (m *Maps) leave(key string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sockets--
	if m.byViewer[key]--; m.byViewer[key] == 0 {
		delete(m.byViewer, key)
	}
	if m.closed && m.sockets == 0 {
		close(m.idle)
	}
}

// ownOrigin reports whether the request came from a page of this server.
func (m *Maps) ownOrigin(r *http.Request) bool {
	origins := r.Header.Values("Origin")
	if len(origins) != 1 {
		return false
	}
	if slices.Contains(m.cfg.Origins, origins[0]) {
		return true
	}
	if r.Host == "" {
		return false
	}
	// Without Secure a proxy may still terminate TLS in front.
	return strings.EqualFold(origins[0], "https://"+r.Host) || !m.cfg.Secure && strings.EqualFold(origins[0], "http://"+r.Host)
}

func offers(r *http.Request, protocol string) bool {
	for _, line := range r.Header.Values("Sec-WebSocket-Protocol") {
		for offer := range strings.SplitSeq(line, ",") {
			if strings.TrimSpace(offer) == protocol {
				return true
			}
		}
	}
	return false
}

// The close codes of the live map.
const (
	closeAuth   websocket.StatusCode = 4401
	closeRights websocket.StatusCode = 4403
	closeSlow   websocket.StatusCode = 4408
	closeLimit  websocket.StatusCode = 4429
)

// closing translates why a socket ends into what the client is told, and counts it.
func (m *Maps) closing(err error) (websocket.StatusCode, string) {
	if errors.Is(err, hub.ErrClosed) {
		return websocket.StatusServiceRestart, fmt.Sprintf("retry_ms=%d", m.jitter().Milliseconds())
	}
	var reason string
	var ours *schema.Error
	if errors.As(err, &ours) {
		// A control frame holds 123 bytes of reason; half a character is no text.
		reason = strings.ToValidUTF8(ours.Message[:min(len(ours.Message), 110)], "")
		if ours.Field != "" && len(reason)+len(ours.Field) < 120 {
			reason = ours.Field + ": " + reason
		}
	}
	switch schema.KindOf(err) {
	case schema.Unauthorized:
		m.refused[refusedAuth].Add(1)
		return closeAuth, "log in again"
	case schema.Forbidden, schema.NotFound:
		m.refused[refusedRights].Add(1)
		return closeRights, "this location is not open to you"
	case schema.TooMany:
		m.refused[refusedLimit].Add(1)
		return closeLimit, reason
	case schema.Invalid, schema.TooLarge:
		return websocket.StatusPolicyViolation, reason
	default:
		return websocket.StatusTryAgainLater, "rights cannot be checked now"
	}
}

// jitter draws the wait of one client so that a server that comes back meets at
// most about a hundred clients a second.
func (m *Maps) jitter() time.Duration {
	m.mu.Lock()
	spread := time.Duration(m.sockets) * 10 * time.Millisecond
	m.mu.Unlock()
	spread = min(max(spread, 2*time.Second), 30*time.Second)
	return 500*time.Millisecond + rand.N(spread)
}
