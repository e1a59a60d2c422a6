package http_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"mybeacon/engine/store/postgres"
	"mybeacon/engine/store/postgres/postgrestest"
	shell "mybeacon/http"
	"mybeacon/http/shelltest"
	"mybeacon/schema"
)

const (
	login = "/api/v1/auth/login"
	me    = "/api/v1/auth/me"
)

func credentials(email, password string) map[string]string {
	return map[string]string{"email": email, "password": password}
}

func TestLoginMeLogout(t *testing.T) {
	s := shelltest.Start(t, nil, nil)
	c := s.Nobody()
	c.Refuse(401, "GET", me, nil)
	r := c.Want(200, "POST", login, credentials("ADMIN@example.com", shelltest.Password), nil)
	cookie := r.Cookies()[0]
	if cookie.Name != "mybeacon_session" || !cookie.HttpOnly || cookie.SameSite != http.SameSiteStrictMode || cookie.Secure || cookie.MaxAge < 6*24*3600 || cookie.Path != "/" {
		t.Errorf("cookie %+v", cookie)
	}
	var who struct {
		User     shell.User
		Products []string
	}
	c.Want(200, "GET", me, nil, &who)
	if who.User.Email != shelltest.AdminEmail || !who.User.SuperAdmin || !who.User.OrganisationID.IsZero() || !slices.Equal(who.Products, []string{"ble"}) {
		t.Errorf("got %+v", who)
	}
	var kept int
	row := s.DB.Pool().QueryRow(t.Context(), "SELECT count(*) FROM sessions WHERE token = $1", cookie.Value)
	if err := row.Scan(&kept); err != nil || kept != 0 {
		t.Errorf("the store holds the cookie's value itself: %v", err)
	}
	c.Want(204, "POST", "/api/v1/auth/logout", nil, nil)
	c.Refuse(401, "GET", me, nil)
	// The cookie itself is worth nothing any more, not only gone from the jar.
	if r := s.Nobody().Do("GET", me, nil, "Cookie", "mybeacon_session="+cookie.Value); r.StatusCode != 401 {
		t.Errorf("the old cookie still works: %d", r.StatusCode)
	}
}

func TestSecureCookie(t *testing.T) {
	s := shelltest.Start(t, func(c *shell.Config) { c.Secure = true }, nil)
	r := s.Nobody().Want(200, "POST", login, credentials(shelltest.AdminEmail, shelltest.Password), nil)
	if !r.Cookies()[0].Secure || r.Header.Get("Strict-Transport-Security") == "" {
		t.Errorf("cookie %+v", r.Cookies()[0])
	}
}

// A session that somebody planted in the browser does not become the user's.
func TestLoginRenewsTheSession(t *testing.T) {
	s := shelltest.Start(t, nil, nil)
	planted := s.Nobody().Want(200, "POST", login, credentials(shelltest.AdminEmail, shelltest.Password), nil).Cookies()[0].Value
	r := s.Nobody().Do("POST", login, credentials(shelltest.AdminEmail, shelltest.Password), "Cookie", "mybeacon_session="+planted)
	if r.StatusCode != 200 || r.Cookies()[0].Value == planted {
		t.Fatalf("got %d %v", r.StatusCode, r.Cookies())
	}
	if r := s.Nobody().Do("GET", me, nil, "Cookie", "mybeacon_session="+planted); r.StatusCode != 401 {
		t.Errorf("the planted session lives on: %d", r.StatusCode)
	}
}

// Every failure reads the same, byte for byte but for the request's id.
func TestLoginFailuresLookAlike(t *testing.T) {
	s := shelltest.Start(t, nil, nil)
	o := postgrestest.Organisation(t, s.DB, "o")
	disabled := s.Account(o, "gone@example.com", "owner")
	if _, err := s.DB.Pool().Exec(t.Context(), "UPDATE account SET disabled = true WHERE id = $1", disabled.ID); err != nil {
		t.Fatal(err)
	}
	c := s.Nobody()
	var seen []shell.Problem
	for _, try := range []map[string]string{
		credentials(shelltest.AdminEmail, "wrong password"),
		credentials("nobody@example.com", shelltest.Password),
		credentials("gone@example.com", shelltest.Password),
		credentials("' OR 1=1 --", "x"),
	} {
		p := c.Refuse(401, "POST", login, try)
		p.RequestID = ""
		seen = append(seen, p)
	}
	for _, p := range seen {
		if fmt.Sprint(p) != fmt.Sprint(seen[0]) {
			t.Errorf("%+v differs from %+v", p, seen[0])
		}
	}
}

