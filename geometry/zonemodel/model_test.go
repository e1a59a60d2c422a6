package zonemodel_test

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"mybeacon/geometry/fence"
	"mybeacon/geometry/locate"
	"mybeacon/geometry/zonemodel"
)

// room hears a tag with three receivers; the third hears nothing of room 1.
func room(rng *rand.Rand, zone int, louder float64) []locate.Sample {
	means := [][]float64{{-60, -80, -75}, {-80, -60, math.NaN()}}[zone]
	var out []locate.Sample
	for r, mean := range means {
		if !math.IsNaN(mean) {
			out = append(out, locate.Sample{Receiver: r, RSSIdBm: mean + louder + 4*rng.NormFloat64()})
		}
	}
	return out
}

func rooms(t testing.TB, n int) *zonemodel.Model {
	t.Helper()
	cfg, rng := zonemodel.DefaultConfig(), rand.New(rand.NewPCG(1, 1))
	var examples []zonemodel.Example
	for i := range n {
		zone := i % 2
		examples = append(examples, zonemodel.Example{Zone: 10 + zone, RSSIdBm: cfg.Observe(3, room(rng, zone, 0))})
	}
	m, err := zonemodel.Learn(3, examples, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// Two rooms are told apart, also by a tag that is louder than the one learned
// from, and from few examples.
func TestTellsRoomsApart(t *testing.T) {
	for _, n := range []int{4, 20, 2000} {
		for _, louder := range []float64{-6, 0, 6} {
			m, rng := rooms(t, n), rand.New(rand.NewPCG(2, 2))
			track, right := m.NewTrack(), 0
			const fixes = 400
			for i := range fixes {
				zone := i / 50 % 2
				shares := track.Update(time.Duration(i)*time.Second, room(rng, zone, louder), nil)
				if len(shares) != 2 || shares[0].Zone != 10 || shares[1].Zone != 11 {
					t.Fatalf("shares %v are not those of zones 10 and 11", shares)
				}
				if math.Abs(shares[0].P+shares[1].P-1) > 1e-9 {
					t.Fatalf("shares %v do not sum to one", shares)
				}
				if shares[zone].P > 0.5 {
					right++
				}
			}
			if right < fixes*95/100 {
				t.Errorf("%d examples, %+g dB: right in %d of %d", n, louder, right, fixes)
			}
		}
	}
}

func TestSaysNothingWithoutUsableSamples(t *testing.T) {
	track := rooms(t, 20).NewTrack()
	for name, samples := range map[string][]locate.Sample{
		"none":             nil,
		"unknown receiver": {{Receiver: 3, RSSIdBm: -60}, {Receiver: -1, RSSIdBm: -60}},
		"no number":        {{RSSIdBm: math.NaN()}, {RSSIdBm: 127}},
		"below silence":    {{RSSIdBm: -110}},
		"too old":          {{RSSIdBm: -60, Age: time.Minute}},
	} {
		if shares := track.Update(0, samples, nil); shares != nil {
			t.Errorf("%s: got %v", name, shares)
		}
	}
}

// What was sure fades with silence, and Reset forgets to the bit.
func TestBeliefFades(t *testing.T) {
	m, rng := rooms(t, 200), rand.New(rand.NewPCG(3, 3))
	track := m.NewTrack()
	for i := range 5 {
		track.Update(time.Duration(i)*time.Second, room(rng, 0, 0), nil)
	}
	between := []locate.Sample{{Receiver: 0, RSSIdBm: -70}, {Receiver: 1, RSSIdBm: -70}}
	fresh := m.NewTrack().Update(0, between, nil)
	after := track.Update(time.Hour, between, nil)
	if math.Abs(after[0].P-fresh[0].P) > 1e-6 {
		t.Errorf("after an hour of silence %v, anew %v", after, fresh)
	}
	track.Reset()
	if got := track.Update(2*time.Hour, between, nil); got[0] != fresh[0] || got[1] != fresh[1] {
		t.Errorf("after Reset %v, anew %v", got, fresh)
	}
	if got := track.Update(0, between, nil); got == nil {
		t.Error("time that runs backwards silences the model")
	}
}

func TestOrderOfExamplesDoesNotMatter(t *testing.T) {
	cfg, rng := zonemodel.DefaultConfig(), rand.New(rand.NewPCG(1, 1))
	var examples []zonemodel.Example
	for i := range 500 {
		examples = append(examples, zonemodel.Example{Zone: i % 2, RSSIdBm: cfg.Observe(3, room(rng, i%2, 0))})
	}
	probe := room(rng, 0, 5)
	var want []fence.Share
	for range 3 {
		m, err := zonemodel.Learn(3, examples, cfg)
		if err != nil {
			t.Fatal(err)
		}
		got := m.NewTrack().Update(0, probe, nil)
		if want != nil && math.Abs(got[0].P-want[0].P) > 1e-9 {
			t.Errorf("%v, and in another order %v", want, got)
		}
		want = got
		rng.Shuffle(len(examples), func(i, j int) { examples[i], examples[j] = examples[j], examples[i] })
	}
}

func TestLearnRefuses(t *testing.T) {
	good := zonemodel.Example{RSSIdBm: []float64{-60, -70}}
	f := func(want string, receivers int, change func(*zonemodel.Config), examples ...zonemodel.Example) {
		t.Helper()
		cfg := zonemodel.DefaultConfig()
		if change != nil {
			change(&cfg)
		}
		if _, err := zonemodel.Learn(receivers, examples, cfg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want something about %q", err, want)
		}
	}
	f("0 examples", 2, nil)
	f("0 receivers", 0, nil, good)
	f("65 receivers", 65, nil, good)
	f("example 1", 2, nil, good, zonemodel.Example{RSSIdBm: []float64{-60}})
	f("LeastDB", 2, func(c *zonemodel.Config) { c.LeastDB = 0 }, good)
	f("Stay", 2, func(c *zonemodel.Config) { c.Stay = math.NaN() }, good)
	f("Window", 2, func(c *zonemodel.Config) { c.Window = 0 }, good)
	var many []zonemodel.Example
	for i := range zonemodel.MaxZones + 1 {
		many = append(many, zonemodel.Example{Zone: i, RSSIdBm: good.RSSIdBm})
	}
	f("65 zones", 2, nil, many...)
}

// Readings that are not heard, in any spelling, are silence; a zone where nobody
// hears anything can be learned and is found by what is heard the least.
func TestSilenceIsARead(t *testing.T) {
	cfg := zonemodel.DefaultConfig()
	m, err := zonemodel.Learn(2, []zonemodel.Example{
		{Zone: 0, RSSIdBm: []float64{-60, -62}},
		{Zone: fence.Outside, RSSIdBm: []float64{math.NaN(), -127}},
	}, cfg)
	if err != nil {
		t.Fatal(err)
	}
	shares := m.NewTrack().Update(0, []locate.Sample{{Receiver: 1, RSSIdBm: -97}}, nil)
	if shares[0].Zone != fence.Outside || shares[0].P < 0.9 {
		t.Errorf("a tag that is hardly heard: %v", shares)
	}
}

func TestUpdateDoesNotAllocate(t *testing.T) {
	m, rng := rooms(t, 200), rand.New(rand.NewPCG(3, 3))
	track, samples := m.NewTrack(), room(rng, 0, 0)
	shares := track.Update(0, samples, nil)
	i := 0
	if n := testing.AllocsPerRun(100, func() {
		i++
		shares = track.Update(time.Duration(i)*time.Second, samples, shares)
	}); n != 0 {
		t.Errorf("Update allocates %g times", n)
	}
}

func BenchmarkUpdate(b *testing.B) {
	cfg, rng := zonemodel.DefaultConfig(), rand.New(rand.NewPCG(1, 1))
	var examples []zonemodel.Example
	for i := range 4000 {
		heard := make([]float64, 12)
		for r := range heard {
			heard[r] = -90 + 40*rng.Float64()
		}
		examples = append(examples, zonemodel.Example{Zone: i % 4, RSSIdBm: heard})
	}
	m, err := zonemodel.Learn(12, examples, cfg)
	if err != nil {
		b.Fatal(err)
	}
	var samples []locate.Sample
	for r := range 12 {
		samples = append(samples, locate.Sample{Receiver: r, RSSIdBm: -70})
	}
	track := m.NewTrack()
	var shares []fence.Share
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		shares = track.Update(time.Duration(i)*time.Second, samples, shares)
	}
}
