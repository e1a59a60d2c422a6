package spill_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"mybeacon/engine/spill"
	"mybeacon/schema"
	"mybeacon/schema/columnar"
	"mybeacon/schema/wire"
)

// warehouse is a sink that keeps the frames' numbers that it is given, by token,
// and fails as told.
type warehouse struct {
	mu     sync.Mutex
	frames map[string][]uint64 // sequence numbers of frames, by token
	order  []string            // tokens as first seen
	tries  int
	delay  time.Duration
	fail   func(try int, seqs []uint64) error // nil: it answers
	keep   bool                               // a failing insert takes the rows
	took   func(token string)                 // called when an insert took rows

	storedErr error // what StoredSeqs answers
	stored    []wire.SeqRange
}

var errAway = errors.New("connection refused")

func away(int, []uint64) error { return errAway }

func (w *warehouse) Insert(ctx context.Context, _ string, rec arrow.Record, token string) error {
	w.mu.Lock()
	delay := w.delay
	w.mu.Unlock()
	if delay > 0 {
		select {
		case <-time.After(delay):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tries++
	seqs := seqsOf(rec)
	if w.fail != nil {
		if err := w.fail(w.tries, seqs); err != nil {
			if w.keep {
				w.take(token, seqs)
			}
			return err
		}
	}
	w.take(token, seqs)
	return nil
}

func (w *warehouse) take(token string, seqs []uint64) {
	if w.frames == nil {
		w.frames = map[string][]uint64{}
	}
	if _, seen := w.frames[token]; seen {
		return // the server knows the token
	}
	w.frames[token] = seqs
	w.order = append(w.order, token)
	if w.took != nil {
		w.took(token)
	}
}

func (w *warehouse) set(change func(*warehouse)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change(w)
}

// all returns the frames in the order in which they were stored; one that is
// there twice was stored under two tokens.
func (w *warehouse) all() (seqs []uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, token := range w.order {
		seqs = append(seqs, w.frames[token]...)
	}
	return seqs
}

func (w *warehouse) inserts() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.order)
}

func (w *warehouse) StoredSeqs(context.Context, schema.Source, string, schema.EventTime) ([]wire.SeqRange, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.stored, w.storedErr
}

// seqsOf returns the distinct frames of a record in their order; a table without
// frames is told by its revisions.
func seqsOf(rec arrow.Record) []uint64 {
	name := "seq"
	if len(rec.Schema().FieldIndices(name)) == 0 {
		name = "rev"
	}
	return slices.Compact(slices.Clone(rec.Column(rec.Schema().FieldIndices(name)[0]).(*array.Uint64).Uint64Values()))
}

const base = schema.EventTime(1_767_225_600_000) // 2026-01-01T00:00:00Z

func source() schema.Source {
	return schema.Source{
		Organisation: schema.OrganisationID{1}, Device: schema.DeviceID{2}, Location: schema.LocationID{3},
		Plan: schema.PlanID{4}, Receiver: schema.ReceiverID{5}, KeepDays: schema.KeepForever,
	}
}

// frame has n observations, of which each tenth has a transmitter of its own.
func frame(seq uint64, n int) schema.FrameAdmitted {
	f := schema.FrameAdmitted{Source: source(), BootID: "boot", Seq: seq, SentAt: base + schema.EventTime(seq*1000), ArrivedAt: base.Time().Add(time.Hour)}
	for i := range n {
		minor := uint16(i % 50)
		if i%10 == 9 {
			minor = uint16(100 + seq%1000)
		}
		f.Observations = append(f.Observations, schema.Heard{
			Observation: schema.Observation{At: f.SentAt + schema.EventTime(i), Transmitter: schema.IBeacon([16]byte{9}, 1, minor), RSSI: schema.CentiDBm(-6000 - i%100)},
			Tag:         schema.TagID{byte(i % 50)}, Late: i%2 == 1,
		})
		f.Indexes = append(f.Indexes, uint16(i))
	}
	return f
}

// record returns the frames as columns.
func record(t testing.TB, frames ...schema.FrameAdmitted) arrow.Record {
	t.Helper()
	b := columnar.NewObservations(memory.NewGoAllocator())
	defer b.Release()
	for _, f := range frames {
		b.Append(f)
	}
	rec := b.NewRecord()
	t.Cleanup(rec.Release)
	return rec
}

// config is a spool that is quick to try again.
func config(dir spill.FS, w *warehouse) spill.Config {
	cfg := spill.DefaultConfig()
	cfg.FS, cfg.Sink, cfg.Stored = dir, w, w
	cfg.MinPause, cfg.MaxPause = time.Millisecond, 2*time.Millisecond
	return cfg
}

func open(t testing.TB, cfg spill.Config) *spill.Spill {
	t.Helper()
	s, err := spill.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func closeSpool(t testing.TB, s *spill.Spill) {
	t.Helper()
	if err := s.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

func keep(t testing.TB, s *spill.Spill, seq uint64, tried bool) {
	t.Helper()
	if err := s.Keep(columnar.ObservationsTable, record(t, frame(seq, 10)), token(seq), tried); err != nil {
		t.Fatal(err)
	}
}

func token(seq uint64) string { return fmt.Sprintf("observations-%d", seq) }

func drain(t testing.TB, s *spill.Spill) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := s.Drain(ctx); err != nil {
		t.Fatalf("%v: %+v", err, s.Status())
	}
}

func sequence(n uint64) (seqs []uint64) {
	for i := range n {
		seqs = append(seqs, i+1)
	}
	return seqs
}

func names(t testing.TB, dir spill.FS) (list []string) {
	t.Helper()
	entries, err := dir.ReadDir()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		list = append(list, e.Name)
	}
	return list
}
