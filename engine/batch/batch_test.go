package batch_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"mybeacon/engine/batch"
	"mybeacon/schema"
	"mybeacon/schema/columnar"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// warehouse is a sink that keeps what it is given, by token, and fails as told.
type warehouse struct {
	mu     sync.Mutex
	rows   map[string][]uint64 // revs by token
	order  []string            // tokens, as first seen
	sizes  []int64
	failed int

	delay time.Duration
	fail  func(attempt int) error // after the rows were or were not taken
	keep  func(attempt int) bool  // whether a failing attempt takes the rows
	tries int
}

func (w *warehouse) Insert(ctx context.Context, table string, rec arrow.Record, token string) error {
	if w.delay > 0 {
		select {
		case <-time.After(w.delay):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tries++
	var err error
	if w.fail != nil {
		err = w.fail(w.tries)
	}
	if err != nil {
		w.failed++
		if w.keep == nil || !w.keep(w.tries) {
			return err
		}
	}
	if w.rows == nil {
		w.rows = map[string][]uint64{}
	}
	if _, seen := w.rows[token]; !seen {
		w.order = append(w.order, token)
		w.sizes = append(w.sizes, rec.NumRows())
	}
	revs := rec.Column(rec.Schema().FieldIndices("rev")[0]).(*array.Uint64)
	w.rows[token] = append([]uint64(nil), revs.Uint64Values()...)
	return err
}

// all returns the stored revs in the order of their batches.
func (w *warehouse) all() (revs []uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, token := range w.order {
		revs = append(revs, w.rows[token]...)
	}
	return revs
}

func config() batch.Config {
	cfg := batch.DefaultConfig()
	cfg.FlushRows, cfg.BatchRows, cfg.MaxRows = 10, 20, 50
	return cfg
}

func newFixes(t testing.TB, cfg batch.Config, w batch.Sink) *batch.Batch[schema.Fix] {
	t.Helper()
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	t.Cleanup(func() { mem.AssertSize(t, 0) })
	b, err := batch.New(cfg, batch.Table[schema.Fix]{
		Name: columnar.FixesTable, Builder: columnar.NewFixes(mem),
		Span: func(f schema.Fix) (first, last schema.EventTime) { return f.At, f.At },
	}, w)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func fix(rev uint64) schema.Fix { return schema.Fix{Rev: rev} }

func mustAdd(t testing.TB, b *batch.Batch[schema.Fix], rev uint64, done func(error)) {
	t.Helper()
	if err := b.Add(fix(rev), done); err != nil {
		t.Fatal(err)
	}
}

func mustStop(t testing.TB, b interface{ Stop(context.Context) error }) {
	t.Helper()
	if err := b.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestAgeAndSizeSend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &warehouse{}
		b := newFixes(t, config(), w)
		start := time.Now()
		var stored atomic.Int64
		mustAdd(t, b, 1, func(err error) { stored.Store(int64(time.Since(start))) })
		time.Sleep(249 * time.Millisecond)
		synctest.Wait()
		if stored.Load() != 0 || b.Pending() != 1 {
			t.Fatalf("sent after %v, before its age", time.Duration(stored.Load()))
		}
		time.Sleep(time.Millisecond)
		synctest.Wait()
		if got := time.Duration(stored.Load()); got != 250*time.Millisecond {
			t.Fatalf("stored after %v, want 250ms", got)
		}
		for i := range uint64(10) {
			mustAdd(t, b, 2+i, nil)
		}
		synctest.Wait()
		if n := len(w.all()); n != 11 || b.Pending() != 0 {
			t.Errorf("%d rows stored, %d pending: ten rows should not wait for their age", n, b.Pending())
		}
		mustStop(t, b)
	})
}

// While an insert runs, what comes next becomes one larger batch, up to a bound.
func TestBatchesGrowWhileTheWarehouseIsBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &warehouse{delay: time.Second}
		b := newFixes(t, config(), w)
		for i := range uint64(50) {
			mustAdd(t, b, i+1, nil)
			if i == 9 {
				synctest.Wait() // the first ten are on their way
			}
		}
		if err := b.Add(fix(99), nil); schema.KindOf(err) != schema.Unavailable {
			t.Errorf("row 51 of 50: %v", err)
		}
		mustStop(t, b)
		if got, want := fmt.Sprint(w.sizes), "[10 20 20]"; got != want {
			t.Errorf("batches of %s rows, want %s", got, want)
		}
		for i, rev := range w.all() {
			if rev != uint64(i+1) {
				t.Fatalf("row %d is %d: out of order", i, rev)
			}
		}
	})
}

