package track

import "math"

// maxRadius bounds the reach of one pass in cells, and so the work: a pass costs
// at most 2·(maxRadius+1) multiplications per cell.
const maxRadius = 9

// maxSigma is the widest blur of one pass in cells. Three σ fit in maxRadius, so
// cutting the tail loses 0.3 % of the mass, which the normalisation gives back.
const maxSigma = float64(maxRadius) / 3

// maxPasses bounds the passes of one prediction: 6 passes of 3 cells spread the
// mass by √6·3 = 7.3 cells, by when a filter should rather be started afresh.
const maxPasses = 6

// Kernel is half of a symmetric, normalised one-dimensional blur, in cells:
// tap[0] is the share that stays, tap[k] the share that goes k cells to one side.
// It is a value of fixed size, so that building one allocates nothing.
type Kernel struct {
	tap    [maxRadius + 1]float32
	radius int
	passes int
}

// NewKernel returns the blur whose standard deviation is sigma cells. A sigma
// that is not positive gives the identity. The variance is reached within 10 %
// for sigma in [0.4, 7]; narrower blurs are a little narrower than asked for
// (mass moves by whole cells only) and wider ones are held at 7.3.
func NewKernel(sigma float64) Kernel {
	k := Kernel{passes: 1}
	k.tap[0] = 1
	if !(sigma > 0) {
		return k
	}
	if sigma > maxSigma {
		k.passes = int(math.Min(math.Ceil(sigma*sigma/(maxSigma*maxSigma)), maxPasses))
		sigma = math.Min(sigma/math.Sqrt(float64(k.passes)), maxSigma)
	}
	k.fill(sigma)
	return k
}

// fill integrates the Gaussian over each cell instead of sampling it, because
// samples of a Gaussian narrower than a cell neither sum to one nor blur.
func (k *Kernel) fill(sigma float64) {
	k.radius = min(int(math.Ceil(3*sigma)), maxRadius)
	scale := 1 / (sigma * math.Sqrt2)
	upTo := func(x float64) float64 { return math.Erf(x * scale) }
	total := upTo(float64(k.radius) + 0.5)
	k.tap[0] = float32(upTo(0.5) / total)
	for i := 1; i <= k.radius; i++ {
		x := float64(i)
		k.tap[i] = float32((upTo(x+0.5) - upTo(x-0.5)) / 2 / total)
	}
}

// Radius returns how many cells one pass reaches to each side.
func (k *Kernel) Radius() int { return k.radius }

// Reach returns how many cells the whole blur reaches to each side.
func (k *Kernel) Reach() int { return k.radius * k.passes }

// Variance returns the variance of the whole blur in square cells.
func (k *Kernel) Variance() float64 {
	v := 0.0
	for i := 1; i <= k.radius; i++ {
		v += 2 * float64(i*i) * float64(k.tap[i])
	}
	return v * float64(k.passes)
}
