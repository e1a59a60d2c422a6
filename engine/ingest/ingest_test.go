package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"mybeacon/engine/ingest"
	"mybeacon/schema"
	"mybeacon/schema/wire"
)

func ranges(boot string, pairs ...uint64) (out []wire.BootRange) {
	for i := 0; i < len(pairs); i += 2 {
		out = append(out, wire.BootRange{BootID: boot, SeqRange: wire.SeqRange{From: pairs[i], To: pairs[i+1]}})
	}
	return out
}

func wantAcks(t *testing.T, s *ingest.Session, want []wire.BootRange) {
	t.Helper()
	synctest.Wait()
	if diff := cmp.Diff(want, s.Acks()); diff != "" {
		t.Errorf("acks: %s", diff)
	}
}

// A frame goes to the actors at once and is acknowledged when it is stored.
func TestAckFollowsStorage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		in, reg := start(t, w, nil)
		s := stream(t, in)
		if r := s.Offer(message(frame("b", 1, 2), frame("b", 2, 1))); len(r) != 0 {
			t.Fatalf("refused %v", r)
		}
		wantAcks(t, s, nil)
		if live, journal, _ := w.counts(); live != 2 || journal != 2 {
			t.Fatalf("%d frames live, %d in the journal, want 2 and 2", live, journal)
		}
		w.store(nil)
		wantAcks(t, s, ranges("b", 1, 2))
		wantAcks(t, s, nil)
		if n := value(t, reg, "mybeacon_ack_seconds"); n != 2 {
			t.Errorf("%v acks measured, want 2", n)
		}
		if got := in.Stats(); got.Devices != 1 || got.Organisations != 1 || got.InFlight != 0 || !got.LastFrame.Equal(base) {
			t.Errorf("%+v", got)
		}
		if n := value(t, reg, "mybeacon_ingest_in_flight_observations"); n != 0 {
			t.Errorf("%v observations still counted as on their way", n)
		}
	})
}

func TestFramesAreAdmittedAsTheyAre(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.tags[mac] = schema.TagID{7}
		in, _ := start(t, w, nil)
		s := stream(t, in)
		f := frame("b", 1, 3)
		f.Observations[1].RSSI = 2100
		s.Offer(message(f))
		synctest.Wait()
		w.mu.Lock()
		defer w.mu.Unlock()
		want := schema.FrameAdmitted{
			Source: device(1).Source, BootID: "b", Seq: 1, SentAt: f.SentAt, ArrivedAt: base, Indexes: []uint16{0, 2},
			Observations: []schema.Heard{{Observation: f.Observations[0], Tag: schema.TagID{7}, Late: true /* from before the start */}, {Observation: f.Observations[2], Tag: schema.TagID{7}}},
		}
		if diff := cmp.Diff([]schema.FrameAdmitted{want}, w.journal); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(w.journal, w.live); diff != "" {
			t.Error(diff)
		}
	})
}

