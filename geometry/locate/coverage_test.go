package locate_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/golang/geo/r2"
	"github.com/golang/geo/r3"

	"mybeacon/geometry/locate"
)

// fiveHall is 30 x 20 m with a receiver in each corner and one in the middle.
func fiveHall() locate.Site {
	return locate.Site{
		Bounds: r2.RectFromPoints(r2.Point{}, r2.Point{X: 30, Y: 20}), TagHeightM: 1.2,
		Receivers: []r3.Vector{{X: 1, Y: 1, Z: 2.5}, {X: 29, Y: 1, Z: 2.5}, {X: 1, Y: 19, Z: 2.5}, {X: 29, Y: 19, Z: 2.5}, {X: 15, Y: 10, Z: 2.5}},
	}
}

// powerAt is what the receiver hears of a usual tag at p, without noise.
func powerAt(site locate.Site, receiver int, p r2.Point) float64 {
	r := site.Receivers[receiver]
	return -60 - 20*math.Log10(math.Sqrt((p.X-r.X)*(p.X-r.X)+(p.Y-r.Y)*(p.Y-r.Y)+(site.TagHeightM-r.Z)*(site.TagHeightM-r.Z)))
}

func TestCover(t *testing.T) {
	site := fiveHall()
	c, err := locate.Cover(site, locate.DefaultConfig(), 1)
	if err != nil {
		t.Fatal(err)
	}
	if c.Columns != 30 || c.Rows != 20 || len(c.Heard) != 600 || len(c.AccuracyM) != 600 {
		t.Fatalf("got %d x %d", c.Columns, c.Rows)
	}
	for i, n := range c.Heard {
		p := r2.Point{X: float64(i%30) + 0.5, Y: float64(i/30) + 0.5}
		want := 0
		for r := range site.Receivers {
			if powerAt(site, r, p) >= -80 {
				want++
			}
		}
		if n != want {
			t.Fatalf("at %v %d receivers hear a tag, want %d", p, n, want)
		}
		if a := c.AccuracyM[i]; !(a > 0.3 && a < 20) {
			t.Fatalf("at %v the accuracy is %g m", p, a)
		}
	}
	// A receiver that hears louder hears farther.
	site.GainDB = []float64{20, 0, 0, 0, 0}
	louder, err := locate.Cover(site, locate.DefaultConfig(), 1)
	if err != nil {
		t.Fatal(err)
	}
	if far := 19*30 + 29; louder.Heard[far] != c.Heard[far]+1 {
		t.Errorf("in the far corner %d hear the tag, and with the gain %d", c.Heard[far], louder.Heard[far])
	}
}

func TestCoverBounds(t *testing.T) {
	cfg := locate.DefaultConfig()
	site := fiveHall()
	site.Receivers = nil
	c, err := locate.Cover(site, cfg, 0)
	if err != nil || slices.Max(c.Heard) != 0 || c.AccuracyM[0] < 5 || c.CellM != 0.5 {
		t.Errorf("without receivers: %v, cells of %g m, %g m", err, c.CellM, c.AccuracyM[0])
	}
	site = fiveHall()
	site.Bounds = r2.RectFromPoints(r2.Point{}, r2.Point{X: 10_000, Y: 0.2})
	if c, err = locate.Cover(site, cfg, 0.5); err != nil || len(c.Heard) > locate.MaxCoverage || c.Columns*c.Rows != len(c.Heard) {
		t.Errorf("a corridor has %d cells, %v", len(c.Heard), err)
	}
	for _, cell := range []float64{-1, 0.01, math.NaN(), math.Inf(1)} {
		if _, err := locate.Cover(fiveHall(), cfg, cell); err == nil {
			t.Errorf("cells of %g m were taken", cell)
		}
	}
	site = fiveHall()
	site.GainDB = []float64{1}
	if _, err := locate.Cover(site, cfg, 1); err == nil {
		t.Error("gains of some receivers were taken")
	}
}

