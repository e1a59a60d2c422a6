package mail

import (
	"github.com/prometheus/client_golang/prometheus"

	"mybeacon/engine/store/postgres"
)

// Metrics counts what became of mails.
type Metrics struct {
	events map[string]prometheus.Counter
	queued prometheus.Gauge
}

// retried is an attempt that failed and will be followed by another.
const retried = "retried"

// NewMetrics registers the metrics of one process.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{events: map[string]prometheus.Counter{}, queued: prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "mybeacon_mails_queued", Help: "Mails that wait for the mail server, as last looked at.",
	})}
	reg.MustRegister(m.queued)
	for _, what := range []string{postgres.MailQueued, postgres.MailKept, postgres.MailSent, postgres.MailFailed, retried} {
		m.events[what] = prometheus.NewCounter(prometheus.CounterOpts{
			Name: "mybeacon_mails_total", Help: "Mails by what became of them: queued, kept where no server is set, sent, failed for good; retried are attempts that failed.",
			ConstLabels: prometheus.Labels{"state": what},
		})
		reg.MustRegister(m.events[what])
	}
	return m
}

func (m *Metrics) count(state string) {
	if m != nil {
		m.events[state].Inc()
	}
}

func (m *Metrics) refused(state string) {
	if state == postgres.MailQueued {
		state = retried
	}
	m.count(state)
}

func (m *Metrics) waiting(n float64) {
	if m != nil {
		m.queued.Set(n)
	}
}
