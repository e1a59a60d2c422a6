package locate

import "math"

// maxTail bounds one receiver's term e²/(ν·σ²) of the Student-t, so that the
// product of 1+term over maxReceivers receivers stays within float32: 37^24 is
// 4e37. It is reached at errors of some 75 dB, where any further decibel is
// equally absurd.
const maxTail = 36

// weigh multiplies the belief by the likelihood of the readings, where there is
// mass to speak of. After it s.level holds the level of each cell of f.box, s.odds
// its likelihood relative to the best cell's, and f.mass the posterior, not yet
// normalised.
func (f *filter) weigh(readings []reading, s *scratch) {
	f.box = f.focus(readings, s)
	f.likelihood(&f.loc.fine, f.box, readings, s)
	f.mass = f.mass[:f.box.cells()]
	transfer(f.mass, f.box, s.prior, s.near)
	floor := f.floor()
	odds := s.odds[:len(f.mass)]
	for i, m := range f.mass {
		f.mass[i] = (m + floor) * odds[i]
	}
}

// floor returns what every cell of the window has before it is weighed.
func (f *filter) floor() float32 { return float32(f.loc.cfg.Floor / float64(f.win.cells())) }

// likelihood sets s.level and s.odds for the cells of a window of a chart.
//
// With z_r what receiver r heard, g_r(c) its gain in cell c, v_r its variance
// and L the tag's level, believed to be N(μ, w₀⁻¹), the likelihood of a cell is
//
//	max over L of  exp(−w₀·(L−μ)²/2) · Π_r (1 + (z_r − g_r(c) − L)²/(ν·v_r))^(−(ν+1)/2)
//
// raised to the power of Config.Tempering. The maximum over L (the profile)
// stands in for the integral over it: the integral adds a factor that is the
// width of the peak, which is nearly the same for all cells because all are
// explained by the same readings, and it would cost a sum over levels per cell.
//
// float32 suffices: powers are within 200 dB and known to 0.01 dB, a float32
// holds 200 to 0.00002. The logarithm of a product of up to 24 factors, each
// exact to 6e-8, is wrong by 2e-6 at most; a likelihood by as much, relatively.
//
// The loops run receiver by receiver over a row of cells, because a table's row
// is contiguous; a window's working arrays, 5 KiB each, stay in the nearest
// caches meanwhile.
func (f *filter) likelihood(c *chart, win window, readings []reading, s *scratch) {
	v := view{c, win}
	f.meanLevel(v, readings, s)
	f.robustLevel(v, readings, s)
	f.tails(v, readings, s)
	f.silence(v, readings, s)
	f.compare(v, len(readings), s)
}

// view is a window of a chart.
type view struct {
	*chart
	window
}

// pairs calls do for the readings two by two and for each row of the window, with
// both tables' values there and the range of the window's cells. Two at a time
// halve how often the working arrays pass through the processor. An odd one is
// paired with a reading of no weight. A window as wide as the grid is one run of
// memory, which saves the loops their overhead on all plans but the largest.
func (v view) pairs(readings []reading, do func(a, b reading, gainA, gainB []float32, from, to int)) {
	cols, runs, length := v.chart.cols, v.rows, v.window.cols
	if length == cols {
		runs, length = 1, v.cells()
	}
	for i := 0; i < len(readings); i += 2 {
		a, b := readings[i], reading{receiver: readings[i].receiver}
		if i+1 < len(readings) {
			b = readings[i+1]
		}
		tableA, tableB := v.gain[a.receiver], v.gain[b.receiver]
		for run := range runs {
			start := (v.row+run)*cols + v.col
			do(a, b, tableA[start:start+length], tableB[start:start+length], run*length, (run+1)*length)
		}
	}
}

// meanLevel sets s.level to the weighted mean, per cell, of what each reading
// says the level is (heard − gain), with the track's belief as one more voice.
func (f *filter) meanLevel(v view, readings []reading, s *scratch) {
	w0 := float32(1 / f.level.variance)
	total := w0
	for _, r := range readings {
		total += r.weight
	}
	fill(s.level[:v.cells()], w0*float32(f.level.mean)/total)
	v.pairs(readings, func(a, b reading, gainA, gainB []float32, from, to int) {
		shareA, shareB := a.weight/total, b.weight/total
		both := shareA*a.rssi + shareB*b.rssi
		level := s.level[from:to]
		gainA, gainB = gainA[:len(level)], gainB[:len(level)]
		for i := range level {
			level[i] += both - shareA*gainA[i] - shareB*gainB[i]
		}
	})
}