// What is foretold is about what single fixes of the locator reach with the noise that
// it expects.
func TestCoverForetells(t *testing.T) {
	site, cfg := fiveHall(), locate.DefaultConfig()
	c, err := locate.Cover(site, cfg, 1)
	if err != nil {
		t.Fatal(err)
	}
	l, err := locate.New(site, cfg)
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(3, 4))
	var misses, foretold []float64
	for range 400 {
		p := r2.Point{X: 2 + 26*random.Float64(), Y: 2 + 16*random.Float64()}
		var samples []locate.Sample
		for r := range site.Receivers {
			if dbm := powerAt(site, r, p); dbm >= -80 {
				samples = append(samples, locate.Sample{Receiver: r, RSSIdBm: dbm + cfg.Noise.ScaleDB*random.NormFloat64()})
			}
		}
		found, ok := l.NewTrack().Update(0, samples)
		if !ok {
			continue
		}
		misses = append(misses, found.Pos.Sub(p).Norm())
		foretold = append(foretold, c.AccuracyM[int(p.Y)*c.Columns+int(p.X)])
	}
	slices.Sort(misses)
	slices.Sort(foretold)
	got, want := misses[len(misses)*68/100], foretold[len(foretold)/2]
	t.Logf("68 %% of %d fixes within %.2f m, foretold were %.2f m", len(misses), got, want)
	if got > 2*want || got < want/2 {
		t.Errorf("68 %% of fixes are within %.2f m, foretold were %.2f m", got, want)
	}
}

// A receiver's gain is allowed for: with it a tag stands where it does without one, to
// what the order of loudness changes.
func TestGain(t *testing.T) {
	cfg := locate.DefaultConfig()
	at := r2.Point{X: 12, Y: 7}
	place := func(site locate.Site, louder float64) r2.Point {
		l, err := locate.New(site, cfg)
		if err != nil {
			t.Fatal(err)
		}
		var samples []locate.Sample
		for r := range site.Receivers {
			dbm := powerAt(site, r, at)
			if r == 1 {
				dbm += louder
			}
			samples = append(samples, locate.Sample{Receiver: r, RSSIdBm: dbm})
		}
		track := l.NewTrack()
		var found locate.Estimate
		for s := range 5 {
			found, _ = track.Update(time.Duration(s)*time.Second, samples)
		}
		return found.Pos
	}
	plain, mistaken := place(fiveHall(), 0), place(fiveHall(), 12)
	known := fiveHall()
	known.GainDB = []float64{0, 12, 0, 0, 0}
	if allowed := place(known, 12); allowed.Sub(plain).Norm() > 0.3 {
		t.Errorf("with the gain at %v, without one at %v", allowed, plain)
	}
	if mistaken.Sub(plain).Norm() < 1 {
		t.Errorf("12 dB move the tag from %v to %v only: the test shows nothing", plain, mistaken)
	}
}

// surveyedHall is the hall with a survey of a tag whose second receiver is deaf by so much.
func surveyedHall(deaf float64) locate.Site {
	site := fiveHall()
	random := rand.New(rand.NewPCG(5, 6))
	for y := 2.0; y < 20; y += 4 {
		for x := 2.0; x < 30; x += 4 {
			for r := range site.Receivers {
				dbm := powerAt(site, r, r2.Point{X: x, Y: y}) + 2*random.NormFloat64()
				if r == 1 {
					dbm -= deaf
				}
				site.Survey = append(site.Survey, locate.Labelled{At: r2.Point{X: x, Y: y}, Receiver: r, RSSIdBm: dbm})
			}
		}
	}
	return site
}

// What a survey teaches of a deaf receiver shows in metres, at points that were left
// out; where there is nothing to learn nothing is gained.
func TestAssess(t *testing.T) {
	before, after, err := locate.Assess(surveyedHall(15), locate.DefaultConfig(), nil, 3)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("before %+v, after %+v", before, after)
	if before.Points != 35 || after.Points != 35 || after.MedianM > 0.8*before.MedianM || after.MeanM > 0.8*before.MeanM {
		t.Errorf("before %+v, after %+v", before, after)
	}
	if before.MedianM > before.P90M || !(before.MeanM > 0) {
		t.Errorf("got %+v", before)
	}
	// Few points are left out one by one.
	few := surveyedHall(15)
	few.Survey = slices.DeleteFunc(few.Survey, func(l locate.Labelled) bool { return l.At.X != 10 })
	_, plain, err := locate.Assess(few, locate.DefaultConfig(), nil, 3)
	if err != nil {
		t.Fatal(err)
	}
	if plain.Points != 5 {
		t.Errorf("got %+v", plain)
	}
	none, alsoNone, err := locate.Assess(fiveHall(), locate.DefaultConfig(), nil, 3)
	if err != nil || none.Points != 0 || alsoNone.Points != 0 {
		t.Errorf("without a survey: %+v, %+v, %v", none, alsoNone, err)
	}
	if _, _, err := locate.Assess(surveyedHall(0), locate.DefaultConfig(), []float64{1}, 3); err == nil {
		t.Error("offsets of some receivers were taken")
	}
}
