package actors_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"mybeacon/actors"
	"mybeacon/schema"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// frame returns a frame of one receiver that hears tags in a second.
func frame(l *schema.Layout, receiver, second int, dbm float64, tags ...int) schema.FrameAdmitted {
	at := schema.EventTimeOf(origin) + schema.EventTime(second*1000)
	f := schema.FrameAdmitted{
		Source: sourceOf(l, receiver), BootID: "boot", Seq: uint64(second + 1),
		SentAt: at + 900, ArrivedAt: (at + 910).Time(),
	}
	for _, n := range tags {
		f.Observations = append(f.Observations, schema.Heard{
			Observation: schema.Observation{At: at + 500, RSSI: schema.CentiDBmOf(dbm)}, Tag: tagID(n),
		})
	}
	return f
}

func TestAPanicRestartsOneTagOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := hallAndKitchen(1)
		w := newWorld(t, nil)
		w.layouts.Put(l)
		run := func(from, to int) {
			for s := from; s < to; s++ {
				w.Frame(frame(&l, 0, s, -50, 1, 2))
				w.settle(t)
			}
		}
		run(0, 10)
		armed := true
		w.rec.Trap(func(v any) {
			if m, ok := v.(schema.TagMoved); ok && m.Tag == tagID(1) && armed {
				armed = false
				panic("poison")
			}
		})
		run(10, 20)
		s := w.Stats()
		if s.Tag.Restarts != 1 || s.Tag.Actors != 2 || s.Device.Restarts != 0 {
			t.Errorf("stats %+v, want one restart of a tag", s)
		}
		fixes := map[schema.TagID]int{}
		for _, m := range w.rec.Moved() {
			fixes[m.Tag]++
		}
		if fixes[tagID(2)] != 19 || fixes[tagID(1)] < 17 {
			t.Errorf("fixes %v: the sibling has 19, the failed tag lost more than the message and its window", fixes)
		}
		if open := w.OpenVisits(); len(open) != 2 {
			t.Errorf("open visits %v: the restart lost one", open)
		}
		w.end(t)
	})
}

func TestAPoisonedTagPausesAndRecovers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := hallAndKitchen(1)
		w := newWorld(t, func(c *actors.Config) { c.MailboxLimit = 20 })
		w.layouts.Put(l)
		var failures atomic.Int64
		w.rec.Trap(poison[schema.TagMoved](&failures))
		for s := range 100 {
			w.Frame(frame(&l, 0, s, -50, 1))
			synctest.Wait()
		}
		if n := failures.Load(); n > 4 {
			t.Errorf("%d failures at once: restarts are not paused", n)
		}
		if q := w.Stats().Tag.Queued; q > 20 {
			t.Errorf("%d messages wait for the pausing tag, limit 20", q)
		}
		w.rec.Trap(nil)
		time.Sleep(11 * time.Second) // the longest pause, of virtual time
		w.settle(t)
		if len(w.rec.Moved()) == 0 {
			t.Error("the tag did not come back")
		}
		w.end(t)
	})
}

func TestStopDoesNotWaitForAPausingActor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := hallAndKitchen(1)
		w := newWorld(t, nil)
		w.layouts.Put(l)
		w.rec.Trap(poison[schema.TagMoved](new(atomic.Int64)))
		for s := range 100 {
			w.Frame(frame(&l, 0, s, -50, 1))
			synctest.Wait()
		}
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if err := w.Stop(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Stop returned %v while a tag was pausing", err)
		}
	})
}

func TestFullMailboxKeepsTheNewestFrames(t *testing.T) {
	l := hallAndKitchen(1)
	w := newWorld(t, func(c *actors.Config) { c.MailboxLimit, c.Workers = 10, 1 })
	w.layouts.Put(l)
	w.Frame(frame(&l, 0, 0, -50, 1))
	w.Frame(frame(&l, 0, 1, -50, 1))
	w.settle(t)
	hold, held := make(chan struct{}), make(chan struct{})
	first := true
	w.rec.Trap(func(v any) { // occupies the only worker
		if _, moved := v.(schema.TagMoved); moved && first {
			first = false
			close(held)
			<-hold
		}
	})
	w.Frame(frame(&l, 0, 2, -50, 1))
	<-held
	for s := 3; s < 103; s++ {
		w.Frame(frame(&l, 0, s, -50, 1))
	}
	if d := w.Stats().Device; d.Dropped != 90 || d.Queued != 10 {
		t.Errorf("dropped %d, queued %d of 100 frames with room for 10", d.Dropped, d.Queued)
	}
	close(hold)
	w.settle(t)
	moved := w.rec.Moved()
	if last := moved[len(moved)-1].At; last < schema.EventTimeOf(origin)+100_000 {
		t.Errorf("the newest fix is of %v: the newest frames were dropped", last.Time().Sub(origin))
	}
	w.end(t)
}

func TestHealthFollowsTheServersClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := hallAndKitchen(1)
		w := newWorld(t, nil)
		now := func() time.Time { return time.Now() }
		send := func(seq int) {
			f := frame(&l, 0, 0, -50)
			f.Seq, f.ArrivedAt = uint64(seq), now()
			f.SentAt = schema.EventTimeOf(now().Add(1500 * time.Millisecond))
			w.Frame(f)
			synctest.Wait()
		}
		w.DeviceConnected(sourceOf(&l, 0), now())
		for i := range 25 {
			send(i + 1)
			time.Sleep(time.Second)
		}
		w.DeviceDisconnected(deviceID(0), now())
		time.Sleep(20 * time.Second)
		synctest.Wait()
		before := w.rec.Health()
		time.Sleep(20 * time.Second)
		synctest.Wait()
		after := w.rec.Health()
		if n := len(before); n < 3 || n > 4 || !before[n-1].Online {
			t.Errorf("in 25 s of frames and 20 s of silence: %+v", before)
		}
		if last := before[len(before)-1]; last.ClockOffset != 1500*time.Millisecond || last.Location != location {
			t.Errorf("health %+v", last)
		}
		if len(after) != len(before)+1 || after[len(after)-1].Online || after[len(after)-1].FramesTotal != 25 {
			t.Errorf("40 s after the last frame: %+v", after[len(before):])
		}
		w.end(t)
	})
}

func TestIdleActorsGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := hallAndKitchen(1)
		w := newWorld(t, nil)
		w.layouts.Put(l)
		seq := uint64(0)
		send := func(second int, tags ...int) {
			f := frame(&l, 0, second, -50, tags...)
			seq++
			f.Seq, f.ArrivedAt = seq, time.Now()
			w.Frame(f)
			w.settle(t)
		}
		for s := range 10 {
			send(s, 1, 2)
		}
		send(200) // both are silent for longer than the timeout
		if s := w.Stats(); s.Tag.Actors != 2 || s.OpenVisits != 0 || s.Zone.Actors != 1 {
			t.Fatalf("after the silence: %+v", s)
		}
		time.Sleep(9 * time.Minute)
		send(740, 2)
		send(741, 2)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if s := w.Stats(); s.Tag.Actors != 1 || s.Device.Actors != 1 {
			t.Errorf("11 min after one tag and 2 min after the other: %+v", s)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		s := w.Stats()
		if s.Zone.Actors != 0 || s.Device.Actors != 1 || s.Tag.Actors != 1 {
			t.Errorf("an hour later %+v: the zone is empty, but only the device can say that the tag is gone", s)
		}
		for s := 742; s < 745; s++ { // a tag that went comes back to a new actor
			send(s, 1)
		}
		if s := w.Stats(); s.Tag.Actors != 2 {
			t.Errorf("after it came back: %+v", s)
		}
		w.end(t)
	})
}

func TestOnlyWhatIsAdmittedMakesActors(t *testing.T) {
	l := hallAndKitchen(1)
	w := newWorld(t, func(c *actors.Config) { c.MaxActors = 3 })
	w.layouts.Put(l)
	stranger := frame(&l, 0, 0, -50, 1)
	stranger.Observations[0].Tag = schema.TagID{}
	w.Frame(stranger)
	unbound := frame(&l, 0, 1, -50, 1)
	unbound.Organisation = schema.OrganisationID{}
	w.Frame(unbound)
	w.Frame(schema.FrameAdmitted{BootID: "x", Seq: 1})
	w.DeviceDisconnected(deviceID(9), origin)
	w.Forget(planID)
	w.settle(t)
	if s := w.Stats(); s.Tag.Actors != 0 || s.Device.Actors != 1 {
		t.Errorf("actors of what was not admitted: %+v", s)
	}
	w.Frame(frame(&l, 0, 2, -50, 1, 2, 3, 4, 5))
	w.settle(t)
	if s := w.Stats(); s.Tag.Actors != 3 || s.Tag.Refused != 2 {
		t.Errorf("with room for 3 actors: %+v", s)
	}
	w.end(t)
}

func TestStoppedSystemTakesNothingIn(t *testing.T) {
	l := hallAndKitchen(1)
	w := newWorld(t, nil)
	w.layouts.Put(l)
	for s := range 10 {
		w.Frame(frame(&l, 0, s, -50, 1))
	}
	w.end(t)
	moved := len(w.rec.Moved())
	if moved != 9 {
		t.Errorf("%d fixes of 10 frames after Stop, want 9: it drains", moved)
	}
	w.Frame(frame(&l, 0, 20, -50, 1))
	w.DeviceConnected(sourceOf(&l, 0), origin)
	if err := w.Stop(t.Context()); err != nil {
		t.Errorf("second Stop: %v", err)
	}
	if n := len(w.rec.Moved()); n != moved {
		t.Error("a frame after Stop moved a tag")
	}
	if len(w.OpenVisits()) != 1 {
		t.Error("Stop closed a visit")
	}
}

