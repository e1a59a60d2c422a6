package ingest

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"mybeacon/schema/wire"
)

// result is what became of a frame; it is a metric's label.
type result string

const (
	admitted  result = "admitted"
	duplicate result = "duplicate"
	refused   result = "refused"
	unbound   result = "unbound"
	postponed result = "postponed" // there was no room: the device sends it again
	shed      result = "shed"      // storage takes nothing: only the live maps have it
)

// door is where a device came; it is a metric's label.
type door string

const (
	doorStream door = "stream"
	doorPost   door = "post"
)

// dropPolicy is why a device gave frames up; it is a metric's label. What a
// device says is its own text: only these words become labels.
type dropPolicy string

const (
	dropFull     dropPolicy = "full"     // no room, the new ones went
	dropOldest   dropPolicy = "oldest"   // no room, the oldest went
	dropExpired  dropPolicy = "expired"  // too old to be of use
	dropDamaged  dropPolicy = "damaged"  // the spool could not be read
	dropShutdown dropPolicy = "shutdown" // the scanner ended without a spool
	dropOther    dropPolicy = "other"
)

func dropPolicies() []dropPolicy {
	return []dropPolicy{dropFull, dropOldest, dropExpired, dropDamaged, dropShutdown, dropOther}
}

// Metrics counts what comes in. Labels come from closed sets.
type Metrics struct {
	frames       map[result]prometheus.Counter
	observations prometheus.Counter
	bytes        prometheus.Counter
	ack          prometheus.Histogram
	duplicates   prometheus.Counter
	bad          map[wire.Reason]prometheus.Counter
	quarantined  prometheus.Counter
	dropped      map[dropPolicy]prometheus.Counter
	throttles    map[door]prometheus.Counter
	auth         prometheus.Counter
	inFlight     prometheus.Gauge
	streams      prometheus.Gauge
	sheds        prometheus.Counter
	valve        prometheus.Gauge
}

// NewMetrics registers the metrics. Every label exists from the start, so that
// a rate is zero and not absent.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	}
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
	}
	frames := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "mybeacon_ingest_frames_total", Help: "Frames that arrived, by what became of them."}, []string{"kind", "result"})
	bad := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "mybeacon_bad_frames_total", Help: "Messages, frames and observations that were refused, by the reason of schema/wire."}, []string{"reason"})
	m := &Metrics{
		frames: map[result]prometheus.Counter{}, bad: map[wire.Reason]prometheus.Counter{},
		observations: counter("mybeacon_ingest_observations_total", "Observations admitted."),
		bytes:        counter("mybeacon_ingest_bytes_total", "Bytes of device messages, as sent."),
		ack: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "mybeacon_ack_seconds", Help: "Time from a frame's arrival until its rows are stored.",
			Buckets: []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60},
		}),
		duplicates:  counter("mybeacon_dup_frames_total", "Frames that were on their way or stored already."),
		quarantined: counter("mybeacon_quarantined_observations_total", "Observations put aside because of their age."),
		dropped:     map[dropPolicy]prometheus.Counter{}, throttles: map[door]prometheus.Counter{},
		auth: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "mybeacon_auth_failures_total", Help: "Callers who did not prove who they are, by what they showed.",
			ConstLabels: prometheus.Labels{"reason": "device_token"},
		}),
		inFlight: gauge("mybeacon_ingest_in_flight_observations", "Observations that wait for storage."),
		streams:  gauge("mybeacon_device_streams", "Devices connected by WebSocket."),
		sheds:    counter("mybeacon_ingest_shed_frames_total", "Frames that went to the live maps only, each time they came, because storage took nothing."),
		valve:    gauge("mybeacon_ingest_shedding", "1 while storage takes nothing and frames go to the live maps only."),
	}
	for _, r := range []result{admitted, duplicate, refused, unbound, postponed, shed} {
		m.frames[r] = frames.WithLabelValues("ble", string(r))
	}
	for _, r := range wire.Reasons() {
		m.bad[r] = bad.WithLabelValues(r.String())
	}
	dropped := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "mybeacon_dropped_frames_total", Help: "Frames that devices reported as dropped, by their policy."}, []string{"reason"})
	for _, p := range dropPolicies() {
		m.dropped[p] = dropped.WithLabelValues(string(p))
	}
	throttles := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "mybeacon_quota_throttled_total", Help: "Messages that waited, or were refused, because their organisation is above its quota."}, []string{"door"})
	for _, d := range []door{doorStream, doorPost} {
		m.throttles[d] = throttles.WithLabelValues(string(d))
	}
	reg.MustRegister(frames, bad, dropped, throttles, m.observations, m.bytes, m.ack, m.duplicates, m.quarantined, m.auth, m.inFlight, m.streams, m.sheds, m.valve)
	return m
}

func (m *Metrics) frame(r result) {
	if m == nil {
		return
	}
	m.frames[r].Inc()
	if r == duplicate {
		m.duplicates.Inc()
	}
}

func (m *Metrics) shed() {
	if m != nil {
		m.frame(shed)
		m.sheds.Inc()
	}
}

func (m *Metrics) shedding(now bool) {
	if m == nil {
		return
	}
	value := 0.0
	if now {
		value = 1
	}
	m.valve.Set(value)
}

func (m *Metrics) refuse(r wire.Reason) {
	if m == nil {
		return
	}
	if c, known := m.bad[r]; known {
		c.Inc()
	}
}

func (m *Metrics) quarantine() {
	if m != nil {
		m.quarantined.Inc()
	}
}

func (m *Metrics) throttled(d door) {
	if m != nil {
		m.throttles[d].Inc()
	}
}

func (m *Metrics) admit(observations int) {
	if m != nil {
		m.observations.Add(float64(observations))
	}
}

func (m *Metrics) received(bytes int) {
	if m != nil {
		m.bytes.Add(float64(bytes))
	}
}

func (m *Metrics) acked(took time.Duration) {
	if m != nil {
		m.ack.Observe(took.Seconds())
	}
}

func (m *Metrics) drop(why string, frames uint64) {
	if m == nil {
		return
	}
	c, known := m.dropped[dropPolicy(why)]
	if !known {
		c = m.dropped[dropOther]
	}
	c.Add(float64(frames))
}

func (m *Metrics) unauthorized() {
	if m != nil {
		m.auth.Inc()
	}
}

func (m *Metrics) flying(observations int) {
	if m != nil {
		m.inFlight.Set(float64(observations))
	}
}

func (m *Metrics) stream(delta float64) {
	if m != nil {
		m.streams.Add(delta)
	}
}