func TestLoginLimits(t *testing.T) {
	proxies := func(c *shell.Config) { c.Proxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} }
	s := shelltest.Start(t, proxies, nil)
	c := s.Nobody()
	try := func(email, password, address string) shelltest.Response {
		return c.Do("POST", login, credentials(email, password), "X-Forwarded-For", address)
	}
	t.Run("account", func(t *testing.T) {
		for i := range 10 {
			if r := try("maria@example.com", "wrong", fmt.Sprintf("192.0.2.%d", i)); r.StatusCode != 401 {
				t.Fatalf("attempt %d: %d", i, r.StatusCode)
			}
		}
		r := try("Maria@example.com", "wrong", "192.0.2.99")
		if r.StatusCode != 429 || r.Header.Get("Retry-After") == "" {
			t.Errorf("got %d, Retry-After %q", r.StatusCode, r.Header.Get("Retry-After"))
		}
	})
	t.Run("address", func(t *testing.T) {
		for i := range 10 {
			if r := try(fmt.Sprintf("user%d@example.com", i), "wrong", "198.51.100.7"); r.StatusCode != 401 {
				t.Fatalf("attempt %d: %d", i, r.StatusCode)
			}
		}
		if r := try(shelltest.AdminEmail, shelltest.Password, "198.51.100.7"); r.StatusCode != 429 {
			t.Errorf("got %d", r.StatusCode)
		}
		// A header that the caller adds himself changes nothing.
		if r := try(shelltest.AdminEmail, shelltest.Password, "203.0.113.1, 198.51.100.7"); r.StatusCode != 429 {
			t.Errorf("a forged hop got %d", r.StatusCode)
		}
		if r := try(shelltest.AdminEmail, shelltest.Password, "203.0.113.1"); r.StatusCode != 200 {
			t.Errorf("another address got %d", r.StatusCode)
		}
	})
	t.Run("success forgives", func(t *testing.T) {
		for i := range 30 {
			password := "wrong"
			if i%5 == 4 {
				password = shelltest.Password
			}
			if r := try(shelltest.AdminEmail, password, fmt.Sprintf("203.0.113.%d", i)); r.StatusCode == 429 {
				t.Fatalf("attempt %d is refused", i)
			}
		}
	})
}

func TestAPITokens(t *testing.T) {
	s := shelltest.Start(t, nil, nil)
	c := s.Login(shelltest.AdminEmail)
	var made struct {
		ID, Token string
		ExpiresAt time.Time `json:"expires_at"`
	}
	c.Want(201, "POST", "/api/v1/auth/tokens", map[string]any{"name": "replay", "expires_in_days": 2}, &made)
	if !strings.HasPrefix(made.Token, "mbt_") || time.Until(made.ExpiresAt) < 47*time.Hour {
		t.Errorf("got %+v", made)
	}
	script := s.Nobody()
	script.Bearer = made.Token
	script.Want(200, "GET", me, nil, nil)
	script.Refuse(403, "POST", "/api/v1/auth/tokens", map[string]any{"name": "heir"})
	for _, bad := range []string{"mbt_", made.Token + "x", made.Token[:len(made.Token)-1], postgres.NewSecret("mbt_"), postgres.NewSecret("mbd_")} {
		script.Bearer = bad
		r := script.Do("GET", me, nil)
		if r.StatusCode != 401 || !strings.HasPrefix(r.Header.Get("WWW-Authenticate"), "Bearer") {
			t.Errorf("%q: got %d", bad, r.StatusCode)
		}
	}
	// A header beside a good cookie decides alone.
	if r := c.Do("GET", me, nil, "Authorization", "Bearer nonsense"); r.StatusCode != 401 {
		t.Errorf("cookie beside a bad header: %d", r.StatusCode)
	}
	c.Refuse(400, "POST", "/api/v1/auth/tokens", map[string]any{"name": "x", "expires_in_days": 366})
}

