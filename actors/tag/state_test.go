package tag_test

import (
	"log/slog"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mybeacon/actors/actortest"
	"mybeacon/actors/plan"
	"mybeacon/actors/tag"
	"mybeacon/geometry/locate"
	"mybeacon/geometry/zonemodel"
	"mybeacon/schema"
)

var (
	key     = tag.Key{Organisation: schema.OrganisationID{1}, Tag: schema.TagID{2}}
	planID  = schema.PlanID{3}
	kitchen = schema.ZoneID{4}
	hall    = schema.ZoneID{5}
)

// bench is one tag on a plan of 20 m × 10 m with receivers at x = 2, 10 and 18.
type bench struct {
	t       *testing.T
	layouts *actortest.Layouts
	layout  schema.Layout
	cfg     tag.Config
	plans   *tag.Plans
	state   *tag.State
	plan    *plan.State
	tag.Effects
}

func newBench(t *testing.T) *bench {
	b := &bench{t: t, layouts: &actortest.Layouts{}, cfg: tag.DefaultConfig()}
	box := func(x0, x1 float64) []schema.Point {
		return []schema.Point{{X: x0}, {X: x1}, {X: x1, Y: 10}, {X: x0, Y: 10}}
	}
	b.layout = schema.Layout{
		Organisation: key.Organisation, Location: schema.LocationID{6}, Plan: planID, TagHeightM: 1,
		Bounds: schema.Rect{Max: schema.Point{X: 20, Y: 10}},
		Zones:  []schema.Zone{{ID: kitchen, Polygon: box(0, 9)}, {ID: hall, Polygon: box(11, 20)}},
	}
	for i, x := range []float64{2, 10, 18} {
		b.layout.Receivers = append(b.layout.Receivers, schema.Placement{Receiver: schema.ReceiverID{byte(i)}, Device: device(i), X: x, Y: 5, Z: 2.5})
	}
	b.layouts.Put(b.layout)
	b.plans = tag.NewPlans(b.layouts, locate.DefaultConfig(), zonemodel.DefaultConfig(), slog.New(slog.DiscardHandler))
	b.state = tag.New(&b.cfg, b.plans, key)
	planCfg := plan.DefaultConfig()
	b.plan = plan.New(&planCfg, planID)
	return b
}

func device(i int) schema.DeviceID { return schema.DeviceID{7, byte(i)} }

// at is a time in seconds; the receivers' frames end with the second.
func at(seconds float64) schema.EventTime { return schema.EventTime(seconds * 1000) }

// hears gives a frame in which the receiver hears the tag at a time.
func (b *bench) hears(receiver int, seconds float64, dbm ...float64) {
	h := &tag.Heard{Frame: &tag.Frame{
		Source:    b.source(receiver),
		Delivered: at(seconds), ArrivedAt: at(seconds).Time(),
	}}
	for _, p := range dbm {
		h.Samples = append(h.Samples, tag.Sample{At: at(seconds), RSSI: schema.CentiDBmOf(p)})
	}
	b.state.Heard(h, &b.Effects)
	b.word(receiver, seconds, key.Tag)
}

func (b *bench) source(receiver int) schema.Source {
	return schema.Source{
		Organisation: key.Organisation, Device: device(receiver), Location: b.layout.Location,
		Plan: planID, Receiver: schema.ReceiverID{byte(receiver)}, KeepDays: 30,
	}
}

func (b *bench) delivers(receiver int, seconds float64) {
	b.state.Progress(&tag.Progress{Device: device(receiver), Delivered: at(seconds)}, &b.Effects)
	b.word(receiver, seconds)
}

// word tells the plan, and the tag what the plan says to it.
func (b *bench) word(receiver int, seconds float64, heard ...schema.TagID) {
	source := schema.Source{Organisation: key.Organisation, Device: device(receiver), Plan: planID}
	for _, d := range b.plan.Delivered(&plan.Delivered{Source: source, Through: at(seconds), Heard: at(seconds), Tags: heard}, nil) {
		b.state.Tide(d.Msg, &b.Effects)
	}
}

// stands lets all receivers hear the tag at x = 2 (or 18) for some seconds.
func (b *bench) stands(x, from, to int) {
	powers := []float64{-48, -65, -75}
	if x == 18 {
		slices.Reverse(powers)
	}
	for s := from; s < to; s++ {
		for r, p := range powers {
			b.hears(r, float64(s)+0.5, p)
		}
	}
}

