package node_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"mybeacon/edge/client"
	"mybeacon/engine/embedded"
	"mybeacon/engine/embedded/embeddedtest"
	"mybeacon/engine/provision"
	"mybeacon/schema"
)

// stream is a scanner that sends a frame of one observation every few
// milliseconds until it is told to stop.
type stream struct {
	*client.Client
	sent int
}

// streams starts a scanner for each device. The function it returns stops them,
// waits until all they sent is acknowledged, and returns how many observations
// that were.
func streams(t *testing.T, s *server, made provision.Result) (finish func() int, all []*stream) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	t.Cleanup(stop)
	var sending sync.WaitGroup
	for i, dev := range made.Devices {
		c, err := client.Dial(t.Context(), client.Config{
			URL: s.URL(), Token: dev.Token, BootID: fmt.Sprint("stream-", i), MinBackoff: 50 * time.Millisecond, MaxBackoff: time.Second,
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		one := &stream{Client: c}
		all = append(all, one)
		sending.Go(func() { one.send(ctx) })
	}
	return func() int {
		stop()
		sending.Wait()
		limit, cancel := context.WithTimeout(context.Background(), 90*time.Second)
		defer cancel()
		sum := 0
		for _, one := range all {
			if err := one.Flush(limit); err != nil {
				t.Fatalf("%v, with %+v", err, one.Stats())
			}
			sum += one.sent
		}
		return sum
	}, all
}

func (s *stream) send(ctx context.Context) {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for seq := uint64(1); ; seq++ {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			at := schema.EventTimeOf(now)
			f := schema.Frame{Seq: seq, SentAt: at, Observations: []schema.Observation{{
				At: at, Transmitter: schema.IBeacon([16]byte{0xfd, 0xa5}, 1, uint16(seq)), RSSI: -6000,
			}}}
			if s.Send(ctx, f) == nil {
				s.sent++
			}
		}
	}
}

// acked waits until every scanner has some more frames acknowledged than now.
func acked(t *testing.T, all []*stream, more int) {
	t.Helper()
	limit := time.After(60 * time.Second)
	for _, one := range all {
		goal := one.Stats().FramesAcked + more
		for one.Stats().FramesAcked < goal {
			select {
			case <-time.After(10 * time.Millisecond):
			case <-limit:
				t.Fatalf("no acknowledgements: %+v", one.Stats())
			}
		}
	}
}

// R17: told to stop under load, the server is gone within ten seconds, has told
// its clients when to come back, and nothing is lost or stored twice.
func TestStopUnderLoad(t *testing.T) {
	cfg := testConfig(t)
	cfg.HTTP = freeAddress(t) // the same one after the restart
	s := start(t, cfg)
	made := provisioned(t, s)
	watcher := watch(t, s, made.Location)
	finish, all := streams(t, s, made)
	acked(t, all, 50)

	began := time.Now()
	stopped := make(chan error, 1)
	go func() { stopped <- s.stop() }()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	var closed websocket.CloseError
	for {
		if _, _, err := watcher.Read(ctx); err != nil {
			errors.As(err, &closed)
			break
		}
	}
	if closed.Code != websocket.StatusServiceRestart || !strings.HasPrefix(closed.Reason, "retry_ms=") {
		t.Errorf("the map was closed with %+v", closed)
	}
	if err := <-stopped; err != nil {
		t.Errorf("stop: %v", err)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("stopping took %v", took)
	} else {
		t.Logf("stopped after %v", took)
	}

	s = start(t, cfg)
	acked(t, all, 50)
	for _, one := range all {
		if n := one.Stats().Connects; n != 2 {
			t.Errorf("a scanner connected %d times, want once before and once after", n)
		}
	}
	sent := finish()
	s.until(t, "SELECT count() FROM observations FINAL", fmt.Sprint(sent))
	if twice := s.ask(t, "SELECT count() - uniqExact(device, boot_id, seq, idx) FROM observations FINAL"); twice != "0" {
		t.Errorf("%s observations are there twice", twice)
	}
}

