package http

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

// chain puts the middlewares around the router; see the package comment.
func (s *Server) chain(router http.Handler) http.Handler {
	h := s.protect(router)
	h = s.limit(h)
	h = s.headers(h)
	h = s.recover(h)
	return s.observe(h)
}

type requestKey struct{}

// request is what the middlewares note of a request; it belongs to the
// request's goroutine.
type request struct {
	id    string
	route string // the router's pattern
}

// requestID returns the id of the request that the context belongs to, or "".
func requestID(ctx context.Context) string {
	if about, ok := ctx.Value(requestKey{}).(*request); ok {
		return about.id
	}
	return ""
}

func newRequestID() string {
	var b [10]byte
	if _, err := rand.Read(b[:]); err != nil {
		panic("BUG: crypto/rand failed: " + err.Error())
	}
	return hex.EncodeToString(b[:])
}

// observe gives the request an id of our own - a caller's would let him forge
// log lines - counts it and logs it.
func (s *Server) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		about, began := &request{id: newRequestID(), route: unmatched}, time.Now()
		ctx := context.WithValue(r.Context(), requestKey{}, about)
		w.Header().Set("X-Request-Id", about.id)
		rec := &recorder{ResponseWriter: w}
		defer func() { // also when an answer is broken off
			took := time.Since(began)
			s.cfg.Metrics.answered(about.route, rec.status, took)
			s.log.LogAttrs(ctx, logLevel(rec.status), "request", slog.String("request", about.id),
				slog.String("method", r.Method), slog.String("route", about.route), slog.String("path", r.URL.Path),
				slog.Int("status", rec.status), slog.Int64("bytes", rec.bytes), slog.Duration("took", took),
				slog.String("address", s.clientAddress(r).String()))
		}()
		next.ServeHTTP(rec, r.WithContext(ctx))
	})
}

// logLevel keeps what is merely normal out of the log of a busy server. The line
// never holds the query, which may carry a ticket.
func logLevel(status int) slog.Level {
	if status >= http.StatusInternalServerError {
		return slog.LevelWarn
	}
	return slog.LevelDebug
}

// recorder remembers what was answered. Unwrap keeps hijacking and deadlines.
type recorder struct {
	http.ResponseWriter
	status int // 0 until the header is written; stays 0 for a hijacked socket
	bytes  int64
}

// Unwrap implements what http.ResponseController looks for.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// WriteHeader implements http.ResponseWriter.
func (r *recorder) WriteHeader(status int) {
	if r.status == 0 && status >= 200 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	n, err := r.ResponseWriter.Write(b)
	r.bytes += int64(n)
	return n, err
}

// recover turns a panic into a 500 and a logged stack.
func (s *Server) recover(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			v := recover()
			if v == nil {
				return
			}
			if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(v)
			}
			s.log.ErrorContext(r.Context(), "panic in a request", "request", requestID(r.Context()),
				"method", r.Method, "path", r.URL.Path, "panic", v, "stack", string(debug.Stack()))
			if rec, ok := w.(*recorder); ok && rec.status != 0 {
				panic(http.ErrAbortHandler) // half an answer must not look whole
			}
			writeProblem(w, r, newProblem(http.StatusInternalServerError, "an internal error; it was logged under the request id"))
		}()
		next.ServeHTTP(w, r)
	})
}

// contentPolicy allows what the console needs and no more: Vuetify makes style
// elements at run time, the editor's tracer is WebAssembly, images are drawn to
// blobs. connect-src 'self' covers the live socket.
const contentPolicy = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; " +
	"img-src 'self' data: blob:; connect-src 'self'; object-src 'none'; frame-src 'none'; frame-ancestors 'none'; " +
	"base-uri 'none'; form-action 'self'"

func (s *Server) headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", contentPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
		if s.cfg.Secure {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		if strings.HasPrefix(r.URL.Path, "/api/") {
			h.Set("Cache-Control", "no-store")
		}
		next.ServeHTTP(w, r)
	})
}

// limit refuses paths that a router and a check might read differently, requests
// meant for another host and too many of one address, and bounds how long an answer
// may take to make and to send, and of that what the database may take, so that one
// that hangs does not collect requests. A socket has bounds of its own.
func (s *Server) limit(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if ambiguous(r) {
			s.WriteError(w, r, schema.Errorf(schema.Invalid, "", `the path must not contain "//", "/./", "/../", a backslash, a semicolon, an encoded slash, dot or percent sign, or end a part with a dot`))
			return
		}
		if s.foreignHost(r) {
			s.WriteError(w, r, newProblem(http.StatusMisdirectedRequest, "this server has another name; use the address it is configured with"))
			return
		}
		if err := s.spendAddress(w, r); err != nil {
			s.WriteError(w, r, err)
			return
		}
		// A writer without deadlines, as in tests, has no slow peer either. A
		// connection that becomes a socket leaves the deadline behind.
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(writeTimeout))
		ctx := postgres.Prompt(r.Context())
		if r.Header.Get("Upgrade") != "" {
			next.ServeHTTP(w, r.WithContext(ctx))
			return
		}
		ctx, cancel := context.WithTimeout(ctx, writeTimeout)
		defer cancel()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// protect refuses writes that a browser sends on behalf of another site. A
// request with an Authorization header is none: browsers never add one by
// themselves, and the cookie is ignored beside it.
func (s *Server) protect(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "" {
			if err := s.origins.Check(r); err != nil {
				s.WriteError(w, r, &schema.Error{Kind: schema.Forbidden, Message: "a page of another site may not do this", Err: err})
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}
