package soak

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// wires knows the open connections of the scanners, so that they can be cut. It is
// safe for concurrent use.
type wires struct {
	mu   sync.Mutex
	open map[*cable]bool
}

// cable is a connection that leaves the list when it is closed.
type cable struct {
	*net.TCPConn
	all *wires
}

func newWires() *wires { return &wires{open: map[*cable]bool{}} }

func (w *wires) transport() *http.Transport {
	return &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		tcp, ok := conn.(*net.TCPConn)
		if !ok {
			return conn, nil
		}
		one := &cable{tcp, w}
		w.mu.Lock()
		defer w.mu.Unlock()
		w.open[one] = true
		return one, nil
	}}
}

// Close implements [net.Conn].
func (c *cable) Close() error {
	c.all.mu.Lock()
	delete(c.all.open, c)
	c.all.mu.Unlock()
	return c.TCPConn.Close()
}

// cut resets all connections and returns how many there were.
func (w *wires) cut() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.open {
		_ = c.SetLinger(0) // the peer shall hear of a reset, not of an end
		_ = c.TCPConn.Close()
	}
	n := len(w.open)
	clear(w.open)
	return n
}

// narrow dials with a small buffer for what is received, so that who does not read is
// soon full.
func narrow(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if tcp, ok := conn.(*net.TCPConn); ok && err == nil {
		err = tcp.SetReadBuffer(4 << 10)
	}
	return conn, err
}

// dialSlow connects and begins a question.
func dialSlow(ctx context.Context, server string) (net.Conn, error) {
	u, err := url.Parse(server)
	if err != nil {
		return nil, err
	}
	conn, err := (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, "tcp", u.Host)
	if err != nil {
		return nil, err
	}
	_, err = io.WriteString(conn, "POST /api/v1/device/frames HTTP/1.1\r\nHost: "+u.Host+"\r\nX-Slow: ")
	return conn, err
}

// dribble sends a byte a second until the connection is closed from the other side; it
// reports whether that came before the context's end.
func dribble(ctx context.Context, conn net.Conn) bool {
	defer conn.Close() // nothing is lost with it
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = io.Copy(io.Discard, conn)
	}()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ended:
			return true
		case <-ctx.Done():
			_ = conn.Close()
			<-ended
			return false
		case <-tick.C:
			_, _ = conn.Write([]byte("x")) // that it fails is seen by the reader
		}
	}
}
