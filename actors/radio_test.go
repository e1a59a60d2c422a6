package actors_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"mybeacon/schema"
)

// radio is what one receiver hears of one tag that rests: free space, the shadow of
// walls and furniture, the drift of people and doors that move, fading from packet
// to packet with heavy tails, and misses.
type radio struct {
	rng           *rand.Rand
	shadow, drift float64 // dB
}

func newRadio(seed, n uint64) *radio {
	r := &radio{rng: rand.New(rand.NewPCG(seed, n))}
	r.shadow, r.drift = 1.5*r.rng.NormFloat64(), r.rng.NormFloat64()
	return r
}

// hear returns the power of the next second's packet from d metres.
func (r *radio) hear(d float64) (dbm float64, heard bool) {
	const keep = 0.97 // for half a minute
	r.drift = keep*r.drift + math.Sqrt(1-keep*keep)*r.rng.NormFloat64()
	fading := 3 * r.rng.NormFloat64() / math.Sqrt(0.5+r.rng.ExpFloat64()/2)
	return -60 - 20*math.Log10(math.Max(d, 0.3)) + r.shadow + r.drift + fading, r.rng.Float64() > 0.15
}

// scene is tags at places, and who hears them.
type scene struct {
	layout schema.Layout
	at     []schema.Point
	radios [][]*radio // per receiver and tag
}

func newScene(l schema.Layout, seed uint64, at ...schema.Point) *scene {
	s := &scene{layout: l, at: at}
	for r := range l.Receivers {
		row := make([]*radio, len(at))
		for i := range row {
			row[i] = newRadio(seed, uint64(r*100+i))
		}
		s.radios = append(s.radios, row)
	}
	return s
}

// frames returns what the receivers send of one second.
func (s *scene) frames(second int) []schema.FrameAdmitted {
	begin := schema.EventTimeOf(origin) + schema.EventTime(second*1000)
	var out []schema.FrameAdmitted
	for r, p := range s.layout.Receivers {
		f := schema.FrameAdmitted{
			Source: sourceOf(&s.layout, r), BootID: "boot", Seq: uint64(second + 1),
			SentAt: begin + 1000, ArrivedAt: (begin + 1010).Time(),
		}
		for i, at := range s.at {
			d := math.Hypot(math.Hypot(at.X-p.X, at.Y-p.Y), p.Z-1)
			if dbm, heard := s.radios[r][i].hear(d); heard {
				o := schema.Observation{At: begin + schema.EventTime(100*i%900), RSSI: schema.CentiDBmOf(dbm)}
				f.Observations = append(f.Observations, schema.Heard{Observation: o, Tag: tagID(i)})
			}
		}
		out = append(out, f)
	}
	return out
}

// live lets so many seconds pass, each settled before the next.
func (s *scene) live(t *testing.T, w *world, from, to int) {
	t.Helper()
	w.layouts.Put(s.layout)
	for second := from; second < to; second++ {
		for _, f := range s.frames(second) {
			w.Frame(f)
		}
		w.settle(t)
	}
}

// TestAStillTagStaysInItsZone: an hour, more than 2 m from any border. One change
// is allowed, none is wanted. There are no lasting shadows here: those may put the
// position of a tag onto a border, and there its zone does flicker.
func TestAStillTagStaysInItsZone(t *testing.T) {
	t.Parallel()
	at := []schema.Point{
		{X: 7, Y: 2}, {X: 13, Y: 8}, // nearest to the border and farthest from receivers
	}
	s := newScene(hallAndKitchen(6), 1, at...)
	for _, row := range s.radios {
		for _, r := range row {
			r.shadow = 0
		}
	}
	w := newWorld(t, nil)
	defer w.end(t)
	s.live(t, w, 0, 3600)
	zones, changes := map[schema.TagID][]schema.ZoneID{}, 0
	for _, m := range w.rec.Moved() {
		if z := zones[m.Tag]; len(z) == 0 || z[len(z)-1] != m.Zone {
			zones[m.Tag] = append(z, m.Zone)
		}
	}
	for i, p := range at {
		want := kitchen
		if p.X > 10 {
			want = hall
		}
		z := zones[tagID(i)]
		if len(z) == 0 || len(z) > 2 || z[len(z)-1] != want {
			t.Errorf("the tag at %v was shown in %v", p, z)
		}
		changes += len(z) - 1
	}
	if n := len(w.rec.Final()); n > len(at)+changes || n < len(at) {
		t.Errorf("%d visits of %d tags that did not move", n, len(at))
	}
}

// TestAUselessReceiverChangesNothingMuch adds one that hears all tags alike, at the
// limit of hearing, whatever their places.
func TestAUselessReceiverChangesNothingMuch(t *testing.T) {
	t.Parallel()
	at := []schema.Point{{X: 3, Y: 4}, {X: 8, Y: 7}, {X: 12, Y: 3}, {X: 17, Y: 6}}
	run := func(layout schema.Layout) []schema.TagMoved {
		w := newWorld(t, nil)
		defer w.end(t)
		s := newScene(layout, 2, at...)
		if len(layout.Receivers) > 6 {
			for i := range at {
				s.radios[6][i].shadow = 0
			}
		}
		s.live(t, w, 0, 120)
		return w.rec.Moved()
	}
	with := hallAndKitchen(6)
	// 100 m up it is as far from all places on the plan: −100 dBm.
	with.Receivers = append(with.Receivers, schema.Placement{Receiver: schema.ReceiverID{7, 15: 99}, Device: deviceID(99), X: 10, Y: 5, Z: 101})
	a, b := run(hallAndKitchen(6)), run(with)
	if len(a) != len(b) || len(a) < 400 {
		t.Fatalf("%d fixes, with the useless receiver %d", len(a), len(b))
	}
	var moved []float64
	otherZone := 0
	for i := range a {
		moved = append(moved, math.Hypot(a[i].X-b[i].X, a[i].Y-b[i].Y))
		if a[i].Zone != b[i].Zone {
			otherZone++
		}
	}
	slices.Sort(moved)
	if median, most := moved[len(moved)/2], moved[len(moved)*95/100]; median > 0.3 || most > 1.5 || otherZone*100 > len(a) {
		t.Errorf("moved by %.2f m, 5 %% by more than %.2f m; %d of %d in another zone", median, most, otherZone, len(a))
	}
}
