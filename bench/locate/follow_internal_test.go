package locate

import (
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"mybeacon/bench/recording"
	"mybeacon/schema"
)

// stroll is a made-up recording: a tag stands in the west half for a minute and
// walks into the east half, with noise.
func stroll(seconds int) *recording.Site {
	site := *halves
	site.TagHeightM = 1
	for i, x := range []float64{2, 10, 18} {
		site.Receivers = append(site.Receivers, recording.Receiver{Name: string(rune('a' + i)), X: x, Y: 5, Z: 2.5})
	}
	rng := rand.New(rand.NewPCG(1, 2))
	track := recording.Track{Name: "stroll"}
	for i := range seconds * 3 {
		at := (time.Duration(i)*s/3 + 50*time.Millisecond).Truncate(time.Millisecond) // as recordings are
		x := 3 + min(max(at.Seconds()-60, 0), 14)
		for r, rx := range site.Receivers {
			d := math.Hypot(x-rx.X, rx.Z-site.TagHeightM)
			dbm := -60 - 20*math.Log10(d) + 3*rng.NormFloat64()
			track.Events = append(track.Events, recording.Event{At: at, Receiver: r, RSSI: schema.CentiDBmOf(dbm)})
		}
	}
	site.Tracks = []recording.Track{track}
	return &site
}

func followed(t *testing.T, site *recording.Site, p part, without string) trail {
	t.Helper()
	plant, err := newPlant(layoutOf(site, nil))
	if err != nil {
		t.Fatal(err)
	}
	return follow(site, plant, p, without)
}

func TestFollow(t *testing.T) {
	site := stroll(120)
	tr := followed(t, site, parts(site.Tracks[0])[0], "")
	if len(tr.epochs) != 119 || tr.epochs[0].at != s || tr.epochs[118].at != 119*s || len(tr.spent) != 119 || tr.outside != 0 {
		t.Errorf("%d epochs, %d fixes, %d outside the plan", len(tr.epochs), len(tr.spent), tr.outside)
	}
	if first, last := tr.epochs[30], tr.epochs[118]; first.zone != west || last.zone != east || math.Abs(last.x-17) > 3 {
		t.Errorf("half a minute %+v, at the end %+v", first, last)
	}
	if n := len(tr.visits); n != 2 || tr.visits[0].zone != west || tr.visits[1].zone != east || tr.visits[1].to != math.MaxInt64 {
		t.Fatalf("visits %+v", tr.visits)
	}
	// 7 m of walking are to the border: between 62 s and 75 s it was there.
	if out, in := tr.visits[0].to, tr.visits[1].from; out != in || in < 62*s || in > 75*s {
		t.Errorf("left at %v, entered at %v", out, in)
	}
	for _, e := range tr.epochs {
		if !(e.accuracy > 0 && e.accuracy < e.accuracy95) {
			t.Fatalf("radii %v and %v at %v", e.accuracy, e.accuracy95, e.at)
		}
	}
}

// What is heard after an epoch changes nothing about it.
func TestFollowIsCausal(t *testing.T) {
	site := stroll(100)
	p := parts(site.Tracks[0])[0]
	whole := followed(t, site, p, "")
	for _, until := range []time.Duration{10 * s, 61 * s, 77 * s} {
		cut := p
		n := slices.IndexFunc(p.events, func(e recording.Event) bool { return e.At > until })
		cut.events = append(slices.Clone(p.events[:n]), recording.Event{At: until, RSSI: p.events[n-1].RSSI})
		extra := cut
		extra.events = append(slices.Clone(cut.events), p.events[n:]...)
		short, long := followed(t, site, cut, ""), followed(t, site, extra, "")
		if k := len(short.epochs); k < 9 || !reflect.DeepEqual(short.epochs, long.epochs[:k]) || reflect.DeepEqual(long.epochs, whole.epochs) {
			t.Errorf("the %d epochs until %v depend on what came later", k, until)
		}
	}
}