func TestDisabledAtOnce(t *testing.T) {
	s := shelltest.Start(t, nil, nil)
	o := postgrestest.Organisation(t, s.DB, "o", "ble")
	a := s.Account(o, "maria@example.com", "owner")
	c := s.Login("maria@example.com")
	c.Want(200, "GET", me, nil, nil)
	if _, err := s.DB.Pool().Exec(t.Context(), "UPDATE account SET disabled = true WHERE id = $1", a.ID); err != nil {
		t.Fatal(err)
	}
	c.Refuse(401, "GET", me, nil)
}

func TestTickets(t *testing.T) {
	s := shelltest.Start(t, nil, nil)
	o, other := postgrestest.Organisation(t, s.DB, "o", "ble"), postgrestest.Organisation(t, s.DB, "other", "ble")
	mine, foreign := postgrestest.Location(t, s.DB, o, "mine"), postgrestest.Location(t, s.DB, other, "foreign")
	s.Account(o, "maria@example.com", "manager")
	s.Nobody().Refuse(401, "POST", "/api/v1/live/ticket", nil)
	c := s.Login("maria@example.com")
	var made struct {
		Ticket    string
		ExpiresIn int `json:"expires_in"`
	}
	c.Want(201, "POST", "/api/v1/live/ticket", nil, &made)
	if len(made.Ticket) < 32 || made.ExpiresIn != 30 {
		t.Errorf("got %+v", made)
	}
	var won atomic.Int32
	var winner atomic.Pointer[shell.Principal]
	var takers sync.WaitGroup
	for range 1000 {
		takers.Go(func() {
			if p, err := s.TakeTicket(t.Context(), made.Ticket); err == nil {
				won.Add(1)
				winner.Store(&p)
			} else if schema.KindOf(err) != schema.Unauthorized {
				t.Error(err)
			}
		})
	}
	takers.Wait()
	if won.Load() != 1 {
		t.Fatalf("%d takers won, want 1", won.Load())
	}
	p := *winner.Load()
	if err := s.MayWatch(t.Context(), p, "ble", mine.ID); err != nil {
		t.Errorf("own location: %v", err)
	}
	if err := s.MayWatch(t.Context(), p, "ble", foreign.ID); schema.KindOf(err) != schema.NotFound {
		t.Errorf("foreign location: %v", err)
	}
	if err := s.MayWatch(t.Context(), shell.Principal{}, "ble", mine.ID); schema.KindOf(err) != schema.Unauthorized {
		t.Errorf("nobody: %v", err)
	}
	c.Want(204, "POST", "/api/v1/auth/logout", nil, nil)
	if err := s.MayWatch(t.Context(), p, "ble", mine.ID); schema.KindOf(err) != schema.Unauthorized {
		t.Errorf("after the log-out: %v", err)
	}
}

func TestViewer(t *testing.T) {
	s := shelltest.Start(t, nil, nil)
	cookie := s.Nobody().Want(200, "POST", login, credentials(shelltest.AdminEmail, shelltest.Password), nil).Cookies()[0]
	r, _ := http.NewRequest("GET", "/api/v1/live", nil)
	r.AddCookie(cookie)
	if p, byCookie, err := s.Viewer(r); err != nil || !byCookie || !p.SuperAdmin {
		t.Errorf("cookie: %+v %v %v", p, byCookie, err)
	}
	// A wrong ticket is not made good by the cookie beside it.
	r.URL.RawQuery = "ticket=wrong"
	if _, _, err := s.Viewer(r); schema.KindOf(err) != schema.Unauthorized || err == nil {
		t.Errorf("wrong ticket: %v", err)
	}
}

func TestEnsureSuperAdmin(t *testing.T) {
	db := postgrestest.Open(t)
	ctx := t.Context()
	if _, err := shell.EnsureSuperAdmin(ctx, db, "no address", "long enough"); schema.KindOf(err) != schema.Invalid {
		t.Errorf("bad e-mail: %v", err)
	}
	if _, err := shell.EnsureSuperAdmin(ctx, db, "a@example.com", "short"); schema.KindOf(err) != schema.Invalid {
		t.Errorf("short password: %v", err)
	}
	for i, want := range []bool{true, false} {
		if created, err := shell.EnsureSuperAdmin(ctx, db, "a@example.com", "long enough"); created != want || err != nil {
			t.Errorf("call %d: %v, %v", i, created, err)
		}
	}
}

