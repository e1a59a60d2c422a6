package sim_test

import (
	"math"
	"reflect"
	"testing"
	"time"

	"mybeacon/bench/sim"
	"mybeacon/schema"
)

var morning = schema.EventTimeOf(time.Date(2026, 1, 1, 9, 0, 0, 0, time.UTC))

func world(t testing.TB, change func(*sim.Config)) *sim.World {
	t.Helper()
	cfg := sim.DefaultConfig()
	if change != nil {
		change(&cfg)
	}
	w, err := sim.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// run makes seconds of life and calls each with what was heard.
func run(w *sim.World, seconds int, each func(second int, frames []sim.FrameOf)) {
	for s := range seconds {
		each(s, w.Step(morning.Add(time.Duration(s)*time.Second)))
	}
}

func TestSameSeedSameFrames(t *testing.T) {
	var first, second, other [][]sim.FrameOf
	run(world(t, nil), 120, func(_ int, f []sim.FrameOf) { first = append(first, f) })
	run(world(t, nil), 120, func(_ int, f []sim.FrameOf) { second = append(second, f) })
	run(world(t, func(c *sim.Config) { c.Seed = 2 }), 120, func(_ int, f []sim.FrameOf) { other = append(other, f) })
	// reflect, because cmp's search for the smallest difference takes minutes here.
	if !reflect.DeepEqual(first, second) {
		t.Error("two runs with one seed differ")
	}
	if reflect.DeepEqual(first, other) {
		t.Error("another seed gives the same frames")
	}
}

func TestFramesAreWellFormed(t *testing.T) {
	w := world(t, nil)
	known := map[schema.Transmitter]bool{}
	for _, tag := range w.Tags() {
		known[tag.Transmitter] = true
	}
	heard := 0
	run(w, 300, func(second int, frames []sim.FrameOf) {
		if len(frames) != len(w.Receivers()) {
			t.Fatalf("%d frames, want one per receiver", len(frames))
		}
		from := morning.Add(time.Duration(second) * time.Second)
		for i, f := range frames {
			if f.Receiver != i || f.Frame.Seq != uint64(second+1) || f.Frame.SentAt != from.Add(time.Second) || f.Frame.BootID != "sim" {
				t.Fatalf("frame %d: %+v", i, f)
			}
			last := from
			for _, o := range f.Frame.Observations {
				if o.At < last || o.At >= f.Frame.SentAt || !known[o.Transmitter] || o.RSSI%100 != 0 || o.RSSI < -11000 || o.RSSI > -1000 {
					t.Fatalf("second %d, receiver %d: %+v", second, i, o)
				}
				last = o.At
				heard++
			}
		}
	})
	// 60 tags send about 1.3 packets a second; each is heard by several receivers.
	if perSecond := float64(heard) / 300; perSecond < 60*1.3*4 || perSecond > 60*1.4*14 {
		t.Errorf("%.0f observations a second from 60 tags", perSecond)
	}
}

func TestTagsDiffer(t *testing.T) {
	for _, language := range []string{"ru", "en"} {
		w := world(t, func(c *sim.Config) { c.Tags, c.Language = sim.MaxTags, language })
		names, transmitters, kinds := map[string]bool{}, map[schema.Transmitter]bool{}, map[string]int{}
		for _, tag := range w.Tags() {
			names[tag.Name], transmitters[tag.Transmitter] = true, true
			kinds[tag.Type]++
		}
		if len(names) != sim.MaxTags || len(transmitters) != sim.MaxTags {
			t.Errorf("%s: %d names and %d transmitters for %d tags", language, len(names), len(transmitters), sim.MaxTags)
		}
		if kinds["person"] != 1200 || kinds["asset"] != 600 || kinds["vehicle"] != 200 {
			t.Errorf("%s: %v", language, kinds)
		}
	}
	ru, en := world(t, func(c *sim.Config) { c.Language = "ru" }), world(t, nil)
	if ru.Zones()[2].Name != "Столовая" || en.Zones()[2].Name != "Canteen" || ru.Tags()[0].Name == en.Tags()[0].Name {
		t.Errorf("names do not follow the language: %s, %s", ru.Zones()[2].Name, en.Zones()[2].Name)
	}
}

func crosses(a, b, p, q schema.Point) bool {
	side := func(p, q, r schema.Point) float64 { return (q.X-p.X)*(r.Y-p.Y) - (q.Y-p.Y)*(r.X-p.X) }
	return side(a, b, p)*side(a, b, q) < 0 && side(p, q, a)*side(p, q, b) < 0
}

func inside(z sim.Zone, x, y float64) bool {
	return x >= z.Polygon[0].X && x <= z.Polygon[2].X && y >= z.Polygon[0].Y && y <= z.Polygon[2].Y
}

// Nobody runs, goes through walls or leaves the house, and the truth's zone is
// the one the position is in.
func TestPeopleObeyTheHouse(t *testing.T) {
	w := world(t, func(c *sim.Config) { c.Tags = 100 })
	walls, zones, bounds := w.Walls(), w.Zones(), sim.Bounds()
	before := w.Truth()
	moved := make([]float64, len(before))
	visited := map[int]bool{}
	run(w, 1800, func(second int, _ []sim.FrameOf) {
		now := w.Truth()
		for i, p := range now {
			q := before[i]
			step := math.Hypot(p.X-q.X, p.Y-q.Y)
			moved[i] += step
			visited[p.Zone] = true
			if step > 1.6 {
				t.Fatalf("second %d: tag %d went %.2f m", second, i, step)
			}
			if p.X < bounds.Min.X || p.X > bounds.Max.X || p.Y < bounds.Min.Y || p.Y > bounds.Max.Y {
				t.Fatalf("second %d: tag %d is outside at %+v", second, i, p)
			}
			if p.Zone >= 0 && !inside(zones[p.Zone], p.X, p.Y) {
				t.Fatalf("second %d: tag %d at %+v is not in its zone", second, i, p)
			}
			// Two legs within one second may cut the corner of a door.
			for _, wall := range walls {
				if p.Zone != q.Zone && nearDoor(w, p) {
					continue
				}
				if crosses(wall[0], wall[1], schema.Point{X: q.X, Y: q.Y}, schema.Point{X: p.X, Y: p.Y}) {
					t.Fatalf("second %d: tag %d went through a wall from %+v to %+v", second, i, q, p)
				}
			}
		}
		before = now
	})
	checkRoutines(t, w, moved)
	if len(visited) != len(zones)+1 {
		t.Errorf("only %d of %d zones were visited in half an hour", len(visited), len(zones)+1)
	}
}

// nearDoor reports whether a doorway is within two metres: no wall piece is
// straight ahead there.
func nearDoor(w *sim.World, p sim.Position) bool {
	for _, wall := range w.Walls() {
		for _, end := range wall {
			if math.Hypot(end.X-p.X, end.Y-p.Y) < 2.5 {
				return true
			}
		}
	}
	return false
}

// checkRoutines: people walk a lot, things hardly.
func checkRoutines(t *testing.T, w *sim.World, moved []float64) {
	t.Helper()
	sum, count := map[string]float64{}, map[string]float64{}
	for i, tag := range w.Tags() {
		sum[tag.Type] += moved[i]
		count[tag.Type]++
	}
	people, things := sum["person"]/count["person"], sum["asset"]/count["asset"]
	if people < 50 || people > 1500 || things > people/3 {
		t.Errorf("in half an hour people went %.0f m, things %.0f m", people, things)
	}
}

// TestRadio fits what was heard of things at rest against distance: the level
// must fall as the model says, with the spread of walls, shadowing and fading.
func TestRadio(t *testing.T) {
	w := world(t, func(c *sim.Config) { c.Tags = 200 })
	tags, receivers := w.Tags(), w.Receivers()
	index := map[schema.Transmitter]int{}
	for i, tag := range tags {
		index[tag.Transmitter] = i
	}
	var n, sx, sy, sxx, sxy float64
	near, far := [2]float64{}, [2]float64{} // heard, seconds
	run(w, 120, func(_ int, frames []sim.FrameOf) {
		truth := w.Truth()
		for _, f := range frames {
			r := receivers[f.Receiver]
			distance := func(i int) float64 {
				return math.Sqrt(math.Pow(r.X-truth[i].X, 2) + math.Pow(r.Y-truth[i].Y, 2) + math.Pow(r.Z-sim.TagHeightM, 2))
			}
			for i := range tags {
				if d := distance(i); d < 6 {
					near[1]++
				} else if d > 30 {
					far[1]++
				}
			}
			for _, o := range f.Frame.Observations {
				i := index[o.Transmitter]
				d := distance(i)
				if d < 6 {
					near[0]++
				} else if d > 30 {
					far[0]++
				}
				if tags[i].Type != "asset" || d > 12 { // farther, weak ones are missed and bend the line
					continue
				}
				x, y := math.Log10(d), o.RSSI.DBm()
				n, sx, sy, sxx, sxy = n+1, sx+x, sy+y, sxx+x*x, sxy+x*y
			}
		}
	})
	slope := (n*sxy - sx*sy) / (n*sxx - sx*sx)
	level := (sy - slope*sx) / n
	// Walls make it steeper than the 22 dB a decade of free air in the model.
	if slope > -20 || slope < -45 || level > -50 || level < -68 {
		t.Errorf("level %.1f dBm at 1 m, %.1f dB per decade over %v observations", level, slope, n)
	}
	if rate := near[0] / near[1]; rate < 1 {
		t.Errorf("within 6 m only %.2f packets a second are heard", rate)
	}
	if near[0]/near[1] < 2*far[0]/far[1] {
		t.Errorf("packets a second: %.2f within 6 m, %.2f beyond 30 m", near[0]/near[1], far[0]/far[1])
	}
}

func TestConfig(t *testing.T) {
	for name, change := range map[string]func(*sim.Config){
		"no tags": func(c *sim.Config) { c.Tags = 0 }, "too many": func(c *sim.Config) { c.Tags = sim.MaxTags + 1 },
		"language": func(c *sim.Config) { c.Language = "fr" }, "no boot id": func(c *sim.Config) { c.BootID = "" },
	} {
		cfg := sim.DefaultConfig()
		change(&cfg)
		if _, err := sim.New(cfg); schema.KindOf(err) != schema.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// BenchmarkStep is one second of 200 tags; a demonstration beside the server on
// two cores must cost next to nothing.
func BenchmarkStep(b *testing.B) {
	w := world(b, func(c *sim.Config) { c.Tags = 200 })
	heard, at := 0, morning
	for b.Loop() {
		for _, f := range w.Step(at) {
			heard += len(f.Frame.Observations)
		}
		at = at.Add(time.Second)
	}
	b.ReportMetric(float64(heard)/float64(b.N), "observations/op")
}
