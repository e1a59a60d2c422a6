package rederive

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"mybeacon/actors"
	"mybeacon/schema"
)

// Config of a [Job]; begin with [DefaultConfig].
type Config struct {
	Log     *slog.Logger
	Metrics *Metrics // nil: not measured
	Store   Store
	Actors  *actors.System
	// Flush returns when everything that was admitted or derived before is stored.
	Flush func(context.Context) error
	Now   func() time.Time // the server's clock
	// Heard is told of each tag that is taken up when it was heard last, by whom, and
	// how far that device had told what it heard. It may be nil.
	Heard func(tag schema.TagID, at schema.EventTime, by schema.DeviceID, delivered schema.EventTime)

	// Lacks is since when what arrived may not be stored at a start, as it waits
	// elsewhere; zero: all is stored.
	Lacks time.Time

	// Lag is how long late data rest after their arrival: more of them is on its way,
	// and one pass for all is cheaper.
	Lag time.Duration
	// Again is after how long a stretch that reaches up to the present is tried again.
	Again time.Duration
	// Remember is how far back the job looks for what an earlier process left undone.
	Remember time.Duration

	Reach  time.Duration // for how long before its late data a tag lives again
	Agree  time.Duration // for how long what is found and what is stored must agree
	Moving time.Duration // of the newest that was heard, what may still be incomplete

	Tags int // worked on at once
	Rows int // observations read at once
	// Share is how much of the time the job works; the rest belongs to the live data.
	Share float64
}

// DefaultConfig returns the usual values, without the collaborators.
func DefaultConfig() Config {
	return Config{
		Log: slog.New(slog.DiscardHandler), Now: time.Now,
		Lag: 10 * time.Second, Again: 30 * time.Second, Remember: 30 * 24 * time.Hour,
		Reach: 5 * time.Minute, Agree: time.Minute, Moving: 10 * time.Second,
		Tags: 32, Rows: 100_000, Share: 0.25,
	}
}

// Validate names the first field that is wrong.
func (c Config) Validate() error {
	bad := func(field, message string) error { return schema.Errorf(schema.Invalid, field, "%s", message) }
	switch {
	case c.Log == nil || c.Store == nil || c.Actors == nil || c.Flush == nil || c.Now == nil:
		return bad("store", "log, store, actors, flush and now are needed")
	case c.Lag <= 0 || c.Again <= 0 || c.Remember <= 0 || c.Moving < 0:
		return bad("lag", "times must be above zero")
	case c.Reach < time.Minute || c.Agree < time.Minute:
		return bad("reach", "reach and agree must be a minute at least, which is longer than a fix holds")
	case c.Tags < 1 || c.Tags > 1000 || c.Rows < 1000:
		return bad("tags", "tags must be 1 to 1000, and rows at least 1000")
	case !(c.Share > 0 && c.Share <= 1):
		return bad("share", "is above 0 and at most 1")
	}
	return nil
}

// Metrics counts what a job does.
type Metrics struct {
	done    prometheus.Counter
	rows    *prometheus.CounterVec
	pending prometheus.Gauge
	lag     prometheus.Gauge
	resumed prometheus.Gauge
}

// NewMetrics registers the metrics.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{
		done:    prometheus.NewCounter(prometheus.CounterOpts{Name: "mybeacon_rederive_intervals_total", Help: "Stretches of a tag's past that late data were worked into."}),
		rows:    prometheus.NewCounterVec(prometheus.CounterOpts{Name: "mybeacon_rederive_rows_total", Help: "Derived rows that were written again or taken back."}, []string{"table", "change"}),
		pending: prometheus.NewGauge(prometheus.GaugeOpts{Name: "mybeacon_rederive_pending_tags", Help: "Tags with late data that are not worked in."}),
		lag:     prometheus.NewGauge(prometheus.GaugeOpts{Name: "mybeacon_rederive_lag_seconds", Help: "For how long the oldest late data have waited; 0 when there are none."}),
		resumed: prometheus.NewGauge(prometheus.GaugeOpts{Name: "mybeacon_resumed_tags", Help: "Tags that were taken up again at the start."}),
	}
	reg.MustRegister(m.done, m.rows, m.pending, m.lag, m.resumed)
	return m
}

func (m *Metrics) wrote(c *Changes) {
	if m == nil {
		return
	}
	m.done.Add(float64(len(c.Done)))
	m.rows.WithLabelValues("fixes", "written").Add(float64(len(c.Fixes)))
	m.rows.WithLabelValues("fixes", "retracted").Add(float64(len(c.GoneFixes)))
	m.rows.WithLabelValues("zone_visits", "written").Add(float64(len(c.Visits)))
	m.rows.WithLabelValues("zone_visits", "retracted").Add(float64(len(c.GoneVisits)))
}

func (m *Metrics) waiting(tags int, lag time.Duration) {
	if m != nil {
		m.pending.Set(float64(tags))
		m.lag.Set(lag.Seconds())
	}
}

func (m *Metrics) resume(tags int) {
	if m != nil {
		m.resumed.Set(float64(tags))
	}
}