func TestCrossSiteWrites(t *testing.T) {
	trusted := func(c *shell.Config) { c.Origins = []string{"https://console.example.com"} }
	s := shelltest.Start(t, trusted, nil)
	c := s.Login(shelltest.AdminEmail)
	try := func(want int, header ...string) {
		t.Helper()
		if r := c.Do("POST", "/api/v1/live/ticket", nil, header...); r.StatusCode != want {
			t.Errorf("%v: got %d, want %d", header, r.StatusCode, want)
		}
	}
	try(201)
	try(201, "Sec-Fetch-Site", "same-origin", "Origin", s.URL)
	try(201, "Sec-Fetch-Site", "cross-site", "Origin", "https://console.example.com")
	try(403, "Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example.com")
	try(403, "Sec-Fetch-Site", "same-site", "Origin", "https://evil.example.com")
	try(403, "Origin", "https://evil.example.com")
	try(403, "Origin", "null")
}

// deadlines is a writer that notes whether it was given one.
type deadlines struct {
	*httptest.ResponseRecorder
	until time.Time
}

func (d *deadlines) SetWriteDeadline(t time.Time) error {
	d.until = t
	return nil
}

// Naming a protocol that nobody speaks frees no peer from the bound of an answer.
func TestAnswersHaveADeadline(t *testing.T) {
	s := shelltest.Start(t, nil, nil)
	for _, upgrade := range []string{"", "websocket", "x"} {
		w := &deadlines{ResponseRecorder: httptest.NewRecorder()}
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/livez", nil)
		if upgrade != "" {
			r.Header.Set("Upgrade", upgrade)
		}
		s.Handler().ServeHTTP(w, r)
		if left := time.Until(w.until); w.Code != http.StatusOK || left <= 0 || left > 2*time.Minute {
			t.Errorf("upgrade %q: %d, an answer may take %v", upgrade, w.Code, left)
		}
	}
}

func TestHeadersAndAddresses(t *testing.T) {
	s := shelltest.Start(t, nil, nil)
	c := s.Nobody()
	r := c.Do("GET", "/api/openapi.json", nil)
	for name, want := range map[string]string{
		"Content-Security-Policy": "script-src 'self' 'wasm-unsafe-eval';", "X-Content-Type-Options": "nosniff",
		"Referrer-Policy": "no-referrer", "Cache-Control": "no-store", "X-Request-Id": "",
	} {
		if got := r.Header.Get(name); got == "" || !strings.Contains(got, want) {
			t.Errorf("%s: %q", name, got)
		}
	}
	f := func(path string, want int) {
		t.Helper()
		if r := c.Do("GET", path, nil); r.StatusCode != want {
			t.Errorf("%s: got %d, want %d", path, r.StatusCode, want)
		}
	}
	f("//api/v1/auth/me", 400)
	f("/api//v1/auth/me", 400)
	f("/api/./v1/auth/me", 400)
	f("/api/v1/../v1/auth/me", 400)
	f("/api/v1/auth%2Fme", 400)
	f("/api/v1/auth%2fme", 400)
	f("/api/v1/auth%5cme", 400)
	f("/api/%2e%2e/livez", 400)
	f("/api/v1/auth/me/..", 400)
	f("/api/v1/nothing", 404)
	f("/nothing", 404)
	f("/livez", 200)
	if r := c.Do("DELETE", me, nil); r.StatusCode != 405 || r.Header.Get("Allow") != "GET" || r.Problem().Status != 405 {
		t.Errorf("got %d, Allow %q: %s", r.StatusCode, r.Header.Get("Allow"), r.Bytes)
	}
}

