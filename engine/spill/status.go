package spill

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Status is what a spool is doing.
type Status struct {
	Files  int
	Bytes  int64         // of these
	Aside  int64         // bytes of damaged files
	Limit  int64         // of Bytes and Aside
	Oldest time.Duration // age of the oldest file; 0 without files
	Away   bool          // batches are kept without asking the warehouse
	// Err is why the spool takes nothing, nil when it does. While it is set and
	// the warehouse is away, nothing is acknowledged.
	Err error
}

// Status returns what the spool is doing now.
func (s *Spill) Status() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := Status{Files: len(s.files), Bytes: s.bytes, Aside: s.aside, Limit: s.cfg.Limit, Away: s.Away(), Err: s.broken}
	if len(s.files) > 0 {
		st.Oldest = max(time.Since(time.UnixMilli(s.files[0].written)), 0)
	}
	return st
}

var (
	bytesDesc    = prometheus.NewDesc("mybeacon_spool_bytes", "Bytes of batches that wait for the warehouse on disk.", nil, nil)
	filesDesc    = prometheus.NewDesc("mybeacon_spool_files", "Batches that wait for the warehouse on disk.", nil, nil)
	oldestDesc   = prometheus.NewDesc("mybeacon_spool_oldest_seconds", "Age of the oldest batch on disk; 0 without one.", nil, nil)
	awayDesc     = prometheus.NewDesc("mybeacon_spool_active", "1 while batches go to disk without asking the warehouse.", nil, nil)
	rowsDesc     = prometheus.NewDesc("mybeacon_spool_rows_total", "Rows that were kept on disk, and that were shipped from there.", []string{"table", "result"}, nil)
	damagedDesc  = prometheus.NewDesc("mybeacon_spool_damaged_total", "Files that could not be read any more and were moved aside.", nil, nil)
	refusedDesc  = prometheus.NewDesc("mybeacon_spool_refused_total", "Batches that were not kept, each time they were tried.", []string{"reason"}, nil)
	attemptsDesc = prometheus.NewDesc("mybeacon_spool_inserts_total", "Inserts of kept batches.", []string{"result"}, nil)
)

// Describe implements prometheus.Collector.
func (s *Spill) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{bytesDesc, filesDesc, oldestDesc, awayDesc, rowsDesc, damagedDesc, refusedDesc, attemptsDesc} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (s *Spill) Collect(ch chan<- prometheus.Metric) {
	st := s.Status()
	gauge := func(d *prometheus.Desc, v float64) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v)
	}
	gauge(bytesDesc, float64(st.Bytes))
	gauge(filesDesc, float64(st.Files))
	gauge(oldestDesc, st.Oldest.Seconds())
	away := 0.0
	if st.Away {
		away = 1
	}
	gauge(awayDesc, away)
	s.mu.Lock()
	defer s.mu.Unlock()
	count := func(d *prometheus.Desc, n uint64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), labels...)
	}
	for table, n := range s.counts.kept {
		count(rowsDesc, n, table, "kept")
	}
	for table, n := range s.counts.shipped {
		count(rowsDesc, n, table, "shipped")
	}
	count(damagedDesc, s.counts.damaged)
	count(refusedDesc, s.counts.full, "full")
	count(refusedDesc, s.counts.ioErrors, "io")
	count(attemptsDesc, s.counts.attempts-s.counts.fails, "ok")
	count(attemptsDesc, s.counts.fails, "failed")
}