// An unclear failure is retried with the same rows and token, before newer ones,
// and nobody is told until it succeeded.
func TestUnclearFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &warehouse{
			fail: func(attempt int) error {
				if attempt <= 3 {
					return errors.New("connection reset")
				}
				return nil
			},
			keep: func(attempt int) bool { return attempt == 2 },
		}
		b := newFixes(t, config(), w)
		var told, wrong atomic.Int32
		for i := range uint64(10) {
			mustAdd(t, b, i+1, func(err error) {
				told.Add(1)
				if err != nil {
					wrong.Add(1)
				}
			})
		}
		synctest.Wait()
		for i := range uint64(5) {
			mustAdd(t, b, 100+i, nil)
		}
		if told.Load() != 0 {
			t.Fatal("told before it was stored")
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if len(w.order) != 2 || w.failed != 3 || len(w.all()) != 15 {
			t.Errorf("%d batches, %d failures, %d rows", len(w.order), w.failed, len(w.all()))
		}
		if told.Load() != 10 || wrong.Load() != 0 {
			t.Errorf("told %d, of these %d of a failure", told.Load(), wrong.Load())
		}
		mustStop(t, b)
	})
}

func TestStopGivesUpWhenItsContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &warehouse{fail: func(int) error { return errors.New("away") }}
		b := newFixes(t, config(), w)
		var told []error
		for i := range uint64(25) {
			mustAdd(t, b, i, func(err error) { told = append(told, err) })
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if err := b.Stop(ctx); err == nil {
			t.Error("rows were given up and nobody said so")
		}
		if len(told) != 25 {
			t.Errorf("%d of 25 were told", len(told))
		}
		for _, err := range told {
			if err == nil {
				t.Fatal("told that it is stored")
			}
		}
		if err := b.Add(fix(1), nil); schema.KindOf(err) != schema.Unavailable {
			t.Errorf("a stopped batch takes rows: %v", err)
		}
	})
}

func TestStopCutsAHangingInsert(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newFixes(t, config(), &warehouse{delay: time.Hour})
		mustAdd(t, b, 1, nil)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		if err := b.Stop(ctx); err == nil || time.Since(start) > 2*time.Second {
			t.Errorf("stopped with %v after %v", err, time.Since(start))
		}
	})
}

func TestFlush(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &warehouse{delay: 10 * time.Millisecond}
		b := newFixes(t, config(), w)
		start := time.Now()
		mustAdd(t, b, 1, nil)
		if err := b.Flush(t.Context()); err != nil || len(w.all()) != 1 || time.Since(start) > 20*time.Millisecond {
			t.Errorf("flushed %d rows after %v: %v", len(w.all()), time.Since(start), err)
		}
		if err := b.Flush(t.Context()); err != nil {
			t.Error(err)
		}
		mustStop(t, b)
	})
}

// A batch falls on few enough days that the warehouse takes it.
func TestDaysAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &warehouse{}
		cfg := config()
		cfg.MaxDays = 3
		b := newFixes(t, cfg, w)
		day := schema.EventTime(24 * 60 * 60 * 1000)
		for i := range 9 {
			if err := b.Add(schema.Fix{At: schema.EventTime(i) * day}, nil); err != nil {
				t.Fatal(err)
			}
		}
		mustStop(t, b)
		if got, want := fmt.Sprint(w.sizes), "[3 3 3]"; got != want {
			t.Errorf("batches of %s rows, want %s", got, want)
		}
	})
}

