package track_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/golang/geo/r2"
	"pgregory.net/rapid"

	"mybeacon/geometry/track"
)

// spot returns a field whose whole mass is in one cell.
func spot(cols, rows, col, row int) track.Field {
	f := track.Field{Cols: cols, Rows: rows, Mass: make([]float32, cols*rows)}
	f.Mass[row*cols+col] = 1
	return f
}

func total(f track.Field) float64 {
	sum := 0.0
	for _, m := range f.Mass {
		sum += float64(m)
	}
	return sum
}

// spread returns the variance of the mass along each axis, in square cells.
func spread(f track.Field) (x, y float64) {
	var mx, my, xx, yy float64
	for i, m := range f.Mass {
		col, row := float64(i%f.Cols), float64(i/f.Cols)
		mx += float64(m) * col
		my += float64(m) * row
		xx += float64(m) * col * col
		yy += float64(m) * row * row
	}
	return xx - mx*mx, yy - my*my
}

func diffuse(f track.Field, sigmaX, sigmaY float64) {
	kx, ky := track.NewKernel(sigmaX), track.NewKernel(sigmaY)
	track.Diffuse(f, &kx, &ky, make([]float32, len(f.Mass)))
}

// A kernel is as wide as promised: within 10 % for sigma in [0.4, 7].
func TestKernelVariance(t *testing.T) {
	for sigma := 0.4; sigma <= 7; sigma += 0.1 {
		k := track.NewKernel(sigma)
		if got, want := k.Variance(), sigma*sigma; math.Abs(got-want) > 0.1*want+0.09 {
			t.Errorf("sigma %.1f: variance %.3f, want %.3f", sigma, got, want)
		}
	}
}

func TestKernelExtremes(t *testing.T) {
	for _, sigma := range []float64{0, -1, math.NaN(), 1e-9} {
		k := track.NewKernel(sigma)
		if k.Variance() > 1e-6 {
			t.Errorf("sigma %g blurs by %g", sigma, k.Variance())
		}
	}
	for _, sigma := range []float64{8, 1e6, math.Inf(1)} {
		k := track.NewKernel(sigma)
		if got := math.Sqrt(k.Variance()); got < 6.5 || got > 7.5 {
			t.Errorf("sigma %g blurs by %g cells, promised 7.3", sigma, got)
		}
	}
}

// In the middle of a large field the blur is round, centred and as wide as its
// kernels say, along each axis by its own.
func TestDiffuseSpreadsAsFarAsItsKernels(t *testing.T) {
	for _, sigma := range [][2]float64{{1, 1}, {0.5, 2}, {5, 3}} {
		f := spot(121, 121, 60, 60)
		diffuse(f, sigma[0], sigma[1])
		kx, ky := track.NewKernel(sigma[0]), track.NewKernel(sigma[1])
		x, y := spread(f)
		if math.Abs(x-kx.Variance()) > 1e-2 || math.Abs(y-ky.Variance()) > 1e-2 {
			t.Errorf("%v: variance %.3f, %.3f, the kernels say %.3f, %.3f", sigma, x, y, kx.Variance(), ky.Variance())
		}
		if f.Mass[60*121+59] != f.Mass[60*121+61] || f.Mass[59*121+60] != f.Mass[61*121+60] {
			t.Errorf("%v: the blur is lopsided", sigma)
		}
	}
}

// Whatever the field and the blur: no mass is lost or made, none is negative,
// and an even field stays even, up to the border.
func TestDiffuseInvariants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cols, rows := rapid.IntRange(1, 40).Draw(t, "cols"), rapid.IntRange(1, 40).Draw(t, "rows")
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		f := track.Field{Cols: cols, Rows: rows, Mass: make([]float32, cols*rows)}
		even := track.Field{Cols: cols, Rows: rows, Mass: make([]float32, cols*rows)}
		for i := range f.Mass {
			f.Mass[i], even.Mass[i] = rng.Float32(), 0.5
		}
		before := total(f)
		x, y := rapid.Float64Range(0, 8).Draw(t, "sigma x"), rapid.Float64Range(0, 8).Draw(t, "sigma y")
		diffuse(f, x, y)
		diffuse(even, x, y)
		if after := total(f); math.Abs(after-before) > 1e-5*before {
			t.Fatalf("mass went from %g to %g", before, after)
		}
		for i, m := range f.Mass {
			if m < 0 {
				t.Fatalf("cell %d has mass %g", i, m)
			}
			if e := even.Mass[i]; math.Abs(float64(e)-0.5) > 1e-5 {
				t.Fatalf("cell %d of an even field became %g", i, e)
			}
		}
	})
}