func (b *bench) fixed() (seconds []int) {
	for _, m := range b.Moved {
		if m.Presence == schema.Present {
			seconds = append(seconds, int(m.At/1000))
		}
	}
	return seconds
}

func (b *bench) wantFixed(want ...int) {
	b.t.Helper()
	if got := b.fixed(); !slices.Equal(got, want) {
		b.t.Errorf("fixed seconds %v, want %v", got, want)
	}
}

func TestASecondIsFixedWhenAllHaveDelivered(t *testing.T) {
	b := newBench(t)
	b.hears(0, 10.5, -50)
	b.hears(1, 10.6, -60)
	b.hears(0, 11.5, -50)
	b.wantFixed()
	b.delivers(1, 10.9)
	b.wantFixed()
	b.delivers(1, 11.0)
	b.wantFixed(10)
	b.delivers(1, 12)
	b.wantFixed(10)
	b.delivers(0, 12)
	b.wantFixed(10, 11)
}

func TestAReceiverThatStallsHoldsASecondForTheGrace(t *testing.T) {
	b := newBench(t)
	b.hears(0, 10.5, -50)
	b.hears(1, 10.6, -60)
	b.hears(0, 16.9, -50)
	b.wantFixed()
	b.hears(0, 17, -50) // 6 s after the end of second 10
	b.wantFixed(10)
	for s := 18; s < 31; s++ { // and no longer at all when its patience is over
		b.hears(0, float64(s), -50)
	}
	b.wantFixed(10, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29)
}

func TestAQuietSecondIsNotFixed(t *testing.T) {
	b := newBench(t)
	b.hears(0, 10.5, -50)
	b.delivers(0, 14)
	b.hears(0, 14.5, -50)
	b.delivers(0, 15)
	b.wantFixed(10, 14)
}

func TestWhatComesAfterItsSecondJoinsTheNext(t *testing.T) {
	b := newBench(t)
	b.hears(0, 10.5, -50)
	b.delivers(0, 11)
	b.hears(1, 10.7, -50)
	b.delivers(1, 13)
	b.delivers(0, 13)
	b.wantFixed(10, 11)
	if n := b.Moved[1].Receivers; n != 2 {
		t.Errorf("%d receivers took part in the second fix", n)
	}
	b.hears(0, 2, -50) // older than the window
	b.delivers(0, 14)
	b.wantFixed(10, 11)
}

// In which order samples stand in a frame, and frames of one second come, changes
// not a bit of the fixes.
func TestOrderWithinASecondDoesNotMatter(t *testing.T) {
	type sample struct {
		receiver int
		at, dbm  float64
	}
	run := func(shuffle func(n int, swap func(i, j int))) []schema.TagMoved {
		b := newBench(t)
		for second := 10; second < 18; second++ {
			var heard []sample
			for i := range 12 {
				heard = append(heard, sample{i % 3, float64(second) + float64(i/3)/5, -50 - float64((i*7+second*3)%23)})
			}
			shuffle(len(heard), func(i, j int) { heard[i], heard[j] = heard[j], heard[i] })
			frames := make(map[int]*tag.Heard)
			var order []int
			for _, h := range heard {
				f := frames[h.receiver]
				if f == nil {
					f = &tag.Heard{Frame: &tag.Frame{Source: b.source(h.receiver), Delivered: at(float64(second) + 0.9)}}
					frames[h.receiver], order = f, append(order, h.receiver)
				}
				f.Samples = append(f.Samples, tag.Sample{At: at(h.at), RSSI: schema.CentiDBmOf(h.dbm)})
			}
			for _, receiver := range order {
				b.state.Heard(frames[receiver], &b.Effects)
			}
			for _, receiver := range order {
				b.word(receiver, float64(second)+0.9, key.Tag)
			}
		}
		return b.Moved
	}
	want := run(func(int, func(i, j int)) {})
	if len(want) < 2 {
		t.Fatalf("%d fixes", len(want))
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		if diff := cmp.Diff(want, run(rng.Shuffle)); diff != "" {
			t.Fatalf("-in order +shuffled\n%s", diff)
		}
	}
}