func TestOneItemOverTooManyDaysIsRefused(t *testing.T) {
	cfg := config()
	cfg.MaxDays = 3
	b, err := batch.NewObservations(cfg, &warehouse{})
	if err != nil {
		t.Fatal(err)
	}
	defer mustStop(t, b)
	f := schema.FrameAdmitted{Observations: make([]schema.Heard, 2), Indexes: []uint16{0, 1}}
	f.Observations[1].At = 4 * 24 * 60 * 60 * 1000
	if err := b.Add(f, nil); schema.KindOf(err) != schema.Invalid {
		t.Errorf("an item of five days: %v", err)
	}
}

// Whatever fails and whoever adds: every row is stored once, in order, and its
// owner told once.
func TestNothingIsLostNorDoubled(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		fails := rapid.SliceOfN(rapid.IntRange(0, 2), 30, 30).Draw(rt, "fails")
		adds := rapid.SliceOfN(rapid.IntRange(0, 300), 1, 80).Draw(rt, "pauses_ms")
		synctest.Test(t, func(t *testing.T) {
			w := &warehouse{
				fail: func(n int) error {
					if n < len(fails) && fails[n] > 0 {
						return errors.New("unclear")
					}
					return nil
				},
				keep: func(n int) bool { return fails[n] == 2 },
			}
			cfg := config()
			cfg.MaxRows = 1000
			b := newFixes(t, cfg, w)
			told := 0
			for i, pause := range adds {
				time.Sleep(time.Duration(pause) * time.Millisecond)
				mustAdd(t, b, uint64(i), func(err error) {
					if err == nil {
						told++
					}
				})
			}
			mustStop(t, b)
			if revs := w.all(); len(revs) != len(adds) || told != len(adds) {
				t.Fatalf("%d added, %d stored, %d told", len(adds), len(revs), told)
			}
			for i, rev := range w.all() {
				if rev != uint64(i) {
					t.Fatalf("row %d is %d", i, rev)
				}
			}
		})
	})
}

func TestConcurrentAdds(t *testing.T) {
	w := &warehouse{}
	cfg := config()
	cfg.MaxRows = 10_000
	b := newFixes(t, cfg, w)
	var wg sync.WaitGroup
	var done sync.WaitGroup
	for g := range uint64(8) {
		wg.Go(func() {
			for i := range uint64(500) {
				done.Add(1)
				if err := b.Add(fix(g<<32|i), func(error) { done.Done() }); err != nil {
					t.Error(err)
					done.Done()
				}
			}
		})
	}
	wg.Wait()
	mustStop(t, b)
	done.Wait()
	if n := len(w.all()); n != 4000 {
		t.Errorf("%d rows, want 4000", n)
	}
}

func TestConfigIsChecked(t *testing.T) {
	if err := batch.DefaultConfig().Validate(); err != nil {
		t.Error(err)
	}
	f := func(change func(*batch.Config)) {
		t.Helper()
		cfg := batch.DefaultConfig()
		change(&cfg)
		if err := cfg.Validate(); schema.KindOf(err) != schema.Invalid {
			t.Errorf("accepted: %v", err)
		}
	}
	f(func(c *batch.Config) { c.Log = nil })
	f(func(c *batch.Config) { c.FlushRows = 0 })
	f(func(c *batch.Config) { c.MaxRows = c.BatchRows - 1 })
	f(func(c *batch.Config) { c.MaxAge = 0 })
	f(func(c *batch.Config) { c.MinBackoff = 2 * c.MaxBackoff })
	f(func(c *batch.Config) { c.MaxDays = 101 })
}
