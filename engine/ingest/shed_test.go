package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"mybeacon/engine/ingest"
	"mybeacon/schema"
)

// stall has storage take nothing, or all again when the cause is nil.
func (w *world) stall(cause error) { w.set(func() { w.stalled = cause }) }

var errFull = errors.New("no space left on device")

// fill offers frames until the device has no credit and returns the next number.
func fill(t *testing.T, s *ingest.Session) (next uint64) {
	t.Helper()
	for next = 1; ; next++ {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		err := s.Ready(ctx)
		cancel()
		if err != nil {
			return next
		}
		s.Offer(message(frame("b", next, 1)))
		synctest.Wait()
	}
}

// R5: while nothing is stored the live map goes on for as long as it takes,
// nothing is acknowledged, and nothing is remembered. Then the device sends all
// of it again, and each frame is stored once.
func TestShedding(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		in, reg := start(t, w, func(c *ingest.Config) { c.Credit.Frames = 20 })
		s := stream(t, in)
		next := fill(t, s)
		if next != 21 {
			t.Fatalf("%d frames of a credit of 20", next-1)
		}
		waiting := make(chan error, 1)
		go func() { waiting <- s.Ready(t.Context()) }()
		turned := s.CreditTurned()
		w.stall(errFull)
		began := time.Now()
		if err := <-waiting; err != nil || time.Since(began) > 2*time.Second {
			t.Fatalf("the device waited %v: %v", time.Since(began), err)
		}
		<-turned
		if c := s.Credit(); c.Frames < 1_000_000 || c.Bytes < 1_000_000 || int64(c.Frames) != int64(int32(c.Frames)) {
			t.Errorf("credit while frames are shed: %+v", c)
		}
		const hour = 3600
		for ; next <= hour; next++ {
			if err := s.Ready(t.Context()); err != nil {
				t.Fatal(err)
			}
			s.Offer(message(frame("b", next, 1)))
		}
		if live, journal, _ := w.counts(); live != hour || journal != 20 {
			t.Errorf("%d frames live, %d for storage; want %d and 20", live, journal, hour)
		}
		if got := in.Stats(); got.InFlight != 20 || !errors.Is(got.Shed, errFull) || time.Since(got.ShedSince) > time.Second {
			t.Errorf("%+v", got)
		}
		wantAcks(t, s, nil)
		if n, v := value(t, reg, "mybeacon_ingest_shed_frames_total"), value(t, reg, "mybeacon_ingest_shedding"); n != hour-20 || v != 1 {
			t.Errorf("%v frames shed, shedding %v", n, v)
		}

		w.stall(nil)
		back := time.Now()
		w.store(nil)
		<-s.Done()
		if took := time.Since(back); !errors.Is(s.Cause(), ingest.ErrSendAgain) || took > 3*time.Second {
			t.Errorf("after %v: %v", took, s.Cause())
		}
		s.Close()
		again := stream(t, in)
		if c := again.Credit(); c.Frames != 20 {
			t.Errorf("credit afterwards: %+v", c)
		}
		for seq := uint64(1); seq <= hour; seq++ {
			if err := again.Ready(t.Context()); err != nil {
				t.Fatal(err)
			}
			again.Offer(message(frame("b", seq, 1)))
			w.store(nil)
		}
		wantAcks(t, again, ranges("b", 1, hour))
		if _, journal, _ := w.counts(); journal != hour || len(w.rows) != hour {
			t.Errorf("%d frames went to storage, which has %d rows; want %d", journal, len(w.rows), hour)
		}
		if got := in.Stats(); got.Shed != nil || got.InFlight != 0 || value(t, reg, "mybeacon_ingest_shedding") != 0 {
			t.Errorf("%+v", got)
		}
	})
}

// A short failure sheds nothing, a warehouse that flaps does not have the devices
// send everything again each time, and who had nothing shed is left alone.
func TestSheddingIsCalm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		in, _ := start(t, w, nil)
		idle := open(t, in, "token-2")
		for range 20 {
			w.stall(errFull)
			time.Sleep(700 * time.Millisecond)
			w.stall(nil)
			time.Sleep(700 * time.Millisecond)
			if s := in.Stats(); s.Shed != nil {
				t.Fatalf("after a short failure: %+v", s)
			}
		}
		ends := 0
		s := stream(t, in)
		for seq := uint64(1); seq <= 300; seq++ { // five minutes
			switch seq % 10 {
			case 1:
				w.stall(errFull)
			case 6:
				w.stall(nil)
			}
			s.Offer(message(frame("b", seq, 1)))
			time.Sleep(time.Second)
			if s.Cause() != nil {
				ends++
				s.Close()
				s = stream(t, in)
			}
		}
		if ends < 1 || ends > 3 {
			t.Errorf("the device was told %d times to send again", ends)
		}
		w.stall(nil)
		time.Sleep(2 * time.Minute)
		if in.Stats().Shed != nil {
			t.Error("calm for two minutes, and frames are still shed")
		}
		if err := idle.Cause(); err != nil {
			t.Errorf("a device of which nothing was shed: %v", err)
		}
	})
}