func TestFixNamesTheLoudestReceiver(t *testing.T) {
	b := newBench(t)
	b.stands(18, 10, 20)
	f := b.Moved[len(b.Moved)-1].Fix
	if f.Receiver != (schema.ReceiverID{2}) || f.RSSI != -4800 || f.KeepDays != 30 || f.Location != b.layout.Location {
		t.Errorf("fix %+v", f)
	}
	if f.X < 14 || f.Zone != hall || f.Receivers != 3 || f.AccuracyM <= 0 {
		t.Errorf("fix %+v", f)
	}
}

func TestSilenceNeedsTheWordOfAll(t *testing.T) {
	b := newBench(t)
	b.stands(2, 10, 20)
	heard, proven := 19.5, 86.0 // the timeout, up to a whole second, and the grace for who else may have heard it
	b.delivers(0, proven)
	b.delivers(1, proven)
	b.delivers(2, proven-0.1)
	if n := len(b.Visits); n != 1 {
		t.Fatalf("visits %+v before the last receiver's word", b.Visits)
	}
	b.delivers(2, proven)
	last := b.Visits[len(b.Visits)-1]
	if len(b.Visits) != 2 || last.EnteredAt != at(10) || last.LeftAt != at(heard) || last.ID != b.Visits[0].ID {
		t.Errorf("visits %+v", b.Visits)
	}
	m := b.Moved[len(b.Moved)-1]
	if m.Presence != schema.Absent || !m.Zone.IsZero() || m.At != at(19) {
		t.Errorf("last moved %+v", m)
	}
	f := b.Fixes[len(b.Fixes)-1]
	if f.At.Add(f.ValidFor) != at(heard) {
		t.Errorf("the last stored fix %+v does not end when the tag was last heard", f)
	}
}

// All receivers were off, so nobody can tell whether the tag was away. It is seen
// elsewhere afterwards: its visit ends when it was heard last, and so does its fix.
func TestAFixDoesNotOutlastAVisit(t *testing.T) {
	b := newBench(t)
	b.stands(2, 10, 20)
	b.stands(18, 100, 110)
	if len(b.Visits) < 2 || b.Visits[1].LeftAt.IsZero() {
		t.Fatalf("visits %+v", b.Visits)
	}
	held := map[schema.EventTime]schema.EventTime{}
	for _, f := range b.Fixes {
		held[f.At] = f.At.Add(f.ValidFor)
	}
	for from, until := range held {
		if from < at(20) && until > at(19.5) {
			t.Errorf("the fix of %v holds up to %v, and the tag was heard up to %v", from, until, at(19.5))
		}
	}
}

func TestRecoverGoesBackToTheLastCommit(t *testing.T) {
	b := newBench(t)
	b.stands(2, 10, 20)
	b.state.Commit()
	b.Reset()
	b.stands(18, 20, 30)
	if len(b.Visits) != 2 {
		t.Fatalf("visits %+v", b.Visits)
	}
	b.state.Recover()
	b.Reset()
	b.stands(18, 30, 40)
	if len(b.Visits) != 2 || b.Visits[0].Zone != kitchen || b.Visits[0].LeftAt.IsZero() || b.Visits[1].Zone != hall {
		t.Errorf("after the recovery %+v: the visit of before was not ended", b.Visits)
	}
}

func TestClearEndsWhatIsOpen(t *testing.T) {
	b := newBench(t)
	b.stands(2, 10, 20)
	b.Reset()
	b.state.Clear(&b.Effects)
	if len(b.Visits) != 1 || b.Visits[0].LeftAt != at(19.5) || len(b.Zones) != 1 || b.Zones[0].Inside {
		t.Errorf("visits %+v, zones %+v", b.Visits, b.Zones)
	}
	b.Reset()
	b.state.Clear(&b.Effects)
	if len(b.Visits) != 0 {
		t.Errorf("ended twice: %+v", b.Visits)
	}
}

