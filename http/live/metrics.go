package live

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics measures the live maps.
type Metrics struct {
	lag prometheus.Histogram
}

// NewMetrics registers the metrics.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{lag: prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "mybeacon_ws_lag_seconds", Help: "Age of the oldest change in a message when it was written to its socket.",
		Buckets: []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
	})}
	reg.MustRegister(m.lag)
	return m
}

// told measures a message that was written just now.
func (m *Metrics) told(changed time.Time) {
	if m != nil && !changed.IsZero() {
		m.lag.Observe(time.Since(changed).Seconds())
	}
}
