package locate_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/golang/geo/r2"
	"github.com/golang/geo/r3"

	"mybeacon/geometry/locate"
)

func TestNewRefusesSites(t *testing.T) {
	f := func(change func(*locate.Site), want string) {
		t.Helper()
		site := hall(10, 10, 4)
		change(&site)
		if _, err := locate.New(site, locate.DefaultConfig()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want something about %q", err, want)
		}
	}
	f(func(s *locate.Site) { s.Bounds = r2.EmptyRect() }, "bounds")
	f(func(s *locate.Site) { s.Bounds = rect(0, 0, 10, 0) }, "bounds")
	f(func(s *locate.Site) { s.Bounds = rect(0, 0, math.Inf(1), 1) }, "bounds")
	f(func(s *locate.Site) { s.Bounds = rect(math.NaN(), 0, 1, 1) }, "bounds")
	f(func(s *locate.Site) { s.Receivers = nil }, "0 receivers")
	f(func(s *locate.Site) { s.Receivers = make([]r3.Vector, locate.MaxReceivers+1) }, "receivers")
	f(func(s *locate.Site) { s.Receivers[2].Z = math.NaN() }, "receiver 2")
	f(func(s *locate.Site) { s.TagHeightM = math.Inf(1) }, "height")
}

func TestNewRefusesConfigs(t *testing.T) {
	f := func(change func(*locate.Config), want string) {
		t.Helper()
		cfg := locate.DefaultConfig()
		change(&cfg)
		if _, err := locate.New(hall(10, 10, 4), cfg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want something about %q", err, want)
		}
	}
	f(func(c *locate.Config) { *c = locate.Config{} }, "CellM")
	f(func(c *locate.Config) { c.MaxCellM = c.CellM / 2 }, "MaxCellM")
	f(func(c *locate.Config) { c.MaxCells = 1 << 30 }, "MaxCells")
	f(func(c *locate.Config) { c.MaxReceivers = 100 }, "MaxReceivers")
	f(func(c *locate.Config) { c.Exponent = math.NaN() }, "Exponent")
	f(func(c *locate.Config) { c.Noise.ScaleDB = 0 }, "Noise.ScaleDB")
	f(func(c *locate.Config) { c.Noise.Freedom = 0 }, "Noise.Freedom")
	f(func(c *locate.Config) { c.Tempering = 1.5 }, "Tempering")
	f(func(c *locate.Config) { c.Floor = 1 }, "Floor")
	f(func(c *locate.Config) { c.Level.KnownDB = 2 * c.Level.SpreadDB }, "Level.KnownDB")
	f(func(c *locate.Config) { c.Window = 0 }, "Window")
	f(func(c *locate.Config) { c.Memory = -time.Second }, "Memory")
	f(func(c *locate.Config) { c.MaxGap = 0 }, "MaxGap")
	f(func(c *locate.Config) { c.Motion.StillM = 0 }, "still")
}

// Plans of silly shapes are slow or coarse at worst.
func TestOddPlans(t *testing.T) {
	for name, site := range map[string]locate.Site{
		"one cell":          hall(0.1, 0.1, 1),
		"a corridor":        hall(200, 1.2, 20),
		"a line":            {Bounds: rect(0, 0, 1000, 0.001), Receivers: []r3.Vector{{X: 5}, {X: 900}}},
		"a town":            {Bounds: rect(0, 0, 20000, 20000), Receivers: []r3.Vector{{X: 5, Y: 5}, {X: 9000, Y: 5}}},
		"receivers outside": {Bounds: rect(0, 0, 10, 10), Receivers: []r3.Vector{{X: -5, Y: 5}, {X: 500, Y: 5}, {X: 5, Y: -90}}},
		"all in one place":  {Bounds: rect(0, 0, 10, 10), Receivers: []r3.Vector{{X: 5, Y: 5}, {X: 5, Y: 5}, {X: 5, Y: 5}}},
	} {
		track := mustNew(t, site).NewTrack()
		for i := range 3 {
			var samples []locate.Sample
			for r := range site.Receivers {
				samples = append(samples, locate.Sample{Receiver: r, RSSIdBm: -60 - float64(r)})
			}
			est, ok := track.Update(time.Duration(i)*time.Second, samples)
			if !ok || !site.Bounds.ContainsPoint(est.Pos) || !(est.AccuracyM > 0) {
				t.Errorf("%s: %+v, %t", name, est, ok)
			}
		}
	}
}
