package live_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"mybeacon/engine/ingest"
	"mybeacon/http/live"
	"mybeacon/http/shelltest"
	"mybeacon/schema"
	"mybeacon/schema/wire"
	"mybeacon/schema/wire/wirepb"
)

// rawDevice opens a device's socket by hand: without the buffers and goroutines of
// a client, what a process holds is the server's side.
func rawDevice(t testing.TB, address, token string) net.Conn {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_, err = fmt.Fprintf(conn, "GET /api/v1/device/stream HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: %s\r\nAuthorization: Bearer %s\r\n\r\n", wire.Subprotocol, token)
	if err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReaderSize(conn, 512)
	resp, err := http.ReadResponse(r, nil)
	if err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("%v, %v", resp, err)
	}
	_ = resp.Body.Close()
	rawWrite(t, conn, marshal(t, &wirepb.ToEngine{Body: &wirepb.ToEngine_Hello{Hello: &wirepb.Hello{Protocol: 1, BootId: "boot-1"}}}))
	rawRead(t, r)
	return conn
}

// rawWrite sends a short binary message, masked with zeros.
func rawWrite(t testing.TB, conn net.Conn, b []byte) {
	t.Helper()
	head := []byte{0x82, 0x80 | 126, 0, 0, 0, 0, 0, 0}
	binary.BigEndian.PutUint16(head[2:], uint16(len(b)))
	if _, err := conn.Write(append(head, b...)); err != nil {
		t.Fatal(err)
	}
}

// rawRead reads a short message away.
func rawRead(t testing.TB, r io.Reader) {
	t.Helper()
	var head [2]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		t.Fatal(err)
	}
	if head[1] > 125 {
		t.Fatalf("a longer message than a welcome: %x", head)
	}
	if _, err := io.CopyN(io.Discard, r, int64(head[1])); err != nil {
		t.Fatal(err)
	}
}

// elsewhere is a warehouse that has nothing and stores at once: what the columns
// hold is not what a socket costs.
type elsewhere struct{}

func (elsewhere) StoredSeqs(context.Context, schema.Source, string, schema.EventTime) ([]wire.SeqRange, error) {
	return nil, nil
}

func (elsewhere) Add(_ schema.FrameAdmitted, done func(error)) error {
	go done(nil)
	return nil
}

func (elsewhere) Stalled() error { return nil }

// held returns the bytes of heap and stacks in use.
func held() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}

// A device that is connected and has nothing to say costs at most 40 KiB, with
// what this process needs to be its other end.
func TestIdleDeviceSocketsAreSmall(t *testing.T) {
	const sockets = 2000
	dir := newRegistry()
	for i := range sockets {
		dir.devices[fmt.Sprint("idle-", i)] = ingest.Device{Clock: ingest.ClockSource, Source: schema.Source{
			Organisation: schema.OrganisationID{1}, Device: schema.DeviceID{3, byte(i >> 8), byte(i)}, KeepDays: schema.KeepForever,
		}}
	}
	h := startHouse(t, warehouse(t), dir, "", func(c *ingest.Config, d *live.DevicesConfig) {
		d.MaxSockets, c.Stored, c.Journal = sockets, elsewhere{}, elsewhere{}
	})
	behind := shelltest.Start(t, nil, func(s *shelltest.Server) { // through all that a request passes
		s.Handle("GET /api/v1/device/stream", http.HandlerFunc(h.devices.Stream))
	})
	address := strings.TrimPrefix(behind.URL, "http://")
	before, goroutines := held(), runtime.NumGoroutine()
	enc := wire.NewEncoder()
	conns := make([]net.Conn, sockets)
	for i := range conns {
		conns[i] = rawDevice(t, address, fmt.Sprint("idle-", i))
	}
	report := func(what string) {
		t.Helper()
		each := (int64(held()) - int64(before)) / sockets
		t.Logf("%s: %d bytes and %.1f goroutines a socket", what, each, float64(runtime.NumGoroutine()-goroutines)/sockets)
		if each > 40<<10 {
			t.Errorf("%s: %d KiB a socket, want 40 at most", what, each>>10)
		}
	}
	report("after hello")
	for i, conn := range conns { // a usual frame: its buffers stay
		f := scanFrame(6)
		for len(f.Observations) < 60 {
			f.Observations = append(f.Observations, f.Observations[i%6])
		}
		rawWrite(t, conn, wire.AppendFramesMessage(nil, enc.AppendFrame(nil, f)))
	}
	for _, conn := range conns {
		rawRead(t, conn)
	}
	report("after a frame")
}
