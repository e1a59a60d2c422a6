package http

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics counts requests and refused callers. Labels come from closed sets: a
// route is a pattern of the router and never a path, since a path is the
// caller's to choose.
type Metrics struct {
	seconds  *prometheus.HistogramVec
	failures map[authFailure]prometheus.Counter
}

// authFailure says whose proof of identity failed; it is a metric's label.
type authFailure string

const (
	badPassword authFailure = "password"
	badSession  authFailure = "session"
	badToken    authFailure = "api_token"
	badTicket   authFailure = "ticket"
	tooManyBad  authFailure = "limited" // log-ins that were not even tried
)

// unmatched is the route of requests that no pattern takes.
const unmatched = "unmatched"

// NewMetrics registers the metrics of one server.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "mybeacon_http_requests_seconds",
			Help:    "Time to answer a request, by the router's pattern and the status; connections that became sockets are not among them.",
			Buckets: []float64{.005, .025, .1, .25, .5, 1, 2.5, 10, 60},
		}, []string{"route", "code"}),
		failures: map[authFailure]prometheus.Counter{},
	}
	reg.MustRegister(m.seconds)
	for _, why := range []authFailure{badPassword, badSession, badToken, badTicket, tooManyBad} {
		m.failures[why] = prometheus.NewCounter(prometheus.CounterOpts{
			Name: "mybeacon_auth_failures_total", Help: "Callers who did not prove who they are, by what they showed.",
			ConstLabels: prometheus.Labels{"reason": string(why)},
		})
		reg.MustRegister(m.failures[why])
	}
	return m
}

// answered counts a request; status 0 is a connection that was taken over.
func (m *Metrics) answered(route string, status int, took time.Duration) {
	if m == nil || status == 0 {
		return
	}
	m.seconds.WithLabelValues(route, strconv.Itoa(status)).Observe(took.Seconds())
}

func (m *Metrics) refused(why authFailure) {
	if m != nil {
		m.failures[why].Inc()
	}
}

// routed notes the pattern that takes the request, for the log and the metrics:
// the router writes it into a request that the outer middlewares do not have.
func routed(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if about, ok := r.Context().Value(requestKey{}).(*request); ok {
			// Before the handler runs: one that panics or hijacks must be named too.
			if _, pattern := mux.Handler(r); pattern != "" && pattern != "/api/" {
				about.route = pattern
			}
		}
		mux.ServeHTTP(w, r)
	})
}
