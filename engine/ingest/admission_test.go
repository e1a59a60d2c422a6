package ingest_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"mybeacon/engine/ingest"
	"mybeacon/schema"
	"mybeacon/schema/wire"
)

// neighbour is device n of another organisation than the usual one.
func neighbour(w *world, n byte, token string) {
	d := device(n)
	d.Organisation, d.TokenHash = schema.OrganisationID{9}, [32]byte{}
	w.set(func() { w.devices[token] = d })
}

func open(t testing.TB, in *ingest.Ingest, token string) *ingest.Session {
	t.Helper()
	s, err := in.Open(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	s.Attach()
	t.Cleanup(s.Close)
	return s
}

// R23: an organisation far above its quota is slowed down to it; another one does
// not wait at all.
func TestNoisyTenantSlowsItselfOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		in, reg := start(t, w, func(c *ingest.Config) {
			c.Quota = ingest.Quota{FramesPerSecond: 10, ObservationsPerSecond: 1000, Burst: time.Second}
		})
		neighbour(w, 7, "token-7")
		over, end := context.WithTimeout(t.Context(), time.Minute)
		defer end()
		noisy := map[string]int{}
		for _, token := range []string{"token-1", "token-2"} {
			s := open(t, in, token)
			go func() {
				for seq := uint64(1); s.Ready(over) == nil; seq++ {
					s.Offer(message(frame("b", seq, 1)))
					w.set(func() { noisy[token]++ })
					w.store(nil)
				}
			}()
		}
		quiet := open(t, in, "token-7")
		began := time.Now()
		for seq := uint64(1); seq <= 50; seq++ {
			at := time.Now()
			if err := quiet.Ready(t.Context()); err != nil || time.Since(at) != 0 {
				t.Fatalf("the neighbour waited %v: %v", time.Since(at), err)
			}
			quiet.Offer(message(frame("b", seq, 1)))
			time.Sleep(time.Second)
		}
		time.Sleep(time.Minute - time.Since(began))
		synctest.Wait()
		if n := noisy["token-1"] + noisy["token-2"]; n < 600 || n > 620 {
			t.Errorf("%d frames in a minute at 10 a second with 10 at once", n)
		}
		if a, b := noisy["token-1"], noisy["token-2"]; a-b > 20 || b-a > 20 { // one of them may have all of the burst
			t.Errorf("%d and %d frames: devices of one organisation take turns", a, b)
		}
		if n := value(t, reg, "mybeacon_quota_throttled_total", "stream"); n < 500 {
			t.Errorf("%v waits counted", n)
		}
	})
}

// Observations are bounded too: a frame of many is paid for before the next.
func TestObservationQuota(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		in, _ := start(t, w, func(c *ingest.Config) {
			c.Quota = ingest.Quota{ObservationsPerSecond: 100, Burst: time.Second}
		})
		s := stream(t, in)
		for _, want := range []time.Duration{0, 9 * time.Second} {
			at := time.Now()
			if err := s.Ready(t.Context()); err != nil || time.Since(at).Round(time.Millisecond) != want {
				t.Fatalf("waited %v, want %v: %v", time.Since(at), want, err)
			}
			s.Offer(message(frame("b", 1, 1000)))
		}
	})
}

// A POST does not wait: it is told when to come again, and what is left.
func TestPostsAboveTheQuota(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		in, reg := start(t, w, func(c *ingest.Config) {
			c.Quota = ingest.Quota{FramesPerSecond: 2, Burst: time.Second}
		})
		post := func(frames ...schema.Frame) error {
			s, err := in.OpenRequest(t.Context(), "token-1")
			if err != nil {
				return err
			}
			defer s.Close()
			s.Offer(message(frames...))
			return nil
		}
		if err := post(frame("b", 1, 1), frame("b", 2, 1), frame("b", 3, 1)); err != nil {
			t.Fatal(err)
		}
		err := post(frame("b", 4, 1))
		var after interface{ RetryAfter() time.Duration }
		var limits interface {
			RateLimit() (limit, remaining int, reset time.Duration)
		}
		if schema.KindOf(err) != schema.TooMany || !errors.As(err, &after) || !errors.As(err, &limits) {
			t.Fatalf("got %v", err)
		}
		limit, left, reset := limits.RateLimit()
		if after.RetryAfter() != time.Second || limit != 2 || left != 0 || reset != 1500*time.Millisecond {
			t.Errorf("again in %v, %d of %d left, whole in %v", after.RetryAfter(), left, limit, reset)
		}
		time.Sleep(after.RetryAfter())
		if err := post(frame("b", 4, 1)); err != nil {
			t.Errorf("at the time it was told: %v", err)
		}
		if n := value(t, reg, "mybeacon_quota_throttled_total", "post"); n != 1 {
			t.Errorf("%v refusals counted", n)
		}
	})
}

