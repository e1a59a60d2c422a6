package device_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"mybeacon/actors/device"
	"mybeacon/actors/tag"
	"mybeacon/schema"
)

var source = schema.Source{
	Organisation: schema.OrganisationID{1}, Device: schema.DeviceID{2}, Location: schema.LocationID{3},
	Plan: schema.PlanID{4}, Receiver: schema.ReceiverID{5}, KeepDays: 7,
}

// second is a frame's end in ms; the frame hears tags half a second before.
func frame(seq uint64, second int, tags ...byte) *schema.FrameAdmitted {
	f := &schema.FrameAdmitted{Source: source, BootID: "a", Seq: seq, SentAt: schema.EventTime(second * 1000)}
	for _, n := range tags {
		o := schema.Observation{At: f.SentAt - 500, RSSI: -6000 - schema.CentiDBm(len(f.Observations))}
		f.Observations = append(f.Observations, schema.Heard{Observation: o, Tag: schema.TagID{n}})
	}
	return f
}

func newState() *device.State {
	cfg := device.DefaultConfig()
	return device.New(&cfg, source.Device)
}

// take gives a frame and returns what each tag was told.
func take(t *testing.T, s *device.State, f *schema.FrameAdmitted) (heard map[byte]*tag.Heard, told map[byte]schema.EventTime) {
	t.Helper()
	out, v := s.Frame(f, nil)
	if v != device.Fresh {
		t.Fatalf("frame %d was judged %d", f.Seq, v)
	}
	heard, told = map[byte]*tag.Heard{}, map[byte]schema.EventTime{}
	for _, d := range out {
		switch m := d.Msg.(type) {
		case *tag.Heard:
			if heard[d.Tag[0]] != nil {
				t.Fatalf("two messages for tag %d of one frame", d.Tag[0])
			}
			heard[d.Tag[0]] = m
		case *tag.Progress:
			told[d.Tag[0]] = m.Delivered
		}
	}
	return heard, told
}

func TestOneMessagePerTagAndFrame(t *testing.T) {
	heard, _ := take(t, newState(), frame(1, 10, 1, 2, 1, 0, 1))
	if len(heard) != 2 || len(heard[1].Samples) != 3 || len(heard[2].Samples) != 1 {
		t.Fatalf("heard %v", heard)
	}
	if got := heard[1].Samples; got[0].RSSI != -6000 || got[1].RSSI != -6002 || got[2].RSSI != -6004 {
		t.Errorf("samples %v are not the tag's", got)
	}
	if h := heard[1].Frame; h.Source != source || h.Delivered != 10_000 || h != heard[2].Frame {
		t.Errorf("frame %+v", h)
	}
}

func TestLateAndUnplacedMoveNobody(t *testing.T) {
	s := newState()
	late := frame(1, 10, 1, 2)
	late.Observations[0].Late = true
	if heard, _ := take(t, s, late); len(heard) != 1 || heard[2] == nil {
		t.Errorf("a late observation was passed on: %v", heard)
	}
	unplaced := frame(2, 11, 1)
	unplaced.Plan = schema.PlanID{}
	if heard, _ := take(t, s, unplaced); len(heard) != 0 {
		t.Errorf("a receiver on no plan moves %v", heard)
	}
}

func TestProgressIsToldToTagsThatMayBeAbsent(t *testing.T) {
	s := newState()
	take(t, s, frame(1, 10, 1, 2))
	take(t, s, frame(2, 11, 2))
	f := func(in *schema.FrameAdmitted, tags ...byte) {
		t.Helper()
		_, told := take(t, s, in)
		if len(told) != len(tags) {
			t.Errorf("frame %d: told %v, want tags %v", in.Seq, told, tags)
		}
		for _, n := range tags {
			if told[n] != in.SentAt {
				t.Errorf("frame %d: told %v, want tag %d", in.Seq, told, n)
			}
		}
	}
	// Tag 1 was heard at 9.5 s, tag 2 at 10.5 s. Nobody is absent within 60 s, and the
	// last word is the first after more than Remember, 73 s.
	f(frame(3, 69))
	f(frame(4, 70), 1)
	half := frame(5, 70)
	half.SentAt += 500
	f(half) // within the same second
	f(frame(6, 71), 1, 2)
	f(frame(7, 83), 1, 2)
	f(frame(8, 84), 2)
	f(frame(9, 85))
}

