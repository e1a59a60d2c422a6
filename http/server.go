package http

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

// Bounds of a connection. Go's server has none by default, and a peer that
// sends a byte a minute would hold a connection for ever.
const (
	readHeaderTimeout = 5 * time.Second
	idleTimeout       = 120 * time.Second
	maxHeaderBytes    = 16 << 10
	// writeTimeout bounds making and sending one answer, except of sockets.
	writeTimeout = 60 * time.Second
	// maxBody bounds the body of a REST request.
	maxBody = 1 << 20
)

// Config is what the shell needs.
type Config struct {
	Log     *slog.Logger
	Metrics *Metrics // nil: not measured
	DB      *postgres.DB
	Version string // of the program, for the OpenAPI document
	// Key seals the secrets of second factors, [KeyBytes] long; without it there are none.
	Key []byte
	// Clock is nil for the system's.
	Clock func() time.Time
	// Products are the ids of all products there are, which a super-admin sees.
	Products []string
	// Console is the built console, nil where there is none.
	Console fs.FS
	// Checks decide /readyz.
	Checks []Check
	// Secure says that users reach the server by https: cookies are then Secure
	// and browsers are told to stay with https.
	Secure bool
	// Origins are further origins ("https://console.example.com") whose pages
	// may write, for a proxy that changes the Host header.
	Origins []string
	// Hosts are the values of the Host header under which the server is reached, in
	// lower case, as in "console.example.com" or "10.0.0.7:8080"; loopback addresses
	// always are. Empty: any.
	Hosts []string
	// Rates bound the requests; the zero value bounds nothing.
	Rates Rates
	// Views takes what people look at; nil: it is written down at once.
	Views Views
	// Exports streams files; nil: there are none.
	Exports Exports
	// Proxies are the networks of reverse proxies whose X-Forwarded-For is believed.
	Proxies []netip.Prefix
}

// Validate reports what is missing or cannot work.
func (c Config) Validate() error {
	switch {
	case c.Log == nil:
		return errors.New("http: Config.Log is missing")
	case c.DB == nil:
		return errors.New("http: Config.DB is missing")
	}
	for i, check := range c.Checks {
		if check.Name == "" || check.Probe == nil {
			return fmt.Errorf("http: Config.Checks[%d] has no name or no probe", i)
		}
	}
	return nil
}

// now returns the time by which links, codes and limits go.
func (s *Server) now() time.Time {
	if s.cfg.Clock == nil {
		return time.Now()
	}
	return s.cfg.Clock()
}

// DB returns the store of accounts and of what they may.
func (s *Server) DB() *postgres.DB { return s.db }

// Now returns the time of [Config.Clock].
func (s *Server) Now() time.Time { return s.now() }

// Server is the web side of a node.
type Server struct {
	cfg       Config
	log       *slog.Logger
	db        *postgres.DB
	mux       *http.ServeMux
	patterns  []string
	api       huma.API
	document  func() []byte // the OpenAPI document, made at the first request
	origins   *http.CrossOriginProtection
	sessions  *scs.SessionManager
	passwords *Passwords
	factors   *Factors
	failures  *limiter // passwords and codes, per account and address
	links     *limiter // links, per address
	askers    *limiter // mails asked for by nobody in particular, per address
	asked     *limiter // and per e-mail
	tickets   *tickets
	looks     *buckets // that are written down, per caller and location
	opens     *limiter // links to live maps, per address
	streams   *Slots   // exports that go to their readers at once
	rates     rates
	packer    *packer
	// conditional has a place for each change under If-Match that runs.
	conditional chan struct{}
	rights      atomic.Uint64 // counts [Server.RightsChanged]
	inner       *http.Server
	stopping    atomic.Bool
}

// New returns a server with the routes of the shell; nothing listens yet.
func New(cfg Config) (*Server, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	passwords, err := NewPasswords()
	if err != nil {
		return nil, err
	}
	factors, err := newFactors(cfg.DB, cfg.Key)
	if err != nil {
		return nil, err
	}
	s := &Server{
		cfg: cfg, log: cfg.Log, db: cfg.DB,
		mux:         http.NewServeMux(),
		origins:     http.NewCrossOriginProtection(),
		sessions:    newSessions(cfg.DB, cfg.Secure),
		passwords:   passwords,
		factors:     factors,
		failures:    newLimiter(maxFailures, failureWindow, maxTracked),
		links:       newLimiter(maxFailures, failureWindow, maxTracked),
		askers:      newLimiter(maxFailures, failureWindow, maxTracked),
		asked:       newLimiter(maxMails, mailWindow, maxTracked),
		tickets:     newTickets(),
		looks:       newBuckets(Rate{PerSecond: 1.0 / 3600, Burst: 1}),
		opens:       newLimiter(maxOpens, failureWindow, maxTracked),
		streams:     NewSlots(streamsOfOne, streamsOfAll, "as many files are being sent as may at once; ask again when one is done, or let a job make the file: POST /api/v1/client/exports"),
		rates:       newRates(cfg.Rates),
		conditional: make(chan struct{}, maxConditional),
	}
	if s.packer, err = newPacker(); err != nil {
		return nil, fmt.Errorf("http: prepare compression: %w", err)
	}
	for _, origin := range cfg.Origins {
		if err := s.origins.AddTrustedOrigin(origin); err != nil {
			return nil, fmt.Errorf("http: Config.Origins: %w", err)
		}
	}
	s.api = humago.New(recordingMux{s}, s.apiConfig())
	s.api.UseMiddleware(asBadRequest)
	s.describeShared()
	s.document = sync.OnceValue(s.marshalDocument)
	if err := s.routes(); err != nil {
		return nil, err
	}
	s.inner = s.newInner()
	return s, nil
}

