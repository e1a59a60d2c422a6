package embeddedtest

import (
	"io"
	"net"
	"net/url"
	"sync"
	"testing"
)

// Gate is a door in front of a store that a test can shut: what is connected is
// cut then, and nobody gets in.
type Gate struct {
	// URL is the store's address through the gate.
	URL string

	target string
	mu     sync.Mutex
	shut   bool
	conns  map[net.Conn]struct{}
}

// NewGate returns an open gate in front of the store at that URL. It is closed
// after the test.
func NewGate(tb testing.TB, storeURL string) *Gate {
	tb.Helper()
	u, err := url.Parse(storeURL)
	if err != nil {
		tb.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	g := &Gate{target: u.Host, conns: map[net.Conn]struct{}{}}
	u.Host = listener.Addr().String()
	g.URL = u.String()
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { g.serve(c) })
		}
	})
	tb.Cleanup(func() {
		_ = listener.Close()
		g.Shut()
		serving.Wait()
	})
	return g
}

// Shut cuts the connections and refuses new ones.
func (g *Gate) Shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut = true
	for c := range g.conns {
		_ = c.Close()
	}
}

// Open lets new connections in again.
func (g *Gate) Open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut = false
}

// hold remembers the connections so that Shut cuts them; it closes them and
// returns false when the gate is shut.
func (g *Gate) hold(conns ...net.Conn) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, c := range conns {
		if g.shut {
			_ = c.Close()
			continue
		}
		g.conns[c] = struct{}{}
	}
	return !g.shut
}

func (g *Gate) release(conns ...net.Conn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, c := range conns {
		_ = c.Close()
		delete(g.conns, c)
	}
}

func (g *Gate) serve(c net.Conn) {
	if !g.hold(c) {
		return
	}
	defer g.release(c)
	store, err := net.Dial("tcp", g.target)
	if err != nil || !g.hold(store) {
		return
	}
	defer g.release(store)
	var both sync.WaitGroup
	pass := func(to, from net.Conn) {
		_, _ = io.Copy(to, from)
		g.release(to, from) // the client speaks HTTP: half a connection is of no use
	}
	both.Go(func() { pass(store, c) })
	both.Go(func() { pass(c, store) })
	both.Wait()
}