// A field of one row or column is narrower than any kernel.
func TestDiffuseOfThinFields(t *testing.T) {
	for _, f := range []track.Field{spot(1, 9, 0, 4), spot(9, 1, 4, 0), spot(2, 2, 0, 1), spot(1, 1, 0, 0)} {
		diffuse(f, 3, 3)
		if got := total(f); math.Abs(got-1) > 1e-5 {
			t.Errorf("%d by %d cells hold %g", f.Cols, f.Rows, got)
		}
	}
}

func TestDiffuseRefusesWrongSizes(t *testing.T) {
	k := track.NewKernel(1)
	for name, call := range map[string]func(){
		"field": func() {
			track.Diffuse(track.Field{Cols: 3, Rows: 3, Mass: make([]float32, 8)}, &k, &k, make([]float32, 9))
		},
		"scratch": func() { track.Diffuse(spot(3, 3, 1, 1), &k, &k, make([]float32, 8)) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s of the wrong size was accepted", name)
				}
			}()
			call()
		}()
	}
}

func TestDiffuseDoesNotAllocate(t *testing.T) {
	f, scratch := spot(45, 45, 20, 20), make([]float32, 45*45)
	if n := testing.AllocsPerRun(50, func() {
		kx, ky := track.NewKernel(1.5), track.NewKernel(1.4)
		track.Diffuse(f, &kx, &ky, scratch)
	}); n != 0 {
		t.Errorf("Diffuse allocates %g times", n)
	}
}

// A tag of which nothing is known may travel; one whose estimate only jitters
// is still; one that walks travels within seconds, and rests again after it.
func TestPace(t *testing.T) {
	m := track.DefaultMotion()
	var p track.Pace
	if got := p.Spread(m, time.Second); got != m.StepM {
		t.Errorf("an unknown tag wanders %.2f m a second, want %.2f", got, m.StepM)
	}
	rng := rand.New(rand.NewPCG(1, 1))
	rest := func(at r2.Point, seconds int) {
		for range seconds {
			p.Observe(m, at.Add(r2.Point{X: rng.NormFloat64(), Y: rng.NormFloat64()}.Mul(0.3)), time.Second)
		}
	}
	rest(r2.Point{X: 5, Y: 5}, 30)
	if got := p.Spread(m, time.Second); got > 0.9 {
		t.Errorf("a resting tag wanders %.2f m a second", got)
	}
	for i := range 6 {
		p.Observe(m, r2.Point{X: 5 + 1.2*float64(i), Y: 5}, time.Second)
	}
	if got := p.Spread(m, time.Second); got < 0.99*m.StepM {
		t.Errorf("a walking tag wanders %.2f m a second, want %.2f", got, m.StepM)
	}
	rest(r2.Point{X: 11, Y: 5}, 15)
	if got := p.Spread(m, time.Second); got > 0.9 {
		t.Errorf("a tag at rest again wanders %.2f m a second", got)
	}
}

func TestSpreadGrowsWithTheRootOfTime(t *testing.T) {
	m := track.DefaultMotion()
	var p track.Pace
	for _, d := range []time.Duration{0, -time.Second} {
		if got := p.Spread(m, d); got != 0 {
			t.Errorf("in %s a tag wanders %g m", d, got)
		}
	}
	if one, nine := p.Spread(m, time.Second), p.Spread(m, 9*time.Second); math.Abs(nine-3*one) > 1e-9 {
		t.Errorf("in 1 s %g m, in 9 s %g m", one, nine)
	}
}

// A tag that walks drifts on at half its pace once that is known; one that
// jitters or stands does not, and nobody is expected to run for a minute.
func TestDrift(t *testing.T) {
	m := track.DefaultMotion()
	var p track.Pace
	if got := p.Drift(m, time.Second); got != (r2.Point{}) {
		t.Errorf("an unknown tag drifts by %v", got)
	}
	for i := range 15 {
		p.Observe(m, r2.Point{X: 1.2 * float64(i), Y: 5}, time.Second)
	}
	second := p.Drift(m, time.Second)
	if math.Abs(second.X-0.6) > 0.05 || math.Abs(second.Y) > 1e-9 {
		t.Errorf("a tag at 1.2 m/s drifts by %v a second, want 0.6 m along x", second)
	}
	if got := p.Drift(m, time.Minute).X; got > 3*second.X+1e-9 {
		t.Errorf("in a minute it drifts by %.1f m", got)
	}
	if got := p.Drift(m, 0); got != (r2.Point{}) {
		t.Errorf("in no time it drifts by %v", got)
	}
	rng := rand.New(rand.NewPCG(2, 2))
	for range 20 {
		p.Observe(m, r2.Point{X: 17 + 0.2*rng.NormFloat64(), Y: 5 + 0.2*rng.NormFloat64()}, time.Second)
	}
	if got := p.Drift(m, time.Second).Norm(); got > 0.02 {
		t.Errorf("a tag at rest drifts by %.3f m a second", got)
	}
	p = track.Pace{}
	for i := range 30 {
		p.Observe(m, r2.Point{X: 50 * float64(i%2)}, time.Second)
	}
	if got := p.Drift(m, time.Second).Norm(); got > m.Carry*m.FastMPS+1e-9 {
		t.Errorf("a tag that seems to fly drifts by %.1f m a second", got)
	}
}

