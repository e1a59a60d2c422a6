package node

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"strings"

	shell "mybeacon/http"
	"mybeacon/http/corehttp"
	livehttp "mybeacon/http/live"
	"mybeacon/schema"
	"mybeacon/web"
)

// startWeb is the last step: when it returns, the server is open.
func (n *Node) startWeb(context.Context) error {
	listener, err := net.Listen("tcp", n.cfg.HTTP)
	if err != nil {
		return &schema.Error{Kind: schema.Invalid, Field: "http", Message: "cannot listen there: name another address, or stop what uses it", Err: err}
	}
	n.url = baseURL(n.cfg, listener.Addr())
	if err := n.buildShell(); err != nil {
		_ = listener.Close()
		return err
	}
	n.life.background("web", func(context.Context) error { return n.shell.Serve(listener) })
	n.open.Store(n.shell)
	n.life.onStop("web requests", n.shell.Shutdown)
	n.life.onStop("live maps", n.maps.Shutdown)
	n.life.onStop("device sockets", n.doors.Shutdown)
	n.life.onStop("demo", n.demo.Stop)
	return nil
}

func (n *Node) buildShell() error {
	secure := n.secure()
	ids := make([]string, len(n.products))
	for i, p := range n.products {
		ids[i] = p.ID()
	}
	n.startViews()
	key, err := secretKey(n.cfg.Data)
	if err != nil {
		return err
	}
	if err := n.buildMail(); err != nil {
		return err
	}
	if err := n.buildExports(); err != nil {
		return err
	}
	n.shell, err = shell.New(shell.Config{
		Key: key,
		Log: n.log.With("part", "http"), Metrics: shell.NewMetrics(n.metrics), DB: n.stores.relational, Version: n.cfg.Version, Products: ids,
		Views: n.views, Console: web.FS(), Checks: n.checks(), Secure: secure, Origins: n.origins(), Proxies: n.cfg.proxies(),
		Hosts: n.hosts(), Rates: n.rates(), Exports: n.exports,
	})
	if err != nil {
		return err
	}
	if err := n.buildAlerts(key); err != nil {
		return err
	}
	n.routeOps()
	n.routeExports()
	corehttp.Register(n.shell, corehttp.Config{
		DB: n.stores.relational, Online: n.devices, Plans: sites(n.products), Placed: sites(n.products), Finders: sites(n.products).finders(),
		PlansGone: sites(n.products).Refresh,
		Measured:  n.devices, Reports: n.devices,
		Changed: func(ctx context.Context) { n.directory.Refresh(ctx) },
	})
	n.buildAudit()
	if err := n.buildAccounts(); err != nil {
		return err
	}
	for _, p := range n.products {
		p.Routes(n.shell, n.devices)
	}
	if err := n.buildDoor(); err != nil {
		return err
	}
	return n.buildSockets(secure)
}

func (n *Node) buildSockets(secure bool) error {
	cfg := livehttp.DefaultMapsConfig()
	cfg.Log, cfg.Hub, cfg.Viewers, cfg.Refuse = n.log.With("part", "live"), n.hub, viewers{n.shell}, n.shell.WriteError
	cfg.Secure, cfg.Origins, cfg.Metrics = secure, n.origins(), livehttp.NewMetrics(n.metrics)
	var err error
	if n.maps, err = livehttp.NewMaps(cfg); err != nil {
		return err
	}
	n.shell.Handle("GET /api/v1/live", n.maps)
	n.shell.Handle("GET /api/v1/live/snapshot", http.HandlerFunc(n.maps.Snapshot))

	doors := livehttp.DefaultDevicesConfig()
	doors.Log, doors.Ingest, doors.Refuse = n.log.With("part", "devices"), n.ingest, n.shell.WriteError
	doors.States = n.devices
	if n.doors, err = livehttp.NewDevices(doors); err != nil {
		return err
	}
	n.shell.Handle("GET /api/v1/device/stream", http.HandlerFunc(n.doors.Stream))
	n.shell.Handle("POST /api/v1/device/frames", http.HandlerFunc(n.doors.Frames))
	return nil
}

func (n *Node) secure() bool {
	u, err := url.Parse(n.cfg.BaseURL)
	return err == nil && u.Scheme == "https"
}

// origins admits the pages of the configured address, which a proxy may hide
// from the Host header.
func (n *Node) origins() []string {
	if n.cfg.BaseURL == "" {
		return nil
	}
	u, err := url.Parse(n.cfg.BaseURL)
	if err != nil {
		panic("BUG: the base URL was validated: " + err.Error())
	}
	return []string{u.Scheme + "://" + u.Host}
}

// hosts are the values of the Host header of the configured address: with and
// without the port that browsers leave out.
func (n *Node) hosts() []string {
	u, err := url.Parse(n.cfg.BaseURL)
	if err != nil || u.Host == "" {
		return nil
	}
	host := strings.ToLower(u.Host)
	standard := map[string]string{"http": "80", "https": "443"}[u.Scheme]
	switch u.Port() {
	case "":
		return []string{host, net.JoinHostPort(u.Hostname(), standard)}
	case standard:
		return []string{host, strings.TrimSuffix(host, ":"+standard)}
	}
	return []string{host}
}

func (n *Node) rates() shell.Rates {
	if !n.cfg.RateLimit {
		return shell.Rates{}
	}
	return shell.DefaultRates()
}

// checks say what makes the server ready: without the warehouse it is only
// degraded, since maps go on.
func (n *Node) checks() []shell.Check {
	return []shell.Check{
		{Name: "postgres", Critical: true, Probe: n.stores.relational.Ping},
		{Name: "spool", Critical: true, Probe: n.spoolWritable},
		{Name: "clickhouse", Probe: n.stores.warehouse.Ping},
	}
}

// mapped is the product whose positions the live map shows.
const mapped = "ble"

// viewers lets the live map's socket ask the shell who came.
type viewers struct{ shell *shell.Server }

// Viewer implements livehttp.Viewers.
func (v viewers) Viewer(r *http.Request) (livehttp.Viewer, error) {
	p, byCookie, err := v.shell.Viewer(r)
	if err != nil {
		return livehttp.Viewer{}, err
	}
	return livehttp.Viewer{
		Key:      p.Caller(),
		ByCookie: byCookie,
		MayWatch: v.shell.Watching(p, mapped),
		MayLook:  v.shell.Looking(p, mapped),
		Nameless: p.Nameless,
	}, nil
}