// Devices are told to send again a few at a time; meanwhile the others go on.
func TestSendingAgainIsSpread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		in, _ := start(t, w, nil)
		var all []*ingest.Session
		for i := range 200 {
			token, d := fmt.Sprint("many-", i), device(3)
			d.Device, d.TokenHash = schema.DeviceID{100, byte(i)}, [32]byte{}
			w.set(func() { w.devices[token] = d })
			all = append(all, open(t, in, token))
		}
		w.stall(errFull)
		time.Sleep(2 * time.Second)
		for _, s := range all {
			s.Offer(message(frame("b", 1, 1)))
		}
		w.stall(nil)
		began, most := time.Now(), 0
		for left := len(all); left > 0; {
			time.Sleep(250 * time.Millisecond)
			before := left
			left = 0
			for _, s := range all {
				if s.Cause() == nil {
					left++
					if s.Credit().Frames < 1_000_000 {
						t.Fatal("a device that must still send again may not go on")
					}
				}
			}
			most = max(most, before-left)
			if time.Since(began) > 10*time.Second {
				t.Fatalf("%d of %d are never told", left, len(all))
			}
		}
		if most > 100 {
			t.Errorf("%d devices were told within a quarter of a second", most)
		}
	})
}

// What the live tags have used is no news when it comes again; what was late then
// is, and so is all when what was made of it is lost.
func TestShedFramesAreLateOnlyIfNews(t *testing.T) {
	for name, lost := range map[string]uint64{"kept": 0, "derived rows lost": 3} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				w.tags[mac] = schema.TagID{7}
				d := device(1)
				d.Clock = ingest.ClockSource // its times say nothing of the server's start
				w.devices["token-1"] = d
				now := uint64(5)
				in, _ := start(t, w, func(c *ingest.Config) { c.DerivedLost = func() uint64 { return now } })
				s := stream(t, in)
				w.stall(errFull)
				time.Sleep(2 * time.Second)
				old := frame("b", 61, 1)
				old.Observations[0].At -= 30_000
				for seq := uint64(1); seq <= 60; seq++ {
					s.Offer(message(frame("b", seq, 1)))
				}
				s.Offer(message(old))
				now += lost
				w.stall(nil)
				<-s.Done()
				s.Close()
				again := stream(t, in)
				for seq := uint64(1); seq <= 60; seq++ {
					again.Offer(message(frame("b", seq, 1)))
				}
				again.Offer(message(old, frame("b", 62, 1)))
				synctest.Wait()
				late := 0
				for _, f := range w.journal {
					if f.Observations[0].Late {
						late++
					}
				}
				want := 1 // the one that was late when it was shed
				if lost > 0 {
					want = 53 + 1 // all that are older than 6 s now
				}
				if late != want || len(w.journal) != 62 {
					t.Errorf("%d of %d frames are late, want %d", late, len(w.journal), want)
				}
			})
		})
	}
}

// A start of the scanner that nobody has asked the warehouse about goes to the
// live map too, at once.
func TestUnknownStartIsShed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.down = true
		in, _ := start(t, w, nil)
		w.stall(errFull)
		time.Sleep(2 * time.Second)
		s := stream(t, in)
		s.Offer(message(frame("new", 1, 1), frame("new", 2, 0)))
		if live, journal, loads := w.counts(); live != 2 || journal != 0 || loads != 0 {
			t.Errorf("%d live, %d for storage, %d questions", live, journal, loads)
		}
		wantAcks(t, s, ranges("new", 2, 2)) // it has no rows to be stored
		if !s.Acked([]ingest.FrameID{{BootID: "new", Seq: 2}}) || s.Acked([]ingest.FrameID{{BootID: "new", Seq: 2}, {BootID: "new", Seq: 1}}) {
			t.Error("a frame that was shed counts as acknowledged, or one without rows does not")
		}
	})
}
