package ingest_test

import (
	"sync"
	"testing"
	"time"

	"mybeacon/engine/ingest"
	"mybeacon/schema"
	"mybeacon/schema/wire"
)

// noticed keeps what it is told.
type noticed struct {
	mu  sync.Mutex
	all []ingest.Notice
}

func (n *noticed) Notice(one ingest.Notice) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.all = append(n.all, one)
}

// One admitted frame a second of each device is noticed, with what its observations
// said beside; the others go their way all the same.
func TestNotices(t *testing.T) {
	w, seen, now := newWorld(), &noticed{}, base
	cfg := ingest.DefaultConfig()
	cfg.Directory, cfg.Stored, cfg.Actors, cfg.Journal, cfg.Notices = w, w, w, w, seen
	cfg.Now = func() time.Time { return now }
	in, err := ingest.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	s, err := in.Open(t.Context(), "token-1")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close(); _ = in.Stop(t.Context()) })
	offer := func(seq uint64, observations int) {
		f := schema.Frame{BootID: "b", Seq: seq, SentAt: at(0), Details: []schema.Detail{{Index: 0, Battery: 50}}}
		for range observations {
			f.Observations = append(f.Observations, schema.Observation{At: at(0), Transmitter: schema.IBeacon([16]byte{1}, 1, 1), RSSI: -6000})
		}
		if r := s.Offer(wire.Message{Frames: []schema.Frame{f}}); len(r) > 0 {
			t.Fatal(r)
		}
	}
	f := func(what string, want int) {
		t.Helper()
		seen.mu.Lock()
		defer seen.mu.Unlock()
		if len(seen.all) != want {
			t.Errorf("%s: %d noticed, want %d", what, len(seen.all), want)
		}
	}
	offer(1, 2)
	offer(2, 2)
	f("two at once", 1)
	if got := seen.all[0]; len(got.Details) != 1 || got.Details[0].Battery != 50 || len(got.Observations) != 2 || got.Recorded {
		t.Errorf("got %+v", got)
	}
	now = now.Add(time.Second)
	offer(3, 0)
	f("one that heard nothing", 1)
	offer(3, 2)
	f("the same again", 1)
	offer(4, 2)
	f("a second later", 2)
	now = now.Add(-2 * time.Minute)
	offer(5, 2)
	f("when the clock was set back", 3)
}