// While storage is slow an organisation may fill its share of the room, and
// another one still finds some.
func TestRoomIsShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		in, _ := start(t, w, func(c *ingest.Config) { c.MaxInFlight = 300 })
		neighbour(w, 7, "token-7")
		fill := func(s *ingest.Session) (taken int) {
			for seq := uint64(1); ; seq++ {
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				err := s.Ready(ctx)
				cancel()
				if err != nil {
					return taken
				}
				s.Offer(message(frame("b", seq, 10)))
				taken += 10
			}
		}
		greedy, other := open(t, in, "token-1"), open(t, in, "token-7")
		if n := fill(greedy); n != 200 {
			t.Errorf("alone it may fill %d of 300, want two thirds", n)
		}
		if n := fill(other); n != 70 {
			t.Errorf("the other one finds room for %d, want two thirds of what is left", n)
		}
		waited := make(chan error)
		go func() { waited <- greedy.Ready(t.Context()) }()
		synctest.Wait()
		w.store(nil)
		if err := <-waited; err != nil {
			t.Error(err)
		}
	})
}

// A session that ends while it waits gives its place back.
func TestWaitingPlaceIsGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		in, _ := start(t, w, func(c *ingest.Config) { c.Quota = ingest.Quota{FramesPerSecond: 1, Burst: time.Second} })
		first := stream(t, in)
		first.Offer(message(frame("b", 1, 1)))
		for range 20 { // each displaces the one before, which waits
			s := stream(t, in)
			go func() { _ = s.Ready(t.Context()) }()
			synctest.Wait()
		}
		last := stream(t, in)
		began := time.Now()
		if err := last.Ready(t.Context()); err != nil || time.Since(began) > 2*time.Second {
			t.Errorf("waited %v for the places of streams that are gone: %v", time.Since(began), err)
		}
	})
}

// Observations whose time cannot be believed are kept apart, at a bounded rate,
// and all of them are counted.
func TestQuarantine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		in, reg := start(t, w, nil)
		s := stream(t, in)
		odd := frame("b", 1, 3)
		odd.SentAt = at(time.Minute)
		odd.Observations[0].At = at(0)
		odd.Observations[1].At = at(time.Hour)
		odd.Observations[2] = schema.Observation{At: wire.MalformedObs, RSSI: wire.NoRSSI}
		ahead := frame("b", 2, 2)
		ahead.SentAt = at(time.Hour)
		s.Offer(message(odd, ahead))
		synctest.Wait()
		if n := w.store(nil); n != 1 {
			t.Errorf("%d frames stored, want the first", n)
		}
		want := []schema.Quarantined{
			{BootID: "b", Seq: 1, Index: 1, At: at(time.Hour), Reason: "at_future"},
			{BootID: "b", Seq: 2, Index: 0, At: ahead.Observations[0].At, Reason: "sent_at_future"},
			{BootID: "b", Seq: 2, Index: 1, At: ahead.Observations[1].At, Reason: "sent_at_future"},
		}
		if len(w.aside) != len(want) {
			t.Fatalf("put aside %+v", w.aside)
		}
		for i, q := range want {
			q.Source, q.ArrivedAt, q.Transmitter, q.RSSI = device(1).Source, at(0), mac, -6000
			if w.aside[i] != q {
				t.Errorf("got %+v, want %+v", w.aside[i], q)
			}
		}
		for seq := uint64(3); seq < 103; seq++ {
			f := frame("b", seq, 10)
			f.SentAt = at(time.Hour)
			s.Offer(message(f))
		}
		if n := len(w.aside); n != 300 {
			t.Errorf("%d rows of one device at once, want 300", n)
		}
		if n := value(t, reg, "mybeacon_quarantined_observations_total"); n != 1003 {
			t.Errorf("%v counted, want all 1003", n)
		}
		time.Sleep(time.Second)
		again := frame("b", 200, 50)
		again.SentAt = at(time.Hour)
		s.Offer(message(again))
		if n := len(w.aside); n != 310 {
			t.Errorf("%d rows a second later, want 10 more", n)
		}
	})
}

// A device that leaves a hole after every frame and works backwards is told of
// every frame all the same, by POST too.
func TestHolesEverywhereAreAcknowledged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		in, _ := start(t, w, nil)
		left := map[uint64]bool{}
		for seq := uint64(1); seq < 8000; seq += 2 {
			left[seq] = true
		}
		for round := 0; len(left) > 0; round++ {
			if round == 200 {
				t.Fatalf("%d frames are never acknowledged", len(left))
			}
			s, err := in.OpenRequest(t.Context(), "token-1")
			if err != nil {
				t.Fatal(err)
			}
			var msg wire.Message
			var ids []ingest.FrameID
			for seq := uint64(8001); seq > 1 && len(ids) < 200; seq -= 2 {
				if left[seq-2] {
					msg.Frames = append(msg.Frames, frame("b", seq-2, 1))
					ids = append(ids, ingest.FrameID{BootID: "b", Seq: seq - 2})
				}
			}
			s.Offer(msg)
			synctest.Wait()
			w.store(nil)
			for _, r := range s.AwaitAcks(t.Context(), ids) {
				for seq := r.From; seq <= r.To; seq++ {
					delete(left, seq)
				}
			}
			s.Close()
		}
	})
}
