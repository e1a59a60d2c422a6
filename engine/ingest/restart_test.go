package ingest_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"mybeacon/engine/ingest"
	"mybeacon/schema"
	"mybeacon/schema/wire"
)

// After a restart, frames that are stored are neither stored nor shown again.
func TestStoredFramesAreRecognised(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		before, _ := start(t, w, nil)
		stream(t, before).Offer(message(frame("b", 1, 2), frame("b", 2, 2)))
		synctest.Wait()
		w.store(nil)

		in, _ := start(t, w, nil)
		s := stream(t, in)
		s.Offer(message(frame("b", 1, 2), frame("b", 2, 2), frame("b", 3, 2)))
		wantAcks(t, s, ranges("b", 1, 2))
		s.Offer(message(frame("b", 2, 2)))
		wantAcks(t, s, ranges("b", 1, 2))
		if live, journal, loads := w.counts(); live != 3 || journal != 3 || loads != 2 {
			t.Errorf("%d live, %d stored, %d loads, want 3, 3 and one per start", live, journal, loads)
		}
		w.store(nil)
		wantAcks(t, s, ranges("b", 1, 3))
	})
}

// Rows on both sides of midnight prove nothing: such a frame is stored again,
// whether it came first or later.
func TestFramesOverMidnightAreNotBelieved(t *testing.T) {
	over := func(seq uint64) schema.Frame {
		f := schema.Frame{BootID: "b", Seq: seq, SentAt: schema.EventTimeOf(time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC))}
		f.Observations = []schema.Observation{{At: f.SentAt - 1, Transmitter: mac, RSSI: -6000}, {At: f.SentAt, Transmitter: mac, RSSI: -6000}}
		return f
	}
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		for _, seq := range []uint64{1, 2} { // each half stored
			w.rows[row{schema.DeviceID{1}, "b", seq, 0}] = schema.Heard{Observation: over(seq).Observations[0]}
		}
		in, _ := start(t, w, nil)
		s := stream(t, in)
		s.Offer(message(over(1)))
		synctest.Wait()
		s.Offer(message(over(2)))
		wantAcks(t, s, nil)
		w.store(nil)
		wantAcks(t, s, ranges("b", 1, 2))
		if n := len(w.rows); n != 4 {
			t.Errorf("%d rows, want 4", n)
		}
	})
}

// While the warehouse is away, the live map waits for its grace and then goes
// on; storage waits until it is back; order stays.
func TestLiveDoesNotWaitForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.down = true
		in, _ := start(t, w, nil)
		s := stream(t, in)
		s.Offer(message(frame("b", 1, 1), frame("b", 2, 1)))
		time.Sleep(1999 * time.Millisecond)
		if live, _, _ := w.counts(); live != 0 {
			t.Fatalf("%d frames live within the grace", live)
		}
		time.Sleep(2 * time.Millisecond)
		s.Offer(message(frame("b", 3, 1)))
		if live, journal, _ := w.counts(); live != 3 || journal != 0 {
			t.Fatalf("%d frames live and %d stored after the grace, want 3 and 0", live, journal)
		}
		w.set(func() { w.down = false })
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if live, journal, _ := w.counts(); live != 3 || journal != 3 {
			t.Fatalf("%d frames live and %d stored when it is back, want 3 and 3", live, journal)
		}
		w.store(nil)
		wantAcks(t, s, ranges("b", 1, 3))
	})
}

// A device cannot make the server remember, or ask, without bound.
func TestBootsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		in, _ := start(t, w, nil)
		s := stream(t, in)
		for i := range 16 {
			s.Offer(message(frame(fmt.Sprint("b", i), 1, 1)))
		}
		synctest.Wait()
		s.Offer(message(frame("one-more", 1, 1)))
		<-s.Done()
		if _, journal, loads := w.counts(); journal != 16 || loads != 16 {
			t.Errorf("%d frames, %d loads", journal, loads)
		}
		w.store(nil)
		again := stream(t, in)
		again.Offer(message(frame("one-more", 1, 1))) // an old boot makes room
		synctest.Wait()
		if n := w.store(nil); n != 1 {
			t.Errorf("%d frames stored, want 1", n)
		}
	})
}