// sequence is a device whose tag 1 is in every frame.
type sequence struct {
	t *testing.T
	*device.State
}

// f gives a frame and checks which frames reach the tag, in order, as up to when each
// says that the device has delivered, and how far the plan is told that it has.
func (s sequence) f(in *schema.FrameAdmitted, through schema.EventTime, want ...schema.EventTime) {
	s.t.Helper()
	out, v := s.Frame(in, nil)
	if v != device.Fresh {
		s.t.Fatalf("frame %d was judged %d", in.Seq, v)
	}
	var got []schema.EventTime
	for _, d := range out {
		if h, heard := d.Msg.(*tag.Heard); heard {
			got = append(got, h.Frame.Delivered)
		}
	}
	w := s.Word()
	if !slices.Equal(got, want) || w.Through != through || len(w.Tags) != len(want) {
		s.t.Errorf("frame %d: told %v, want %v; the plan up to %d about %v, want %d", in.Seq, got, want, w.Through, w.Tags, through)
	}
}

func TestFramesAreTakenInTheirOrder(t *testing.T) {
	s := sequence{t, newState()}
	s.f(frame(2, 11, 1), 6_000) // the first may be on its way
	s.f(frame(1, 10, 1), 11_000, 10_000, 11_000)
	s.f(frame(4, 13, 1), 11_000)
	s.f(frame(3, 12, 1), 13_000, 12_000, 13_000)
	s.f(frame(7, 16, 1), 13_000)
	s.f(frame(6, 15, 1), 13_000)
	s.f(frame(9, 18, 1), 13_000)
	s.f(frame(10, 19, 1), 13_000)
	// 5 s newer than the first behind the gap, which is behind another one.
	s.f(frame(11, 20, 1), 16_000, 15_000, 16_000)
	s.f(frame(5, 14, 1), 16_000, 16_000) // what comes after all takes nothing back
	s.f(frame(8, 17, 1), 20_000, 17_000, 18_000, 19_000, 20_000)
}

func TestAStartSeenLateBeginsThere(t *testing.T) {
	s := sequence{t, newState()}
	s.f(frame(5001, 11, 1), 11_000, 11_000)
	s.f(frame(5000, 10, 1), 11_000, 11_000)
}

// TestAClockThatJumps sets the device's clock forward and back within a start.
func TestAClockThatJumps(t *testing.T) {
	s := sequence{t, newState()}
	s.f(frame(1, 10, 1), 10_000, 10_000)
	s.f(frame(2, 200, 1), 200_000, 200_000)
	s.f(frame(3, 12, 1), 12_000, 12_000)
	s.f(frame(5, 14, 1), 12_000)
	s.f(frame(4, 13, 1), 14_000, 13_000, 14_000)
	if _, told := take(t, s.State, frame(6, 80)); told[1] != 80_000 {
		t.Errorf("told %v: of the silence after 14 s the tag has heard nothing", told)
	}
}

// TestWhatWaitedIsNotToldElsewhere moves a device while a frame of it waits for its turn.
func TestWhatWaitedIsNotToldElsewhere(t *testing.T) {
	f := func(what string, move func(*schema.FrameAdmitted), want int) {
		t.Helper()
		s := newState()
		take(t, s, frame(1, 10, 1))
		take(t, s, frame(3, 12, 1))
		moved := frame(2, 11, 2)
		move(moved)
		out, _ := s.Frame(moved, nil)
		if len(out) != want {
			t.Errorf("%s: %d messages of both frames, want %d", what, len(out), want)
		}
		if w := s.Word(); w != nil && len(w.Tags) != want {
			t.Errorf("%s: the plan is told of %v", what, w.Tags)
		}
	}
	f("nowhere", func(*schema.FrameAdmitted) {}, 2)
	f("to another plan", func(f *schema.FrameAdmitted) { f.Plan = schema.PlanID{99} }, 1)
	f("off the plan", func(f *schema.FrameAdmitted) { f.Plan = schema.PlanID{} }, 1)
	f("to another organisation", func(f *schema.FrameAdmitted) { f.Organisation = schema.OrganisationID{99} }, 1)
	f("to no organisation", func(f *schema.FrameAdmitted) { f.Organisation = schema.OrganisationID{} }, 0)
}

