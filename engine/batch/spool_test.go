package batch_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"mybeacon/engine/batch"
)

// spool keeps revs and says what it is told to say.
type spool struct {
	mu    sync.Mutex
	away  bool
	full  error
	asked int
	kept  []uint64
	tried []bool        // of each batch
	hang  chan struct{} // Keep waits until it is closed
}

func (s *spool) Away() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.away
}

func (s *spool) Keep(_ string, rec arrow.Record, _ string, tried bool) error {
	if s.hang != nil {
		<-s.hang
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	if s.full != nil {
		return s.full
	}
	s.away = s.away || tried
	s.kept = append(s.kept, rec.Column(rec.Schema().FieldIndices("rev")[0]).(*array.Uint64).Uint64Values()...)
	s.tried = append(s.tried, tried)
	return nil
}

func (s *spool) set(change func(*spool)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(s)
}

func withSpool(s *spool) batch.Config {
	cfg := config()
	cfg.Spool = s
	return cfg
}

// add adds rows first…last and returns when the last of them was told that it is
// safe, since now.
func add(t *testing.T, b interface {
	Flush(context.Context) error
}, rows func()) time.Duration {
	t.Helper()
	start := time.Now()
	rows()
	if err := b.Flush(t.Context()); err != nil {
		t.Error(err)
	}
	return time.Since(start)
}

func TestBatchesGoToTheSpoolWhileTheWarehouseIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, s := &warehouse{delay: time.Hour}, &spool{}
		b := newFixes(t, withSpool(s), w)
		took := add(t, b, func() { mustAdd(t, b, 1, nil) })
		if took != 1500*time.Millisecond || fmt.Sprint(s.kept, s.tried) != "[1] [true]" {
			t.Errorf("after %v the spool has %v, tried %v", took, s.kept, s.tried)
		}
		if took := add(t, b, func() { mustAdd(t, b, 2, nil) }); took != 0 || fmt.Sprint(s.kept, s.tried) != "[1 2] [true false]" {
			t.Errorf("away: after %v the spool has %v, tried %v", took, s.kept, s.tried)
		}
		w.delay = 0
		s.set(func(s *spool) { s.away = false })
		if took := add(t, b, func() { mustAdd(t, b, 3, nil) }); took != 0 || fmt.Sprint(w.all()) != "[3]" {
			t.Errorf("back: after %v the warehouse has %v", took, w.all())
		}
		mustStop(t, b)
	})
}

// A failing insert is kept at once, without a second attempt.
func TestFailedInsertIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, s := &warehouse{fail: func(int) error { return errors.New("connection refused") }}, &spool{}
		b := newFixes(t, withSpool(s), w)
		if took := add(t, b, func() { mustAdd(t, b, 1, nil) }); took != 0 || w.failed != 1 || len(s.kept) != 1 {
			t.Errorf("after %v: %d attempts, kept %v", took, w.failed, s.kept)
		}
		mustStop(t, b)
	})
}

// A batch that waited behind others is kept without bothering the warehouse.
func TestQueueIsKeptShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, s := &warehouse{delay: 1400 * time.Millisecond}, &spool{}
		b := newFixes(t, withSpool(s), w)
		took := add(t, b, func() {
			for i := range uint64(50) {
				mustAdd(t, b, i+1, nil)
				if i == 9 {
					synctest.Wait()
				}
			}
		})
		if took > 3*time.Second {
			t.Errorf("50 rows were safe after %v", took)
		}
		if n := len(s.kept) + len(w.all()); n < 50 {
			t.Errorf("%d rows are somewhere, want 50", n)
		}
		mustStop(t, b)
	})
}

// With a full spool a slow warehouse is waited for, and nobody is told before.
func TestFullSpoolWaitsForTheWarehouse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, s := &warehouse{delay: 10 * time.Second}, &spool{full: errors.New("no space left on device"), away: true}
		b := newFixes(t, withSpool(s), w)
		if took := add(t, b, func() { mustAdd(t, b, 1, nil) }); took != 10*time.Second || len(w.all()) != 1 {
			t.Errorf("after %v the warehouse has %v", took, w.all())
		}
		mustStop(t, b)
	})
}

// When both fail nothing is told, and soon after either works again all is safe.
func TestSpoolRecovers(t *testing.T) {
	for name, delay := range map[string]time.Duration{"warehouse hangs": time.Hour, "warehouse refuses": 0} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, s := &warehouse{delay: delay, fail: func(int) error { return errors.New("away") }}, &spool{full: errors.New("no space left on device")}
				b := newFixes(t, withSpool(s), w)
				told := make(chan time.Time, 1)
				mustAdd(t, b, 1, func(err error) {
					if err == nil {
						told <- time.Now()
					}
				})
				if err := b.Stalled(); err != nil {
					t.Errorf("before anybody was asked: %v", err)
				}
				time.Sleep(2 * time.Second)
				synctest.Wait()
				if err := b.Stalled(); !errors.Is(err, s.full) {
					t.Errorf("when both were asked: %v", err)
				}
				time.Sleep(5 * time.Minute)
				synctest.Wait()
				if len(told) > 0 {
					t.Fatal("told although nobody has it")
				}
				back := time.Now()
				s.set(func(s *spool) { s.full = nil })
				if wait := (<-told).Sub(back); wait > 3*time.Second {
					t.Errorf("safe %v after there was room", wait)
				}
				synctest.Wait()
				if err := b.Stalled(); err != nil {
					t.Errorf("when it is safe: %v", err)
				}
				mustStop(t, b)
			})
		})
	}
}

// A disk that does not answer is told of too, and its late answer counts.
func TestDiskHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &spool{hang: make(chan struct{})}
		b := newFixes(t, withSpool(s), &warehouse{fail: func(int) error { return errors.New("away") }})
		mustAdd(t, b, 1, nil)
		time.Sleep(6 * time.Second)
		if err := b.Stalled(); err == nil {
			t.Error("nobody is told that the disk hangs")
		}
		close(s.hang)
		synctest.Wait()
		if err := b.Stalled(); err != nil || len(s.kept) != 1 {
			t.Errorf("when it answered: %v, kept %v", err, s.kept)
		}
		mustStop(t, b)
	})
}

// Stopping during an outage keeps what there is.
func TestStopKeeps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, s := &warehouse{delay: time.Hour}, &spool{}
		b := newFixes(t, withSpool(s), w)
		for i := range uint64(25) {
			mustAdd(t, b, i+1, nil)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		if err := b.Stop(ctx); err != nil || len(s.kept) != 25 {
			t.Errorf("%d of 25 rows kept: %v", len(s.kept), err)
		}
	})
}