func TestLateness(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.tags[mac] = schema.TagID{7}
		in, _ := start(t, w, nil)
		s := stream(t, in)
		seq := uint64(0)
		late := func(offset time.Duration) bool {
			seq++
			s.Offer(message(schema.Frame{BootID: "b", Seq: seq, SentAt: at(min(offset, 0)), Observations: []schema.Observation{{At: at(offset), Transmitter: mac, RSSI: -6000}}}))
			synctest.Wait()
			w.mu.Lock()
			defer w.mu.Unlock()
			return w.live[len(w.live)-1].Observations[0].Late
		}
		f := func(offset time.Duration, want bool) {
			t.Helper()
			if got := late(offset); got != want {
				t.Errorf("at %v: late %v, want %v", offset, got, want)
			}
		}
		f(-time.Minute, false)           // the first one ever
		f(-10*time.Second, false)        // newer
		f(-16*time.Second, false)        // 6 s older than the newest second
		f(-16001*time.Millisecond, true) // a millisecond more
		f(4*time.Minute, false)          // a clock that is ahead moves the second to now only
		f(-6*time.Second, false)
		f(-6001*time.Millisecond, true)
	})
}

// R9 without the warehouse: frames sent three times, out of order, over
// reconnects and restarts, with a journal that fails at times, leave exactly the
// rows that were sent, and only stored frames are acknowledged.
func TestRowsSurviveEverything(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(1, 30).Draw(rt, "frames")
		var script []schema.Frame
		sizes := make([]int, n+1)
		for seq := 1; seq <= n; seq++ {
			sizes[seq] = rapid.IntRange(0, 3).Draw(rt, "rows")
			for range 3 {
				script = append(script, frame("b", uint64(seq), sizes[seq]))
			}
		}
		script = rapid.Permutation(script).Draw(rt, "order")
		events := rapid.SliceOfN(rapid.IntRange(0, 9), len(script), len(script)).Draw(rt, "events")
		synctest.Test(t, func(t *testing.T) { play(t, script, events, sizes) })
	})
}

// play sends the script; the events between the frames store, fail, reconnect
// and restart.
func play(t *testing.T, script []schema.Frame, events, sizes []int) {
	w := newWorld()
	in, _ := start(t, w, nil)
	s := stream(t, in)
	var acked wire.SeqSet
	check := func() {
		synctest.Wait()
		for _, a := range s.Acks() {
			acked.Add(a.SeqRange)
		}
		for _, r := range acked.Ranges() {
			for seq := r.From; seq <= r.To; seq++ {
				if got := w.stored(seq); got != sizes[seq] {
					t.Fatalf("frame %d is acknowledged with %d of %d rows", seq, got, sizes[seq])
				}
			}
		}
	}
	for i, f := range script {
		s.Offer(message(f))
		switch events[i] {
		case 0:
			w.store(nil)
		case 1:
			w.store(fmt.Errorf("unclear"))
		case 2:
			s = stream(t, in)
		case 3:
			w.store(fmt.Errorf("crashed"))
			in, _ = start(t, w, nil)
			s = stream(t, in)
		}
		check()
	}
	w.store(nil)
	check()
	for seq := 1; seq < len(sizes); seq++ { // as a scanner does with what is left
		s.Offer(message(frame("b", uint64(seq), sizes[seq])))
	}
	synctest.Wait()
	w.store(nil)
	check()
	if diff := cmp.Diff([]wire.SeqRange{{From: 1, To: uint64(len(sizes) - 1)}}, acked.Ranges()); diff != "" {
		t.Fatal(diff)
	}
}

// stored returns how many rows of the frame the warehouse has.
func (w *world) stored(seq uint64) (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for r := range w.rows {
		if r.seq == seq {
			n++
		}
	}
	return n
}