// TestASpoolDoesNotHoldTheLiveOnesBack lets an old start and the present one come by
// turns; and the old one's clock was ahead.
func TestASpoolDoesNotHoldTheLiveOnesBack(t *testing.T) {
	s := sequence{t, newState()}
	live := func(seq uint64, second int) *schema.FrameAdmitted {
		f := frame(seq, second, 1)
		f.BootID = "b"
		return f
	}
	s.f(frame(100, 10, 1), 10_000, 10_000)
	for n := uint64(1); n < 5; n++ {
		now := 100 + int(n)
		s.f(live(n, now), at(now), at(now))
		s.f(frame(100+n, 10+int(n), 1), at(now), at(now))
	}
	s.f(frame(105, 400, 1), at(400), at(400))
	for n := uint64(5); n < 68; n++ {
		s.f(live(n, 100+int(n)), at(400), at(400))
	}
	s.f(live(68, 168), at(168), at(168))
}

func at(second int) schema.EventTime { return schema.EventTime(second * 1000) }

func TestANewBootStartsAnew(t *testing.T) {
	s := newState()
	take(t, s, frame(100, 10, 1))
	b := frame(1, 11, 1)
	b.BootID = "b"
	if heard, _ := take(t, s, b); heard[1].Frame.Delivered != 11_000 {
		t.Errorf("delivered %d", heard[1].Frame.Delivered)
	}
	if _, v := s.Frame(frame(100, 10, 1), nil); v != device.Repeated {
		t.Errorf("a repeated frame of the earlier boot was judged %d", v)
	}
}

func TestAnotherOrganisationsTagsAreForgotten(t *testing.T) {
	s := newState()
	take(t, s, frame(1, 10, 1))
	moved := frame(2, 11)
	moved.Organisation = schema.OrganisationID{99}
	if _, told := take(t, s, moved); len(told) != 0 {
		t.Errorf("told %v of the organisation that the device left", told)
	}
}

// TestEachFrameCountsOnce compares the judgement of repeated frames with a set.
func TestEachFrameCountsOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		s, seen, high := newState(), map[uint64]bool{}, uint64(0)
		seq := uint64(rng.IntN(5000)) + 2000
		for range 500 {
			switch rng.IntN(4) {
			case 0:
				seq += uint64(rng.IntN(2000))
			default:
				seq += uint64(rng.IntN(20)) - min(uint64(10), seq-1)
			}
			_, v := s.Frame(frame(seq, 10), nil)
			high = max(high, seq)
			want := device.Fresh
			if high-seq >= 1024 {
				want = device.Stale
			} else if seen[seq] {
				want = device.Repeated
			}
			if v != want {
				t.Fatalf("frame %d after %d was judged %d, want %d", seq, high, v, want)
			}
			seen[seq] = true
		}
	})
}

// TestProgressNeverClaimsWhatIsMissing delivers frames out of order, but within
// the hold, and checks that no frame with earlier news comes afterwards.
func TestProgressNeverClaimsWhatIsMissing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const n = 40
		order := make([]int, n)
		for i := range order {
			order[i] = i + 1
		}
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		for i := 1; i+1 < n; i += 2 { // neighbours change places, the first stays
			if rng.IntN(2) == 0 {
				order[i], order[i+1] = order[i+1], order[i]
			}
		}
		s, claimed := newState(), schema.EventTime(0)
		for _, i := range order {
			f := frame(uint64(i), i, 1)
			if f.SentAt <= claimed {
				t.Fatalf("frame %d tells up to %d after %d was claimed", i, f.SentAt, claimed)
			}
			out, _ := s.Frame(f, nil)
			for _, d := range out {
				if h, ok := d.Msg.(*tag.Heard); ok {
					claimed = h.Frame.Delivered
				}
			}
		}
		if claimed != n*1000 {
			t.Fatalf("claimed %d in the end, want all", claimed)
		}
	})
}

