package http

import (
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"

	"mybeacon/engine/store/postgres"
)

const (
	sessionCookie = "mybeacon_session"
	// Browsers take a cookie of this prefix from this very host only, for all of it, and
	// by https; so they take none on plain http.
	hostPrefix = "__Host-"
	// sessionLifetime is absolute: a stolen cookie ends with it even if used.
	sessionLifetime = 7 * 24 * time.Hour
)

// newSessions returns the manager of login sessions. It is built by hand
// because scs.New starts a goroutine for a memory store that we do not use. Only
// hashes reach the store, so that reading it lets nobody in.
func newSessions(db *postgres.DB, secure bool) *scs.SessionManager {
	name := sessionCookie
	if secure {
		name = hostPrefix + name
	}
	return &scs.SessionManager{
		Store:            db.Sessions(),
		Codec:            scs.GobCodec{},
		Lifetime:         sessionLifetime,
		HashTokenInStore: true,
		Cookie: scs.SessionCookie{
			Name: name, Path: "/", HttpOnly: true,
			Secure: secure, SameSite: http.SameSiteStrictMode, Persist: true,
		},
	}
}

// cookieOf returns the cookie that carries the session; an empty token removes it.
func (s *Server) cookieOf(token string, expires time.Time) http.Cookie {
	c := s.sessions.Cookie
	cookie := http.Cookie{
		Name: c.Name, Value: token, Path: c.Path,
		Secure: c.Secure, HttpOnly: c.HttpOnly, SameSite: c.SameSite,
	}
	if token == "" {
		cookie.MaxAge = -1
		return cookie
	}
	// Rounded up: a cookie must not end before the session does.
	cookie.MaxAge = int(time.Until(expires).Seconds() + 1)
	return cookie
}