// R7: while PostgreSQL is away the scanners go on, also those that connect anew;
// people are told clearly; when it is back all is as before, by itself.
func TestPostgresAway(t *testing.T) {
	stores := embeddedtest.Config(t)
	pg, err := embedded.StartPostgres(t.Context(), stores)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := stopStores(pg); err != nil {
			t.Error(err)
		}
	})
	cfg := testConfig(t)
	cfg.PostgresURL, cfg.Ops = pg.PostgresURL(), freeAddress(t)
	s := start(t, cfg)
	made := provisioned(t, s)
	person, watcher := browser(t, s), watch(t, s, made.Location)
	others := made
	others.Devices = made.Devices[1:]
	finish, all := streams(t, s, others)
	acked(t, all, 20)

	if err := stopStores(pg); err != nil {
		t.Fatal(err)
	}
	acked(t, all, 100)
	// A scanner that was never here before is known by its token.
	again, err := client.Dial(t.Context(), client.Config{URL: s.URL(), Token: made.Devices[0].Token, BootID: "anew"})
	if err != nil {
		t.Fatal(err)
	}
	at := schema.EventTimeOf(time.Now())
	if err := again.Send(t.Context(), schema.Frame{Seq: 1, SentAt: at, Observations: []schema.Observation{{At: at, Transmitter: schema.IBeacon([16]byte{1}, 1, 1), RSSI: -6000}}}); err != nil {
		t.Fatal(err)
	}
	limit, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := again.Flush(limit); err != nil {
		t.Errorf("%v, with %+v", err, again.Stats())
	}
	_ = again.Close()

	unavailable(t, "log in", logIn(t, s))
	resp, err := person.Get(s.URL() + "/api/v1/auth/me")
	if err != nil {
		t.Fatal(err)
	}
	unavailable(t, "who am I", resp)
	if status, text := post(t, s, "mbd_"+strings.Repeat("A", 43), frame(1, time.Now(), -60)); status != http.StatusServiceUnavailable {
		t.Errorf("a token that nobody can check: %d %s", status, text)
	}
	if status, text := get(t, s.URL()+"/readyz"); status != http.StatusServiceUnavailable || !strings.Contains(text, `"postgres":"failed"`) {
		t.Errorf("/readyz: %d %s", status, text)
	}
	if status, _ := get(t, s.URL()+"/livez"); status != http.StatusOK {
		t.Errorf("/livez: %d", status)
	}
	if _, _, err := watcher.Read(t.Context()); err != nil {
		t.Errorf("the map was cut: %v", err)
	}

	if pg, err = embedded.StartPostgres(t.Context(), stores); err != nil {
		t.Fatal(err)
	}
	back := time.Now()
	for {
		if status, _ := get(t, s.URL()+"/readyz"); status == http.StatusOK {
			break
		}
		if time.Since(back) > 30*time.Second {
			t.Fatal("not ready again")
		}
		<-time.After(50 * time.Millisecond)
	}
	t.Logf("ready %v after PostgreSQL", time.Since(back))
	if resp, err := browser(t, s).Get(s.URL() + "/api/v1/auth/me"); err != nil || resp.StatusCode != http.StatusOK {
		t.Errorf("after it came back: %v %v", resp, err)
	}
	if n, want := finish()+1, "SELECT count() FROM observations FINAL"; s.ask(t, want) != fmt.Sprint(n) {
		t.Errorf("%s observations, want %d", s.ask(t, want), n)
	}
}

// A PostgreSQL that stands still refuses nothing. People are told within seconds all
// the same, the scanners go on, and so does the map, whose rights cannot be asked for.
func TestPostgresStandsStill(t *testing.T) {
	pg, err := embedded.StartPostgres(t.Context(), embeddedtest.Config(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := stopStores(pg); err != nil {
			t.Error(err)
		}
	})
	cfg := testConfig(t)
	cfg.PostgresURL = pg.PostgresURL()
	s := start(t, cfg)
	made := provisioned(t, s)
	person, watcher := browser(t, s), watch(t, s, made.Location)
	finish, all := streams(t, s, made)
	acked(t, all, 20)

	resume := embeddedtest.Freeze(t, pg.Postgres().PID())
	for _, what := range []string{"log in", "log in again"} {
		began := time.Now()
		unavailable(t, what, logIn(t, s))
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("%s: answered after %v", what, took)
		}
	}
	began := time.Now()
	resp, err := person.Get(s.URL() + "/api/v1/auth/me")
	if err != nil {
		t.Fatal(err)
	}
	if unavailable(t, "who am I", resp); time.Since(began) > 5*time.Second {
		t.Errorf("who am I: answered after %v", time.Since(began))
	}
	acked(t, all, 100)
	if _, _, err := watcher.Read(t.Context()); err != nil {
		t.Errorf("the map was cut: %v", err)
	}

	resume()
	if resp := logIn(t, s); resp.StatusCode != http.StatusOK {
		t.Errorf("when it goes on: %d %s", resp.StatusCode, readAll(t, resp.Body))
	}
	s.until(t, "SELECT count() FROM observations FINAL", fmt.Sprint(finish()))
}

// logIn asks for a session.
func logIn(t *testing.T, s *server) *http.Response {
	t.Helper()
	body, err := json.Marshal(map[string]string{"email": adminEmail, "password": adminPassword})
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.Post(s.URL()+"/api/v1/auth/login", "application/json", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	return resp
}

// unavailable checks that the answer says clearly to try again.
func unavailable(t *testing.T, what string, resp *http.Response) {
	t.Helper()
	text := readAll(t, resp.Body)
	var problem struct {
		Status    int
		Detail    string
		RequestID string `json:"request_id"`
	}
	if json.Unmarshal([]byte(text), &problem) != nil || resp.StatusCode != http.StatusServiceUnavailable || problem.Status != 503 ||
		problem.RequestID == "" || !strings.Contains(problem.Detail, "try again") || resp.Header.Get("Retry-After") == "" {
		t.Errorf("%s: %d %s", what, resp.StatusCode, text)
	}
}

func stopStores(s *embedded.Stores) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	return s.Stop(ctx)
}
