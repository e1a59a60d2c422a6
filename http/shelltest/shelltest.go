// Package shelltest gives tests of routes a real server: the shell over a real
// relational store, listening on loopback, and clients that are logged in. A
// package that uses it has
//
//	func TestMain(m *testing.M) { embeddedtest.Main(m) }
package shelltest

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"sync"
	"testing"
	"time"

	"mybeacon/engine/store/postgres"
	"mybeacon/engine/store/postgres/postgrestest"
	shell "mybeacon/http"
	"mybeacon/schema"
)

// The first super-admin of every server, and the password of every account.
const (
	AdminEmail = "admin@example.com"
	Password   = "correct horse battery"
)

// Server is a running server.
type Server struct {
	*shell.Server
	DB  *postgres.DB
	URL string

	tb   testing.TB
	hash string
}

// Start starts a server with the routes that register adds, until the test
// ends. configure may change the configuration, nil leaves it.
func Start(tb testing.TB, configure func(*shell.Config), register func(*Server)) *Server {
	tb.Helper()
	db := postgrestest.Open(tb)
	cfg := shell.Config{Log: slog.New(slog.DiscardHandler), DB: db, Version: "test", Products: []string{"ble"}}
	if configure != nil {
		configure(&cfg)
	}
	inner, err := shell.New(cfg)
	if err != nil {
		tb.Fatal(err)
	}
	s := &Server{Server: inner, DB: db, tb: tb, hash: hashPassword(tb)}
	if register != nil {
		register(s)
	}
	s.admin()
	s.listen()
	return s
}

// hashPassword hashes once per test binary: every hash costs tens of
// milliseconds on purpose.
func hashPassword(tb testing.TB) string {
	tb.Helper()
	hash, err := hashOnce()
	if err != nil {
		tb.Fatal(err)
	}
	return hash
}

var hashOnce = sync.OnceValues(func() (string, error) {
	passwords, err := shell.NewPasswords()
	if err != nil {
		return "", err
	}
	return passwords.Hash(context.Background(), Password)
})

func (s *Server) admin() {
	if _, err := s.DB.CreateFirstSuperAdmin(context.Background(), AdminEmail, s.hash); err != nil {
		s.tb.Fatal(err)
	}
}

func (s *Server) listen() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.tb.Fatal(err)
	}
	s.URL = "http://" + listener.Addr().String()
	served := make(chan error, 1)
	go func() { served <- s.Serve(listener) }()
	s.tb.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := s.Shutdown(ctx); err != nil {
			s.tb.Error(err)
		}
		if err := <-served; err != nil {
			s.tb.Error(err)
		}
	})
}

// Account creates an account with [Password].
func (s *Server) Account(o postgres.Organisation, email, role string) postgres.Account {
	s.tb.Helper()
	a, err := s.DB.CreateAccount(context.Background(), postgres.Account{Organisation: o.ID, Email: email, Role: role}, s.hash)
	if err != nil {
		s.tb.Fatal(err)
	}
	return a
}

// Client sends requests as one caller.
type Client struct {
	URL  string
	HTTP *http.Client
	// Bearer is sent as Authorization when it is not empty.
	Bearer string

	tb testing.TB
}

// Nobody returns a client that is not logged in.
func (s *Server) Nobody() *Client {
	s.tb.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.tb.Fatal(err)
	}
	transport := &http.Transport{}
	s.tb.Cleanup(transport.CloseIdleConnections)
	return &Client{URL: s.URL, HTTP: &http.Client{Jar: jar, Transport: transport, Timeout: 30 * time.Second}, tb: s.tb}
}

// Login returns a client with a session of the account.
func (s *Server) Login(email string) *Client {
	s.tb.Helper()
	c := s.Nobody()
	c.Want(http.StatusOK, "POST", "/api/v1/auth/login", map[string]string{"email": email, "password": Password}, nil)
	return c
}

// Acting returns a client with a session in which the super-admin acts inside the
// organisation.
func (s *Server) Acting(o postgres.Organisation) *Client {
	s.tb.Helper()
	c := s.Nobody()
	login := map[string]string{"email": AdminEmail, "password": Password}
	session := c.Want(http.StatusOK, "POST", "/api/v1/auth/login", login, nil).Cookies()[0].Value
	identity, err := s.DB.IdentityBySession(context.Background(), postgres.SessionHash(session))
	if err == nil {
		err = s.DB.BeginActing(context.Background(), identity, o.ID, "a test")
	}
	if err != nil {
		s.tb.Fatal(err)
	}
	return c
}

// Response is an answer with its body read.
type Response struct {
	*http.Response
	Bytes []byte
}

// Problem reads the body as a problem document.
func (r Response) Problem() shell.Problem {
	var p shell.Problem
	_ = json.Unmarshal(r.Bytes, &p) // an answer that is none gives a zero Problem, which no test wants
	return p
}

// Do sends a request with the body as JSON (nil: none; []byte: as it is).
func (c *Client) Do(method, path string, body any, header ...string) Response {
	c.tb.Helper()
	var reader io.Reader
	switch b := body.(type) {
	case nil:
	case []byte:
		reader = bytes.NewReader(b)
	default:
		text, err := json.Marshal(body)
		if err != nil {
			c.tb.Fatal(err)
		}
		reader = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(c.tb.Context(), method, c.URL+path, reader)
	if err != nil {
		c.tb.Fatal(err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.Bearer != "" {
		req.Header.Set("Authorization", "Bearer "+c.Bearer)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	return c.send(req)
}

func (c *Client) send(req *http.Request) Response {
	c.tb.Helper()
	resp, err := c.HTTP.Do(req)
	if err != nil {
		c.tb.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 16<<20))
	if err != nil {
		c.tb.Fatal(err)
	}
	return Response{resp, text}
}

// Want sends a request, requires the status, and reads the body into out unless
// that is nil.
func (c *Client) Want(status int, method, path string, body, out any) Response {
	c.tb.Helper()
	r := c.Do(method, path, body)
	if r.StatusCode != status {
		c.tb.Fatalf("%s %s: got %d, want %d: %s", method, path, r.StatusCode, status, r.Bytes)
	}
	if out != nil {
		if err := json.Unmarshal(r.Bytes, out); err != nil {
			c.tb.Fatalf("%s %s: %v in %s", method, path, err, r.Bytes)
		}
	}
	return r
}

// Refuse sends a request and requires a problem document of the status.
func (c *Client) Refuse(status int, method, path string, body any) shell.Problem {
	c.tb.Helper()
	r := c.Want(status, method, path, body, nil)
	p := r.Problem()
	if r.Header.Get("Content-Type") != "application/problem+json" || p.Status != status || p.Detail == "" || p.RequestID == "" ||
		p.RequestID != r.Header.Get("X-Request-Id") || p.Instance == "" || p.Title == "" || p.Type == "" {
		c.tb.Errorf("%s %s: not a whole problem document: %s", method, path, r.Bytes)
	}
	return p
}

// Offline says of every device that it was never connected.
type Offline struct{}

// Online implements the Online interfaces of the routes.
func (Offline) Online(schema.DeviceID) (bool, time.Time) { return false, time.Time{} }
