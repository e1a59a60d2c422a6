package node

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"runtime"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"mybeacon/actors"
	livehttp "mybeacon/http/live"
	"mybeacon/schema"
)

// startOps serves /metrics, /healthz and the profiles on an address of its own:
// figures of all tenants, and memory, are for whoever runs the server and not for
// the users of the main address.
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
	board := newBoard(n.cfg.Version, n.parts())
	n.life.background("health", board.Run)
	server := n.opsServer(board)
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

// opsServer answers long enough for a profile of a minute.
func (n *Node) opsServer(board http.Handler) *http.Server {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(n.metrics, promhttp.HandlerOpts{MaxRequestsInFlight: 4, Timeout: 10 * time.Second}))
	mux.Handle("GET /healthz", board)
	mux.HandleFunc("GET /debug/pprof/", byAddress(pprof.Index))
	mux.HandleFunc("GET /debug/pprof/profile", byAddress(pprof.Profile))
	mux.HandleFunc("GET /debug/pprof/trace", byAddress(pprof.Trace))
	mux.HandleFunc("GET /debug/pprof/symbol", byAddress(pprof.Symbol))
	return &http.Server{
		Handler: mux, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 2 * time.Minute,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10, ErrorLog: slog.NewLogLogger(n.log.Handler(), slog.LevelDebug),
	}
}

// byAddress answers only who named the server by an address or localhost: a page
// of the web could let its own name point here and read the memory through the
// browser of whoever opened it.
func byAddress(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if name, _, err := net.SplitHostPort(host); err == nil {
			host = name
		}
		if host != "localhost" && net.ParseIP(strings.Trim(host, "[]")) == nil {
			http.Error(w, "profiles are shown at an address, such as http://127.0.0.1:9090, and not under a name", http.StatusForbidden)
			return
		}
		next(w, r)
	}
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
	for reason, read := range map[string]func(livehttp.MapsStats) uint64{
		"slow": func(s livehttp.MapsStats) uint64 { return s.CutSlow }, "auth": func(s livehttp.MapsStats) uint64 { return s.RefusedAuth },
		"rights": func(s livehttp.MapsStats) uint64 { return s.RefusedRights }, "limit": func(s livehttp.MapsStats) uint64 { return s.RefusedLimit },
		"origin": func(s livehttp.MapsStats) uint64 { return s.RefusedOrigin },
	} {
		counter("mybeacon_ws_dropped_total", "Sockets of live maps that were refused or cut.", prometheus.Labels{"reason": reason}, func() float64 { return float64(read(n.maps.Stats())) })
	}
	gauge("mybeacon_live_entries", "Tags and zones that live maps hold.", nil, func() float64 { return float64(n.hub.Stats().Entries) })
	counter("mybeacon_live_dropped_total", "Changes that live maps had no room for.", nil, func() float64 { return float64(n.hub.Stats().Dropped) })
	counter("mybeacon_quarantine_rows_lost_total", "Quarantined observations that storage had no room for.", nil, func() float64 { return float64(n.quarantine.lost.Load()) })
	gauge("mybeacon_directory_age_seconds", "Time since devices and names were read.", nil, func() float64 { return time.Since(n.directory.ReadAt()).Seconds() })
	gauge("mybeacon_build_info", "Always 1; the labels say what runs.", prometheus.Labels{"version": n.cfg.Version, "go": runtime.Version()}, func() float64 { return 1 })
}

func (n *Node) actorKinds() map[string]func() actors.KindStats {
	return map[string]func() actors.KindStats{
		"device": func() actors.KindStats { return n.actors.Stats().Device },
		"plan":   func() actors.KindStats { return n.actors.Stats().Plan },
		"tag":    func() actors.KindStats { return n.actors.Stats().Tag },
		"zone":   func() actors.KindStats { return n.actors.Stats().Zone },
	}
}