// Mass goes where it is sent, also by parts of cells, none is lost, and what
// would leave gathers at the border.
func TestShift(t *testing.T) {
	scratch := make([]float32, 12)
	f := func(dx, dy float64, want ...float32) {
		t.Helper()
		field := spot(4, 3, 1, 1)
		track.Shift(field, dx, dy, scratch)
		for i := range want {
			if math.Abs(float64(field.Mass[i]-want[i])) > 1e-6 {
				t.Errorf("by %g, %g: got %v, want %v", dx, dy, field.Mass, want)
				return
			}
		}
	}
	f(0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0)
	f(1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0)
	f(-1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0)
	f(0.25, 0, 0, 0, 0, 0, 0, 0.75, 0.25, 0, 0, 0, 0, 0)
	f(-0.25, -0.5, 0.125, 0.375, 0, 0, 0.125, 0.375, 0, 0, 0, 0, 0, 0)
	f(9, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0)
	f(-1e300, 1e300, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0)
	rapid.Check(t, func(t *rapid.T) {
		field := track.Field{Cols: 5, Rows: 4, Mass: rapid.SliceOfN(rapid.Float32Range(0, 1), 20, 20).Draw(t, "mass")}
		before := float32(0)
		for _, m := range field.Mass {
			before += m
		}
		track.Shift(field, rapid.Float64Range(-8, 8).Draw(t, "dx"), rapid.Float64Range(-8, 8).Draw(t, "dy"), make([]float32, 20))
		after := float32(0)
		for _, m := range field.Mass {
			if after += m; m < 0 {
				t.Fatalf("negative mass %v", field.Mass)
			}
		}
		if math.Abs(float64(after-before)) > 1e-4 {
			t.Fatalf("%g became %g", before, after)
		}
	})
}

func TestShiftRefusesWrongSizes(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("scratch of the wrong size was accepted")
		}
	}()
	track.Shift(spot(3, 3, 1, 1), 1, 1, make([]float32, 8))
}

func TestMotionValidate(t *testing.T) {
	if err := track.DefaultMotion().Validate(); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(*track.Motion){
		"still":      func(m *track.Motion) { m.StillM = 0 },
		"still more": func(m *track.Motion) { m.StillM = 2 * m.StepM },
		"no number":  func(m *track.Motion) { m.StepM = math.NaN() },
		"endless":    func(m *track.Motion) { m.StepM = math.Inf(1) },
		"speed":      func(m *track.Motion) { m.TravelMPS = 0 },
		"carry":      func(m *track.Motion) { m.Carry = 1.1 },
		"fast":       func(m *track.Motion) { m.FastMPS = 0 },
		"smoothing":  func(m *track.Motion) { m.Smoothing = 0 },
	} {
		m := track.DefaultMotion()
		change(&m)
		if m.Validate() == nil {
			t.Errorf("%s: %+v was accepted", name, m)
		}
	}
}

func BenchmarkDiffuse(b *testing.B) {
	f, scratch := spot(45, 45, 20, 20), make([]float32, 45*45)
	for b.Loop() {
		kx, ky := track.NewKernel(1.5), track.NewKernel(1.5)
		track.Diffuse(f, &kx, &ky, scratch)
	}
}

// Who is not known may travel; who stays in place, with the jitter of the radio,
// does not; who walks does, and not more than surely.
func TestTravel(t *testing.T) {
	m := track.DefaultMotion()
	var p track.Pace
	if p.Travel(m) != 1 {
		t.Errorf("a tag that is not known travels by %g", p.Travel(m))
	}
	for i := range 60 {
		p.Observe(m, r2.Point{X: 0.3 * float64(i%2)}, time.Second)
	}
	if got := p.Travel(m); got > 0.25 {
		t.Errorf("a tag that lies still travels by %g", got)
	}
	for i := range 20 {
		p.Observe(m, r2.Point{X: float64(i)}, time.Second)
	}
	if p.Travel(m) != 1 {
		t.Errorf("a tag that walks travels by %g", p.Travel(m))
	}
}