func TestConfigIsChecked(t *testing.T) {
	f := func(change func(*ingest.Config)) {
		t.Helper()
		w := newWorld()
		cfg := ingest.DefaultConfig()
		cfg.Directory, cfg.Stored, cfg.Actors, cfg.Journal = w, w, w, w
		if err := cfg.Validate(); err != nil {
			t.Fatal(err)
		}
		change(&cfg)
		if _, err := ingest.New(cfg); schema.KindOf(err) != schema.Invalid {
			t.Errorf("accepted: %v", err)
		}
	}
	f(func(c *ingest.Config) { c.Log = nil })
	f(func(c *ingest.Config) { c.Now = nil })
	f(func(c *ingest.Config) { c.Journal = nil })
	f(func(c *ingest.Config) { c.Credit.Frames = 0 })
	f(func(c *ingest.Config) { c.MaxDevices = 0 })
	f(func(c *ingest.Config) { c.LiveGrace = 0 })
	f(func(c *ingest.Config) { c.RecheckEvery = 0 })
	f(func(c *ingest.Config) { c.Quota.FramesPerSecond = -1 })
	f(func(c *ingest.Config) { c.Quota.ObservationsPerSecond = 1 })
}

// A tag that nobody may have heard for a minute is heard by a receiver that was cut
// off: its first word is late if it belongs into that minute.
func TestLatenessAfterAnAbsence(t *testing.T) {
	for name, c := range map[string]struct {
		told  time.Duration // how far who heard the tag last has told what it heard
		heard []time.Duration
		want  []bool
	}{
		"who heard it last is away too":    {-time.Second, []time.Duration{5 * time.Second, 30 * time.Second}, []bool{false, false}},
		"it is not gone yet":               {59 * time.Second, []time.Duration{5 * time.Second, 30 * time.Second}, []bool{false, false}},
		"it may be gone":                   {70 * time.Second, []time.Duration{-2 * time.Second, 5 * time.Second, 6 * time.Second}, []bool{true, true, false}},
		"it was gone before it came back":  {200 * time.Second, []time.Duration{61 * time.Second, 62 * time.Second}, []bool{false, false}},
		"it comes back when it is to come": {62 * time.Second, []time.Duration{60 * time.Second, 61 * time.Second}, []bool{false, false}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, restarted := range []bool{false, true} {
				synctest.Test(t, func(t *testing.T) {
					w := newWorld()
					w.tags[mac] = schema.TagID{7}
					const last = -10 * time.Minute
					began := base.Add(2 * last) // nothing here is older than the start
					in, _ := start(t, w, func(c *ingest.Config) {
						c.Now = func() time.Time { now := began; began = base; return now }
					})
					if restarted {
						in.Heard(schema.TagID{7}, at(last), schema.DeviceID{2}, at(last+c.told))
					} else {
						other, err := in.Open(t.Context(), "token-2")
						if err != nil {
							t.Fatal(err)
						}
						defer other.Close()
						other.Offer(message(schema.Frame{BootID: "b", Seq: 1, SentAt: at(last), Observations: []schema.Observation{{At: at(last), Transmitter: mac, RSSI: -6000}}}))
						other.Offer(message(schema.Frame{BootID: "b", Seq: 2, SentAt: at(last + c.told)}))
						synctest.Wait()
					}
					s := stream(t, in)
					for i, offset := range c.heard {
						s.Offer(message(schema.Frame{BootID: "b", Seq: uint64(i + 1), SentAt: at(last + offset), Observations: []schema.Observation{{At: at(last + offset), Transmitter: mac, RSSI: -6000}}}))
						synctest.Wait()
						w.mu.Lock()
						if got := w.live[len(w.live)-1].Observations[0].Late; got != c.want[i] {
							t.Errorf("restarted %v, %v after it was heard last: late %v, want %v", restarted, offset, got, c.want[i])
						}
						w.mu.Unlock()
					}
				})
			}
		})
	}
}

// What is older than the start is late when nothing is known of its tag: an earlier
// process may have known it. A clock of its own says nothing of the start.
func TestLatenessOfTheUnknown(t *testing.T) {
	for clock, want := range map[string]bool{"device": true, ingest.ClockSource: false} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld()
			w.tags[mac] = schema.TagID{7}
			d := w.devices["token-1"]
			d.Clock = clock
			w.devices["token-1"] = d
			in, _ := start(t, w, nil)
			stream(t, in).Offer(message(frame("b", 1, 1), frame("b", 2, 1)))
			synctest.Wait()
			w.mu.Lock()
			defer w.mu.Unlock()
			if first, second := w.live[0].Observations[0].Late, w.live[1].Observations[0].Late; first != want || second {
				t.Errorf("clock %s: late %v and %v, want %v and false", clock, first, second, want)
			}
		})
	}
}
