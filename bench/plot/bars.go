package plot

// Bar is one figure of [Bars].
type Bar struct {
	Label string  // below it
	Value float64 // not a number: no bar
	Text  string  // in it
	Color Color
}

// Level is a line across all bars.
type Level struct {
	Name  string
	Value float64
	Color Color
}

// Bars is a figure per name, beside each other.
type Bars struct {
	Title, Subtitle string
	Label           string // below the names
	Y               Axis
	Bars            []Bar
	Levels          []Level
}

// SVG returns the chart as a file. The axis must have a Min below its Max.
func (b *Bars) SVG() []byte {
	if !(b.Y.Min < b.Y.Max) {
		panic("BUG: an axis of bars has no length")
	}
	w := new(canvas)
	w.begin(chartHeight, b.Title, b.Subtitle)
	left, right := float64(leftMargin), float64(Width-legendWidth-6)
	y := scale{b.Y, chartHeight - endMargin, topMargin}
	w.upright(y, left, right)
	each := (right - left) / float64(max(len(b.Bars), 1))
	for i, bar := range b.Bars {
		middle := left + each*(float64(i)+0.5)
		w.text(middle, y.from+18, "small", "middle", bar.Label)
		if !finite(bar.Value) {
			continue
		}
		top := y.at(min(bar.Value, b.Y.Max))
		wide := min(each*0.6, 70)
		w.rect(bar.Color, middle-wide/2, top, wide, y.from-top, `fill="currentColor" fill-opacity="0.85"`)
		w.text(middle, y.from-10, "on", "middle", bar.Text)
	}
	w.line("axis", left, y.from, right, y.from)
	w.text((left+right)/2, y.from+40, "", "middle", b.Label)
	var keys []key
	for _, l := range b.Levels {
		w.path(l.Color, []Point{{left, y.at(l.Value)}, {right, y.at(l.Value)}}, false, dashedStyle)
		keys = append(keys, key{l.Name, func(x, y float64) { w.symbol(Series{Kind: Dashed, Color: l.Color}, Point{x, y}) }})
	}
	w.legend(keys)
	return w.end()
}
