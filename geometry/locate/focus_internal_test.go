package locate

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/golang/geo/r1"
	"github.com/golang/geo/r2"
	"github.com/golang/geo/r3"
)

// Where the filter looks there is all of the mass but a hundredth: at rest, on a
// walk, and when the tag is suddenly elsewhere.
func TestFocusKeepsTheMass(t *testing.T) {
	site := Site{Bounds: r2.Rect{X: r1.Interval{Hi: 30}, Y: r1.Interval{Hi: 24}}, TagHeightM: 1.2}
	for i := range 12 {
		site.Receivers = append(site.Receivers, r3.Vector{X: 4 + 7.4*float64(i%4), Y: 4 + 8*float64(i/4), Z: 2.8})
	}
	l, err := New(site, DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(5, 5))
	f := l.NewTrack().(*filter)
	work, spared := 0.0, 0.0
	for i := range 200 {
		p := r2.Point{X: 6, Y: 6}
		if i >= 60 {
			p = r2.Point{X: 15 + 11*math.Cos(float64(i)/9), Y: 12 + 9*math.Sin(float64(i)/9)}
		}
		s := f.loc.borrow()
		readings := s.heard.condense(&f.loc.cfg, hearAt(rng, site, p))
		dt := f.predict(time.Duration(i)*time.Second, readings, s)
		lost := 1 - f.massIn(f.focus(readings, s), readings, s)
		f.weigh(readings, s)
		est, ok := f.describe(readings, s)
		if !ok {
			t.Fatal("no fix")
		}
		f.pace.Observe(f.loc.cfg.Motion, est.Pos, dt)
		f.loc.giveBack(s)
		if lost > faint {
			t.Errorf("second %d: a share of %.4f is left out", i, lost)
		}
		work += float64(f.box.cells())
		spared += float64(f.win.cells() - f.box.cells())
	}
	if share := work / (work + spared); share > 0.6 {
		t.Errorf("%.2f of the plan is weighed", share)
	}
}

// massIn returns the share of the posterior over the whole window that is in box.
func (f *filter) massIn(box window, readings []reading, s *scratch) float64 {
	prior := make([]float32, f.win.cells())
	transfer(prior, f.win, s.prior, s.near)
	f.likelihood(&f.loc.fine, f.win, readings, s)
	inside, total := 0.0, 0.0
	for i, m := range prior {
		m = (m + f.floor()) * s.odds[i]
		total += float64(m)
		at := window{f.win.col + i%f.win.cols, f.win.row + i/f.win.cols, 1, 1}
		if at.within(box).cells() > 0 {
			inside += float64(m)
		}
	}
	return inside / total
}

func hearAt(rng *rand.Rand, site Site, p r2.Point) []Sample {
	var out []Sample
	for i, at := range site.Receivers {
		d := r3.Vector{X: p.X, Y: p.Y, Z: site.TagHeightM}.Sub(at).Norm()
		out = append(out, Sample{Receiver: i, RSSIdBm: -60 - 20*math.Log10(d) + 5*rng.NormFloat64()})
	}
	return out
}
