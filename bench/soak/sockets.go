package soak

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"

	"mybeacon/bench/rig"
	"mybeacon/edge/client"
	"mybeacon/engine/provision"
	"mybeacon/schema"
)

const (
	maxSockets = 20_000 // as many as a server takes
	// perPlan is how many scanners hang on one plan, and makers how many plans are
	// made at once.
	perPlan, makers = 250, 8
)

// SocketsConfig says how many scanners are connected, and for how long they have
// nothing to say.
type SocketsConfig struct {
	Sockets, Seconds int
	rig.Program
}

// Validate names the first field that is wrong.
func (c SocketsConfig) Validate() error {
	switch {
	case c.Sockets < 1 || c.Sockets > maxSockets:
		return schema.Errorf(schema.Invalid, "sockets", "%d must be 1 to %d", c.Sockets, maxSockets)
	case c.Seconds < 1 || c.Seconds > 86_400:
		return schema.Errorf(schema.Invalid, "seconds", "%d must be 1 to 86400", c.Seconds)
	}
	return c.Program.Validate()
}

// SocketFigures is what connected scanners cost that have nothing to say. Memory is the
// resident set of the server's process: BaseMB without any of them, LargestMB with all.
type SocketFigures struct {
	Sockets, Seconds  int
	ConnectS          float64 // until all were connected
	BaseMB, LargestMB float64
	KiBPerSocket      float64
	Disconnects       int
	// BackS is how long after a kill and restart of the server all were connected again,
	// by the waits that scanners keep so as not to come all at once.
	BackS float64
}

// MarshalJSON writes one object.
func (f SocketFigures) MarshalJSON() ([]byte, error) {
	return fmt.Appendf(nil, `{"sockets":%d,"seconds":%d,"connect_s":%.2f,"base_mb":%.1f,"rss_mb":%.1f,"kib_per_socket":%.1f,"disconnects":%d,"back_s":%.2f}`,
		f.Sockets, f.Seconds, f.ConnectS, f.BaseMB, f.LargestMB, f.KiBPerSocket, f.Disconnects, f.BackS), nil
}

var _ json.Marshaler = SocketFigures{}

// WriteText writes one figure per line.
func (f SocketFigures) WriteText(w io.Writer) error {
	_, err := fmt.Fprintf(w, "sockets         %d\nseconds         %d\nconnect_s       %.2f\nbase_mb         %.1f\nrss_mb          %.1f\nkib_per_socket  %.1f\ndisconnects     %d\nback_s          %.2f\n",
		f.Sockets, f.Seconds, f.ConnectS, f.BaseMB, f.LargestMB, f.KiBPerSocket, f.Disconnects, f.BackS)
	return err
}

// Sockets connects scanners that have nothing to say, and measures what they cost the
// server.
func Sockets(ctx context.Context, cfg SocketsConfig) (f SocketFigures, err error) {
	if err := cfg.Validate(); err != nil {
		return f, err
	}
	f.Sockets, f.Seconds = cfg.Sockets, cfg.Seconds
	err = rig.On(ctx, cfg.Program, func(s *rig.Server) error {
		tokens, err := enrol(ctx, s, cfg.Sockets)
		if err != nil {
			return err
		}
		// What enrolling has left in memory shall not hide what the sockets need.
		if err := errors.Join(s.Stop(), s.Start(ctx)); err != nil {
			return err
		}
		return hold(ctx, s, tokens, &f)
	})
	return f, err
}

// enrol makes the scanners and returns their tokens.
func enrol(ctx context.Context, s *rig.Server, n int) ([]string, error) {
	c, err := s.Login(ctx)
	if err != nil {
		return nil, err
	}
	tokens := make([]string, n)
	plan := func(first int) error {
		site := provision.Site{
			Organisation: "Quiet", Location: "Halls", KeepDays: schema.KeepForever, Clock: "device",
			Plan: provision.Plan{Name: fmt.Sprintf("Hall %d", first/perPlan+1), Bounds: schema.Rect{Max: schema.Point{X: perPlan, Y: 10}}, TagHeightM: 1},
		}
		for i := first; i < min(first+perPlan, n); i++ {
			site.Receivers = append(site.Receivers, provision.Receiver{Name: fmt.Sprintf("Q%05d", i+1), X: float64(i - first), Y: 5, Z: 3})
		}
		there, err := c.Ensure(ctx, site)
		for i, d := range there.Devices {
			tokens[first+i] = d.Token
		}
		return err
	}
	if err := plan(0); err != nil { // makes organisation and location, which the others find
		return nil, err
	}
	var group errgroup.Group
	group.SetLimit(makers)
	for first := perPlan; first < n; first += perPlan {
		group.Go(func() error { return plan(first) })
	}
	return tokens, group.Wait()
}

// hold connects all, waits, and lets them come back after a kill.
func hold(ctx context.Context, s *rig.Server, tokens []string, f *SocketFigures) (err error) {
	if err := pause(ctx, 2*time.Second); err != nil {
		return err
	}
	base, _ := s.RSSKiB()
	began := time.Now()
	var all []*client.Client
	defer func() {
		for _, c := range all {
			err = errors.Join(err, c.Close())
		}
	}()
	for _, token := range tokens {
		c, err := client.Dial(ctx, client.Config{URL: s.URL(), Token: token, Agent: "mybeacon bench", Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			return err
		}
		all = append(all, c)
	}
	if err := connected(ctx, all); err != nil {
		return err
	}
	f.ConnectS = time.Since(began).Seconds()
	largest := base
	for range f.Seconds {
		if err := pause(ctx, time.Second); err != nil {
			return err
		}
		kib, _ := s.RSSKiB()
		largest = max(largest, kib)
	}
	f.BaseMB, f.LargestMB = megabytes(base), megabytes(largest)
	f.KiBPerSocket = float64(largest-base) / float64(len(all))
	for _, c := range all {
		f.Disconnects += c.Stats().Connects - 1
	}
	if err := s.Kill(); err != nil {
		return err
	}
	killed := time.Now()
	if err := errors.Join(s.Start(ctx), connected(ctx, all)); err != nil {
		return err
	}
	f.BackS = time.Since(killed).Seconds()
	return nil
}

// connected waits until all are.
func connected(ctx context.Context, all []*client.Client) error {
	deadline := time.Now().Add(10 * time.Minute)
	for left := all; len(left) > 0; {
		if left[0].Stats().Connected {
			left = left[1:]
			continue
		}
		if err := left[0].Err(); err != nil {
			return err
		}
		if time.Now().After(deadline) {
			return schema.Errorf(schema.Unavailable, "", "%d scanners did not connect", len(left))
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}
