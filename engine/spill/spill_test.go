package spill_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"mybeacon/engine/embedded/embeddedtest"
	"mybeacon/engine/spill"
	"mybeacon/schema"
	"mybeacon/schema/columnar"
	"mybeacon/schema/wire"
)

func TestMain(m *testing.M) { embeddedtest.Main(m) }

// What is kept while the warehouse is away reaches it, whole and once, and leaves
// nothing behind.
func TestKeptBatchesAreShipped(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	dir, w := spill.Dir(filepath.Join(t.TempDir(), "spill")), &warehouse{fail: away}
	s := open(t, config(dir, w))
	for seq := range uint64(20) {
		keep(t, s, seq+1, seq == 0)
	}
	if !s.Away() {
		t.Error("a batch that was tried is kept, and the warehouse is not away")
	}
	if st := s.Status(); st.Files != 20 || st.Bytes == 0 || st.Err != nil {
		t.Errorf("20 batches are kept: %+v", st)
	}
	w.set(func(w *warehouse) { w.fail = nil })
	drain(t, s)
	closeSpool(t, s)
	stored := w.all()
	slices.Sort(stored)
	if diff := cmp.Diff(sequence(20), stored); diff != "" {
		t.Error(diff)
	}
	if s.Away() {
		t.Error("all is shipped, and the warehouse is still away")
	}
	if left := names(t, dir); len(left) > 0 {
		t.Errorf("left behind: %s", left)
	}
	if n := w.inserts(); n > 4 {
		t.Errorf("%d inserts for 20 small batches", n)
	}
}

// What a stopped server kept is shipped by the next one, under the same tokens.
func TestRestartShipsWhatIsKept(t *testing.T) {
	dir, w := spill.Dir(t.TempDir()), &warehouse{fail: away, keep: true} // unclear: it takes the rows all the same
	for round := range uint64(3) {
		s := open(t, config(dir, w))
		for i := range uint64(5) {
			keep(t, s, round*5+i+1, i%2 == 0)
		}
		closeSpool(t, s)
	}
	w.set(func(w *warehouse) { w.fail = nil })
	s := open(t, config(dir, w))
	drain(t, s)
	closeSpool(t, s)
	if got := w.all(); len(got) != 15 {
		t.Errorf("15 frames became %d: some are lost, or stored under two tokens: %v", len(got), got)
	}
	if left := names(t, dir); len(left) > 0 {
		t.Errorf("left behind: %s", left)
	}
}

func TestDamagedFilesAreMovedAside(t *testing.T) {
	f := func(name string, damage func(path string, content []byte) error) {
		t.Run(name, func(t *testing.T) {
			dir, w := spill.Dir(t.TempDir()), &warehouse{fail: away}
			s := open(t, config(dir, w))
			for seq := range uint64(3) {
				keep(t, s, seq+1, true)
			}
			closeSpool(t, s)
			victim := filepath.Join(string(dir), names(t, dir)[1])
			content, err := os.ReadFile(victim)
			if err != nil {
				t.Fatal(err)
			}
			if err := damage(victim, content); err != nil {
				t.Fatal(err)
			}
			w.set(func(w *warehouse) { w.fail = nil })
			for range 2 { // the second start does not stumble over it again
				s = open(t, config(dir, w))
				drain(t, s)
				closeSpool(t, s)
			}
			if diff := cmp.Diff([]uint64{1, 3}, w.all()); diff != "" {
				t.Error(diff)
			}
			if left := names(t, dir); len(left) != 1 || !strings.HasSuffix(left[0], ".damaged") {
				t.Errorf("left behind: %s", left)
			}
			if st := s.Status(); st.Aside == 0 && name != "empty" {
				t.Errorf("the damaged file is not counted: %+v", st)
			}
		})
	}
	f("empty", func(path string, _ []byte) error { return os.Truncate(path, 0) })
	f("half", func(path string, c []byte) error { return os.Truncate(path, int64(len(c)/2)) })
	f("last byte", func(path string, c []byte) error { return os.Truncate(path, int64(len(c)-1)) })
	f("longer", func(path string, c []byte) error { return os.WriteFile(path, append(c, 0), 0o600) })
	f("one bit", func(path string, c []byte) error {
		c[len(c)/3] ^= 4
		return os.WriteFile(path, c, 0o600)
	})
	f("exchanged", func(path string, c []byte) error {
		return os.Rename(path, strings.Replace(path, "observations.", "fixes.", 1))
	})
}

// A batch that is refused while others are stored holds nothing up.
func TestRefusedBatchDoesNotBlock(t *testing.T) {
	dir, w := spill.Dir(t.TempDir()), &warehouse{}
	w.fail = func(_ int, seqs []uint64) error {
		for _, seq := range seqs {
			if seq == 3 {
				return errors.New("Code: 53. Type mismatch")
			}
		}
		return nil
	}
	cfg := config(dir, w)
	cfg.GroupRows = 40 // four batches
	s := open(t, cfg)
	for seq := range uint64(12) {
		keep(t, s, seq+1, false)
	}
	await(t, s, func(st spill.Status) bool { return st.Files == 1 })
	drain(t, s) // which does not wait for it
	w.set(func(w *warehouse) { w.fail = nil })
	closeSpool(t, s)
	s = open(t, cfg)
	drain(t, s)
	closeSpool(t, s)
	if got := w.all(); len(got) != 12 {
		t.Errorf("12 frames became %v", got)
	}
}

