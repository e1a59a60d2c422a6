package spill_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"pgregory.net/rapid"

	"mybeacon/engine/spill"
	"mybeacon/schema/columnar"
)

// Whatever operation of the disk fails, and for how long: what Keep took is
// stored, what it refused is nobody's, and all goes on when the disk does.
func TestDiskFaults(t *testing.T) {
	f := func(name string, fault error, kinds ...opKind) {
		t.Run(name, func(t *testing.T) {
			d, w := newDisk(), &warehouse{fail: away}
			s := open(t, config(d, w))
			kept := keepUnderFault(t, d, s, func(o op) error {
				if slices.Contains(kinds, o.kind) {
					return fault
				}
				return nil
			})
			w.set(func(w *warehouse) { w.fail = nil })
			drain(t, s)
			closeSpool(t, s)
			got := w.all()
			for _, seq := range kept {
				if !slices.Contains(got, seq) {
					t.Errorf("frame %d was kept and is lost", seq)
				}
			}
		})
	}
	f("disk full", syscall.ENOSPC, opCreate, opWrite)
	f("disk full for contents", syscall.ENOSPC, opWrite)
	f("read-only", syscall.EROFS, opCreate, opWrite, opRename, opRemove, opSync, opSyncDir)
	f("write error", syscall.EIO, opWrite)
	f("sync error", syscall.EIO, opSync)
	f("directory sync error", syscall.EIO, opSyncDir)
	f("rename error", syscall.EIO, opRename)
	f("all but reading fails", syscall.EIO, opCreate, opWrite, opRename, opRemove, opSync, opSyncDir)
	f("remove error", syscall.EIO, opRemove)
	f("read error", syscall.EIO, opRead)
}

// keepUnderFault keeps batches before, during and after a fault of the disk and
// returns those that were taken.
func keepUnderFault(t *testing.T, d *disk, s *spill.Spill, fault func(op) error) (kept []uint64) {
	t.Helper()
	try := func(seq uint64) error {
		err := s.Keep(columnar.ObservationsTable, record(t, frame(seq, 10)), token(seq), seq%3 == 0)
		if err == nil {
			kept = append(kept, seq)
		}
		return err
	}
	set := func(fault func(op) error) {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.fault = fault
	}
	if err := try(1); err != nil {
		t.Fatal(err)
	}
	set(fault)
	var failed error
	for seq := uint64(2); seq <= 5; seq++ {
		failed = errors.Join(failed, try(seq))
	}
	if failed != nil && s.Status().Err == nil {
		t.Errorf("Keep failed and the state does not tell: %v", failed)
	}
	set(nil)
	for seq := uint64(6); seq <= 8; seq++ {
		if err := try(seq); err != nil {
			t.Errorf("the disk works again: %v", err)
		}
	}
	if err := s.Status().Err; err != nil {
		t.Errorf("the disk works again, and the state says %v", err)
	}
	return kept
}

// A spool that failed finds out by itself that it can be written again.
func TestUnusedSpoolRecovers(t *testing.T) {
	t.Parallel()
	d, w := newDisk(), &warehouse{}
	var broken atomic.Bool
	broken.Store(true)
	d.fault = func(op) error {
		if broken.Load() {
			return syscall.EROFS
		}
		return nil
	}
	s := open(t, config(d, w))
	defer closeSpool(t, s)
	if s.Status().Err == nil {
		t.Error("the directory cannot even be read, and the state says that all is well")
	}
	if err := s.Keep(columnar.ObservationsTable, record(t, frame(1, 1)), "token", true); err == nil {
		t.Error("a batch was kept in it")
	}
	broken.Store(false)
	start := time.Now()
	await(t, s, func(st spill.Status) bool { return st.Err == nil })
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("noticed after %v", took)
	}
}

// Faults at random operations, with restarts between: no acknowledged frame is
// lost, and the spool is empty in the end.
func TestRandomFaults(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		faults := rapid.SliceOfN(rapid.IntRange(0, 40), 1, 12).Draw(rt, "faults")
		restarts := rapid.SliceOfN(rapid.IntRange(0, 3), 12, 12).Draw(rt, "restarts")
		d, w := newDisk(), &warehouse{fail: away, keep: true}
		n := 0
		d.fault = func(o op) error {
			n++
			if slices.Contains(faults, n%41) && o.kind != opRead {
				return syscall.EIO
			}
			return nil
		}
		s := open(t, config(d, w))
		var kept []uint64
		for i, restart := range restarts {
			seq := uint64(i + 1)
			if s.Keep(columnar.ObservationsTable, record(t, frame(seq, 3)), token(seq), i%2 == 0) == nil {
				kept = append(kept, seq)
			}
			if restart == 0 {
				closeSpool(t, s)
				s = open(t, config(d, w))
			}
		}
		d.mu.Lock()
		d.fault = nil
		d.mu.Unlock()
		w.set(func(w *warehouse) { w.fail = nil })
		drain(t, s)
		closeSpool(t, s)
		got := w.all()
		for _, seq := range kept {
			if !slices.Contains(got, seq) {
				rt.Fatalf("frame %d was kept and is lost; stored: %v", seq, got)
			}
		}
	})
}

// Something else stands where the directory should be, and goes.
func TestDirectoryIsAFile(t *testing.T) {
	t.Parallel()
	path, w := filepath.Join(t.TempDir(), "spill"), &warehouse{fail: away}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s := open(t, config(spill.Dir(path), w))
	defer closeSpool(t, s)
	if s.Status().Err == nil || s.Keep(columnar.ObservationsTable, record(t, frame(1, 1)), "token", true) == nil {
		t.Error("a batch was kept in a file that is no directory")
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	await(t, s, func(st spill.Status) bool { return st.Err == nil })
	keep(t, s, 2, true)
	if free, err := spill.Dir(path).Free(); err != nil || free <= 0 {
		t.Errorf("%d bytes free: %v", free, err)
	}
	if free, err := spill.Dir(filepath.Join(path, "not", "there")).Free(); err != nil || free <= 0 {
		t.Errorf("where the directory will be, %d bytes free: %v", free, err)
	}
}
