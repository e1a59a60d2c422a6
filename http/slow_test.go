package http_test

import (
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"mybeacon/http/shelltest"
)

// R15, scaled: connections that send a byte now and then, in their header or in
// their body, are gone within seconds, and others do not notice them.
func TestSlowSendersAreCutAndHoldNobody(t *testing.T) {
	const slow = 300
	s := shelltest.Start(t, nil, nil)
	most := func() time.Duration {
		var took []time.Duration
		for range 200 {
			began := time.Now()
			if r := s.Nobody().Do("GET", "/livez", nil); r.StatusCode != http.StatusOK {
				t.Fatalf("got %d", r.StatusCode)
			}
			took = append(took, time.Since(began))
		}
		slices.Sort(took)
		return took[len(took)*9/10]
	}
	calm := most()
	var all sync.WaitGroup
	heads := []string{
		"GET /livez HTTP/1.1\r\nHost: x\r\nX-Slow: ",
		"POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n{",
	}
	began := time.Now()
	for i := range slow {
		all.Go(func() {
			if err := drip(t, s.URL, heads[i%len(heads)]); err != nil {
				t.Error(err)
			}
		})
	}
	disturbed := most()
	all.Wait()
	took := time.Since(began)
	after := most()
	t.Logf("nine of ten answers within %v, with slow senders %v, after them %v; all of them were cut after %v", calm, disturbed, after, took)
	if took > 30*time.Second {
		t.Errorf("slow senders were held for %v", took)
	}
	if disturbed > 2*max(calm, after)+100*time.Millisecond { // the machine may be busy with other things
		t.Errorf("others waited %v, %v without slow senders", disturbed, max(calm, after))
	}
}

// drip sends a byte every half second until it is cut.
func drip(t *testing.T, url, head string) error {
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, head); err != nil {
		return err
	}
	answer := make([]byte, 1024)
	for range 60 {
		if err := conn.SetReadDeadline(time.Now().Add(500 * time.Millisecond)); err != nil {
			return err
		}
		if _, err := conn.Read(answer); err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			return nil
		}
		if _, err := io.WriteString(conn, "a"); err != nil {
			return nil
		}
	}
	return errors.New("a slow sender was not cut")
}
