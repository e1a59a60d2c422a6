package locate

import (
	"math"
	"testing"
)

// The stated error bounds, over the whole range in which the functions are used.
func TestApproximations(t *testing.T) {
	worst := 0.0
	for x := -87.0; x <= 0; x += 0.00317 {
		want := math.Exp(float64(float32(x)))
		worst = math.Max(worst, math.Abs(float64(exp32(float32(x)))-want)/want)
	}
	if worst > 6e-6 {
		t.Errorf("exp32 is off by %.1e, relatively", worst)
	}
	if exp32(0) != 1 || exp32(-88) != 0 || exp32(-1e30) != 0 || exp32(float32(math.Inf(-1))) != 0 {
		t.Errorf("exp32 of 0, −88, −1e30, −∞: %g, %g, %g, %g", exp32(0), exp32(-88), exp32(-1e30), exp32(float32(math.Inf(-1))))
	}
	worst = 0
	for e := -37.0; e < 38; e += 0.00029 {
		x := float32(math.Pow(10, e))
		want := math.Log(float64(x))
		worst = math.Max(worst, math.Abs(float64(log32(x))-want)/(math.Abs(want)+1))
	}
	if worst > 2e-7 {
		t.Errorf("log32 is off by %.1e", worst)
	}
	if log32(1) != 0 {
		t.Errorf("log32(1) is %g", log32(1))
	}
}
