package batch

import (
	"log/slog"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/prometheus/client_golang/prometheus"

	"mybeacon/schema"
)

// Config of a batch.
type Config struct {
	Log     *slog.Logger
	Metrics *Metrics // nil: not measured

	// FlushRows and MaxAge say when a batch goes: the warehouse takes 1,000 rows
	// in nearly the time of 10,000, and a quarter of a second is what an
	// acknowledgement may take.
	FlushRows int
	MaxAge    time.Duration
	// BatchRows is where a batch is closed while another one is being inserted;
	// larger ones gain little and cost memory twice.
	BatchRows int
	// MaxRows bounds the rows that wait or are on their way.
	MaxRows int
	// MaxDays bounds the days that the rows of one batch fall on: each is a
	// partition, and a server refuses an insert into more than 100.
	MaxDays int

	// Spool, if any, keeps batches that the warehouse has not taken Patience after
	// their first row came.
	Spool    Spool
	Patience time.Duration

	InsertTimeout time.Duration // of one attempt
	MinBackoff    time.Duration // after the first failure
	MaxBackoff    time.Duration
}

// DefaultConfig returns the usual bounds; 800,000 rows of observations are some
// 130 MB.
func DefaultConfig() Config {
	return Config{
		Log:       slog.New(slog.DiscardHandler),
		FlushRows: 10_000, MaxAge: 250 * time.Millisecond, Patience: 1500 * time.Millisecond,
		BatchRows: 100_000, MaxRows: 800_000, MaxDays: 60,
		InsertTimeout: 30 * time.Second, MinBackoff: 100 * time.Millisecond, MaxBackoff: 2 * time.Second,
	}
}

// Spool makes batches durable that the warehouse does not take now, and has it
// take them later. See [mybeacon/engine/spill].
type Spool interface {
	// Away reports that the warehouse need not be asked at present.
	Away() bool
	// Keep makes the record durable. tried says that an insert with the token may
	// have happened. It only reads the record.
	Keep(table string, rec arrow.Record, token string, tried bool) error
}

// Validate names the first field that is wrong.
func (c Config) Validate() error {
	bad := func(field, message string) error { return schema.Errorf(schema.Invalid, field, "%s", message) }
	switch {
	case c.Log == nil:
		return bad("log", "is needed")
	case c.FlushRows < 1 || c.BatchRows < c.FlushRows || c.MaxRows < c.BatchRows:
		return bad("max_rows", "1 <= flush_rows <= batch_rows <= max_rows is needed")
	case c.Patience <= 0:
		return bad("patience", "must be above zero")
	case c.MaxAge <= 0 || c.InsertTimeout <= 0 || c.MinBackoff <= 0 || c.MaxBackoff < c.MinBackoff:
		return bad("max_age", "times must be above zero, and min_backoff at most max_backoff")
	case c.MaxDays < 1 || c.MaxDays > 100:
		return bad("max_days", "is 1 to 100")
	default:
		return nil
	}
}

// Metrics counts what batches do, by table.
type Metrics struct {
	insertSeconds *prometheus.HistogramVec
	rows          *prometheus.CounterVec
	failures      *prometheus.CounterVec
	pending       *prometheus.GaugeVec
}

// NewMetrics registers the metrics; all batches of a node share them.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	table := []string{"table"}
	m := &Metrics{
		insertSeconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "mybeacon_clickhouse_insert_seconds", Help: "Time of one insert that succeeded.",
			Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}, table),
		rows:     prometheus.NewCounterVec(prometheus.CounterOpts{Name: "mybeacon_clickhouse_rows_total", Help: "Rows stored."}, table),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "mybeacon_clickhouse_insert_failures_total", Help: "Inserts that failed and were tried again."}, table),
		pending:  prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "mybeacon_batch_rows", Help: "Rows that wait or are on their way."}, table),
	}
	reg.MustRegister(m.insertSeconds, m.rows, m.failures, m.pending)
	return m
}

// begin makes the table's series, so that a rate is zero and not absent.
func (m *Metrics) begin(table string) {
	if m != nil {
		m.insertSeconds.WithLabelValues(table)
		m.rows.WithLabelValues(table)
		m.failures.WithLabelValues(table)
		m.pending.WithLabelValues(table)
	}
}

func (m *Metrics) stored(table string, rows int, took time.Duration) {
	if m != nil {
		m.insertSeconds.WithLabelValues(table).Observe(took.Seconds())
		m.rows.WithLabelValues(table).Add(float64(rows))
	}
}

func (m *Metrics) failed(table string) {
	if m != nil {
		m.failures.WithLabelValues(table).Inc()
	}
}

func (m *Metrics) waiting(table string, rows int) {
	if m != nil {
		m.pending.WithLabelValues(table).Set(float64(rows))
	}
}