// robustLevel takes one step of the reweighted mean of a Student-t from the
// plain mean. One step already frees the level from a single shadowed receiver;
// more change nothing measurable. Two weights share one division.
func (f *filter) robustLevel(v view, readings []reading, s *scratch) {
	w0 := float32(1 / f.level.variance)
	level, num, den := s.level[:v.cells()], s.num[:v.cells()], s.den[:v.cells()]
	fill(num, w0*float32(f.level.mean))
	fill(den, w0)
	nu := f.loc.cfg.Noise.Freedom
	factor := float32((nu + 1) / nu)
	v.pairs(readings, func(a, b reading, gainA, gainB []float32, from, to int) {
		level, num, den := s.level[from:to], s.num[from:to], s.den[from:to]
		gainA, gainB, num, den = gainA[:len(level)], gainB[:len(level)], num[:len(level)], den[:len(level)]
		weightA, weightB := factor*a.weight, factor*b.weight
		for i, l := range level {
			saysA, saysB := a.rssi-gainA[i], b.rssi-gainB[i]
			eA, eB := saysA-l, saysB-l
			dA, dB := 1+eA*eA*a.tail, 1+eB*eB*b.tail
			inverse := 1 / (dA * dB)
			wA, wB := weightA*dB*inverse, weightB*dA*inverse
			num[i] += wA*saysA + wB*saysB
			den[i] += wA + wB
		}
	})
	for i := range level {
		level[i] = num[i] / den[i]
	}
}

// tails sets s.odds to the product over the readings of 1 + e²/(ν·σ²): the
// Student-t density is a power of it, and one logarithm of a product is cheaper
// than a logarithm per receiver.
func (f *filter) tails(v view, readings []reading, s *scratch) {
	fill(s.odds[:v.cells()], 1)
	v.pairs(readings, func(a, b reading, gainA, gainB []float32, from, to int) {
		level, odds := s.level[from:to], s.odds[from:to]
		gainA, gainB, odds = gainA[:len(level)], gainB[:len(level)], odds[:len(level)]
		for i, l := range level {
			eA, eB := a.rssi-gainA[i]-l, b.rssi-gainB[i]-l
			tA, tB := eA*eA*a.tail, eB*eB*b.tail
			if tA > maxTail {
				tA = maxTail
			}
			if tB > maxTail {
				tB = maxTail
			}
			odds[i] *= (1 + tA) * (1 + tB)
		}
	})
}

// compare turns s.odds into likelihoods relative to the best cell's. Relative to
// the best, because the likelihood itself underflows: twelve receivers 20 dB off
// are e^−37.
//
// How noisy a site is is not known either: a hall in line of sight has half the
// noise of a home. With q the tempered log-likelihood at the usual scale and k
// readings, the likelihood over all scales, the usual one counting like ν₀ =
// Config.ScaleWorth readings of prior knowledge, is
//
//	(1 − 2·q/ν₀) ^ −(ν₀ + τ·k)/2
//
// which is sharper than e^q where one cell explains everything and flatter where
// none does (the marginal of a normal likelihood over an inverse gamma scale).
func (f *filter) compare(v view, readings int, s *scratch) {
	cfg := &f.loc.cfg
	power := float32(-cfg.Tempering * (cfg.Noise.Freedom + 1) / 2)
	prior := float32(-cfg.Tempering / 2 / f.level.variance)
	mean := float32(f.level.mean)
	odds := s.odds[:v.cells()]
	for i, o := range odds {
		e := s.level[i] - mean
		odds[i] = power*log32(o) + prior*e*e
	}
	v.shut(odds)
	worth := float32(-2 / cfg.ScaleWorth)
	best := 1 + worth*largest(odds)
	steep := float32(-(cfg.ScaleWorth + cfg.Tempering*float64(readings)) / 2)
	// The misfit at which a cell is negligible, as a log-likelihood: most cells of
	// a large plan are spared the logarithm and the exponential.
	least := (best*float32(math.Exp(negligible/float64(steep))) - 1) / worth
	for i, q := range odds {
		if q < least {
			odds[i] = 0
			continue
		}
		odds[i] = exp32(min(steep*log32((1+worth*q)/best), 0))
	}
}

// negligible is the log-likelihood below the best at which a cell is given no
// mass: 2,000 such cells together are less than 0.2 % of one. The floor revives
// them with the next fix.
const negligible = -14

// largest is slices.Max for what is never NaN, at a quarter of its cost.
func largest(v []float32) float32 {
	best := v[0]
	for _, x := range v {
		if x > best {
			best = x
		}
	}
	return best
}

func fill(dst []float32, v float32) {
	for i := range dst {
		dst[i] = v
	}
}

// impossible is a log-likelihood that no cell outside the no-go areas has.
const impossible = -1e30

// shut makes the cells of no-go areas impossible.
func (v view) shut(odds []float32) {
	if v.open == nil {
		return
	}
	for row := range v.rows {
		start := (v.row+row)*v.chart.cols + v.col
		odds := odds[row*v.window.cols : (row+1)*v.window.cols]
		for col, open := range v.open[start : start+v.window.cols] {
			if open == 0 {
				odds[col] = impossible
			}
		}
	}
}