func (s *Server) newInner() *http.Server {
	return &http.Server{
		Handler:           s.chain(routed(s.mux)),
		ReadHeaderTimeout: readHeaderTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
}

func (s *Server) routes() error {
	s.registerLogin()
	s.registerTokens()
	s.registerTickets()
	s.registerShares()
	s.Handle("GET /livez", http.HandlerFunc(s.livez))
	s.Handle("GET /readyz", http.HandlerFunc(s.readyz))
	s.Handle("GET /api/openapi.json", http.HandlerFunc(s.openapi))
	s.Handle("GET /api/docs", http.HandlerFunc(s.docs))
	s.mux.HandleFunc("GET /api/docs/{file}", s.docs) // a part of the page, not of the API
	s.documentRaw()
	s.mux.HandleFunc("/api/", s.noSuchRoute)
	if s.cfg.Console == nil {
		s.mux.HandleFunc("/", s.noSuchRoute)
		return nil
	}
	console, err := newConsole(s.cfg.Console)
	if err != nil {
		return fmt.Errorf("http: read the console: %w", err)
	}
	s.mux.Handle("/", console)
	return nil
}

// Products returns the ids of all products there are.
func (s *Server) Products() []string { return slices.Clone(s.cfg.Products) }

// API returns the REST API, for what [Route] does not cover.
func (s *Server) API() huma.API { return s.api }

// Handle registers a handler that brings its own authentication, such as a
// socket's. The pattern is that of [http.ServeMux].
func (s *Server) Handle(pattern string, handler http.Handler) {
	s.patterns = append(s.patterns, pattern)
	s.mux.Handle(pattern, handler)
}

// Patterns returns what is registered, "METHOD /path", sorted; the OpenAPI
// document must describe exactly these.
func (s *Server) Patterns() []string { return slices.Sorted(slices.Values(s.patterns)) }

// Handler returns the whole server as a handler, for tests and embedding.
func (s *Server) Handler() http.Handler { return s.inner.Handler }

// Serve answers requests of the listener until [Server.Shutdown]; it returns nil
// then, and the error of the listener otherwise.
func (s *Server) Serve(listener net.Listener) error {
	if err := s.inner.Serve(bounded{listener}); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve http: %w", err)
	}
	return nil
}

// kernelBuffer bounds what the kernel holds of a connection each way. Left to
// itself it grows to megabytes: positions would be old news by the time a slow
// client reads them, and a device that is not read would fill memory instead of
// waiting.
const kernelBuffer = 256 << 10

// bounded is a listener of connections with [kernelBuffer].
type bounded struct{ net.Listener }

// Accept implements net.Listener.
func (b bounded) Accept() (net.Conn, error) {
	conn, err := b.Listener.Accept()
	if tcp, ok := conn.(*net.TCPConn); ok {
		// A connection that refuses has been closed already.
		_ = tcp.SetWriteBuffer(kernelBuffer)
		_ = tcp.SetReadBuffer(kernelBuffer)
	}
	return conn, err
}

// OnShutdown calls fn when Shutdown begins; sockets, which the server no longer
// knows, are closed there.
func (s *Server) OnShutdown(fn func()) { s.inner.RegisterOnShutdown(fn) }

// Shutdown stops taking requests, turns /readyz to 503 and waits for running
// requests until the context ends; what runs then is cut. The error says that
// something had to be cut.
func (s *Server) Shutdown(ctx context.Context) error {
	s.stopping.Store(true)
	err := s.inner.Shutdown(ctx)
	if err != nil {
		_ = s.inner.Close()
		return fmt.Errorf("http: requests were cut: %w", err)
	}
	return nil
}

// noSuchRoute answers what no pattern matches: 405 where another method would
// have matched, else 404.
func (s *Server) noSuchRoute(w http.ResponseWriter, r *http.Request) {
	var allowed []string
	for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
		probe := r.Clone(r.Context())
		probe.Method = method
		if _, pattern := s.mux.Handler(probe); pattern != "/api/" && pattern != "/" && pattern != "" {
			allowed = append(allowed, method)
		}
	}
	if len(allowed) == 0 {
		s.WriteError(w, r, schema.Errorf(schema.NotFound, "", "there is nothing at this address"))
		return
	}
	s.writeMethodNotAllowed(w, r, allowed)
}

// recordingMux notes what huma registers, for the contract test.
type recordingMux struct{ s *Server }

// HandleFunc implements humago.Mux.
func (m recordingMux) HandleFunc(pattern string, handler func(http.ResponseWriter, *http.Request)) {
	m.s.Handle(pattern, http.HandlerFunc(handler))
}

// ServeHTTP implements humago.Mux.
func (m recordingMux) ServeHTTP(w http.ResponseWriter, r *http.Request) { m.s.mux.ServeHTTP(w, r) }