func TestStoredFixesAreThinnedAndCoverTheStay(t *testing.T) {
	l := hallAndKitchen(4)
	w := newWorld(t, nil)
	w.layouts.Put(l)
	rng := rand.New(rand.NewPCG(1, 2))
	for _, frames := range walk(&l, 1, 200, rng) {
		for _, f := range frames {
			w.Frame(f)
		}
		w.settle(t)
	}
	w.end(t)
	final := map[schema.EventTime]schema.Fix{}
	for _, f := range w.rec.Fixes() {
		if old, again := final[f.At]; again && (f.Rev <= old.Rev || f.ValidFor >= old.ValidFor) {
			t.Fatalf("%+v replaces %+v", f, old)
		}
		final[f.At] = f
	}
	live := w.rec.Moved()
	if len(final) >= len(live) || len(final) < len(live)/30 {
		t.Errorf("%d stored of %d live", len(final), len(live))
	}
	for _, m := range live {
		if f, ok := covering(final, m.At); !ok || f.Zone != m.Zone || math.Hypot(f.X-m.X, f.Y-m.Y) > math.Max(1, m.AccuracyM/2) {
			t.Fatalf("live %+v is stored as %+v", m.Fix, f)
		}
	}
}

func covering(fixes map[schema.EventTime]schema.Fix, at schema.EventTime) (found schema.Fix, ok bool) {
	for _, f := range fixes {
		if f.At <= at && at.Sub(f.At) < f.ValidFor {
			if ok {
				return f, false // two at once
			}
			found, ok = f, true
		}
	}
	return found, ok
}

func TestRestoreClosesVisitsToLostZones(t *testing.T) {
	l := hallAndKitchen(1)
	w := newWorld(t, nil)
	w.layouts.Put(l)
	visit := func(tag int, zone schema.ZoneID) schema.Visit {
		at := schema.EventTimeOf(origin)
		return schema.Visit{
			Organisation: org, Tag: tagID(tag), Location: location, Plan: planID, Zone: zone,
			ID: schema.NewVisitID(org, tagID(tag), zone, at), EnteredAt: at, Rev: 1,
		}
	}
	w.Restore([]schema.Visit{visit(1, kitchen), visit(2, schema.ZoneID{99})})
	w.settle(t)
	open := w.OpenVisits()
	if len(open) != 1 || open[0].Zone != kitchen {
		t.Errorf("open %v, want the one in the kitchen", open)
	}
	closed := w.rec.Visits()
	if len(closed) != 1 || closed[0].LeftAt != closed[0].EnteredAt || closed[0].Rev < uint64(origin.UnixMilli())<<20 {
		t.Errorf("put out %+v, want the lost one closed", closed)
	}
	if o := w.rec.Occupancies(); len(o) != 1 || o[0].Tags != 1 {
		t.Errorf("occupancy %+v", o)
	}
	w.end(t)
}

func TestConfigIsChecked(t *testing.T) {
	f := func(field string, spoil func(*actors.Config)) {
		t.Helper()
		cfg := actors.DefaultConfig()
		w := newWorld(t, nil)
		defer w.end(t)
		cfg.Log, cfg.Output, cfg.Health, cfg.Layouts, cfg.Start = slogDiscard(), w.rec, w.rec, w.layouts, origin
		if err := cfg.Validate(); err != nil {
			t.Fatalf("the defaults are refused: %v", err)
		}
		spoil(&cfg)
		if _, err := actors.New(cfg); err == nil {
			t.Errorf("New took a bad %s", field)
		}
	}
	f("Output", func(c *actors.Config) { c.Output = nil })
	f("Start", func(c *actors.Config) { c.Start = time.Time{} })
	f("MailboxLimit", func(c *actors.Config) { c.MailboxLimit = 0 })
	f("SweepEvery", func(c *actors.Config) { c.SweepEvery = 0 })
	f("MaxActors", func(c *actors.Config) { c.MaxActors = 0 })
	f("Workers", func(c *actors.Config) { c.Workers = -1 })
	f("Fence", func(c *actors.Config) { c.Fence.EnterDelay = -1 })
	f("Locate", func(c *actors.Config) { c.Locate.CellM = 0 })
	f("Window", func(c *actors.Config) { c.Tag.Window = 0 })
	f("Grace", func(c *actors.Config) { c.Tag.Grace = -1 })
	f("PlanLead", func(c *actors.Config) { c.Tag.PlanLead = 0.5 })
	f("MaxReceivers", func(c *actors.Config) { c.Tag.MaxReceivers = 1000 })
}

func TestRevGrowsWithEveryOutput(t *testing.T) {
	l := hallAndKitchen(1)
	w := newWorld(t, nil)
	w.layouts.Put(l)
	for s := range 10 {
		w.Frame(frame(&l, 0, s, -50, 1))
	}
	w.end(t)
	var revs []uint64
	for _, v := range w.rec.Visits() {
		revs = append(revs, v.Rev)
	}
	for _, f := range w.rec.Fixes() {
		revs = append(revs, f.Rev)
	}
	slices.Sort(revs)
	if len(slices.Compact(slices.Clone(revs))) != len(revs) || revs[0] <= uint64(origin.UnixMilli())<<20 {
		t.Errorf("revs %v", revs)
	}
}