// await waits until the spool's state is as wished; it is woken by each parcel
// that leaves.
func await(t testing.TB, s *spill.Spill, reached func(spill.Status) bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	deadline := time.After(20 * time.Second)
	for !reached(s.Status()) {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("not reached: %+v", s.Status())
		}
	}
}

// What a starting server continues from comes first, whenever it was kept.
func TestVisitsAreShippedFirst(t *testing.T) {
	dir, w := newDisk(), &warehouse{fail: away}
	s := open(t, config(dir, w))
	for seq := uint64(1); seq <= 3; seq++ {
		keep(t, s, seq, false)
	}
	b := columnar.NewVisits(memory.NewGoAllocator())
	defer b.Release()
	b.Append(schema.Visit{Rev: 99})
	visits := b.NewRecord()
	defer visits.Release()
	if err := s.Keep(columnar.VisitsTable, visits, "visits", false); err != nil {
		t.Fatal(err)
	}
	closeSpool(t, s)
	w.set(func(w *warehouse) { w.fail = nil })
	s = open(t, config(dir, w))
	drain(t, s)
	closeSpool(t, s)
	if got := w.all(); len(got) != 4 || got[0] != 99 {
		t.Errorf("stored in the order %v", got)
	}
}

func TestBounds(t *testing.T) {
	dir, w := spill.Dir(t.TempDir()), &warehouse{fail: away}
	f := func(name, table string, change func(*spill.Config)) {
		t.Helper()
		cfg := config(dir, w)
		cfg.DerivedLimit = cfg.Limit
		change(&cfg)
		s := open(t, cfg)
		defer closeSpool(t, s)
		rec := record(t, frame(1, 10))
		var err error
		n := 0
		for ; n < 5 && err == nil; n++ {
			err = s.Keep(table, rec, "token", true)
		}
		if schema.KindOf(err) != schema.Unavailable {
			t.Errorf("%s: after %d batches: %v", name, n, err)
		}
	}
	f("bytes", columnar.ObservationsTable, func(c *spill.Config) { c.Limit, c.DerivedLimit = 5000, 1 })
	f("derived bytes", columnar.FixesTable, func(c *spill.Config) { c.DerivedLimit = 5000 })
	f("files", columnar.ObservationsTable, func(c *spill.Config) { c.MaxFiles = 4 })
	f("disk", columnar.ObservationsTable, func(c *spill.Config) {
		c.Free = func() (int64, error) { return c.MinFree - 1, nil }
	})
}

func TestStoredSeqs(t *testing.T) {
	dir, w := spill.Dir(t.TempDir()), &warehouse{fail: away, storedErr: errAway}
	s := open(t, config(dir, w))
	for _, seq := range []uint64{1, 2, 3, 7} {
		keep(t, s, seq, true)
	}
	f := func(boot string, want ...wire.SeqRange) {
		t.Helper()
		got, err := s.StoredSeqs(t.Context(), source(), boot, base)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", boot, diff)
		}
	}
	f("boot", wire.SeqRange{From: 1, To: 3}, wire.SeqRange{From: 7, To: 7})
	f("another")
	closeSpool(t, s)

	s = open(t, config(dir, w)) // what was kept before the start is known, too
	defer closeSpool(t, s)
	w.set(func(w *warehouse) { w.storedErr, w.stored = nil, []wire.SeqRange{{From: 3, To: 6}} })
	f("boot", wire.SeqRange{From: 1, To: 7})
	w.set(func(w *warehouse) { w.fail = nil })
	drain(t, s)
	f("boot", wire.SeqRange{From: 3, To: 6}) // the warehouse alone knows now
	w.set(func(w *warehouse) { w.storedErr = errAway })
	if got, err := s.StoredSeqs(t.Context(), source(), "boot", base); err == nil {
		t.Errorf("the warehouse failed once and the spool answered alone: %v", got)
	}
}

func TestEach(t *testing.T) {
	dir, w := spill.Dir(t.TempDir()), &warehouse{fail: away}
	s := open(t, config(dir, w))
	defer closeSpool(t, s)
	for seq := range uint64(4) {
		keep(t, s, seq+1, false) // the shipper renames the first of them meanwhile
	}
	var seen []uint64
	err := s.Each(t.Context(), func(table string, rec arrow.Record) error {
		if table != columnar.ObservationsTable {
			t.Errorf("a batch of %s", table)
		}
		seen = append(seen, seqsOf(rec)...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(sequence(4), seen); diff != "" {
		t.Error(diff)
	}
	stop := errors.New("enough")
	if err := s.Each(t.Context(), func(string, arrow.Record) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("the visit's error became %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Each(ctx, func(string, arrow.Record) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("after its context: %v", err)
	}
}
