package node

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"mybeacon/engine/alert"
	"mybeacon/http/alerthttp"
	"mybeacon/schema"
)

// alerting is what finds out what people want to be told.
type alerting struct {
	store   *alert.Store
	engine  *alert.Engine
	service *alert.Service
}

// startAlerts takes up the alerts as they were when the server stopped. By then the
// products have published their plans, and nothing has happened yet.
func (n *Node) startAlerts(ctx context.Context) error {
	store, err := alert.NewStore(n.stores.relational, nil)
	if err != nil {
		return err
	}
	before, err := store.Spoke(ctx)
	if err != nil {
		return err
	}
	from := alert.Sources{
		Sites: n.directory, Plans: n.plansAt, Stored: storedVisits{n},
		Receivers: &receiverSilences{node: n, began: time.Now(), before: before, spoke: map[schema.DeviceID]time.Time{}},
	}
	for _, p := range n.products {
		if things, ok := p.Module.(alert.Things); ok {
			from.Things = things
		}
		if batteries, ok := p.Module.(alert.Batteries); ok {
			from.Batteries = batteries
		}
	}
	n.alerts.store = store
	n.alerts.engine = alert.NewEngine(store, n.output.alerts, from, n.log.With("part", "alerts"))
	n.countAlerts(n.alerts.engine.Counters())
	return n.alerts.engine.Prepare(ctx)
}

func (n *Node) countAlerts(c *alert.Counters) {
	for result, read := range map[string]func() uint64{
		"raised": c.Raised.Load, "ended": c.Ended.Load, "dropped": c.Dropped.Load, "behind": c.Lost.Load,
	} {
		n.metrics.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "mybeacon_alerts_total", Help: "Alerts raised and ended, dropped while the database was away, and events that there was no room for.",
			ConstLabels: prometheus.Labels{"result": result},
		}, func() float64 { return float64(read()) }))
	}
}

// buildAlerts adds the routes, and begins to tell. Its kinds of jobs come before the jobs
// are done.
func (n *Node) buildAlerts(key []byte) error {
	var err error
	n.alerts.service, err = alert.New(alert.Config{
		DB: n.stores.relational, Jobs: n.jobs, Mail: n.mails, Log: n.log.With("part", "alerts"), Key: key, AllowPrivate: n.cfg.PrivateWebhooks,
	})
	if err != nil {
		return err
	}
	for _, p := range n.products {
		if things, ok := p.Module.(alert.Things); ok {
			alerthttp.Register(n.shell, alerthttp.Config{Product: p.ID(), Service: n.alerts.service, Things: things})
		}
	}
	n.life.background("alerts", func(ctx context.Context) error { return n.alerts.engine.Run(ctx, n.alerts.service) })
	n.life.background("alert rules", func(ctx context.Context) error {
		n.stores.relational.Watch(ctx, func(topic string) {
			if topic == alert.Topic || topic == "" {
				n.alerts.engine.Changed()
			}
		})
		return nil
	})
	return nil
}

// plansAt returns the plans of a location as they are now.
func (n *Node) plansAt(at schema.LocationID) []schema.PlanID {
	_, layouts, _ := n.directory.Location(at)
	plans := make([]schema.PlanID, len(layouts))
	for i, l := range layouts {
		plans[i] = l.Plan
	}
	return plans
}

// storedVisits reads visits from the warehouse. It implements alert.Stored.
type storedVisits struct{ node *Node }

// visitPatience bounds reading: live alerts wait for it.
const visitPatience = 10 * time.Second

// Flush implements alert.Stored.
func (v storedVisits) Flush(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, visitPatience)
	defer cancel()
	return v.node.output.visits.Flush(ctx)
}

// Since implements alert.Stored.
func (v storedVisits) Since(ctx context.Context, plans map[schema.PlanID]schema.EventTime) ([]schema.Visit, error) {
	ctx, cancel := context.WithTimeout(ctx, visitPatience)
	defer cancel()
	return v.node.sink.VisitsSince(ctx, plans)
}

// receiverSilences tells when receivers spoke, since the server listens: while it was
// away nobody was silent. It implements alert.Receivers, for one goroutine.
type receiverSilences struct {
	node   *Node
	began  time.Time
	before map[schema.DeviceID]bool      // that had spoken when the server started
	spoke  map[schema.DeviceID]time.Time // since; bounded by the devices
}

// Silences implements alert.Receivers.
func (r *receiverSilences) Silences(location schema.LocationID, named []schema.ReceiverID) []alert.Silence {
	wanted := make(map[schema.ReceiverID]bool, len(named))
	for _, id := range named {
		wanted[id] = true
	}
	_, layouts, _ := r.node.directory.Location(location)
	var found []alert.Silence
	for _, l := range layouts {
		for _, p := range l.Receivers {
			if len(named) > 0 && !wanted[p.Receiver] || p.Device.IsZero() {
				continue
			}
			found = append(found, r.silence(p))
		}
	}
	return found
}

// silence is of one receiver; of a device that has never spoken since it was enrolled
// nobody knows whether it hangs there yet.
func (r *receiverSilences) silence(p schema.Placement) alert.Silence {
	online, at := r.node.devices.Online(p.Device)
	if !at.IsZero() {
		r.spoke[p.Device] = at
	}
	since := r.spoke[p.Device]
	if since.IsZero() && r.before[p.Device] {
		since = r.began
	}
	return alert.Silence{Receiver: p.Receiver, Since: since, Online: online}
}
