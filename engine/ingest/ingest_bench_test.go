package ingest_test

import (
	"context"
	"testing"
	"time"

	"github.com/apache/arrow/go/v15/arrow"

	"mybeacon/engine/batch"
	"mybeacon/engine/ingest"
	"mybeacon/schema"
	"mybeacon/schema/wire"
)

type nowhere struct{}

func (nowhere) Insert(context.Context, string, arrow.Record, string) error { return nil }

// quiet is a world whose actors and warehouse cost nothing.
type quiet struct{ *world }

func (quiet) Frame(schema.FrameAdmitted) {}

func (quiet) StoredSeqs(context.Context, schema.Source, string, schema.EventTime) ([]wire.SeqRange, error) {
	return nil, nil
}

// mall returns messages of 10 frames of 100 observations of 40 tags, as bytes.
func mall(w *world) func(n int) []byte {
	for i := range 40 {
		w.tags[schema.IBeacon([16]byte{1}, 1, uint16(i))] = schema.TagID{15: byte(i)}
	}
	enc := wire.NewEncoder()
	return func(n int) []byte {
		var raw [][]byte
		for k := range 10 {
			f := schema.Frame{BootID: "boot-1", Seq: uint64(10*n + k + 1), SentAt: at(0)}
			for i := range 100 {
				f.Observations = append(f.Observations, schema.Observation{At: f.SentAt - schema.EventTime(i*10), Transmitter: schema.IBeacon([16]byte{1}, 1, uint16(i%40)), RSSI: -6000})
			}
			raw = append(raw, enc.AppendFrame(nil, f))
		}
		return wire.AppendFramesMessage(nil, raw...)
	}
}

// door is a device's way in, from bytes to Arrow records.
func door(tb testing.TB) (take func(msg []byte), next func(n int) []byte) {
	w := newWorld()
	next = mall(w)
	cfg := batch.DefaultConfig()
	journal, err := batch.NewObservations(cfg, nowhere{})
	if err != nil {
		tb.Fatal(err)
	}
	in, err := ingest.New(func() ingest.Config {
		c := ingest.DefaultConfig()
		c.Directory, c.Stored, c.Actors, c.Journal = w, quiet{w}, quiet{w}, journal
		c.Now = func() time.Time { return base }
		return c
	}())
	if err != nil {
		tb.Fatal(err)
	}
	s, err := in.Open(tb.Context(), "token-1")
	if err != nil {
		tb.Fatal(err)
	}
	s.Attach()
	tb.Cleanup(func() {
		s.Close()
		_ = in.Stop(context.Background())
		_ = journal.Stop(context.Background())
	})
	dec := wire.NewDecoder(wire.DefaultLimits(), schema.DeviceID{1})
	return func(msg []byte) {
		if err := s.Ready(tb.Context()); err != nil {
			tb.Fatal(err)
		}
		inbound, err := dec.Message(msg)
		if err != nil {
			tb.Fatal(err)
		}
		if r := s.Offer(inbound.Frames); len(r) > 0 {
			tb.Fatal(r)
		}
		s.Acks()
	}, next
}

// Bytes of the socket to rows of Arrow records: decode, judge, recognise, name,
// batch. The goal is 300,000 observations a second on two cores.
func BenchmarkDecodeToArrow(b *testing.B) {
	take, next := door(b)
	messages := make([][]byte, 0, 4096)
	for n := range cap(messages) {
		messages = append(messages, next(n))
	}
	take(messages[0])
	b.ReportAllocs()
	b.ResetTimer()
	n := 0
	for b.Loop() {
		if n++; n == len(messages) {
			b.StopTimer()
			take, _ = door(b) // a new start: the old one would see duplicates
			n = 1
			b.StartTimer()
		}
		take(messages[n])
	}
	b.ReportMetric(float64(b.N)*1000/b.Elapsed().Seconds(), "observations/s")
}

// Nothing is allocated per observation: a frame costs its slices and its ack.
func TestAdmissionAllocations(t *testing.T) {
	take, next := door(t)
	take(next(0))
	n := 0
	messages := make([][]byte, 200)
	for i := range messages {
		messages[i] = next(i + 1)
	}
	perFrame := testing.AllocsPerRun(100, func() { take(messages[n]); n++ }) / 10
	if perFrame > 20 {
		t.Errorf("a frame of 100 observations allocates %.1f times, want at most 20", perFrame)
	}
}
