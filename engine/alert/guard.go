package alert

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"
)

// postTimeout bounds one post as a whole, and dialTimeout its connection.
const (
	postTimeout = 10 * time.Second
	dialTimeout = 5 * time.Second
)

// private are networks that belong to somebody's own network or to nobody, besides those
// that netip knows: an address there is never a webhook's, and may be a service that
// trusts whoever reaches it, such as a cloud's metadata.
var private = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),
	netip.MustParsePrefix("100.64.0.0/10"), // shared by providers; also metadata of some clouds
	netip.MustParsePrefix("168.63.129.16/32"),
	netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"),
	netip.MustParsePrefix("192.88.99.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("198.51.100.0/24"),
	netip.MustParsePrefix("203.0.113.0/24"),
	netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("64:ff9b::/96"), // holds an IPv4 address, and so do the next
	netip.MustParsePrefix("64:ff9b:1::/48"),
	netip.MustParsePrefix("::/96"),
	netip.MustParsePrefix("2001::/23"),
	netip.MustParsePrefix("2002::/16"),
	netip.MustParsePrefix("100::/64"),
	netip.MustParsePrefix("2001:db8::/32"),
	netip.MustParsePrefix("fec0::/10"),
}

// Public reports whether an address is one of the internet that anybody may reach.
func Public(a netip.Addr) bool {
	a = a.Unmap()
	if !a.IsValid() || a.Zone() != "" || !a.IsGlobalUnicast() || a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() {
		return false
	}
	for _, p := range private {
		if p.Contains(a) {
			return false
		}
	}
	return true
}

// errPrivate says that an address is not to be posted to. It does not say which: where
// names lead inside of the server's network is nobody's to find out.
type errPrivate struct{}

// Error implements error.
func (errPrivate) Error() string {
	return "the name leads to no public address: ask who runs the server to allow private ones"
}

// onlyPublic refuses to connect to what is not public. It sees the very address that is
// connected to, after the name was looked up, so that a name that leads elsewhere the
// second time gains nothing.
func onlyPublic(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil || !Public(at.Addr()) {
		return errPrivate{}
	}
	return nil
}

// newClient returns what posts: no proxy, no cookies, no redirects, each connection
// checked.
func newClient(cfg *Config) *http.Client {
	dialer := &net.Dialer{Timeout: dialTimeout, Resolver: cfg.Resolver}
	if !cfg.AllowPrivate {
		dialer.Control = onlyPublic
	}
	return &http.Client{
		Timeout:       postTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext: dialer.DialContext, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: cfg.Roots},
			TLSHandshakeTimeout: dialTimeout, ResponseHeaderTimeout: postTimeout, MaxResponseHeaderBytes: 16 << 10,
			DisableKeepAlives: true, DisableCompression: true, ForceAttemptHTTP2: true,
		},
	}
}

// told says what went wrong in words of our own: what a receiver answers, and what a
// network tells of itself, is not for the screens of an organisation.
func told(err error) string {
	var refused errPrivate
	var dns *net.DNSError
	var certificate *tls.CertificateVerificationError
	var network net.Error
	switch {
	case errors.As(err, &refused):
		return refused.Error()
	case errors.As(err, &dns):
		return "the name of the host is not known"
	case errors.As(err, &certificate):
		return "the receiver's certificate is not valid for this address"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &network) && network.Timeout():
		return fmt.Sprintf("no answer within %s", postTimeout)
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nobody listens there: the connection was refused"
	}
	return "the connection failed"
}
