package locate_test

import (
	"math"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/golang/geo/r2"

	"mybeacon/geometry/locate"
)

// survey lets a radio be heard at points spread over a hall, each n times.
func survey(r *radio, source int, step float64, n int) []locate.Labelled {
	var out []locate.Labelled
	size := r.site.Bounds.Size()
	for x := step / 2; x < size.X; x += step {
		for y := step / 2; y < size.Y; y += step {
			for range n {
				for _, s := range r.hear(r2.Point{X: x, Y: y}) {
					out = append(out, locate.Labelled{At: r2.Point{X: x, Y: y}, Receiver: s.Receiver, RSSIdBm: s.RSSIdBm, Source: source})
				}
			}
		}
	}
	return out
}

// wander returns the mean error of a tag that goes through a hall, metres.
func wander(t testing.TB, site locate.Site, r *radio) float64 {
	t.Helper()
	track := mustNew(t, site).NewTrack()
	sum, size := 0.0, site.Bounds.Size()
	const seconds = 120
	for i := range seconds {
		a := 2 * math.Pi * float64(i) / seconds
		p := r2.Point{X: size.X * (0.5 + 0.4*math.Cos(a)), Y: size.Y * (0.5 + 0.4*math.Sin(2*a))}
		est, ok := track.Update(time.Duration(i)*time.Second, r.hear(p))
		if !ok {
			t.Fatal("no fix")
		}
		sum += est.Pos.Sub(p).Norm()
	}
	return sum / seconds
}

// Receivers that hear 8 dB too much or too little mislead; ten points of a survey
// by another tag, of another level, put that right, and so do three reference
// tags of three levels.
func TestSurveyFindsOffsets(t *testing.T) {
	site := hall(15, 9, 8)
	newOne := func(seed uint64) *radio {
		r := newRadio(seed, site)
		r.bias = []float64{8, -8, 6, -6, -8, 8, -4, 4}
		return r
	}
	without := wander(t, site, newOne(1))
	surveyor := newOne(2)
	surveyor.level = -70
	site.Survey = survey(surveyor, 0, 4, 5)
	with := wander(t, site, newOne(1))
	site.Survey = nil
	for i, p := range []r2.Point{{X: 2, Y: 2}, {X: 12, Y: 3}, {X: 6, Y: 8}, {X: 9, Y: 5}} {
		tag := newOne(uint64(10 + i))
		tag.level = -75 + 6*float64(i)
		for range 50 {
			for _, s := range tag.hear(p) {
				site.Survey = append(site.Survey, locate.Labelled{At: p, Receiver: s.Receiver, RSSIdBm: s.RSSIdBm, Source: 100 + i})
			}
		}
	}
	tags := wander(t, site, newOne(1))
	t.Logf("mean error %.2f m, with a survey %.2f m, with reference tags %.2f m", without, with, tags)
	if with > 0.6*without || tags > 0.8*without {
		t.Errorf("mean error %.2f m, with a survey %.2f m, with reference tags %.2f m", without, with, tags)
	}
}

// A survey that says what the model says anyway, and one of pure noise, do no
// harm worth mentioning.
func TestUselessSurveysDoNoHarm(t *testing.T) {
	site := hall(15, 9, 8)
	none := wander(t, site, newRadio(1, site))
	site.Survey = survey(newRadio(5, site), 0, 3, 3)
	agrees := wander(t, site, newRadio(1, site))
	noise := newRadio(6, site)
	noise.noise = 15
	site.Survey = survey(noise, 0, 3, 1)
	nonsense := wander(t, site, newRadio(1, site))
	t.Logf("mean error %.2f m, with what is known %.2f m, with nonsense %.2f m", none, agrees, nonsense)
	if agrees > 1.15*none || nonsense > 1.25*none {
		t.Errorf("mean error %.2f m, with what is known %.2f m, with nonsense %.2f m", none, agrees, nonsense)
	}
}

func TestOrderOfSurveyDoesNotMatter(t *testing.T) {
	site := hall(12, 9, 6)
	site.Survey = survey(newRadio(3, site), 0, 2, 2)
	a := mustNew(t, site).NewTrack()
	rand.New(rand.NewPCG(1, 1)).Shuffle(len(site.Survey), func(i, j int) {
		site.Survey[i], site.Survey[j] = site.Survey[j], site.Survey[i]
	})
	b := mustNew(t, site).NewTrack()
	samples := newRadio(4, site).hear(r2.Point{X: 4, Y: 4})
	want, _ := a.Update(0, samples)
	if got, _ := b.Update(0, samples); got.Pos.Sub(want.Pos).Norm() > 1e-3 {
		t.Errorf("%v, and in another order %v", want.Pos, got.Pos)
	}
}

