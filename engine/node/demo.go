package node

import (
	"context"
	"errors"
	"sync"
)

// Demo is a simulated site that the server can show itself. It comes through the public
// door like any other, so it is given to the server and no part of it.
type Demo struct {
	// Run simulates until the context ends, with the address of the server and a
	// super-admin's token; nil: there is none.
	Run func(ctx context.Context, server, token string) error
	// Organisations are the names of those that it makes for itself.
	Organisations []string
}

// demoSite runs the demo at most once at a time. It implements opshttp.Demo.
type demoSite struct {
	node *Node

	mu   sync.Mutex
	stop context.CancelFunc // nil: it does not run
	done chan struct{}
}

// Available implements opshttp.Demo.
func (d *demoSite) Available() bool { return d.node.cfg.Demo.Run != nil }

// Organisations implements opshttp.Demo.
func (d *demoSite) Organisations() []string { return d.node.cfg.Demo.Organisations }

// Running implements opshttp.Demo.
func (d *demoSite) Running() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.stop != nil
}

// Start implements opshttp.Demo. The demo outlives the request that starts it.
func (d *demoSite) Start(ctx context.Context) error {
	if !d.Available() {
		return errors.New("this server has no demo site")
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.stop != nil {
		return nil
	}
	token, err := d.node.InternalToken(ctx)
	if err != nil {
		return err
	}
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	d.stop, d.done = stop, done
	go func() {
		defer close(done)
		defer stop()
		if err := d.node.cfg.Demo.Run(running, d.node.url, token); err != nil && !errors.Is(err, context.Canceled) {
			d.node.log.Error("the demo site has stopped", "error", err)
		}
		d.ended(done)
	}()
	return nil
}

// ended forgets a run that ended by itself.
func (d *demoSite) ended(done chan struct{}) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.done == done {
		d.stop, d.done = nil, nil
	}
}

// Stop implements opshttp.Demo, and is how the server stops it.
func (d *demoSite) Stop(ctx context.Context) error {
	d.mu.Lock()
	stop, done := d.stop, d.done
	d.mu.Unlock()
	if stop == nil {
		return nil
	}
	stop()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// StartDemo starts the demo site, as a super-admin can in the console.
func (n *Node) StartDemo(ctx context.Context) error { return n.demo.Start(ctx) }