// However many frames a device sends within a second, few wait behind a gap.
func TestWhatWaitsIsBounded(t *testing.T) {
	s := newState()
	take(t, s, frame(1, 10, 1))
	released := 0
	for seq := uint64(3); seq < 203; seq++ {
		out, _ := s.Frame(frame(seq, 11, 1), nil)
		released += len(out)
	}
	if released < 100 {
		t.Errorf("%d of 200 frames did not wait for one", released)
	}
}

func TestRememberedTagsAreBounded(t *testing.T) {
	cfg := device.DefaultConfig()
	cfg.MaxTags = 2
	s := device.New(&cfg, source.Device)
	take(t, s, frame(1, 10, 1, 2, 3, 4))
	if _, told := take(t, s, frame(2, 71)); len(told) != 2 {
		t.Errorf("%d tags remembered, room for 2", len(told))
	}
}

func TestHealth(t *testing.T) {
	s, t0 := newState(), time.UnixMilli(0).UTC()
	if _, due := s.Health(t0); due {
		t.Error("told of a device that was never seen")
	}
	arrived := func(seq uint64, sentS, delayMS int) {
		f := frame(seq, sentS)
		f.ArrivedAt = f.SentAt.Time().Add(time.Duration(delayMS) * time.Millisecond)
		s.Frame(f, nil)
	}
	arrived(1, 10, 300)
	arrived(2, 11, 100)
	arrived(3, 12, 900)
	h, due := s.Health(t0.Add(13 * time.Second))
	if !due || !h.Online || h.FramesTotal != 3 || h.ClockOffset != -100*time.Millisecond {
		t.Errorf("health %+v, %v; the least delayed frame is the truest", h, due)
	}
	arrived(4, 14, 0)
	if _, due := s.Health(t0.Add(14 * time.Second)); due {
		t.Error("told twice within 10 s")
	}
	if _, due := s.Health(t0.Add(23 * time.Second)); !due {
		t.Error("not told after 10 s")
	}
	if h, due := s.Health(t0.Add(45 * time.Second)); !due || h.Online {
		t.Errorf("31 s of silence: %+v, %v", h, due)
	}
	s.Connected(source, t0.Add(50*time.Second))
	s.Connected(source, t0.Add(51*time.Second))
	s.Disconnected()
	if h, due := s.Health(t0.Add(200 * time.Second)); !due || !h.Online {
		t.Errorf("one of two connections is open: %+v, %v", h, due)
	}
	s.Disconnected()
	s.Disconnected() // one too many must not hide the next connection
	if h, due := s.Health(t0.Add(201 * time.Second)); !due || h.Online {
		t.Errorf("no connection and no frame: %+v, %v", h, due)
	}
	s.Connected(source, t0.Add(300*time.Second))
	if h, due := s.Health(t0.Add(300 * time.Second)); !due || !h.Online {
		t.Errorf("connected again: %+v, %v", h, due)
	}
}

func TestIdleOnlyWhenNoTagWaits(t *testing.T) {
	s := newState()
	f := frame(1, 10, 1)
	f.ArrivedAt = time.UnixMilli(10_000)
	take(t, s, f)
	hours := time.UnixMilli(10_000).Add(time.Hour)
	if s.Idle(hours, time.Minute) {
		t.Error("idle while a tag waits for its progress")
	}
	take(t, s, frame(2, 100))
	if !s.Idle(hours, time.Minute) {
		t.Error("not idle though nobody waits")
	}
	s.Connected(source, hours)
	if s.Idle(hours.Add(time.Hour), time.Minute) {
		t.Error("idle while connected")
	}
}
