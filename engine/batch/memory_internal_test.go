package batch

import (
	"bytes"
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"mybeacon/schema"
	"mybeacon/schema/columnar"
)

// Pieces never overlap while they are in use, keep their bytes while they grow,
// and begin where Arrow wants them to.
func TestRecyclerKeepsPiecesApart(t *testing.T) {
	r := &recycler{}
	var wg sync.WaitGroup
	for g := range byte(4) {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(g), 1))
			var held [][]byte
			for i := range 2000 {
				mark := g<<6 | byte(i&63)
				b := r.Allocate(rng.IntN(5000))
				fill(b, mark)
				grown := r.Reallocate(len(b)+rng.IntN(5000), b)
				fill(grown, mark)
				if uintptr(unsafe.Pointer(unsafe.SliceData(grown)))%64 != 0 {
					t.Error("a piece does not begin at a multiple of 64")
				}
				held = append(held, grown)
				if len(held) > 20 {
					checkAndFree(t, r, held[0])
					held = held[1:]
				}
			}
		})
	}
	wg.Wait()
}

func fill(b []byte, with byte) {
	for i := range b {
		b[i] = with
	}
}

func checkAndFree(t *testing.T, r *recycler, b []byte) {
	t.Helper()
	if len(b) > 0 && bytes.Count(b, b[:1]) != len(b) {
		t.Error("a piece in use was written by somebody else")
	}
	r.Free(b)
}

func TestRecyclerGrowsWithoutLosingBytes(t *testing.T) {
	r := &recycler{}
	b := r.Allocate(10)
	copy(b, "0123456789")
	for _, size := range []int{64, 65, 1000, 3, 100_000, 1<<maxPiece + 1} {
		b = r.Reallocate(size, b)
		if len(b) != size || !bytes.HasPrefix([]byte("0123456789"), b[:min(size, 3)]) {
			t.Fatalf("at %d bytes it has %d and begins with %q", size, len(b), b[:min(size, 3)])
		}
	}
	r.Free(b)
	r.Free(nil)
	r.Free(make([]byte, 100)) // not ours
	if b := r.Allocate(100); cap(b) != 128 {
		t.Errorf("a foreign piece of %d bytes was taken", cap(b))
	}
}

// reader reads a record twice, a while apart.
type reader struct{ t *testing.T }

// Insert implements Sink, in a bubble.
func (r reader) Insert(_ context.Context, _ string, rec arrow.Record, _ string) error {
	sum := func() (sum uint64) {
		for i, seq := range rec.Column(rec.Schema().FieldIndices("seq")[0]).(*array.Uint64).Uint64Values() {
			sum = sum*31 + seq + uint64(rec.Column(0).(*array.FixedSizeBinary).Value(i)[0])
		}
		return sum
	}
	before := sum()
	time.Sleep(time.Second)
	if sum() != before {
		r.t.Error("a record changed while it was being inserted")
	}
	return nil
}

// What is added during an insert does not touch the record that is inserted.
func TestRecordsAreNotReusedWhileTheyAreRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, err := NewObservations(DefaultConfig(), reader{t})
		if err != nil {
			t.Fatal(err)
		}
		for seq := range uint64(2000) {
			f := schema.FrameAdmitted{Source: schema.Source{Organisation: schema.OrganisationID{byte(seq)}}, BootID: "b", Seq: seq + 1,
				Observations: make([]schema.Heard, 50), Indexes: make([]uint16, 50)}
			if err := b.Add(f, nil); err != nil {
				t.Fatal(err)
			}
			time.Sleep(10 * time.Millisecond)
		}
		if err := b.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// Rows cost no memory of their own once batches of their size have been.
func TestAddAllocations(t *testing.T) {
	b, err := NewObservations(DefaultConfig(), Discard{})
	if err != nil {
		t.Fatal(err)
	}
	f := schema.FrameAdmitted{BootID: "b", Observations: make([]schema.Heard, 100), Indexes: make([]uint16, 100)}
	add := func() {
		for range 100 { // one batch
			if err := b.Add(f, nil); err != nil {
				t.Fatal(err)
			}
		}
		if err := b.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if n := testing.AllocsPerRun(20, add); n > 500 {
		t.Errorf("10,000 observations of %s allocate %v times, want at most 500", columnar.ObservationsTable, n)
	}
	if err := b.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}
