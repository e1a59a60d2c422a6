package spill_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"mybeacon/engine/spill"
	"mybeacon/schema/columnar"
)

// story is one run of a spool on a disk that writes everything down, with the
// points at which frames were acknowledged and inserts took rows.
type story struct {
	disk    *disk
	acked   map[uint64]int // frame -> operations done when it was acknowledged
	inserts []insert
}

type insert struct {
	point int
	token string
	seqs  []uint64
}

// tell runs a spool through an outage, an unclear one, catching up while more
// comes, and another outage with files that go in groups.
func tell(t *testing.T, d *disk) story {
	st := story{disk: d, acked: map[uint64]int{}}
	w := &warehouse{}
	w.took = func(token string) {
		st.inserts = append(st.inserts, insert{d.point(), token, w.frames[token]})
	}
	s := open(t, config(d, w))
	ack := func(seq uint64, tried bool) {
		keep(t, s, seq, tried)
		st.acked[seq] = d.point()
	}
	w.set(func(w *warehouse) { w.fail = away })
	ack(1, true)
	for seq := uint64(2); seq <= 5; seq++ {
		ack(seq, false)
	}
	w.set(func(w *warehouse) { w.keep = true }) // it stores and does not say so
	tries := s.Status()
	await(t, s, func(now spill.Status) bool { return now.Files == tries.Files && w.inserts() > 0 })
	w.set(func(w *warehouse) { w.fail, w.keep = nil, false })
	for seq := uint64(6); seq <= 9; seq++ {
		ack(seq, seq == 7)
	}
	drain(t, s)
	w.set(func(w *warehouse) { w.fail = away })
	for seq := uint64(10); seq <= 16; seq++ {
		w.set(func(w *warehouse) {
			if seq == 12 {
				w.take(token(seq), []uint64{seq}) // the batch's own attempt, whose answer was lost
			}
		})
		ack(seq, seq == 12)
	}
	w.set(func(w *warehouse) { w.fail = nil })
	drain(t, s)
	closeSpool(t, s)
	return st
}

// before returns the warehouse at that point of the story; what was inserted at
// the very point has happened or not.
func (st story) before(point int, also bool) *warehouse {
	w := &warehouse{frames: map[string][]uint64{}}
	for _, in := range st.inserts {
		if in.point < point || also && in.point == point {
			w.take(in.token, in.seqs)
		}
	}
	return w
}

// recovered starts a spool on what a crash left and returns what is wrong then.
func (st story) recovered(t *testing.T, d *disk, w *warehouse, point int) error {
	s := open(t, config(d, w))
	drain(t, s)
	closeSpool(t, s)
	times := map[uint64]int{}
	for _, seq := range w.all() {
		times[seq]++
		if times[seq] > 1 {
			return fmt.Errorf("frame %d is stored under two tokens", seq)
		}
	}
	for seq, at := range st.acked {
		if at <= point && times[seq] == 0 {
			return fmt.Errorf("frame %d was acknowledged and is lost", seq)
		}
	}
	if left := names(t, d); len(left) > 0 {
		return fmt.Errorf("files are left behind: %s", left)
	}
	return nil
}

// Wherever the power goes, what was acknowledged is stored by the next start,
// under one token, and nothing is left behind.
func TestEveryCrashPoint(t *testing.T) {
	st := tell(t, newDisk())
	cases := 0
	for point := 0; point <= len(st.disk.ops); point += stride {
		for _, c := range crashes() {
			for _, also := range []bool{false, true} {
				cases++
				d, w := crashed(st.disk.ops, point, c), st.before(point, also)
				if err := st.recovered(t, d, w, point); err != nil {
					t.Fatalf("crash after operation %d (%s): %v", point, last(st.disk.ops[:point]), fmt.Errorf("%s: %w", c.name, err))
				}
			}
		}
	}
	t.Logf("%d operations, %d crashes", len(st.disk.ops), cases)
}

