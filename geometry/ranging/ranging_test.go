package ranging_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"mybeacon/geometry/ranging"
)

func TestRSSI(t *testing.T) {
	f := func(m ranging.Model, distance, want float64) {
		t.Helper()
		if got := m.RSSI(distance); math.Abs(got-want) > 1e-9 {
			t.Errorf("%+v at %g m: %g dBm, want %g", m, distance, got, want)
		}
	}
	free := ranging.Model{LevelDBm: -59, Exponent: 2}
	f(free, 1, -59)
	f(free, 10, -79) // 20 dB a decade
	f(free, 100, -99)
	f(free, ranging.MinDistanceM, -59+20*math.Log10(1/ranging.MinDistanceM))
	f(free, 0, free.RSSI(ranging.MinDistanceM)) // no pole at the antenna
	f(free, -3, free.RSSI(ranging.MinDistanceM))
	f(ranging.Model{LevelDBm: -59, Exponent: 3}, 10, -89)
}

func TestLossDoublesByTheExponent(t *testing.T) {
	for _, n := range []float64{1.6, 2, 3.5} {
		if got, want := ranging.LossDB(8, n)-ranging.LossDB(4, n), 10*n*math.Log10(2); math.Abs(got-want) > 1e-9 {
			t.Errorf("n = %g: twice the distance costs %g dB, want %g", n, got, want)
		}
	}
}

// Distance undoes RSSI from MinDistanceM on, falls as the signal grows, and
// never undercuts MinDistanceM.
func TestDistanceInvertsRSSI(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := ranging.Model{
			LevelDBm: rapid.Float64Range(-90, -30).Draw(t, "level"),
			Exponent: rapid.Float64Range(1, 5).Draw(t, "n"),
		}
		d := rapid.Float64Range(ranging.MinDistanceM, 1000).Draw(t, "distance")
		if got := m.Distance(m.RSSI(d)); math.Abs(got-d) > 1e-9*d {
			t.Fatalf("%+v: %g m became %g m", m, d, got)
		}
		rssi := rapid.Float64Range(-127, 20).Draw(t, "rssi")
		far, near := m.Distance(rssi), m.Distance(rssi+1)
		if near > far || near < ranging.MinDistanceM {
			t.Fatalf("%+v: %g dBm is %g m, one dB more %g m", m, rssi, far, near)
		}
	})
}

// The docstring promises the median, and how much larger the mean is.
func TestDistanceIsTheMedianUnderNoise(t *testing.T) {
	m := ranging.Model{LevelDBm: -59, Exponent: 2}
	const sigma, n = 6.0, 40000
	rng := rand.New(rand.NewPCG(1, 1))
	below, sum := 0, 0.0
	for range n {
		d := m.Distance(m.RSSI(5) + sigma*rng.NormFloat64())
		if d < 5 {
			below++
		}
		sum += d
	}
	if share := float64(below) / n; math.Abs(share-0.5) > 0.02 {
		t.Errorf("%.3f of the distances are below the true one", share)
	}
	want := math.Exp(math.Pow(sigma*math.Ln10/20, 2) / 2)
	if got := sum / n / 5; math.Abs(got-want) > 0.03 {
		t.Errorf("the mean is %.3f times the true distance, promised %.3f", got, want)
	}
}

func TestModelValidate(t *testing.T) {
	if err := (ranging.Model{LevelDBm: -59, Exponent: 2}).Validate(); err != nil {
		t.Error(err)
	}
	for _, m := range []ranging.Model{
		{}, {LevelDBm: -59, Exponent: -2}, {LevelDBm: math.NaN(), Exponent: 2},
		{LevelDBm: math.Inf(1), Exponent: 2}, {Exponent: math.NaN()}, {Exponent: math.Inf(1)},
	} {
		if m.Validate() == nil {
			t.Errorf("%+v was accepted", m)
		}
	}
}

func TestNoiseValidate(t *testing.T) {
	if err := (ranging.Noise{ScaleDB: 6, Freedom: 5}).Validate(); err != nil {
		t.Error(err)
	}
	for _, n := range []ranging.Noise{{}, {ScaleDB: 6}, {Freedom: 5}, {ScaleDB: math.NaN(), Freedom: 5}, {ScaleDB: 6, Freedom: math.Inf(1)}} {
		if n.Validate() == nil {
			t.Errorf("%+v was accepted", n)
		}
	}
}

// Tails are heavy: an error of ten scales costs a Gaussian 50, a t with five
// degrees of freedom 9; with many degrees of freedom it is a Gaussian.
func TestNoiseTails(t *testing.T) {
	heavy := ranging.Noise{ScaleDB: 6, Freedom: 5}
	if got := heavy.LogLikelihood(0); got != 0 {
		t.Errorf("no error costs %g", got)
	}
	if got, want := heavy.LogLikelihood(60), -3*math.Log(21); math.Abs(got-want) > 1e-9 {
		t.Errorf("60 dB cost %g, want %g", got, want)
	}
	gauss := ranging.Noise{ScaleDB: 6, Freedom: 1e9}
	for _, e := range []float64{1, 6, 20} {
		if got, want := gauss.LogLikelihood(e), -e*e/72; math.Abs(got-want) > 1e-6 {
			t.Errorf("%g dB cost %g, a Gaussian %g", e, got, want)
		}
	}
}

// The weight is what makes a weighted mean climb the likelihood: it is the slope
// of the likelihood over the error, times the variance.
func TestNoiseWeightIsTheSlope(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := ranging.Noise{
			ScaleDB: rapid.Float64Range(1, 20).Draw(t, "scale"),
			Freedom: rapid.Float64Range(1, 50).Draw(t, "freedom"),
		}
		e := rapid.Float64Range(0.5, 60).Draw(t, "error")
		const h = 1e-4
		slope := (n.LogLikelihood(e+h) - n.LogLikelihood(e-h)) / (2 * h)
		if got, want := n.Weight(e), -slope/e*n.ScaleDB*n.ScaleDB; math.Abs(got-want) > 1e-4 {
			t.Fatalf("%+v at %g dB: weight %g, slope gives %g", n, e, got, want)
		}
		if n.Weight(e) > n.Weight(0) || n.Weight(e) != n.Weight(-e) {
			t.Fatalf("%+v: an error of %g dB weighs %g, none weighs %g", n, e, n.Weight(e), n.Weight(0))
		}
	})
}

func ExampleModel_Distance() {
	tag := ranging.Model{LevelDBm: -59, Exponent: 2}
	fmt.Printf("heard with -79 dBm it is about %.0f m away\n", tag.Distance(-79))
	// Output: heard with -79 dBm it is about 10 m away
}