func TestRefusedInput(t *testing.T) {
	s := shelltest.Start(t, nil, nil)
	c := s.Login(shelltest.AdminEmail)
	f := func(want int, method, path string, body any) shell.Problem {
		t.Helper()
		return c.Refuse(want, method, path, body)
	}
	f(400, "GET", me+"?nonsense=1", nil)
	f(400, "POST", login, []byte(`{"email":`))
	f(400, "POST", login, []byte(`{"email":"a","password":"b","more":1}`))
	f(400, "POST", login, []byte(`[]`))
	p := f(400, "POST", login, map[string]any{"email": "a@example.com"})
	if len(p.Errors) == 0 || !strings.Contains(p.Detail, "password") {
		t.Errorf("the missing field is not named: %+v", p)
	}
	// A password must not come back in a message.
	if r := c.Do("POST", login, map[string]any{"email": 1, "password": "secret-" + strings.Repeat("x", 600)}); r.StatusCode != 400 || bytes.Contains(r.Bytes, []byte("secret-")) {
		t.Errorf("got %d %s", r.StatusCode, r.Bytes)
	}
	big := bytes.Repeat([]byte(" "), 1<<20)
	f(413, "POST", login, append(big, []byte(`{"email":"a","password":"b"}`)...))
}

func TestPanicsAndInternalErrors(t *testing.T) {
	var logged lockedBuffer
	configure := func(c *shell.Config) { c.Log = slog.New(slog.NewTextHandler(&logged, nil)) }
	s := shelltest.Start(t, configure, func(s *shelltest.Server) {
		s.Handle("GET /api/v1/panic", http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("BUG: on purpose") }))
		shell.Route(s.Server, shell.Public(), huma.Operation{OperationID: "boom", Method: "GET", Path: "/api/v1/boom"},
			func(context.Context, *struct{}) (*struct{}, error) { return nil, errors.New("password=hunter2") })
	})
	c := s.Nobody()
	p := c.Refuse(500, "GET", "/api/v1/panic", nil)
	if !strings.Contains(logged.String(), p.RequestID) || !strings.Contains(logged.String(), "on purpose") {
		t.Errorf("the log lacks the panic: %s", logged.String())
	}
	p = c.Refuse(500, "GET", "/api/v1/boom", nil)
	if strings.Contains(fmt.Sprint(p), "hunter2") || !strings.Contains(logged.String(), "hunter2") {
		t.Errorf("answer %+v, log %s", p, logged.String())
	}
	c.Want(200, "GET", "/livez", nil, nil)
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// A socket takes its connection over through all middlewares, and headers are
// bounded.
func TestConnections(t *testing.T) {
	s := shelltest.Start(t, nil, func(s *shelltest.Server) {
		s.Handle("GET /socket", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			conn, buffered, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n")
			_, _ = io.CopyN(conn, buffered, 5)
		}))
	})
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(conn, "GET /socket HTTP/1.1\r\nHost: x\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\nhello")
	answer, err := io.ReadAll(conn)
	if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 101") || !strings.HasSuffix(string(answer), "hello") {
		t.Errorf("got %q, %v", answer, err)
	}
	if r := s.Nobody().Do("GET", "/livez", nil, "X-Long", strings.Repeat("x", 32<<10)); r.StatusCode != 431 {
		t.Errorf("a header of 32 KiB: %d", r.StatusCode)
	}
}

func TestReadiness(t *testing.T) {
	var pg, ch atomic.Bool
	check := func(name string, critical bool, down *atomic.Bool) shell.Check {
		return shell.Check{Name: name, Critical: critical, Probe: func(context.Context) error {
			if down.Load() {
				return errors.New("dial tcp 10.1.2.3: refused")
			}
			return nil
		}}
	}
	s := shelltest.Start(t, func(c *shell.Config) {
		c.Checks = []shell.Check{check("postgres", true, &pg), check("clickhouse", false, &ch)}
	}, nil)
	f := func(status int, word string) {
		t.Helper()
		r := s.Nobody().Do("GET", "/readyz", nil)
		var got shell.Readiness
		if err := json.Unmarshal(r.Bytes, &got); err != nil || r.StatusCode != status || got.Status != word || strings.Contains(string(r.Bytes), "10.1.2.3") {
			t.Errorf("got %d %s, want %d %s", r.StatusCode, r.Bytes, status, word)
		}
	}
	f(200, "ready")
	ch.Store(true)
	f(200, "degraded")
	pg.Store(true)
	f(503, "unavailable")
}

