package http

import (
	"net/http"
	"net/url"
	"testing"
)

// Names that look like the configured one are others.
func TestForeignHost(t *testing.T) {
	s := &Server{cfg: Config{Hosts: []string{"beacon.example.org", "10.0.0.7:8080"}}}
	any := &Server{}
	for host, foreign := range map[string]bool{
		"beacon.example.org": false, "BEACON.example.ORG": false, "10.0.0.7:8080": false,
		"127.0.0.1": false, "127.0.0.1:8080": false, "127.9.9.9": false, "localhost": false, "localhost:5173": false, "[::1]": false, "[::1]:8080": false,
		"beacon.example.org.": true, "beacon.example.org:443": true, "beacon.example.org:8080": true, "beacon.example.org:": true, "beacon.example.org@evil.example": true,
		"evil.example": true, "beacon.example.org.evil.example": true, "evil-beacon.example.org": true, "xbeacon.example.org": true, "beacon.example.orgx": true,
		"beacon.example.org\x00.evil.example": true, "beacon.example.org,evil.example": true, "beacon.example.org evil.example": true, "beacon.example.org/": true,
		"a.beacon.example.org": true, "example.org": true, "": true, "10.0.0.7": true, "10.0.0.7:80": true, "10.0.0.8:8080": true, "0x7f000001": true, "2130706433": true, "127.1": true,
		"localhost.": true, "localhost.evil.example": true, "127.0.0.1.evil.example": true, "127.0.0.1:80@evil.example": true, "[::1": true, "[::1]x": true, "::1]": true, "[fe80::1%25lo]": true,
		"localhost:80x": true, "bеacon.example.org": true, "xn--bacon-cof.example.org": true,
	} {
		r := &http.Request{Host: host, URL: &url.URL{Path: "/api/v1/auth/me"}}
		if got := s.foreignHost(r); got != foreign {
			t.Errorf("Host %q: foreign %t, want %t", host, got, foreign)
		}
		if any.foreignHost(r) {
			t.Errorf("Host %q is foreign where none is configured", host)
		}
		for _, path := range []string{"/livez", "/readyz", "/api/v1/device/frames"} {
			if s.foreignHost(&http.Request{Host: host, URL: &url.URL{Path: path}}) {
				t.Errorf("Host %q is foreign to %s", host, path)
			}
		}
	}
}

func TestAmbiguousPaths(t *testing.T) {
	for raw, bad := range map[string]bool{
		"/": false, "/api/v1/auth/me": false, "/assets/index-a.b.c.js": false, "/ble/map/x-1": false, "/.well-known/x": false, "/api/v1/%D0%96": false, "/a%20b": false, "/a/": false,
		"//api": true, "/api//v1": true, "/./api": true, "/api/.": true, "/api/..": true, "/api/../admin": true, "/..": true, "/api/v1./auth": true, "/api/v1/auth.": true, "/api/...": true,
		"/api%2fv1": true, "/api%2Fv1": true, "/api%5cv1": true, "/api%5Cv1": true, `/api\v1`: true, "/%2e%2e/": true, "/a%2e": true, "/a%00": true, "/a%0d%0aX:1": true, "/a%7f": true,
		"/%252f": true, "/a;b": true, "/a/..;/b": true, "/%25": true,
	} {
		u, err := url.ParseRequestURI(raw)
		if err != nil {
			t.Fatalf("%q: %v", raw, err)
		}
		if got := ambiguous(&http.Request{URL: u}); got != bad {
			t.Errorf("%q: ambiguous %t, want %t", raw, got, bad)
		}
	}
	if !ambiguous(&http.Request{URL: &url.URL{Path: "*"}}) {
		t.Error("* passes")
	}
}
