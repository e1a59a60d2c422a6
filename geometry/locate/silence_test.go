package locate_test

import (
	"cmp"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/golang/geo/r2"
	"github.com/golang/geo/r3"

	"mybeacon/geometry/locate"
)

// only keeps the samples of so many dBm or more, of other receivers than one.
func only(samples []locate.Sample, least float64, dead int) []locate.Sample {
	kept := samples[:0]
	for _, s := range samples {
		if s.RSSIdBm >= least && s.Receiver != dead {
			kept = append(kept, s)
		}
	}
	return kept
}

// ground returns the distance of a receiver on the plan.
func ground(at r3.Vector, p r2.Point) float64 { return math.Hypot(at.X-p.X, at.Y-p.Y) }

// A tag so faint that two or three of twelve receivers hear it is near those, and
// not behind them on the far side of the plan: the less so as walls take more of it
// than a free path does. It is so also when some receiver is dead.
func TestFaintTagIsNearWhoHearsIt(t *testing.T) {
	site := hall(24, 16, 12)
	for _, dead := range []int{-1, 5} {
		var ours, loudest, n, heard float64
		for seed := range uint64(20) {
			r := newRadio(100+seed, site)
			r.level, r.noise = -74, 4
			for range site.Receivers {
				r.bias = append(r.bias, 2*r.rng.NormFloat64())
			}
			p := r2.Point{X: 1 + 22*r.rng.Float64(), Y: 1 + 14*r.rng.Float64()}
			track := mustNew(t, site).NewTrack()
			for i := range 20 {
				samples := r.hear(p)
				for j := range samples {
					samples[j].RSSIdBm -= 10 * math.Log10(ground(site.Receivers[j], p)+1)
				}
				if samples = only(samples, -95, dead); len(samples) == 0 {
					continue
				}
				est, _ := track.Update(time.Duration(i)*time.Second, samples)
				best := slices.MaxFunc(samples, func(a, b locate.Sample) int { return cmp.Compare(a.RSSIdBm, b.RSSIdBm) })
				ours += est.Pos.Sub(p).Norm()
				loudest += ground(site.Receivers[best.Receiver], p)
				heard += float64(len(samples))
				n++
			}
		}
		t.Logf("without %d: %.2f m, the loudest %.2f m, by %.1f receivers", dead, ours/n, loudest/n, heard/n)
		if ours > 4*n {
			t.Errorf("without %d: errors of %.2f m", dead, ours/n)
		}
	}
}

// Who is silent may be dead: a tag below it is put between it and those that hear
// the tag, and not beside them or behind.
func TestSilenceIsNoProof(t *testing.T) {
	site := hall(18, 12, 6)
	p := r2.Point{X: site.Receivers[1].X + 1, Y: site.Receivers[1].Y}
	for hear := 2; hear <= 4; hear++ {
		r := newRadio(1, site)
		r.noise = 3
		track := mustNew(t, site).NewTrack()
		sum := 0.0
		for i := range 60 {
			samples := only(r.hear(p), -127, 1)
			slices.SortFunc(samples, func(a, b locate.Sample) int { return cmp.Compare(b.RSSIdBm, a.RSSIdBm) })
			est, _ := track.Update(time.Duration(i)*time.Second, samples[:hear])
			sum += est.Pos.Sub(p).Norm() / 60
		}
		t.Logf("heard by %d: %.2f m", hear, sum)
		if sum > 3.5 {
			t.Errorf("heard by %d others, the tag is put %.1f m off the dead receiver", hear, sum)
		}
	}
}

func TestUpdateWithFewReadingsDoesNotAllocate(t *testing.T) {
	site := hall(30, 20, 40)
	r := newRadio(1, site)
	track := mustNew(t, site).NewTrack()
	samples := r.hear(r2.Point{X: 11, Y: 7})[:2]
	at := time.Duration(0)
	update := func() { at += time.Second; track.Update(at, samples) }
	update()
	if n := testing.AllocsPerRun(100, update); n != 0 {
		t.Errorf("%g allocations per fix", n)
	}
}