func TestObservationRefusals(t *testing.T) {
	f := func(name string, change func(*ingest.Device, *schema.Frame), want wire.Reason) {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				dev, fr := device(1), frame("b", 1, 3)
				change(&dev, &fr)
				w.devices["token-1"] = dev
				in, reg := start(t, w, nil)
				refusals := stream(t, in).Offer(message(fr))
				synctest.Wait()
				if want == 0 {
					if _, journal, _ := w.counts(); len(refusals) != 0 || journal != 1 {
						t.Errorf("refused %v", refusals)
					}
					return
				}
				if diff := cmp.Diff([]wire.Rejection{{BootID: "b", Seq: 1, Index: 1, Reason: want}}, refusals); diff != "" {
					t.Error(diff)
				}
				w.mu.Lock()
				defer w.mu.Unlock()
				if len(w.journal) != 1 || !slices.Equal(w.journal[0].Indexes, []uint16{0, 2}) {
					t.Errorf("its neighbours were not kept: %+v", w.journal)
				}
				if n := value(t, reg, "mybeacon_bad_frames_total", want.String()); n != 1 {
					t.Errorf("counted %v times", n)
				}
				if n := value(t, reg, "mybeacon_quarantined_observations_total"); (n == 1) != want.Quarantined() {
					t.Errorf("quarantine counts %v", n)
				}
			})
		})
	}
	obs := func(change func(*schema.Observation)) func(*ingest.Device, *schema.Frame) {
		return func(_ *ingest.Device, f *schema.Frame) { change(&f.Observations[1]) }
	}
	month := func(d *ingest.Device, f *schema.Frame) {
		f.SentAt = at(-30*24*time.Hour + time.Second)
		for i := range f.Observations {
			f.Observations[i].At = f.SentAt
		}
		f.Observations[1].At = at(-30*24*time.Hour - time.Millisecond)
	}
	f("loudest", obs(func(o *schema.Observation) { o.RSSI = schema.MaxRSSI }), 0)
	f("quietest", obs(func(o *schema.Observation) { o.RSSI = schema.MinRSSI }), 0)
	f("too loud", obs(func(o *schema.Observation) { o.RSSI = schema.MaxRSSI + 1 }), wire.RSSIOutOfRange)
	f("too quiet", obs(func(o *schema.Observation) { o.RSSI = schema.MinRSSI - 1 }), wire.RSSIOutOfRange)
	f("beyond 16 bits", obs(func(o *schema.Observation) { o.RSSI = wire.OutsideRSSI }), wire.RSSIOutOfRange)
	f("127", obs(func(o *schema.Observation) { o.RSSI = wire.AirAbsent }), wire.RSSIAbsent)
	f("malformed", obs(func(o *schema.Observation) { *o = schema.Observation{At: wire.MalformedObs, RSSI: wire.NoRSSI} }), wire.ObservationMalformed)
	f("nobody", obs(func(o *schema.Observation) { o.Transmitter = schema.Transmitter{} }), wire.TransmitterInvalid)
	f("unknown kind", obs(func(o *schema.Observation) { o.Transmitter.Kind = 77 }), wire.TransmitterInvalid)
	f("after its frame", obs(func(o *schema.Observation) { o.At = at(-50 * time.Minute) }), wire.AtInconsistent)
	f("a week before its frame", obs(func(o *schema.Observation) { o.At = at(-8 * 24 * time.Hour) }), wire.AtInconsistent)
	f("future", func(_ *ingest.Device, f *schema.Frame) {
		f.SentAt = at(time.Minute)
		f.Observations[1].At = at(5*time.Minute + time.Millisecond)
	}, wire.AtFuture)
	f("near future", func(_ *ingest.Device, f *schema.Frame) {
		f.SentAt = at(5 * time.Minute)
		f.Observations[1].At = at(5 * time.Minute)
	}, 0)
	f("expired", month, wire.AtExpired)
	f("expired, kept for ever", func(d *ingest.Device, f *schema.Frame) { month(d, f); d.KeepDays = schema.KeepForever }, 0)
	f("expired, from a recording", func(d *ingest.Device, f *schema.Frame) { month(d, f); d.Clock = ingest.ClockSource }, 0)
}

func TestFrameRefusals(t *testing.T) {
	f := func(name string, change func(*schema.Frame), want wire.Reason) {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				in, reg := start(t, w, nil)
				s := stream(t, in)
				bad := frame("b", 2, 1)
				change(&bad)
				refusals := s.Offer(message(frame("b", 1, 1), bad, frame("b", 3, 1)))
				synctest.Wait()
				if diff := cmp.Diff([]wire.Rejection{{BootID: bad.BootID, Seq: bad.Seq, Index: wire.WholeFrame, Reason: want}}, refusals); diff != "" {
					t.Error(diff)
				}
				if n := w.store(nil); n != 2 {
					t.Errorf("%d neighbours stored, want 2", n)
				}
				if wire.ValidBootID(bad.BootID) && bad.Seq != 0 {
					wantAcks(t, s, ranges("b", 1, 3)) // the refused one is let go of
				} else {
					wantAcks(t, s, ranges("b", 1, 1, 3, 3))
				}
				if n := value(t, reg, "mybeacon_bad_frames_total", want.String()); n != 1 {
					t.Errorf("counted %v times", n)
				}
			})
		})
	}
	f("bad boot", func(f *schema.Frame) { f.BootID = "a b" }, wire.BootIDInvalid)
	f("seq 0", func(f *schema.Frame) { f.Seq = 0 }, wire.SeqInvalid)
	f("no time", func(f *schema.Frame) { f.SentAt = 0 }, wire.SentAtInvalid)
	f("1999", func(f *schema.Frame) { f.SentAt = schema.EventTimeOf(time.Date(1999, 12, 31, 0, 0, 0, 0, time.UTC)) }, wire.SentAtInvalid)
	f("ten years ahead", func(f *schema.Frame) { f.SentAt = at(10 * 365 * 24 * time.Hour) }, wire.SentAtFuture)
	f("too long", func(f *schema.Frame) { f.Observations = make([]schema.Observation, 10_001) }, wire.FrameTooLong)
}

