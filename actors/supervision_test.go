package actors_test

import (
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"mybeacon/actors"
	"mybeacon/schema"
)

// poison returns a trap that makes the actor which puts out a T fail.
func poison[T any](failures *atomic.Int64) func(any) {
	return func(v any) {
		if _, ok := v.(T); ok {
			failures.Add(1)
			panic("poison")
		}
	}
}

// once returns a trap that strikes the first T only.
func once[T any](failures *atomic.Int64) func(any) {
	return func(v any) {
		if _, ok := v.(T); ok && failures.CompareAndSwap(0, 1) {
			panic("poison")
		}
	}
}

// TestAPanicCostsItsActorOneMessage lets an actor of each kind fail once, and looks
// two seconds later: that actor was restarted and has what it must not forget, all
// others noticed nothing.
func TestAPanicCostsItsActorOneMessage(t *testing.T) {
	undisturbed, restarts := disturbed(t, func(any) {})
	if restarts != (kinds{}) {
		t.Fatalf("restarts without a panic: %+v", restarts)
	}
	f := func(kind string, trap func(*atomic.Int64) func(any), want kinds) {
		t.Helper()
		var failures atomic.Int64
		got, restarts := disturbed(t, trap(&failures))
		if failures.Load() != 1 || restarts != want {
			t.Errorf("%s: %d failures, restarts %+v, want %+v", kind, failures.Load(), restarts, want)
		}
		// A tag that fails has a new track, so its positions differ for a while. Where
		// it was for how long does not, nor how many seconds were fixed but the one.
		if diff := cmp.Diff(undisturbed.Visits, got.Visits); diff != "" {
			t.Errorf("%s: -undisturbed +disturbed\n%s", kind, diff)
		}
		if n := len(undisturbed.Moved) - len(got.Moved); n < 0 || n > 2 || n > 0 && kind != "tag" {
			t.Errorf("%s: %d fixes fewer", kind, n)
		}
	}
	f("tag", once[schema.TagMoved], kinds{tag: 1})
	f("zone", once[schema.Occupancy], kinds{zone: 1})
	f("device", once[schema.DeviceHealth], kinds{device: 1})
	f("plan", once[schema.Offsets], kinds{plan: 1})
}

// kinds counts restarts by kind of actor.
type kinds struct{ device, plan, tag, zone uint64 }

// disturbed lets a minute and a half pass on a plan with two tags and a trap that is
// set from the 30th second on.
func disturbed(t *testing.T, trap func(any)) (h history, restarts kinds) {
	synctest.Test(t, func(t *testing.T) {
		l := hallAndKitchen(5)
		w := newWorld(t, nil)
		w.layouts.Put(l)
		for s, frames := range resting(l, 90) {
			if s == 30 {
				w.rec.Trap(trap)
			}
			for _, f := range frames {
				w.Frame(f)
			}
			time.Sleep(time.Second) // of virtual time: a pause of the supervisor would show
		}
		w.settle(t)
		s := w.Stats()
		restarts = kinds{s.Device.Restarts, s.Plan.Restarts, s.Tag.Restarts, s.Zone.Restarts}
		h = history{Moved: w.rec.Moved(), Visits: w.rec.Final()}
		w.end(t)
	})
	return h, restarts
}

// resting is a minute or more of three tags, two of which rest in the kitchen and in
// the hall; the third goes from one to the other after 40 s.
func resting(l schema.Layout, seconds int) [][]schema.FrameAdmitted {
	rng := rand.New(rand.NewPCG(7, 7))
	here := []schema.Point{{X: 3, Y: 5}, {X: 17, Y: 5}, {X: 4, Y: 6}}
	j := &journey{layout: l}
	for s := range seconds {
		if s == 40 {
			here[2] = schema.Point{X: 16, Y: 4}
		}
		var frames []schema.FrameAdmitted
		for r := range l.Receivers {
			frames = append(frames, j.frame(rng, r, s, here, make([]int, len(here)), float64(r)-2))
		}
		j.frames = append(j.frames, frames)
	}
	return j.frames
}

// TestAStormOfFailuresPasses makes all tags of a plan fail again and again. The
// devices, the plan and another plan's tag go on; mailboxes stay within their bound;
// and when it is over every tag is back within the longest pause.
func TestAStormOfFailuresPasses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const tags, limit = 50, 40
		l, other := hallAndKitchen(1), hallAndKitchen(1)
		other.Plan = schema.PlanID{33}
		other.Receivers = []schema.Placement{{Receiver: schema.ReceiverID{77}, Device: schema.DeviceID{66}, X: 10, Y: 5, Z: 2.5}}
		w := newWorld(t, func(c *actors.Config) { c.MailboxLimit = limit })
		w.layouts.Put(l)
		w.layouts.Put(other)
		all := make([]int, tags)
		for i := range all {
			all[i] = i
		}
		second := 0
		run := func(seconds int) {
			for range seconds {
				w.Frame(frame(&l, 0, second, -50, all...))
				w.Frame(frame(&other, 0, second, -50, tags))
				second++
				time.Sleep(time.Second)
			}
		}
		run(5)
		var strikes atomic.Int64
		w.rec.Trap(func(v any) {
			if m, ok := v.(schema.TagMoved); ok && m.Plan == planID {
				strikes.Add(1)
				panic("poison")
			}
		})
		run(120)
		failures := strikes.Load()
		s := w.Stats()
		if s.Device.Restarts+s.Plan.Restarts+s.Zone.Restarts > 0 || s.Tag.Restarts != uint64(failures) || s.Tag.Queued > tags*(limit+1) { // and a sweep each
			t.Errorf("in the storm: %+v after %d failures", s, failures)
		}
		// Three at once, then pauses that double to 10 s.
		if perTag := failures / tags; perTag < 8 || perTag > 40 {
			t.Errorf("%d failures of each tag in two minutes", perTag)
		}
		w.rec.Trap(nil)
		storm := second
		run(12)
		w.settle(t)
		back, calm := map[schema.TagID]bool{}, 0
		for _, m := range w.rec.Moved() {
			if m.At >= schema.EventTimeOf(origin)+schema.EventTime(storm*1000) && m.Plan == planID {
				back[m.Tag] = true
			}
			if m.Plan == other.Plan {
				calm++
			}
		}
		if len(back) != tags || calm != second-1 {
			t.Errorf("%d of %d tags are back; the other plan's has %d fixes of %d s", len(back), tags, calm, second)
		}
		w.end(t)
	})
}

func TestMailboxesHoldAThousandMessages(t *testing.T) {
	if n := actors.DefaultConfig().MailboxLimit; n != 1000 {
		t.Errorf("%d live messages may wait for one actor, want 1000", n)
	}
}
