package plan_test

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"mybeacon/actors/plan"
	"mybeacon/schema"
)

var planID = schema.PlanID{3}

// bench is a plan and what its tags were told.
type bench struct {
	t     *testing.T
	state *plan.State
	tide  schema.EventTime // of the newest message
	told  []schema.TagID   // by the last word
}

func newBench(t *testing.T) *bench {
	cfg := plan.DefaultConfig()
	return &bench{t: t, state: plan.New(&cfg, planID)}
}

func at(seconds float64) schema.EventTime { return schema.EventTime(seconds * 1000) }

// word lets a device deliver, having heard tags just before.
func (b *bench) word(device byte, seconds float64, tags ...byte) {
	d := &plan.Delivered{
		Source:  schema.Source{Organisation: schema.OrganisationID{1}, Device: schema.DeviceID{device}, Plan: planID},
		Through: at(seconds), Heard: at(seconds) - 1,
	}
	for _, n := range tags {
		d.Tags = append(d.Tags, schema.TagID{n})
	}
	b.told = nil
	for _, m := range b.state.Delivered(d, nil) {
		b.tide = m.Msg.Through
		b.told = append(b.told, m.Tag.Tag)
	}
	slices.SortFunc(b.told, func(x, y schema.TagID) int { return int(x[0]) - int(y[0]) })
}

// all lets devices 1…n deliver, all but the last having heard tag 1.
func (b *bench) all(n byte, seconds float64) {
	for d := byte(1); d < n; d++ {
		b.word(d, seconds, 1)
	}
	b.word(n, seconds)
}

func (b *bench) want(seconds float64) {
	b.t.Helper()
	if b.tide != at(seconds) {
		b.t.Errorf("tide at %v ms, want %v s", b.tide, seconds)
	}
}

// Receivers that begin behind a gap make up for 5 s with one word. None of that is
// time in which the last of them could have spoken.
func TestThoseWhoBeginDoNotOutliveEachOther(t *testing.T) {
	b := newBench(t)
	b.word(1, 101)
	b.word(9, 97)
	for d := byte(2); d <= 8; d++ {
		b.word(d, 97)
		b.word(d, 102, 1)
	}
	b.word(1, 104, 1)
	if b.tide > at(97) {
		t.Errorf("told of a tide at %v ms, before the last one spoke", b.tide)
	}
	b.word(9, 104)
	b.want(102)
}

func TestTheTideWaitsForWhoHasNotHeardTheTag(t *testing.T) {
	b := newBench(t)
	b.all(4, 10)
	b.word(1, 11, 1)
	b.word(2, 11, 1)
	b.word(3, 11, 1)
	b.want(10)
	b.word(4, 11)
	b.want(11)
	if len(b.told) != 1 || b.told[0] != (schema.TagID{1}) {
		t.Errorf("told %v", b.told)
	}
}

func TestFramesNeedNotEndWithTheSecond(t *testing.T) {
	b := newBench(t)
	for s := 10.0; s < 15; s++ {
		b.word(1, s, 1)
		b.word(2, s+0.3, 1)
		b.word(3, s+0.7, 1)
	}
	b.want(14)
	b.word(1, 15, 1)
	b.want(14)
	b.word(2, 15.3, 1)
	b.want(14)
	b.word(3, 15.7, 1)
	b.want(15)
}

func TestAStalledReceiverDelaysByTheGraceAndADeadOneNotAtAll(t *testing.T) {
	b := newBench(t)
	b.all(4, 10)
	for s := 11.0; s <= 26; s++ { // 4 is silent
		b.all(3, s)
		b.want(max(10, s-6))
	}
	b.all(3, 27) // its patience is over
	b.want(27)
	b.word(4, 10.5) // it sends what it had kept, and is too far behind to be waited for
	b.all(3, 28)
	b.want(28)
	b.word(4, 28)
	b.all(3, 29)
	b.want(28) // it lives again
	b.word(4, 29)
	b.want(29)
}

func TestAQuietReceiverLives(t *testing.T) {
	b := newBench(t)
	for s := 10.0; s < 40; s++ {
		if int(s)%5 == 0 {
			b.word(4, s)
		}
		b.all(3, s)
	}
	b.all(3, 40)
	b.want(35)
	b.word(4, 40)
	b.want(40)
}

func TestOneFastClockHurriesNobody(t *testing.T) {
	b := newBench(t)
	b.all(3, 9)
	for s := 10.0; s < 30; s++ {
		b.word(1, s+100, 1)
		b.word(2, s, 1)
		b.want(s - 1)
		b.word(3, s, 1)
		b.want(s)
	}
	b.all(3, 30) // it is set right
	for s := 31.0; s < 160; s++ {
		b.all(3, s)
	}
	b.want(159)
}

func TestOneReceiverIsItsOwnTide(t *testing.T) {
	b := newBench(t)
	b.word(1, 10.9, 1)
	b.want(10)
	b.word(1, 12, 1)
	b.want(12)
}

func TestOfTwoTheNewerIsTheClock(t *testing.T) {
	b := newBench(t)
	b.all(2, 10)
	b.word(1, 11, 1)
	b.word(1, 16, 1)
	b.want(10)
	b.word(1, 17, 1)
	b.want(11)
}

