package plot

// Span is a state that lasts for a while.
type Span struct {
	From, To float64
	Color    Color
}

// Row is the course of one thing's states.
type Row struct {
	Label string
	Spans []Span
	// Thin rows belong to the one above them.
	Thin bool
}

// Timeline is rows of states over one axis of time.
type Timeline struct {
	Title, Subtitle string
	X               Axis
	Rows            []Row
	States          []Level // what the colours mean; the values do not matter
}

const (
	labelWidth = 150
	rowHeight  = 20.0
	rowGap     = 10.0
)

// SVG returns the timeline as a file. The axis must have a Min below its Max.
func (t *Timeline) SVG() []byte {
	if !(t.X.Min < t.X.Max) {
		panic("BUG: the axis of a timeline has no length")
	}
	height := topMargin + endMargin + rowGap
	for _, r := range t.Rows {
		height += r.height()
	}
	w := new(canvas)
	w.begin(height, t.Title, t.Subtitle)
	x := scale{t.X, labelWidth, Width - legendWidth - 6}
	w.across(x, topMargin, height-endMargin)
	top := float64(topMargin)
	for _, r := range t.Rows {
		if !r.Thin {
			top += rowGap
		}
		w.text(labelWidth-10, top+rowHeight*0.7, "small", "end", r.Label)
		for _, s := range r.Spans {
			from, to := max(s.From, t.X.Min), min(s.To, t.X.Max)
			if to > from {
				w.rect(s.Color, x.at(from), top+1, max(x.at(to)-x.at(from), 0.5), rowHeight-2, `fill="currentColor" fill-opacity="0.8"`)
			}
		}
		top += rowHeight
	}
	var keys []key
	for _, s := range t.States {
		keys = append(keys, key{s.Name, func(x, y float64) {
			w.rect(s.Color, x-10, y-6, 20, 12, `fill="currentColor" fill-opacity="0.8"`)
		}})
	}
	w.legend(keys)
	return w.end()
}

func (r Row) height() float64 {
	if r.Thin {
		return rowHeight
	}
	return rowHeight + rowGap
}