// Moving the recording in time moves everything with it, also before zero.
func TestFollowFromAnyMoment(t *testing.T) {
	site := stroll(30)
	p := parts(site.Tracks[0])[0]
	want := followed(t, site, p, "")
	for _, by := range []time.Duration{-100 * s, 12345 * s} {
		moved := p
		moved.events = slices.Clone(p.events)
		for i := range moved.events {
			moved.events[i].At += by
		}
		got := followed(t, site, moved, "")
		if len(got.epochs) != len(want.epochs) {
			t.Fatalf("%d epochs, want %d", len(got.epochs), len(want.epochs))
		}
		for i, e := range got.epochs {
			if e.at -= by; e != want.epochs[i] {
				t.Fatalf("moved by %v: %+v, want %+v", by, e, want.epochs[i])
			}
		}
		if got.visits[0].from-by != want.visits[0].from {
			t.Errorf("moved by %v: entered at %v, want %v", by, got.visits[0].from, want.visits[0].from)
		}
	}
}

func TestADeadReceiverIsOneThatSendsNothing(t *testing.T) {
	site := stroll(40)
	p := parts(site.Tracks[0])[0]
	got := followed(t, site, p, "b")
	silent := p
	silent.events = slices.DeleteFunc(slices.Clone(p.events), func(e recording.Event) bool { return e.Receiver == 1 })
	if want := followed(t, site, silent, ""); !reflect.DeepEqual(got.epochs, want.epochs) {
		t.Error("the dead receiver was heard")
	}
	if all := followed(t, site, p, ""); reflect.DeepEqual(got.epochs, all.epochs) {
		t.Error("the receiver makes no difference: the test shows nothing")
	}
}

// A hole in the recording makes the tag absent, does not take a step per second
// of it, and the track goes on behind it.
func TestFollowOverAPause(t *testing.T) {
	site := stroll(40)
	p := parts(site.Tracks[0])[0]
	p.events = slices.Clone(p.events)
	const years = 9e7 * s
	n := slices.IndexFunc(p.events, func(e recording.Event) bool { return e.At > 20*s })
	for i := n; i < len(p.events); i++ {
		p.events[i].At += years
	}
	tr := followed(t, site, p, "")
	within := 0
	for _, e := range tr.epochs {
		if e.at > 21*s && e.at < years {
			within++
		}
	}
	if within < 55 || within > 65 {
		t.Errorf("shown for %d s of the silence, want the timeout of 60 s", within)
	}
	if len(tr.visits) != 2 || tr.visits[0].to > 21*s || tr.visits[1].from < years {
		t.Errorf("visits %+v", tr.visits)
	}
	if last := tr.epochs[len(tr.epochs)-1].at; last != years+39*s {
		t.Errorf("ends at %v", last)
	}
}

func TestParts(t *testing.T) {
	events := []recording.Event{{At: 1500 * time.Millisecond, Receiver: 0}, {At: 1500 * time.Millisecond, Receiver: 1}, {At: 4 * s}}
	if got := parts(recording.Track{Name: "walk", Events: events}); len(got) != 1 || got[0].snapshot || len(got[0].events) != 3 {
		t.Errorf("a walk: %+v", got)
	}
	got := parts(recording.Track{Name: "snapshots", Events: events})
	if len(got) != 2 || !got[0].snapshot || len(got[0].events) != 2 || got[0].origin != events[0].At || got[1].origin != 4*s {
		t.Fatalf("snapshots: %+v", got)
	}
	tr := followed(t, stroll(1), got[0], "")
	if len(tr.epochs) != 1 || tr.epochs[0].at != events[0].At || len(tr.spent) != 1 {
		t.Errorf("a snapshot's epoch is its instant: %+v", tr.epochs)
	}
}

func TestFollowRefusesASiteWithoutPositions(t *testing.T) {
	site := stroll(2)
	site.Bounds.Max = site.Bounds.Min
	if _, err := newPlant(layoutOf(site, nil)); err == nil {
		t.Error("a plan without an area was taken")
	}
}
