package http

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// foreignHost reports whether the request was meant for another server than this
// one: its Host is none of those configured. Names are compared whole, whatever
// their case; a port that is not the configured one, a dot at the end and anything
// around the name make it another. A loopback address is always this server: no name
// that somebody else controls leads there.
//
// Nothing is built from the Host in any case; links take the configured address.
func (s *Server) foreignHost(r *http.Request) bool {
	if len(s.cfg.Hosts) == 0 || exemptFromHost(r.URL.Path) {
		return false
	}
	host := strings.ToLower(r.Host)
	return !slices.Contains(s.cfg.Hosts, host) && !loopback(host)
}

// exemptFromHost are what probes and devices ask, which may know the server by an
// address of their network; devices prove who they are at every request.
func exemptFromHost(path string) bool {
	return path == "/livez" || path == "/readyz" || strings.HasPrefix(path, "/api/v1/device/")
}

func loopback(host string) bool {
	name, port, err := net.SplitHostPort(host)
	if err != nil { // without a port
		name, port = host, ""
		if inner, ok := strings.CutPrefix(host, "["); ok {
			name, ok = strings.CutSuffix(inner, "]")
			if !ok {
				return false
			}
		}
	}
	if name == "localhost" {
		return strings.Trim(port, "0123456789") == ""
	}
	ip, err := netip.ParseAddr(name)
	return err == nil && ip.Zone() == "" && ip.IsLoopback() && strings.Trim(port, "0123456789") == ""
}