// A refused frame is not remembered: with other bytes it is taken.
func TestARefusedNumberMayComeAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		in, _ := start(t, w, nil)
		s := stream(t, in)
		bad := frame("b", 1, 1)
		bad.SentAt = 0
		s.Offer(message(bad))
		wantAcks(t, s, ranges("b", 1, 1))
		s.Offer(message(frame("b", 1, 1)))
		wantAcks(t, s, nil)
		w.store(nil)
		wantAcks(t, s, ranges("b", 1, 1))
	})
}

func TestDuplicates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		in, reg := start(t, w, nil)
		s := stream(t, in)
		s.Offer(message(frame("b", 2, 1), frame("b", 1, 1), frame("b", 2, 1)))
		s.Offer(message(frame("b", 1, 1)))
		wantAcks(t, s, nil)
		if n := w.store(nil); n != 2 {
			t.Fatalf("%d frames stored, want 2", n)
		}
		wantAcks(t, s, ranges("b", 1, 2))
		s.Offer(message(frame("b", 1, 1)))
		wantAcks(t, s, ranges("b", 1, 2)) // told again, to one that did not hear
		if live, journal, _ := w.counts(); live != 2 || journal != 2 {
			t.Errorf("%d live, %d stored", live, journal)
		}
		if n := value(t, reg, "mybeacon_dup_frames_total"); n != 3 {
			t.Errorf("%v duplicates counted, want 3", n)
		}
	})
}

// Boots are numbered apart, also earlier ones that come late.
func TestEarlierBoots(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		in, _ := start(t, w, nil)
		s := stream(t, in)
		s.Offer(message(frame("new", 1, 1), frame("old", 1, 1), frame("old", 900, 1)))
		synctest.Wait()
		w.store(nil)
		got := s.Acks()
		slices.SortFunc(got, func(a, b wire.BootRange) int { return int(a.From) - int(b.From) })
		if len(got) != 3 || got[2].BootID != "old" || got[2].From != 900 {
			t.Errorf("acks %v", got)
		}
	})
}

func TestEmptyFramesAreAcknowledgedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		in, _ := start(t, w, nil)
		s := stream(t, in)
		allBad := frame("b", 2, 1)
		allBad.Observations[0].RSSI = wire.AirAbsent
		s.Offer(message(frame("b", 1, 0), allBad))
		wantAcks(t, s, ranges("b", 1, 2))
		if live, journal, loads := w.counts(); live != 2 || journal != 0 || loads != 0 {
			t.Errorf("%d live, %d stored, %d loads", live, journal, loads)
		}
	})
}

func TestUnboundDevice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.devices["token-1"] = ingest.Device{Source: schema.Source{Device: schema.DeviceID{1}}}
		in, _ := start(t, w, nil)
		s := stream(t, in)
		s.Offer(message(frame("b", 1, 1)))
		wantAcks(t, s, ranges("b", 1, 1))
		if live, journal, _ := w.counts(); live+journal != 0 {
			t.Error("data of an unbound device went somewhere")
		}
		w.set(func() { w.devices["token-1"] = device(1) })
		s.Offer(message(frame("b", 2, 1)))
		synctest.Wait()
		if _, journal, _ := w.counts(); journal != 1 {
			t.Error("data went nowhere after the device was bound")
		}
	})
}

func TestAckRangesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		in, _ := start(t, w, nil)
		s := stream(t, in)
		for seq := uint64(1); seq <= 399; seq += 2 {
			s.Offer(message(frame("b", seq, 1)))
		}
		synctest.Wait()
		w.store(nil)
		var all wire.SeqSet
		for calls := 1; ; calls++ {
			acks := s.Acks()
			if len(acks) == 0 {
				if calls != 5 || all.Len() != 200 {
					t.Errorf("%d ranges in %d calls, want 200 in 5", all.Len(), calls)
				}
				return
			}
			if len(acks) > wire.MaxAckRanges {
				t.Fatalf("%d ranges at once", len(acks))
			}
			for _, a := range acks {
				all.Add(a.SeqRange)
			}
		}
	})
}