func TestNewRefusesSurveys(t *testing.T) {
	f := func(want string, l locate.Labelled) {
		t.Helper()
		site := hall(10, 10, 4)
		site.Survey = []locate.Labelled{{At: r2.Point{X: 1, Y: 1}, RSSIdBm: -60}, l}
		if _, err := locate.New(site, locate.DefaultConfig()); err == nil || !strings.Contains(err.Error(), "reading 1") || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want something about reading 1 and %q", err, want)
		}
	}
	f("receiver 4", locate.Labelled{Receiver: 4, RSSIdBm: -60})
	f("receiver -1", locate.Labelled{Receiver: -1, RSSIdBm: -60})
	f("outside", locate.Labelled{At: r2.Point{X: 11}, RSSIdBm: -60})
	f("outside", locate.Labelled{At: r2.Point{X: math.NaN()}, RSSIdBm: -60})
	f("dBm", locate.Labelled{RSSIdBm: math.NaN()})
	f("dBm", locate.Labelled{RSSIdBm: 127})
}

// readSurvey adds the recording's survey to its site, those of the points that
// are kept.
func (rec *recording) readSurvey(t testing.TB, name string, keep func(r2.Point) bool) {
	t.Helper()
	dir := filepath.Join(sharedData(t), "rtls", name)
	ids := map[string]int{}
	for i, row := range table(t, filepath.Join(dir, "receivers.csv")) {
		ids[row[0]] = i
	}
	for _, row := range table(t, filepath.Join(dir, "survey.csv")) {
		if at := (r2.Point{X: number(t, row[1]), Y: number(t, row[2])}); keep(at) {
			rec.site.Survey = append(rec.site.Survey, locate.Labelled{At: at, Receiver: ids[row[3]], RSSIdBm: number(t, row[4])})
		}
	}
}

func everywhere(r2.Point) bool { return true }

// All 4,104 points of the flat. What is asked is 1.05 / 1.15 / 2.0 m and 89 %.
func TestFlatWithSurvey(t *testing.T) {
	rec := record(t, "flat")
	rec.readSurvey(t, "flat", everywhere)
	scoreTrack(t, rec, "robot", -1).mustMeet(t, bar{median: 1.0, mean: 1.15, p90: 2.0, zone: 91, low68: 58, high68: 78, low95: 88})
}

// Ten places of the flat, a quarter of a metre wide each. What a prototype
// reached is 1.25 / 1.41 / 2.52 m and 88 %; it depends on which places.
func TestFlatWithTenPlaces(t *testing.T) {
	rec := record(t, "flat")
	places := []r2.Point{
		{X: 1, Y: 6}, {X: 2, Y: 4}, {X: 1, Y: 3}, {X: 1, Y: 1}, {X: 3, Y: 1},
		{X: 5, Y: 1.2}, {X: 4, Y: 3.5}, {X: 5.5, Y: 5}, {X: 3.5, Y: 6}, {X: 7.5, Y: 5.5},
	}
	rec.readSurvey(t, "flat", func(p r2.Point) bool {
		for _, q := range places {
			if p.Sub(q).Norm() < 0.25 {
				return true
			}
		}
		return false
	})
	t.Logf("%d readings", len(rec.site.Survey))
	scoreTrack(t, rec, "robot", -1).mustMeet(t, bar{median: 1.15, mean: 1.3, p90: 2.5, zone: 88, low68: 58, high68: 78, low95: 88})
}

func TestLibraryWithSurvey(t *testing.T) {
	t.Parallel()
	rec := record(t, "library")
	rec.readSurvey(t, "library", everywhere)
	scoreSnapshots(t, rec).mustMeet(t, bar{median: 1.47, mean: 1.75, p90: 3.3, zone: 73, low68: 58, high68: 78, low95: 88})
}

func BenchmarkNewWithSurvey(b *testing.B) {
	site := hall(60, 30, 24)
	site.Survey = survey(newRadio(1, site), 0, 1, 2)
	for b.Loop() {
		if _, err := locate.New(site, locate.DefaultConfig()); err != nil {
			b.Fatal(err)
		}
	}
}