func TestZonesKeepTheirIdentityWhenThePlanIsEdited(t *testing.T) {
	b := newBench(t)
	b.stands(2, 10, 20)
	before := b.Moved[len(b.Moved)-1]
	b.layout.Zones = []schema.Zone{{ID: schema.ZoneID{9}, Polygon: b.layout.Zones[1].Polygon}, b.layout.Zones[0]}
	b.layouts.Put(b.layout)
	b.stands(2, 20, 30)
	if len(b.Visits) != 1 || b.Visits[0].Zone != kitchen {
		t.Errorf("visits %+v: the tag did not move", b.Visits)
	}
	after := b.Moved[len(b.Moved)-1]
	if d := after.X - before.X; d > 1 || d < -1 || after.Zone != kitchen {
		t.Errorf("moved from %+v to %+v by an edit of zones", before, after)
	}
	b.stands(18, 30, 50)
	if last := b.Visits[len(b.Visits)-1]; last.Zone != (schema.ZoneID{9}) {
		t.Errorf("entered %v, want the new zone", last.Zone)
	}
}

func TestABrokenZoneCostsOnlyItself(t *testing.T) {
	b := newBench(t)
	cross := []schema.Point{{X: 0, Y: 0}, {X: 1, Y: 1}, {X: 1, Y: 0}, {X: 0, Y: 1}}
	b.layout.Zones = append([]schema.Zone{{ID: schema.ZoneID{9}, Polygon: cross}}, b.layout.Zones...)
	b.layouts.Put(b.layout)
	b.stands(2, 10, 20)
	if len(b.Visits) != 1 || b.Visits[0].Zone != kitchen {
		t.Errorf("visits %+v", b.Visits)
	}
}

func TestAPlanWithoutReceiversHasNoFixes(t *testing.T) {
	b := newBench(t)
	b.layout.Receivers = nil
	b.layouts.Put(b.layout)
	b.stands(2, 10, 20)
	b.wantFixed()
	b.layouts.Remove(planID)
	b.stands(2, 20, 30)
	b.wantFixed()
}

func TestMemoryIsBounded(t *testing.T) {
	b := newBench(t)
	b.cfg.MaxReceivers, b.cfg.MaxSamples = 2, 16
	for s := 10; s < 12; s++ {
		for r := range 3 {
			b.hears(r, float64(s)+float64(r)/10, slices.Repeat([]float64{-50}, 50)...)
		}
	}
	b.delivers(0, 20)
	b.delivers(2, 20)
	if len(b.Moved) == 0 {
		t.Error("no fix with little room")
	}
	for _, m := range b.Moved {
		if m.Receivers > 2 {
			t.Errorf("%d receivers, room for 2", m.Receivers)
		}
	}
}

func TestSweepRetiresTheAbsentAndRestsTheUnheard(t *testing.T) {
	b := newBench(t)
	b.stands(2, 10, 20)
	seen := at(19.5).Time()
	if b.state.Sweep(seen.Add(24 * time.Hour)) {
		t.Error("a present tag was retired")
	}
	b.stands(2, 20, 30) // it comes out of its rest
	if len(b.Visits) != 1 || len(b.fixed()) < 18 {
		t.Errorf("after the rest: visits %+v, fixed %v", b.Visits, b.fixed())
	}
	for r := range 3 {
		b.delivers(r, 100)
	}
	seen = at(29.5).Time()
	if b.state.Sweep(seen.Add(9*time.Minute)) || !b.state.Sweep(seen.Add(10*time.Minute)) {
		t.Error("an absent tag is retired 10 minutes after it was last heard")
	}
}

func TestHearingDoesNotAllocate(t *testing.T) {
	b := newBench(t)
	b.stands(2, 10, 40)
	b.state.Commit()
	frames := make([]*tag.Heard, 3)
	second := 40
	n := testing.AllocsPerRun(200, func() {
		for r := range frames {
			frames[r] = &tag.Heard{Frame: &tag.Frame{
				Source:    schema.Source{Organisation: key.Organisation, Device: device(r), Plan: planID, Receiver: schema.ReceiverID{byte(r)}},
				Delivered: at(float64(second) + 0.5),
			}, Samples: []tag.Sample{{At: at(float64(second) + 0.5), RSSI: schema.CentiDBm(-4800 - 1000*r)}}}
			b.Reset()
			b.state.Heard(frames[r], &b.Effects)
		}
		second++
	})
	if n > 9 { // the three frames themselves, three allocations each
		t.Errorf("%.1f allocations per second of three receivers and one fix", n)
	}
}
