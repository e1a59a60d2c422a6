package spill_test

import (
	"context"
	"fmt"
	"runtime/metrics"
	"sync/atomic"
	"testing"
	"time"

	"mybeacon/engine/batch"
	"mybeacon/engine/embedded/embeddedtest"
	sink "mybeacon/engine/sink/clickhouse"
	"mybeacon/engine/spill"
	store "mybeacon/engine/store/clickhouse"
	"mybeacon/schema"
	migrations "mybeacon/schema/clickhouse"
)

// warehouseBehind opens a database with its tables behind a gate.
func warehouseBehind(t *testing.T) (*embeddedtest.Gate, *store.DB) {
	t.Helper()
	g := embeddedtest.NewGate(t, embeddedtest.NewClickHouseDatabase(t))
	db, err := store.Open(g.URL, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if err := db.Migrate(t.Context(), migrations.FS); err != nil {
		t.Fatal(err)
	}
	return g, db
}

func one[T any](t testing.TB, db *store.DB, query string) T {
	t.Helper()
	var v T
	if err := db.Conn().QueryRow(t.Context(), query).Scan(&v); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return v
}

// heap returns the bytes that live objects and free room between them take.
func heap() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/heap/unused:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64() + sample[1].Value.Uint64()
}

const (
	liveFrames = 100 // a second
	frameRows  = 100
)

// live is a stream of frames at a steady pace.
type live struct {
	batch *batch.Batch[schema.FrameAdmitted]
	seq   uint64
	acked atomic.Uint64
	heap  uint64
}

// run goes on until enough says so.
func (l *live) run(t *testing.T, enough func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Second / liveFrames)
	defer tick.Stop()
	for !enough() {
		<-tick.C
		l.seq++
		if err := l.batch.Add(frame(l.seq, frameRows), func(err error) {
			if err == nil {
				l.acked.Add(1)
			}
		}); err != nil {
			t.Fatalf("frame %d: %v", l.seq, err)
		}
		if l.seq%50 == 0 {
			l.heap = max(l.heap, heap())
		}
	}
}

func after(d time.Duration) func() bool {
	end := time.Now().Add(d)
	return func() bool { return time.Now().After(end) }
}

// The real warehouse goes away in the stream and comes back: all is
// acknowledged, nothing is lost or doubled, what piled up is shipped much faster
// than new frames come, and memory stays where it was.
func TestClickHouseOutage(t *testing.T) {
	g, db := warehouseBehind(t)
	dir := spill.Dir(t.TempDir())
	s, err := spill.New(func() spill.Config {
		cfg := spill.DefaultConfig()
		to := sink.New(db.Conn())
		cfg.FS, cfg.Free, cfg.Sink, cfg.Stored = dir, dir.Free, to, to
		return cfg
	}())
	if err != nil {
		t.Fatal(err)
	}
	cfg := batch.DefaultConfig()
	cfg.Spool = s
	b, err := batch.NewObservations(cfg, sink.New(db.Conn()))
	if err != nil {
		t.Fatal(err)
	}
	l := &live{batch: b}
	l.run(t, after(time.Second))
	calm := heap()
	g.Shut()
	l.run(t, after(5*time.Second))
	backlog := s.Status()
	if !backlog.Away || backlog.Files == 0 {
		t.Errorf("the warehouse is away: %+v", backlog)
	}
	if waiting := b.Pending(); waiting > 2*liveFrames*frameRows {
		t.Errorf("%d rows wait in memory", waiting)
	}
	g.Open()
	back, before := time.Now(), l.seq
	l.run(t, func() bool { return s.Status().Files == 0 })
	took := time.Since(back)
	ratio := 5*time.Second.Seconds()/took.Seconds() + 1
	t.Logf("%d files of %d bytes shipped in %v beside %d new frames: %.1f times the live rate; heap %d MB, at most %d MB",
		backlog.Files, backlog.Bytes, took.Round(time.Millisecond), l.seq-before, ratio, calm>>20, l.heap>>20)
	if l.heap > calm+256<<20 {
		t.Errorf("the heap grew from %d to %d MB", calm>>20, l.heap>>20)
	}
	if err := b.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	drain(t, s)
	closeSpool(t, s)
	l.compare(t, db)
}