func TestDroppedFramesCloseGaps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		in, reg := start(t, w, nil)
		s := stream(t, in)
		s.Offer(message(frame("b", 1, 1), frame("b", 10, 1)))
		synctest.Wait()
		w.store(nil)
		if r := s.Drop(wire.BootRange{BootID: "b", SeqRange: wire.SeqRange{From: 2, To: 9}}, "oldest"); r != 0 {
			t.Fatal(r)
		}
		wantAcks(t, s, ranges("b", 1, 10))
		if n := value(t, reg, "mybeacon_dropped_frames_total", "oldest"); n != 8 {
			t.Errorf("%v dropped frames counted, want 8", n)
		}
		s.Drop(wire.BootRange{BootID: "b", SeqRange: wire.SeqRange{From: 11, To: 12}}, "whatever a device says")
		if n := value(t, reg, "mybeacon_dropped_frames_total", "other"); n != 2 {
			t.Errorf("%v dropped for a reason of the device's own, want 2", n)
		}
		for _, bad := range []wire.BootRange{{BootID: "b"}, {BootID: "", SeqRange: wire.SeqRange{From: 1, To: 1}}, {BootID: "b", SeqRange: wire.SeqRange{From: 2, To: 1}}, {BootID: "b", SeqRange: wire.SeqRange{From: 1, To: 1<<64 - 1}}} {
			if r := s.Drop(bad, "oldest"); r != wire.DroppedInvalid {
				t.Errorf("%+v: %v", bad, r)
			}
		}
	})
}

func TestCredit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		in, _ := start(t, w, func(c *ingest.Config) { c.Credit = ingest.Credit{Frames: 3, Bytes: 1, Observations: 10} })
		s := stream(t, in)
		ready := func() bool {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			return s.Ready(ctx) == nil
		}
		s.Offer(message(frame("b", 1, 1), frame("b", 2, 1)))
		if !ready() {
			t.Fatal("no credit after two of three frames")
		}
		s.Offer(message(frame("b", 3, 1)))
		if ready() {
			t.Fatal("credit after three of three frames")
		}
		go func() { time.Sleep(500 * time.Millisecond); w.store(nil) }()
		if !ready() {
			t.Fatal("no credit after storing")
		}
		s.Offer(message(frame("b", 4, 11)))
		if ready() {
			t.Fatal("credit after eleven of ten observations")
		}
		w.store(errors.New("given up"))
		if !ready() {
			t.Fatal("a frame that was given up keeps its credit")
		}
	})
}

// All devices together are bounded too.
func TestGate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		in, _ := start(t, w, func(c *ingest.Config) { c.MaxInFlight = 5 })
		a := stream(t, in)
		b, err := in.Open(t.Context(), "token-2")
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		a.Offer(message(frame("b", 1, 5)))
		synctest.Wait()
		opened := make(chan error)
		go func() { opened <- b.Ready(t.Context()) }()
		synctest.Wait()
		select {
		case <-opened:
			t.Fatal("another device may send while the server is full")
		default:
		}
		w.store(nil)
		if err := <-opened; err != nil {
			t.Error(err)
		}
	})
}

// A frame for which there is no room is not acknowledged, not refused, and taken
// when it comes again.
func TestNoRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		in, _ := start(t, w, nil)
		s := stream(t, in)
		s.Offer(message(frame("b", 1, 1)))
		synctest.Wait()
		w.set(func() { w.full = true })
		if r := s.Offer(message(frame("b", 2, 1))); len(r) != 0 {
			t.Errorf("refused %v", r)
		}
		<-s.Done()
		if schema.KindOf(s.Cause()) != schema.Unavailable {
			t.Errorf("the stream ended with %v", s.Cause())
		}
		w.set(func() { w.full = false })
		again := stream(t, in)
		again.Offer(message(frame("b", 1, 1), frame("b", 2, 1)))
		synctest.Wait()
		w.store(nil)
		wantAcks(t, again, ranges("b", 1, 2))
	})
}

// What the journal gave up is not acknowledged and may come again.
func TestGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		in, _ := start(t, w, nil)
		s := stream(t, in)
		s.Offer(message(frame("b", 1, 1)))
		synctest.Wait()
		w.store(errors.New("stopped"))
		wantAcks(t, s, nil)
		s.Offer(message(frame("b", 1, 1)))
		w.store(nil)
		wantAcks(t, s, ranges("b", 1, 1))
	})
}

