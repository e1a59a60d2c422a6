package node

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"mybeacon/actors"
	"mybeacon/schema"
)

// startOps serves /metrics on an address of its own: figures of all tenants are
// for whoever runs the server, not for the users of the main address.
func (n *Node) startOps(context.Context) error {
	n.collect()
	if n.cfg.Ops == "off" {
		return nil
	}
	listener, err := net.Listen("tcp", n.cfg.Ops)
	if err != nil && n.cfg.Ops == DefaultConfig().Ops {
		// Nobody asked for this very address: a second server on the machine
		// should start all the same.
		n.log.Warn("no metrics: the usual address is taken, name another one with --ops", "address", n.cfg.Ops)
		return nil
	}
	if err != nil {
		return &schema.Error{Kind: schema.Invalid, Field: "ops", Message: "cannot listen there: name another address, or off", Err: err}
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(n.metrics, promhttp.HandlerOpts{MaxRequestsInFlight: 4, Timeout: 10 * time.Second}))
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second, MaxHeaderBytes: 16 << 10}
	n.life.background("ops", func(ctx context.Context) error {
		stop := context.AfterFunc(ctx, func() { _ = server.Close() })
		defer stop()
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	return nil
}

// collect registers what the parts count and do not register themselves.
func (n *Node) collect() {
	n.metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	gauge := func(name, help string, labels prometheus.Labels, read func() float64) {
		n.metrics.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help, ConstLabels: labels}, read))
	}
	counter := func(name, help string, labels prometheus.Labels, read func() float64) {
		n.metrics.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help, ConstLabels: labels}, read))
	}
	for kind, read := range n.actorKinds() {
		labels := prometheus.Labels{"kind": kind}
		gauge("mybeacon_actors", "Actors alive.", labels, func() float64 { return float64(read().Actors) })
		gauge("mybeacon_mailbox_depth", "Messages that wait, in all mailboxes.", labels, func() float64 { return float64(read().Queued) })
		counter("mybeacon_actor_dropped_total", "Live messages lost to newer ones because a mailbox was full.", labels, func() float64 { return float64(read().Dropped) })
		counter("mybeacon_actor_restarts_total", "Failures of an actor; each lost the message that caused it.", labels, func() float64 { return float64(read().Restarts) })
	}
	counter("mybeacon_actor_unknown_messages_total", "Messages that an actor did not know: a defect.", nil, func() float64 { return float64(n.actors.Stats().Unknown) })
	gauge("mybeacon_open_visits", "Visits that have not ended.", nil, func() float64 { return float64(n.actors.Stats().OpenVisits) })
	counter("mybeacon_derived_rows_lost_total", "Fixes and visits that storage had no room for.", nil, func() float64 { return float64(n.output.lost.Load()) })
	gauge("mybeacon_ws_clients", "Open sockets of live maps.", nil, func() float64 { return float64(n.maps.Stats().Open) })
	counter("mybeacon_ws_dropped_total", "Sockets cut because they did not take their messages.", prometheus.Labels{"reason": "slow"}, func() float64 { return float64(n.maps.Stats().CutSlow) })
}

func (n *Node) actorKinds() map[string]func() actors.KindStats {
	return map[string]func() actors.KindStats{
		"device": func() actors.KindStats { return n.actors.Stats().Device },
		"plan":   func() actors.KindStats { return n.actors.Stats().Plan },
		"tag":    func() actors.KindStats { return n.actors.Stats().Tag },
		"zone":   func() actors.KindStats { return n.actors.Stats().Zone },
	}
}
