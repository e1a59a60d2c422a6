package jobs

import "github.com/prometheus/client_golang/prometheus"

// outcome is how an attempt ended; it is a metric's label.
type outcome string

const (
	succeeded outcome = "ok"
	failed    outcome = "failed" // it will be tried again
	givenUp   outcome = "given_up"
)

// Metrics counts attempts by kind and outcome. Kinds are the program's own.
type Metrics struct{ attempts *prometheus.CounterVec }

// NewMetrics registers the metrics of one process.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "mybeacon_job_attempts_total", Help: "Attempts to do a job, by kind and outcome.",
	}, []string{"kind", "outcome"})}
	reg.MustRegister(m.attempts)
	return m
}

func (m *Metrics) done(kind string, o outcome) {
	if m != nil {
		m.attempts.WithLabelValues(kind, string(o)).Inc()
	}
}
