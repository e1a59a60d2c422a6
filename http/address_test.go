package http

import (
	"net/http"
	"net/netip"
	"testing"
)

func TestClientAddress(t *testing.T) {
	s := &Server{cfg: Config{Proxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}}}
	f := func(peer string, forwarded []string, want string) {
		t.Helper()
		r := &http.Request{RemoteAddr: peer, Header: http.Header{"X-Forwarded-For": forwarded}}
		if got := s.clientAddress(r).String(); got != want {
			t.Errorf("%s %q: got %s, want %s", peer, forwarded, got, want)
		}
	}
	f("192.0.2.1:99", nil, "192.0.2.1")
	f("192.0.2.1:99", []string{"203.0.113.9"}, "192.0.2.1") // not from a proxy: not believed
	f("10.0.0.1:99", []string{"203.0.113.9"}, "203.0.113.9")
	f("10.0.0.1:99", []string{"1.2.3.4, 203.0.113.9"}, "203.0.113.9") // the caller wrote the first
	f("10.0.0.1:99", []string{"1.2.3.4", "203.0.113.9, 10.0.0.2"}, "203.0.113.9")
	f("10.0.0.1:99", []string{"nonsense"}, "10.0.0.1")
	f("10.0.0.1:99", nil, "10.0.0.1")
	f("[::ffff:10.0.0.1]:99", []string{"203.0.113.9"}, "203.0.113.9")
	f("[fd00::1]:99", []string{"2001:db8::1"}, "2001:db8::1")
	f("pipe", []string{"203.0.113.9"}, "invalid IP")
}

func TestLimitKey(t *testing.T) {
	f := func(a, b string, same bool) {
		t.Helper()
		if got := limitKey(netip.MustParseAddr(a)) == limitKey(netip.MustParseAddr(b)); got != same {
			t.Errorf("%s and %s share a limit: %v, want %v", a, b, got, same)
		}
	}
	f("192.0.2.1", "192.0.2.1", true)
	f("192.0.2.1", "192.0.2.2", false)
	f("2001:db8::1", "2001:db8::ffff:1", true)
	f("2001:db8::1", "2001:db8:0:1::1", false)
	f("fe80::1%eth0", "fe80::1%eth1", true)
}