// The recovery itself crashes, at every point of its own, after every seventh
// point of the story.
func TestEveryCrashPointOfARecovery(t *testing.T) {
	t.Parallel()
	st := tell(t, newDisk())
	for point := 0; point <= len(st.disk.ops); point += 7 * stride {
		first := crashed(st.disk.ops, point, crashes()[0])
		w := st.before(point, true)
		again := story{disk: first, acked: map[uint64]int{}}
		start := snapshot(first)
		w.took = func(token string) {
			again.inserts = append(again.inserts, insert{first.point(), token, w.frames[token]})
		}
		if err := st.recovered(t, first, w, point); err != nil {
			t.Fatalf("crash after operation %d: %v", point, err)
		}
		ops := append(start, first.ops...)
		for second := len(start); second <= len(ops); second++ {
			for i, c := range crashes() {
				w := st.before(point, true)
				for _, in := range again.inserts {
					if in.point < second-len(start) || i%2 == 0 && in.point == second-len(start) {
						w.take(in.token, in.seqs)
					}
				}
				if err := st.recovered(t, crashed(ops, second, c), w, point); err != nil {
					t.Fatalf("crash after operation %d, and after %d of the recovery (%s): %s: %v", point, second-len(start), last(ops[:second]), c.name, err)
				}
			}
		}
	}
}

// snapshot returns operations that make the disk as it is, durably.
func snapshot(d *disk) (ops []op) {
	for name, node := range d.files {
		ops = append(ops,
			op{kind: opCreate, name: name, inode: node.id},
			op{kind: opWrite, inode: node.id, data: node.content},
			op{kind: opSync, inode: node.id})
	}
	return append(ops, op{kind: opSyncDir})
}

func last(ops []op) string {
	if len(ops) == 0 {
		return "the beginning"
	}
	o := ops[len(ops)-1]
	return fmt.Sprintf("%s %s %s", o.kind, o.name, o.to)
}

// On a disk whose syncs do nothing acknowledged frames are lost: if this test
// fails, the two above prove nothing.
func TestCrashPointsNoticeMissingSyncs(t *testing.T) {
	d := newDisk()
	d.lies = true
	st := tell(t, d)
	for point := range len(st.disk.ops) + 1 {
		for _, c := range crashes() {
			if st.recovered(t, crashed(st.disk.ops, point, c), st.before(point, true), point) != nil {
				return
			}
		}
	}
	t.Error("no crash lost anything although nothing was ever synced")
}

// Between the last operation before an acknowledgement and the file's first
// byte there are a sync of the content, the rename and a sync of the directory.
func TestSyncPrecedesAcknowledgement(t *testing.T) {
	d, w := newDisk(), &warehouse{fail: away}
	s := open(t, config(d, w))
	defer closeSpool(t, s)
	began := d.point()
	rec := record(t, frame(1, 10))
	if err := s.Keep(columnar.ObservationsTable, rec, "token", true); err != nil {
		t.Fatal(err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	var kinds []opKind
	for _, o := range d.ops[began:] {
		kinds = append(kinds, o.kind)
	}
	want := []opKind{opCreate, opWrite, opSync, opRename, opSyncDir}
	for i, kind := range want {
		if i >= len(kinds) || kinds[i] != kind {
			t.Fatalf("operations of one batch: %v, want %v", kinds, want)
		}
	}
}

// Truncated at every byte, and with any bit turned over, a file never keeps a
// spool from starting, and only its own rows are lost.
func TestDamageAnywhere(t *testing.T) {
	t.Parallel()
	d, w := newDisk(), &warehouse{fail: away}
	s := open(t, config(d, w))
	for seq := range uint64(3) {
		keep(t, s, seq+1, true)
	}
	closeSpool(t, s)
	victim := names(t, d)[1]
	whole := d.files[victim].content
	for size := 0; size < len(whole); size += stride {
		damaged(t, d, victim, whole[:size])
	}
	rng := rand.New(rand.NewPCG(3, 4))
	for range 1000 / stride {
		content := bytes.Clone(whole)
		content[rng.IntN(len(content))] ^= 1 << rng.IntN(8)
		damaged(t, d, victim, content)
	}
}

// damaged starts a spool on the disk with another content of one file.
func damaged(t *testing.T, d *disk, victim string, content []byte) {
	t.Helper()
	again := newDisk()
	for name, node := range d.files {
		again.files[name] = node
	}
	again.files[victim] = &inode{content: content}
	w := &warehouse{}
	s := open(t, config(again, w))
	drain(t, s)
	closeSpool(t, s)
	if got := w.all(); len(got) != 2 || len(names(t, again)) != 1 {
		t.Fatalf("%d bytes: stored %v, left %v", len(content), got, names(t, again))
	}
}
