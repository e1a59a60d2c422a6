package soak

import (
	"context"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/coder/websocket"

	"mybeacon/bench/load"
	"mybeacon/bench/rig"
)

// fault is something that happens to a server. do returns when it was over, which is
// before the server is asked to have got over it, and what it did in words.
type fault struct {
	name        string
	disconnects bool // it ends connections of the site's scanners
	least       func(sizes) time.Duration
	do          func(context.Context, *bed) (over time.Time, effect string, err error)
}

func brief(sizes) time.Duration { return 5 * time.Second }

// faults returns all there are.
func faults() []fault {
	outage := func(s sizes) time.Duration { return s.outage + 5*time.Second }
	return []fault{
		{"sockets reset", true, brief, reset},
		{"server killed", true, brief, kill},
		{"warehouse stopped", false, outage, stopped(rig.Warehouse)},
		{"warehouse killed", false, brief, warehouseKilled},
		{"database stopped", false, outage, stopped(rig.Database)},
		{"frames again", false, brief, again},
		{"maps that stall", false, outage, stalledMaps},
		{"slow sockets", false, outage, slowSockets},
		{"noisy neighbour", false, outage, noise},
		{"clock jumps", false, brief, clockJumps},
		{"broken messages", false, brief, mutants},
	}
}

// reset cuts every scanner's connection, three times.
func reset(ctx context.Context, b *bed) (over time.Time, effect string, err error) {
	n := 0
	for range 3 {
		n += b.wires.cut()
		if err := pause(ctx, time.Second); err != nil {
			return over, "", err
		}
	}
	return time.Now().Add(-time.Second), fmt.Sprintf("%d connections cut", n), nil
}

// kill ends the server with SIGKILL and starts it again.
func kill(ctx context.Context, b *bed) (over time.Time, effect string, err error) {
	if err := b.server.Kill(); err != nil {
		return over, "", err
	}
	over = time.Now()
	if err := b.server.Start(ctx); err != nil {
		return over, "", err
	}
	return over, fmt.Sprintf("ready again after %.1f s", time.Since(over).Seconds()), nil
}

// stopped lets a store's processes stand still for a while: they neither answer nor
// refuse.
func stopped(store string) func(context.Context, *bed) (time.Time, string, error) {
	return func(ctx context.Context, b *bed) (over time.Time, effect string, err error) {
		if err := b.server.Signal(store, syscall.SIGSTOP); err != nil {
			return over, "", err
		}
		defer func() { // also when the run ends meanwhile: the server could not stop
			if again := b.server.Signal(store, syscall.SIGCONT); err == nil {
				err = again
			}
			over = time.Now()
		}()
		p99, told := b.fleet.Measure(), make(chan string, 1)
		if store == rig.Database {
			go func() { told <- "a login meanwhile: " + login(ctx, b) + "; " }()
		} else {
			told <- ""
		}
		if err := pause(ctx, b.cfg.sizes.outage); err != nil {
			return over, "", err
		}
		return over, <-told + fmt.Sprintf("acknowledgements meanwhile: p99 %.0f ms", p99()), nil
	}
}

// login tells how a login is answered.
func login(ctx context.Context, b *bed) string {
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, b.cfg.sizes.outage)
	defer cancel()
	body := fmt.Sprintf(`{"email":%q,"password":%q}`, rig.AdminEmail, rig.AdminPassword)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, b.server.URL()+"/api/v1/auth/login", strings.NewReader(body))
	if err != nil {
		return err.Error()
	}
	req.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(req)
	took := time.Since(began).Seconds()
	if err != nil {
		return fmt.Sprintf("no answer within %.1f s", took)
	}
	_ = answer.Body.Close()
	return fmt.Sprintf("%d after %.1f s", answer.StatusCode, took)
}

func warehouseKilled(ctx context.Context, b *bed) (over time.Time, effect string, err error) {
	if err := b.server.Signal(rig.Warehouse, syscall.SIGKILL); err != nil {
		return over, "", err
	}
	over = time.Now()
	err = b.until(ctx, time.Minute, "start its warehouse again", func() bool {
		return b.server.Ask(ctx, "SELECT 1", func([]byte) error { return nil }) == nil
	})
	return over, fmt.Sprintf("it answers again after %.1f s", time.Since(over).Seconds()), err
}