func TestConsole(t *testing.T) {
	script := strings.Repeat("console.log('hello');", 100)
	built := fstest.MapFS{
		"index.html":        {Data: []byte("<!doctype html><title>MyBeacon</title>")},
		"assets/app-1.js":   {Data: []byte(script)},
		"assets/tiny-2.css": {Data: []byte("a{}")},
		"logo.svg":          {Data: []byte("<svg/>")},
	}
	s := shelltest.Start(t, func(c *shell.Config) { c.Console = built }, nil)
	c := s.Nobody()
	f := func(path string, status int, mediaType, cache, body string) shelltest.Response {
		t.Helper()
		r := c.Do("GET", path, nil)
		if r.StatusCode != status || !strings.HasPrefix(r.Header.Get("Content-Type"), mediaType) || !strings.Contains(r.Header.Get("Cache-Control"), cache) || !strings.Contains(string(r.Bytes), body) {
			t.Errorf("%s: got %d %v %.60s", path, r.StatusCode, r.Header, r.Bytes)
		}
		return r
	}
	f("/", 200, "text/html", "no-cache", "MyBeacon")
	f("/locations/7/map", 200, "text/html", "no-cache", "MyBeacon")
	f("/logo.svg", 200, "image/svg+xml", "no-cache", "<svg/>")
	f("/assets/app-1.js", 200, "text/javascript", "immutable", script)
	f("/assets/gone-9.js", 404, "application/problem+json", "", "nothing")
	f("/api/v1/nothing", 404, "application/problem+json", "no-store", "nothing")
	r := c.Do("GET", "/assets/app-1.js", nil, "Accept-Encoding", "br;q=0, gzip;q=0.5")
	if r.Header.Get("Content-Encoding") != "gzip" || len(r.Bytes) >= len(script) || r.Header.Get("Vary") != "Accept-Encoding" {
		t.Errorf("got %v, %d bytes", r.Header, len(r.Bytes))
	}
	if r := c.Do("GET", "/assets/app-1.js", nil, "Accept-Encoding", "gzip", "If-None-Match", r.Header.Get("ETag")); r.StatusCode != 304 {
		t.Errorf("got %d", r.StatusCode)
	}
	if r := c.Do("GET", "/assets/app-1.js", nil, "Accept-Encoding", "gzip;q=0"); r.Header.Get("Content-Encoding") != "" {
		t.Errorf("refused coding was sent")
	}
	if r := c.Do("POST", "/", nil); r.StatusCode != 405 {
		t.Errorf("POST got %d", r.StatusCode)
	}
	_, err := shell.New(shell.Config{Log: slog.New(slog.DiscardHandler), DB: s.DB, Console: fstest.MapFS{}})
	if err == nil || !strings.Contains(err.Error(), "index.html") {
		t.Errorf("an empty console: %v", err)
	}
}

// Shutdown lets a running request finish, tells sockets, and turns readiness off;
// a request that outlives the patience is cut.
func TestShutdownInTwoStages(t *testing.T) {
	db := postgrestest.Open(t)
	for _, patient := range []bool{true, false} {
		s, err := shell.New(shell.Config{Log: slog.New(slog.DiscardHandler), DB: db})
		if err != nil {
			t.Fatal(err)
		}
		started, finish, told := make(chan struct{}), make(chan struct{}), make(chan struct{})
		s.Handle("GET /slow", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			close(started)
			select {
			case <-finish:
			case <-r.Context().Done():
			}
		}))
		s.OnShutdown(func() { close(told) })
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		served := make(chan error, 1)
		go func() { served <- s.Serve(listener) }()
		answered := make(chan error, 1)
		go func() {
			r, err := http.Get("http://" + listener.Addr().String() + "/slow")
			if err == nil {
				r.Body.Close()
			}
			answered <- err
		}()
		<-started
		ctx, cancel := context.WithCancel(t.Context())
		stopped := make(chan error, 1)
		go func() { stopped <- s.Shutdown(ctx) }()
		<-told
		if patient {
			close(finish)
		} else {
			cancel()
		}
		if err := <-stopped; (err == nil) != patient {
			t.Errorf("patient %v: shutdown says %v", patient, err)
		}
		if err := <-answered; (err == nil) != patient {
			t.Errorf("patient %v: the client got %v", patient, err)
		}
		if err := <-served; err != nil {
			t.Error(err)
		}
		cancel()
	}
}
