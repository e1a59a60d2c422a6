package locate_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/golang/geo/r1"
	"github.com/golang/geo/r2"
	"github.com/golang/geo/r3"

	"mybeacon/geometry/locate"
)

// hall returns a hall of that size with n receivers spread under its ceiling.
func hall(width, depth float64, n int) locate.Site {
	site := locate.Site{Bounds: rect(0, 0, width, depth), TagHeightM: 1.2}
	cols := int(math.Ceil(math.Sqrt(float64(n) * width / depth)))
	rows := (n + cols - 1) / cols
	for i := range n {
		x := (float64(i%cols) + 0.5) * width / float64(cols)
		y := (float64(i/cols) + 0.5) * depth / float64(rows)
		site.Receivers = append(site.Receivers, r3.Vector{X: x, Y: y, Z: 2.8})
	}
	return site
}

func rect(x0, y0, x1, y1 float64) r2.Rect {
	return r2.Rect{X: r1.Interval{Lo: x0, Hi: x1}, Y: r1.Interval{Lo: y0, Hi: y1}}
}

// radio hears a tag as the receivers of a site would.
type radio struct {
	rng   *rand.Rand
	site  locate.Site
	level float64   // dBm at one metre
	noise float64   // dB, anew for each sample
	bias  []float64 // dB per receiver, for good: walls; nil for none
}

// hear returns a sample of every receiver for a tag at p.
func (r *radio) hear(p r2.Point) []locate.Sample {
	var out []locate.Sample
	for i, at := range r.site.Receivers {
		d := r3.Vector{X: p.X, Y: p.Y, Z: r.site.TagHeightM}.Sub(at).Norm()
		rssi := r.level - 20*math.Log10(d) + r.noise*r.rng.NormFloat64()
		if r.bias != nil {
			rssi += r.bias[i]
		}
		age := time.Duration(r.rng.Float64() * float64(time.Second))
		out = append(out, locate.Sample{Receiver: i, RSSIdBm: rssi, Age: age})
	}
	return out
}

// Sizes: a flat, an office floor, a plan that needs a window.
func BenchmarkUpdate(b *testing.B) {
	for _, c := range []struct {
		width, depth float64
		receivers    int
	}{{9, 7, 6}, {9, 7, 12}, {20, 15, 12}, {30, 30, 12}, {100, 60, 60}} {
		b.Run(fmt.Sprintf("%gx%gm_%d", c.width, c.depth, c.receivers), func(b *testing.B) {
			site := hall(c.width, c.depth, c.receivers)
			r := &radio{rng: rand.New(rand.NewPCG(1, 1)), site: site, level: -60, noise: 5}
			var seconds [][]locate.Sample
			for i := range 60 {
				seconds = append(seconds, r.hear(r2.Point{X: c.width * float64(i) / 60, Y: c.depth / 2}))
			}
			loc, err := locate.New(site, locate.DefaultConfig())
			if err != nil {
				b.Fatal(err)
			}
			track := loc.NewTrack()
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				track.Update(time.Duration(i)*time.Second, seconds[i%60])
			}
		})
	}
}

func BenchmarkNew(b *testing.B) {
	site := hall(100, 60, 60)
	for b.Loop() {
		if _, err := locate.New(site, locate.DefaultConfig()); err != nil {
			b.Fatal(err)
		}
	}
}
