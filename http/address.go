package http

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// clientAddress returns who sent the request: the peer, or, while that is a
// trusted proxy, the rightmost address of X-Forwarded-For that is none. An
// unreadable header counts for the proxy itself, so that nonsense shares one
// limit instead of escaping it.
func (s *Server) clientAddress(r *http.Request) netip.Addr {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	address := peer.Addr().Unmap()
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		if !s.isProxy(address) {
			return address
		}
		next, err := netip.ParseAddr(strings.TrimSpace(hop))
		if err != nil {
			return address
		}
		address = next.Unmap()
	}
	return address
}

func (s *Server) isProxy(address netip.Addr) bool {
	return slices.ContainsFunc(s.cfg.Proxies, func(p netip.Prefix) bool { return p.Contains(address) })
}

// limitKey returns what a limit per address counts: a whole /64 of IPv6, since
// one customer has at least that many addresses.
func limitKey(address netip.Addr) string {
	if address.Is6() {
		if prefix, err := address.WithZone("").Prefix(64); err == nil {
			return prefix.String()
		}
	}
	return address.String()
}