func (l *live) compare(t *testing.T, db *store.DB) {
	t.Helper()
	if n := l.acked.Load(); n != l.seq {
		t.Errorf("%d of %d frames were acknowledged", n, l.seq)
	}
	want := l.seq * frameRows
	if n := one[uint64](t, db, `SELECT count() FROM observations FINAL`); n != want {
		t.Errorf("%d observations under FINAL, want %d", n, want)
	}
	if n := one[uint64](t, db, `SELECT count() FROM observations`); n != want {
		t.Errorf("%d observations were inserted, want %d: tokens did not hold", n, want)
	}
}

// The server stops during the outage: what it acknowledged is stored by the next
// one, under the tokens that the first one tried.
func TestClickHouseRestartDuringOutage(t *testing.T) {
	t.Parallel()
	g, db := warehouseBehind(t)
	dir := spill.Dir(t.TempDir())
	to := sink.New(db.Conn())
	cfg := spill.DefaultConfig()
	cfg.FS, cfg.Free, cfg.Sink, cfg.Stored = dir, dir.Free, to, to
	s := open(t, cfg)
	bc := batch.DefaultConfig()
	bc.Spool = s
	b, err := batch.NewObservations(bc, to)
	if err != nil {
		t.Fatal(err)
	}
	l := &live{batch: b}
	l.run(t, after(time.Second/2))
	g.Shut()
	l.run(t, after(time.Second))
	if err := b.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	closeSpool(t, s)
	if len(names(t, dir)) == 0 {
		t.Error("nothing is kept, although the warehouse was away")
	}
	s = open(t, cfg)
	asking, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	ranges, err := s.StoredSeqs(asking, source(), "boot", base)
	for err != nil && asking.Err() == nil {
		ranges, err = s.StoredSeqs(asking, source(), "boot", base)
	}
	if err != nil || len(ranges) != 1 || ranges[0].To != l.seq {
		t.Errorf("with the warehouse away, kept are %v of %d frames: %v", ranges, l.seq, err)
	}
	g.Open()
	drain(t, s)
	ranges, err = s.StoredSeqs(t.Context(), source(), "boot", base)
	if got := fmt.Sprint(ranges); err != nil || got != fmt.Sprintf("[{1 %d}]", l.seq) {
		t.Errorf("stored are %s of %d frames: %v", got, l.seq, err)
	}
	closeSpool(t, s)
	l.compare(t, db)
}

// The warehouse itself refuses every insert because of too many parts; when
// that is over, all is stored once.
func TestClickHouseTooManyParts(t *testing.T) {
	t.Parallel()
	_, db := warehouseBehind(t)
	limit := func(parts int) {
		t.Helper()
		if err := db.Conn().Exec(t.Context(), fmt.Sprintf("ALTER TABLE observations MODIFY SETTING parts_to_throw_insert = %d", parts)); err != nil {
			t.Fatal(err)
		}
	}
	dir, to := spill.Dir(t.TempDir()), sink.New(db.Conn())
	cfg := spill.DefaultConfig()
	cfg.FS, cfg.Free, cfg.Sink, cfg.Stored = dir, dir.Free, to, to
	s := open(t, cfg)
	bc := batch.DefaultConfig()
	bc.Spool = s
	b, err := batch.NewObservations(bc, to)
	if err != nil {
		t.Fatal(err)
	}
	l := &live{batch: b}
	l.run(t, after(time.Second/2))
	limit(1)
	l.run(t, after(2*time.Second))
	if st := s.Status(); st.Files == 0 {
		t.Errorf("inserts are refused, and nothing is kept: %+v", st)
	}
	limit(3000)
	if err := b.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	drain(t, s)
	closeSpool(t, s)
	l.compare(t, db)
}