// stalledMaps opens live maps that read nothing, beside one that reads.
func stalledMaps(ctx context.Context, b *bed) (over time.Time, effect string, err error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return over, "", err
	}
	viewer := &http.Client{Jar: jar, Transport: &http.Transport{DialContext: narrow}}
	if err := signIn(ctx, b, viewer); err != nil {
		return over, "", err
	}
	var stalled []*websocket.Conn
	defer func() {
		for _, conn := range stalled {
			_ = conn.CloseNow()
		}
	}()
	for range b.cfg.sizes.maps {
		conn, err := load.Watch(ctx, b.server.URL(), b.site.Location, asBrowser(b, viewer))
		if err != nil {
			return over, "", err
		}
		stalled = append(stalled, conn)
	}
	messages, gap, err := reads(ctx, b, viewer)
	over = time.Now()
	return over, fmt.Sprintf("%d maps read nothing; one that reads had %d messages, %.1f s apart at most", len(stalled), messages, gap.Seconds()), err
}

// reads watches a live map for the length of an outage.
func reads(ctx context.Context, b *bed, viewer *http.Client) (messages int, gap time.Duration, err error) {
	conn, err := load.Watch(ctx, b.server.URL(), b.site.Location, asBrowser(b, viewer))
	if err != nil {
		return 0, 0, err
	}
	defer func() { _ = conn.CloseNow() }() // it was only read
	short, cancel := context.WithTimeout(ctx, b.cfg.sizes.outage)
	defer cancel()
	for last := time.Now(); ; messages++ {
		if _, _, err := conn.Read(short); err != nil {
			if short.Err() != nil {
				return messages, gap, ctx.Err()
			}
			return messages, gap, fmt.Errorf("read a live map: %w", err)
		}
		gap, last = max(gap, time.Since(last)), time.Now()
	}
}

func signIn(ctx context.Context, b *bed, viewer *http.Client) error {
	body := fmt.Sprintf(`{"email":%q,"password":%q}`, rig.AdminEmail, rig.AdminPassword)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, b.server.URL()+"/api/v1/auth/login", strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	answer, err := viewer.Do(req)
	if err != nil {
		return fmt.Errorf("log in: %w", err)
	}
	defer answer.Body.Close() // it is not read
	if answer.StatusCode >= 300 {
		return fmt.Errorf("log in: the server answered %s", answer.Status)
	}
	return nil
}

// slowSockets opens connections that send a byte a second and never finish their
// question, and waits until the server has freed itself of all.
func slowSockets(ctx context.Context, b *bed) (over time.Time, effect string, err error) {
	p99 := b.fleet.Measure()
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	var wait sync.WaitGroup
	freed := make(chan time.Duration, b.cfg.sizes.loris)
	refused := 0
	for range b.cfg.sizes.loris {
		conn, err := dialSlow(ctx, b.server.URL())
		if err != nil {
			refused++
			continue
		}
		wait.Go(func() {
			if dribble(ctx, conn) {
				freed <- time.Since(began)
			}
		})
	}
	wait.Wait()
	close(freed)
	n, longest := 0, time.Duration(0)
	for d := range freed {
		n, longest = n+1, max(longest, d)
	}
	return time.Now(), fmt.Sprintf("%d of %d opened, %d freed within %.1f s; acknowledgements meanwhile: p99 %.0f ms",
		b.cfg.sizes.loris-refused, b.cfg.sizes.loris, n, longest.Seconds(), p99()), nil
}

// asBrowser returns the options of somebody who is signed in: a session's cookie counts
// only on a page of the server.
func asBrowser(b *bed, viewer *http.Client) *websocket.DialOptions {
	return &websocket.DialOptions{HTTPClient: viewer, HTTPHeader: http.Header{"Origin": {b.server.URL()}}}
}
