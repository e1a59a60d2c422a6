package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"mybeacon/actors"
	"mybeacon/engine/alert"
	"mybeacon/engine/audit"
	"mybeacon/engine/batch"
	"mybeacon/engine/directory"
	"mybeacon/engine/export"
	"mybeacon/engine/files"
	"mybeacon/engine/images"
	"mybeacon/engine/ingest"
	"mybeacon/engine/jobs"
	"mybeacon/engine/live"
	"mybeacon/engine/mail"
	"mybeacon/engine/module"
	sink "mybeacon/engine/sink/clickhouse"
	"mybeacon/engine/spill"
	shell "mybeacon/http"
	livehttp "mybeacon/http/live"
	"mybeacon/schema"
)

// Node is one server.
type Node struct {
	cfg     Config
	log     *slog.Logger
	metrics *prometheus.Registry
	life    lifecycle
	ready   chan struct{}
	url     string
	login   Login

	stores       *stores
	sink         *sink.Sink
	directory    *directory.Directory
	devices      *deviceStates
	hub          *live.Hub
	spill        *spill.Spill
	observations *batch.Batch[schema.FrameAdmitted]
	output       *output
	quarantine   *quarantine
	actors       *actors.System
	late         *lateWatch
	ingest       *ingest.Ingest
	products     []shell.Product
	files        *files.Dir
	jobs         *jobs.Jobs
	exports      *export.Service
	mails        *mail.Queue
	alerts       alerting
	demo         *demoSite
	views        *audit.Views
	shell        *shell.Server
	open         atomic.Pointer[shell.Server] // the shell once it serves, for who may be earlier
	maps         *livehttp.Maps
	doors        *livehttp.Devices
}

// New returns a server that has not started. The configuration has been
// validated.
func New(cfg Config) *Node {
	return &Node{
		cfg: cfg, log: cfg.Log, metrics: prometheus.NewRegistry(),
		ready: make(chan struct{}), products: products(),
	}
}

// Ready is closed when the server answers at URL.
func (n *Node) Ready() <-chan struct{} { return n.ready }

// URL returns where the server answers, such as http://127.0.0.1:8080. It may be
// asked once Ready is closed.
func (n *Node) URL() string { return n.url }

// FirstLogin returns the first super-admin's login, as far as the server knows
// it. It may be asked once Ready is closed.
func (n *Node) FirstLogin() Login { return n.login }

// Run serves until the context ends or a part fails for good, then stops all.
// It returns nil after an ordinary stop. A Node runs once.
func (n *Node) Run(ctx context.Context) error {
	n.log.Info("starting", "config", n.cfg)
	began := time.Now()
	err := n.start(ctx)
	if err == nil {
		n.log.Info("ready", "url", n.url, "took", time.Since(began).Round(time.Millisecond))
		close(n.ready)
		err = n.life.wait(ctx)
	}
	if err != nil && ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		err = nil // told to stop while starting
	}
	n.log.Info("stopping")
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), n.cfg.StopTimeout)
	defer cancel()
	return errors.Join(err, n.life.stop(stopping))
}

// start brings up the parts in the order of the data's way; each registers how
// it is stopped.
func (n *Node) start(ctx context.Context) error {
	steps := []struct {
		what string
		do   func(context.Context) error
	}{
		{"the stores", n.startStores},
		{"the directory", n.startDirectory},
		{"the spool", n.startSpill},
		{"the columns", n.startColumns},
		{"the actors", n.startActors},
		{"the way in", n.startIngest},
		{"the products", n.startProducts},
		{"the calibrations", n.startCalibrations},
		{"the alerts", n.startAlerts},
		{"the history", n.startHistory},
		{"the web side", n.startWeb},
		{"the metrics", n.startOps},
	}
	for _, step := range steps {
		if err := step.do(ctx); err != nil {
			return fmt.Errorf("start %s: %w", step.what, err)
		}
	}
	return nil
}

func (n *Node) startStores(ctx context.Context) error {
	var err error
	if n.stores, err = openStores(ctx, n.cfg); err != nil {
		return err
	}
	n.life.onStop("stores", n.stores.close)
	n.sink = sink.New(n.stores.warehouse.Conn())
	n.login, err = ensureAdmin(ctx, n.stores.relational, n.cfg)
	return err
}