func TestATagIsToldAsLongAsItWaits(t *testing.T) {
	b := newBench(t)
	b.word(1, 10, 1, 2)
	if len(b.told) != 2 {
		t.Fatalf("told %v", b.told)
	}
	b.word(1, 11, 2)
	if len(b.told) != 1 || b.told[0] != (schema.TagID{2}) {
		t.Errorf("told %v: tag 1 was not heard since", b.told)
	}
	b.word(2, 10, 3) // behind: what it heard joins the next second
	if len(b.told) != 1 {
		t.Errorf("told %v by a tide that went back", b.told)
	}
	b.word(2, 12)
	b.word(1, 12)
	if b.want(12); len(b.told) != 1 || b.told[0] != (schema.TagID{3}) {
		t.Errorf("told %v, want the tag that was heard late", b.told)
	}
}

func TestWaitingTagsAreBounded(t *testing.T) {
	cfg := plan.DefaultConfig()
	cfg.MaxTags = 2
	b := &bench{t: t, state: plan.New(&cfg, planID)}
	b.word(1, 10, 1, 2, 3)
	if len(b.told) != 2 {
		t.Errorf("%d tags told, room for 2", len(b.told))
	}
}

func TestIdleAfterSilence(t *testing.T) {
	b, now := newBench(t), time.UnixMilli(0)
	b.word(1, 10)
	if b.state.Idle(now, time.Minute) || b.state.Idle(now.Add(59*time.Second), time.Minute) {
		t.Error("idle too early")
	}
	b.word(1, 11)
	if b.state.Idle(now.Add(time.Minute), time.Minute) || !b.state.Idle(now.Add(2*time.Minute), time.Minute) {
		t.Error("idle a minute after the last word, seen at the second sweep")
	}
}

// TestNothingComesBehindTheTide lets frames of receivers, some of which speak only
// every few seconds, be up to 5 s on their way. No word may come whose news a tide
// that was told before has covered.
func TestNothingComesBehindTheTide(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 0))
		b := newBench(t)
		n := rapid.IntRange(1, 6).Draw(rt, "receivers")
		b.all(byte(n), 9)
		for _, w := range words(rng, n, 10, 60) {
			if at(w.through) <= b.tide {
				rt.Fatalf("receiver %d tells up to %v s after the tide was at %v ms", w.device, w.through, b.tide)
			}
			b.word(w.device, w.through, 1)
		}
	})
}

type word struct {
	device         byte
	through, comes float64
}

// words returns the words of some seconds as they come, each device's own in order:
// one that is overtaken holds the device's next ones. Every other device is quiet for
// up to 5 s.
func words(rng *rand.Rand, devices int, from, to float64) []word {
	var out []word
	for d := range devices {
		spoke, came := from-1, 0.0
		for s := from; s < to; s++ {
			if d%2 == 1 && s-spoke < 5 && rng.IntN(2) == 0 {
				continue
			}
			spoke, came = s, max(came, s+5*rng.Float64())
			out = append(out, word{byte(d + 1), s, came})
		}
	}
	slices.SortStableFunc(out, func(x, y word) int { return cmp.Compare(x.comes, y.comes) })
	return out
}

func TestAfterAnOutageOfAllTheTideGoesOn(t *testing.T) {
	b := newBench(t)
	b.all(4, 10)
	b.word(1, 700, 1)
	b.want(10) // one clock alone does not end it
	b.word(2, 700, 1)
	b.want(694) // two do, but they wait for the others
	b.word(3, 700, 1)
	b.word(4, 700)
	b.want(700)
	b.all(3, 701)
	b.want(700)
	b.word(4, 701)
	b.want(701)
}

// Those that died in the outage are not waited for as long as it was.
func TestWhoDiedInAnOutageDelaysTheOthersOnce(t *testing.T) {
	b := newBench(t)
	b.all(4, 10)
	for s := 700.0; s < 717; s++ {
		b.word(1, s, 1)
		b.word(2, s, 1)
	}
	b.want(716)
}

// Receivers that are silent together for any time come back in any order, each with
// frames that were held together: no tide covers what one of them has yet to tell.
func TestNothingComesBehindTheTideAfterAnOutage(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 0))
		b := newBench(t)
		n := rapid.IntRange(2, 6).Draw(rt, "receivers")
		back := 9 + rapid.Float64Range(1, 2000).Draw(rt, "outage")
		b.all(byte(n), 9)
		for _, w := range words(rng, n, back, back+40) {
			if at(w.through) <= b.tide {
				rt.Fatalf("back at %v s: receiver %d tells up to %v s after the tide was at %v ms", back, w.device, w.through, b.tide)
			}
			b.word(w.device, w.through, 1)
		}
	})
}

func TestTheLastOfManyGoesOn(t *testing.T) {
	b := newBench(t)
	for s := 10.0; s < 100; s++ {
		b.all(5, s)
	}
	for s := 100.0; s <= 117; s++ {
		b.word(1, s, 1)
	}
	b.want(117)
}
