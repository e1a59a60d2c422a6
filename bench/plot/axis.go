package plot

import (
	"fmt"
	"math"
)

// Axis is one direction of a chart.
type Axis struct {
	Label    string // what it is, with its unit
	Min, Max float64
	// Percent writes the fractions 0 to 1 as per cent.
	Percent bool
	// Names stand for the values 0, 1, 2, …
	Names []string
}

// scale places the values of an axis between two pixels.
type scale struct {
	Axis
	from, to float64
}

func (s scale) at(v float64) float64 { return s.from + (v-s.Min)/(s.Max-s.Min)*(s.to-s.from) }

// ticks returns round values, about one for each apart pixels.
func (s scale) ticks(apart float64) []float64 {
	if len(s.Names) > 0 {
		out := make([]float64, len(s.Names))
		for i := range out {
			out[i] = float64(i)
		}
		return out
	}
	span, want := s.Max-s.Min, math.Max(1, math.Abs(s.to-s.from)/apart)
	if !(span > 0) {
		return []float64{s.Min}
	}
	power := math.Pow(10, math.Floor(math.Log10(span/want)))
	step := power
	for _, times := range []float64{2, 5, 10} {
		if span/step > want {
			step = power * times
		}
	}
	var out []float64
	for i := math.Ceil(s.Min/step - 1e-9); i*step <= s.Max+step*1e-9; i++ {
		out = append(out, i*step)
	}
	return out
}

// name writes a tick's value with as many decimals as its neighbour needs.
func (s scale) name(v float64, ticks []float64) string {
	if len(s.Names) > 0 {
		return s.Names[int(v)]
	}
	if v == 0 {
		v = 0 // without a sign
	}
	if s.Percent {
		return fmt.Sprintf("%.0f %%", 100*v)
	}
	decimals := 0
	if len(ticks) > 1 {
		decimals = max(0, -int(math.Floor(math.Log10(ticks[1]-ticks[0])+1e-9)))
	}
	return fmt.Sprintf("%.*f", decimals, v)
}

// across draws a horizontal axis below top…bottom, with a grid.
func (c *canvas) across(s scale, top, bottom float64) {
	ticks := s.ticks(70)
	for _, v := range ticks {
		x := s.at(v)
		c.line("grid", x, top, x, bottom)
		c.text(x, bottom+18, "small dim", "middle", s.name(v, ticks))
	}
	c.line("axis", s.from, bottom, s.to, bottom)
	c.text((s.from+s.to)/2, bottom+40, "", "middle", s.Label)
}

// upright draws a vertical axis left of left…right, with a grid.
func (c *canvas) upright(s scale, left, right float64) {
	ticks := s.ticks(44)
	for _, v := range ticks {
		y := s.at(v)
		c.line("grid", left, y, right, y)
		c.text(left-8, y+4, "small dim", "end", s.name(v, ticks))
	}
	c.line("axis", left, s.from, left, s.to)
	middle := (s.from + s.to) / 2
	c.tag(`<text transform="translate(18 %s) rotate(-90)" text-anchor="middle">%s</text>`, px(middle), escape(s.Label))
}

// key is a line of the legend.
type key struct {
	name   string
	symbol func(x, y float64) // draws what stands for it, around the point
}

// legend writes the keys at the right.
func (c *canvas) legend(keys []key) {
	x, y := float64(Width-legendWidth+14), float64(topMargin+12)
	for _, k := range keys {
		k.symbol(x+10, y-4)
		c.text(x+28, y, "", "start", k.name)
		y += 22
	}
}
