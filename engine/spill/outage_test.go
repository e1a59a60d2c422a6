package spill_test

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"mybeacon/engine/batch"
	"mybeacon/engine/spill"
	"mybeacon/schema"
)

// stream is a whole way to the warehouse under a stream of frames.
type stream struct {
	batch *batch.Batch[schema.FrameAdmitted]
	spool *spill.Spill

	seq    uint64
	mu     sync.Mutex
	acked  []uint64
	waits  []time.Duration // from a frame to its acknowledgement
	most   spill.Status    // most files, most bytes
	behind int             // most rows that waited in memory
}

func newStream(t *testing.T, w *warehouse, change func(*spill.Config)) *stream {
	t.Helper()
	cfg := spill.DefaultConfig()
	cfg.FS, cfg.Sink, cfg.Stored = newDisk(), w, w
	change(&cfg)
	s := open(t, cfg)
	bc := batch.DefaultConfig()
	bc.Spool = s
	b, err := batch.NewObservations(bc, w)
	if err != nil {
		t.Fatal(err)
	}
	return &stream{batch: b, spool: s}
}

// run adds a frame every so often, for that long, in a bubble.
func (st *stream) run(t *testing.T, every, span time.Duration) {
	t.Helper()
	for end := time.Now().Add(span); time.Now().Before(end); time.Sleep(every) {
		st.seq++
		seq, came := st.seq, time.Now()
		err := st.batch.Add(frame(seq, 2), func(err error) {
			st.mu.Lock()
			defer st.mu.Unlock()
			if err == nil {
				st.acked = append(st.acked, seq)
				st.waits = append(st.waits, time.Since(came))
			}
		})
		if err != nil {
			t.Fatalf("frame %d: %v", seq, err)
		}
		now := st.spool.Status()
		st.most.Files, st.most.Bytes = max(st.most.Files, now.Files), max(st.most.Bytes, now.Bytes)
		st.behind = max(st.behind, st.batch.Pending())
	}
}

// finish stops all and compares: everything added was acknowledged and stored.
func (st *stream) finish(t *testing.T, w *warehouse) {
	t.Helper()
	if err := st.batch.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	if err := st.spool.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	closeSpool(t, st.spool)
	stored := w.all()
	slices.Sort(stored)
	if n := len(slices.Compact(slices.Clone(stored))); n != int(st.seq) || len(st.acked) != int(st.seq) {
		t.Errorf("%d frames, %d acknowledged, %d stored", st.seq, len(st.acked), n)
	}
	if len(stored) != int(st.seq) {
		t.Errorf("%d frames are stored %d times: under two tokens", st.seq, len(stored))
	}
}

func (st *stream) slowest() time.Duration {
	st.mu.Lock()
	defer st.mu.Unlock()
	return slices.Max(st.waits)
}

// Each five seconds the warehouse goes away or comes back, for minutes, and
// while it is away it answers nothing at all, refuses, or stores without saying
// so. Nothing is lost, nothing doubled, and no acknowledgement waits for it.
func TestFlappingWarehouse(t *testing.T) {
	f := func(name string, goAway func(*warehouse)) {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &warehouse{}
				st := newStream(t, w, func(*spill.Config) {})
				var over atomic.Bool
				go func() {
					for up := false; !over.Load(); up = !up {
						w.set(func(w *warehouse) {
							w.delay, w.fail, w.keep = 10*time.Millisecond, nil, false
							if !up {
								goAway(w)
							}
						})
						time.Sleep(5 * time.Second)
					}
				}()
				st.run(t, 20*time.Millisecond, 3*time.Minute)
				over.Store(true)
				time.Sleep(10 * time.Second)
				w.set(func(w *warehouse) { w.delay, w.fail = 0, nil })
				st.finish(t, w)
				if wait := st.slowest(); wait > 2500*time.Millisecond {
					t.Errorf("an acknowledgement took %v", wait)
				}
				if st.most.Files == 0 || st.most.Files > 200 {
					t.Errorf("%d files at most", st.most.Files)
				}
			})
		})
	}
	f("refuses", func(w *warehouse) { w.fail = away })
	f("hangs", func(w *warehouse) { w.delay = time.Hour })
	f("stores and does not say so", func(w *warehouse) { w.fail, w.keep = away, true })
}

// Each insert takes ten seconds: frames are acknowledged from the spool, which
// stays short because many batches go in one insert.
func TestSlowWarehouse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &warehouse{delay: 10 * time.Second}
		st := newStream(t, w, func(*spill.Config) {})
		st.run(t, 50*time.Millisecond, 10*time.Minute)
		if st.most.Files > 150 || st.behind > 1000 {
			t.Errorf("%d files and %d rows in memory at most", st.most.Files, st.behind)
		}
		st.finish(t, w)
		if wait := st.slowest(); wait > 2500*time.Millisecond {
			t.Errorf("an acknowledgement took %v", wait)
		}
		if n := w.inserts(); n > 100 {
			t.Errorf("%d inserts in ten minutes", n)
		}
	})
}

// Two inserts of three are refused because there are too many parts.
func TestTooManyParts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &warehouse{delay: 5 * time.Millisecond}
		w.fail = func(try int, _ []uint64) error {
			if try%3 != 0 {
				return errors.New("Code: 252. DB::Exception: Too many parts")
			}
			return nil
		}
		st := newStream(t, w, func(*spill.Config) {})
		st.run(t, 20*time.Millisecond, 2*time.Minute)
		w.set(func(w *warehouse) { w.fail = nil })
		st.finish(t, w)
		if st.most.Files > 100 {
			t.Errorf("%d files at most", st.most.Files)
		}
	})
}

// Half an hour without the warehouse: the spool is what grows, memory does not,
// and afterwards it is empty soon although frames go on coming.
func TestLongOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &warehouse{fail: away}
		st := newStream(t, w, func(*spill.Config) {})
		st.run(t, 50*time.Millisecond, 30*time.Minute/stride)
		if st.behind > 1000 {
			t.Errorf("%d rows waited in memory", st.behind)
		}
		w.set(func(w *warehouse) { w.fail, w.delay = nil, 100*time.Millisecond })
		back := time.Now()
		for st.spool.Status().Files > 0 {
			st.run(t, 50*time.Millisecond, time.Second)
		}
		if took := time.Since(back); took > 30*time.Second {
			t.Errorf("%d files were shipped in %v", st.most.Files, took)
		}
		st.finish(t, w)
	})
}

// A spool that may hold little is full soon: nothing more is acknowledged, and
// what was is stored in the end.
func TestFullSpoolStopsAcknowledging(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &warehouse{fail: away}
		st := newStream(t, w, func(c *spill.Config) { c.Limit, c.DerivedLimit = 20_000, 0 })
		st.run(t, 50*time.Millisecond, time.Minute)
		st.mu.Lock()
		acked := len(st.acked)
		st.mu.Unlock()
		if acked == 0 || acked == int(st.seq) {
			t.Errorf("%d of %d frames were acknowledged", acked, st.seq)
		}
		if st.most.Bytes > 40_000 {
			t.Errorf("%d bytes in a spool of 20,000", st.most.Bytes)
		}
		w.set(func(w *warehouse) { w.fail = nil })
		back := time.Now()
		if err := st.batch.Flush(t.Context()); err != nil {
			t.Error(err)
		}
		if took := time.Since(back); took > 10*time.Second {
			t.Errorf("all was acknowledged %v after there was room", took)
		}
		st.finish(t, w)
	})
}