func (n *Node) startDirectory(ctx context.Context) error {
	n.directory = directory.New(directory.Config{
		Devices: n.stores.relational, Names: n.sink, Log: n.log,
		PlanChanged: func(plan schema.PlanID) { n.actors.Forget(plan) },
	})
	if err := n.directory.Reload(ctx); err != nil {
		return err
	}
	n.life.background("directory", n.directory.Run)
	n.life.background("changes", func(ctx context.Context) error {
		n.stores.relational.Watch(ctx, n.changed)
		return nil
	})
	return nil
}

func (n *Node) startColumns(context.Context) error {
	cfg := batch.DefaultConfig()
	cfg.Log, cfg.Metrics, cfg.Spool = n.log.With("part", "batch"), batch.NewMetrics(n.metrics), n.spill
	var err error
	if n.observations, err = batch.NewObservations(cfg, n.sink); err != nil {
		return err
	}
	n.life.onStop("observations", n.observations.Stop)
	n.output = &output{log: n.log, alerts: alert.NewTap()}
	if n.output.fixes, err = batch.NewFixes(cfg, n.sink); err != nil {
		return err
	}
	n.life.onStop("fixes", n.output.fixes.Stop)
	if n.output.visits, err = batch.NewVisits(cfg, n.sink); err != nil {
		return err
	}
	n.life.onStop("visits", n.output.visits.Stop)
	return n.startQuarantine(cfg)
}

func (n *Node) startActors(ctx context.Context) error {
	hub := live.DefaultConfig()
	hub.Names = n.directory
	var err error
	if n.hub, err = live.New(hub); err != nil {
		return err
	}
	n.output.hub = n.hub
	n.life.background("live", n.hub.Run)
	n.life.onStop("live", func(context.Context) error { n.hub.Close(); return nil })
	n.devices = newDeviceStates(n.stores.relational, n.log)
	n.life.background("devices", n.devices.Run)

	cfg := actors.DefaultConfig()
	cfg.Log, cfg.Start = n.log.With("part", "actors"), time.Now()
	cfg.Output, cfg.Health, cfg.Layouts = n.output, n.devices, n.directory
	learned := newLessons(n.sink, cfg.Log)
	cfg.Learned, cfg.Tides = learned, n.output.alerts
	if n.actors, err = actors.New(cfg); err != nil {
		return err
	}
	learned.revs, n.late = n.actors.Revs, &lateWatch{System: n.actors}
	n.life.background("learned offsets", learned.Run)
	n.life.onStop("actors", n.actors.Stop)
	return nil
}

func (n *Node) startIngest(context.Context) error {
	cfg := ingest.DefaultConfig()
	cfg.Log, cfg.Metrics = n.log.With("part", "ingest"), ingest.NewMetrics(n.metrics)
	cfg.Directory, cfg.Stored, cfg.Actors, cfg.Journal = n.directory, n.spill, n.late, n.observations
	cfg.Silence, cfg.Notices = n.actors.TagConfig().Fence.Timeout, listening(n.products)
	cfg.Quarantine, cfg.Quota, cfg.DerivedLost = n.quarantine, n.cfg.Quota, n.output.lost.Load
	var err error
	if n.ingest, err = ingest.New(cfg); err != nil {
		return err
	}
	n.life.onStop("ingest", n.ingest.Stop)
	return nil
}

func (n *Node) startProducts(ctx context.Context) error {
	if err := n.openFiles(); err != nil {
		return err
	}
	pictures := images.NewDecoder()
	for _, p := range n.products {
		host := module.Host{
			Log: n.log.With("module", p.ID()), DB: n.stores.relational, Warehouse: n.stores.warehouse, Clock: time.Now,
			Files: n.files, Images: pictures,
			Publish: func(w module.World) { n.directory.Publish(p.ID(), w) },
			Extend:  func(w module.World) { n.directory.Extend(p.ID(), w) }, Live: n.hub,
		}
		if err := p.Start(ctx, host); err != nil {
			return err
		}
		n.life.onStop("module "+p.ID(), p.Stop)
	}
	return nil
}

// baseURL returns what people type: a wildcard address is reached by the
// loopback one from this machine.
func baseURL(cfg Config, addr net.Addr) string {
	if cfg.BaseURL != "" {
		return strings.TrimSuffix(cfg.BaseURL, "/")
	}
	host, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		panic("BUG: a listener has no address: " + err.Error())
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port)
}