func TestSessions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		in, reg := start(t, w, func(c *ingest.Config) { c.MaxRequests = 2 })
		if _, err := in.Open(t.Context(), "nobody"); schema.KindOf(err) != schema.Unauthorized {
			t.Errorf("a stranger got %v", err)
		}
		if n := value(t, reg, "mybeacon_auth_failures_total", "device_token"); n != 1 {
			t.Errorf("%v strangers counted", n)
		}
		first := stream(t, in)
		second := stream(t, in)
		<-first.Done()
		if !errors.Is(first.Cause(), ingest.ErrDisplaced) {
			t.Errorf("the older stream ended with %v", first.Cause())
		}
		first.Close()
		second.Close()
		second.Close()
		if got := fmt.Sprint(w.presence); got != "[up1 up1 down1]" {
			t.Errorf("presence %s: closing the displaced stream must not count", got)
		}
		var requests []*ingest.Session
		for range 2 {
			s, err := in.OpenRequest(t.Context(), "token-1")
			if err != nil {
				t.Fatal(err)
			}
			requests = append(requests, s)
		}
		if _, err := in.OpenRequest(t.Context(), "token-1"); schema.KindOf(err) != schema.TooMany {
			t.Errorf("a third request got %v", err)
		}
		requests[0].Close()
		s, err := in.OpenRequest(t.Context(), "token-1")
		if err != nil {
			t.Error(err)
		}
		s.Close()
		requests[1].Close()
		if n := value(t, reg, "mybeacon_device_streams"); n != 0 {
			t.Errorf("%v streams are left", n)
		}
	})
}

// A token that is taken back ends the stream within seconds, as soon as the
// directory says so, and nobody is asked meanwhile.
func TestRevokedToken(t *testing.T) {
	f := func(name string, change func(w *world)) {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				in, _ := start(t, w, nil)
				s := stream(t, in)
				time.Sleep(time.Minute)
				if s.Cause() != nil || w.lookups != 1 {
					t.Fatalf("a good token: ended with %v after %d questions, want one", s.Cause(), w.lookups)
				}
				w.set(func() { change(w) })
				time.Sleep(5 * time.Second)
				if schema.KindOf(s.Cause()) != schema.Unauthorized {
					t.Errorf("ended with %v", s.Cause())
				}
			})
		})
	}
	f("replaced", func(w *world) {
		d := device(1)
		d.TokenHash[0]++
		w.devices = map[string]ingest.Device{"another": d}
	})
	f("of another device", func(w *world) { w.devices["token-1"] = device(2) })
	f("device gone", func(w *world) { delete(w.devices, "token-1") })
}

func TestAwaitAcks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		in, _ := start(t, w, nil)
		s, err := in.OpenRequest(t.Context(), "token-1")
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		s.Offer(message(frame("b", 1, 1), frame("b", 3, 0), frame("b", 4, 1)))
		ids := []ingest.FrameID{{BootID: "b", Seq: 1}, {BootID: "b", Seq: 3}, {BootID: "b", Seq: 4}, {BootID: "x", Seq: 1}}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		begin := time.Now()
		if diff := cmp.Diff(ranges("b", 3, 3), s.AwaitAcks(ctx, ids)); diff != "" || time.Since(begin) != 10*time.Second {
			t.Errorf("after %v: %s", time.Since(begin), diff)
		}
		go func() { time.Sleep(time.Second); w.store(nil) }()
		if diff := cmp.Diff(ranges("b", 1, 1, 3, 4), s.AwaitAcks(t.Context(), ids)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestIdleDevicesAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		in, _ := start(t, w, func(c *ingest.Config) { c.MaxDevices = 1 })
		s := stream(t, in)
		s.Offer(message(frame("b", 1, 1)))
		synctest.Wait()
		if _, err := in.Open(t.Context(), "token-2"); schema.KindOf(err) != schema.Unavailable {
			t.Errorf("a second device of one got %v", err)
		}
		s.Close()
		time.Sleep(time.Hour)
		if _, err := in.Open(t.Context(), "token-2"); schema.KindOf(err) != schema.Unavailable {
			t.Errorf("a device with a frame on its way was forgotten: %v", err)
		}
		w.store(nil)
		other, err := in.Open(t.Context(), "token-2")
		if err != nil {
			t.Fatal(err)
		}
		other.Close()
	})
}

func TestStopEndsSessions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.down = true
		in, _ := start(t, w, nil)
		s := stream(t, in)
		s.Offer(message(frame("b", 1, 1))) // waits for the warehouse
		if err := in.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		<-s.Done()
		if _, err := in.Open(t.Context(), "token-1"); schema.KindOf(err) != schema.Unavailable {
			t.Errorf("a stopped server lets in: %v", err)
		}
		wantAcks(t, s, nil)
		if r := s.Offer(message(frame("b", 2, 0))); r != nil {
			t.Errorf("refused %v", r)
		}
		wantAcks(t, s, nil)
	})
}
