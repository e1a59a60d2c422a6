package plot

import "math"

// Point is a place on a chart, in the units of its axes.
type Point struct{ X, Y float64 }

// Kind is how a series is drawn.
type Kind int

// The kinds of series.
const (
	Line    Kind = iota
	Dashed       // a line with gaps
	Thin         // a line that stays behind
	Dots         // small discs
	Squares      // for places
	Letters      // a dot each, under the letters that Names has for it
)

// Series is one curve, or one set of points. Points that are no numbers are left out;
// a line is interrupted there.
type Series struct {
	Name   string // in the legend; empty: not there
	Kind   Kind
	Color  Color
	Points []Point
	Names  []string // of Squares and Letters, beside each point
}

// Area is a region, such as a room of a plan or the range of a target.
type Area struct {
	Name   string // written at its middle
	Legend string // in the legend; empty: not there
	Color  Color
	Border []Point
}

// Disc is a circle whose radius is in the units of the x axis, for equal scales.
type Disc struct {
	At     Point
	Radius float64
	Color  Color
}

// Chart is curves and points over two axes. Areas lie below discs, discs below
// series, and these on each other in their order.
type Chart struct {
	Title, Subtitle string
	X, Y            Axis
	// Equal makes a unit of both axes equally long, as for a plan; the chart is then as
	// high as it needs.
	Equal      bool
	Areas      []Area
	Discs      []Disc
	DiscLegend string
	Series     []Series
	Keys       [][2]string // letters and what they stand for, at the end of the legend
}

const chartHeight = 460

// frame is where a chart's values are on the page.
type frame struct {
	x, y   scale
	height float64
}

func (c *Chart) frame() frame {
	f := frame{height: chartHeight}
	f.x = scale{c.X, leftMargin, Width - legendWidth - 6}
	if c.Equal {
		f.height = topMargin + endMargin + (f.x.to-f.x.from)*(c.Y.Max-c.Y.Min)/(c.X.Max-c.X.Min)
	}
	f.height = math.Max(f.height, topMargin+endMargin+22*float64(len(c.keys(nil, nil))))
	f.y = scale{c.Y, f.height - endMargin, topMargin}
	if c.Equal { // the legend may have made it higher
		f.y.to = f.y.from - (f.x.to-f.x.from)*(c.Y.Max-c.Y.Min)/(c.X.Max-c.X.Min)
	}
	return f
}

func (f frame) at(p Point) Point { return Point{f.x.at(p.X), f.y.at(p.Y)} }

// SVG returns the chart as a file. The axes must have a Min below their Max.
func (c *Chart) SVG() []byte {
	if !(c.X.Min < c.X.Max && c.Y.Min < c.Y.Max) {
		panic("BUG: an axis of a chart has no length")
	}
	w, f := new(canvas), c.frame()
	w.begin(f.height, c.Title, c.Subtitle)
	w.across(f.x, f.y.to, f.y.from)
	w.upright(f.y, f.x.from, f.x.to)
	w.tag(`<clipPath id="in"><rect x="%s" y="%s" width="%s" height="%s"/></clipPath><g clip-path="url(#in)">`,
		px(f.x.from), px(f.y.to-1), px(f.x.to-f.x.from+1), px(f.y.from-f.y.to+2))
	for _, a := range c.Areas {
		w.area(f, a)
	}
	for _, d := range c.Discs {
		p := f.at(d.At)
		w.circle(d.Color, p.X, p.Y, d.Radius/(c.X.Max-c.X.Min)*(f.x.to-f.x.from), discStyle)
	}
	for _, s := range c.Series {
		w.series(f, s)
	}
	w.tag(`</g>`)
	for _, a := range c.Areas {
		w.areaName(f, a)
	}
	for _, s := range c.Series {
		w.names(f, s)
	}
	w.legend(c.keys(w, &f))
	return w.end()
}

const (
	lineStyle   = `fill="none" stroke="currentColor" stroke-width="2" stroke-linejoin="round"`
	dashedStyle = `fill="none" stroke="currentColor" stroke-width="2" stroke-dasharray="6 4"`
	thinStyle   = `fill="none" stroke="currentColor" stroke-width="1" stroke-opacity="0.45"`
	dotStyle    = `fill="currentColor"`
	areaStyle   = `fill="currentColor" fill-opacity="0.10" stroke="currentColor" stroke-opacity="0.55"`
	discStyle   = `fill="currentColor" fill-opacity="0.05" stroke="currentColor" stroke-opacity="0.3"`
)

func (c *canvas) area(f frame, a Area) {
	var border []Point
	for _, p := range a.Border {
		border = append(border, f.at(p))
	}
	c.path(a.Color, border, true, areaStyle)
}

// areaName writes an area's name at the middle of its corners.
func (c *canvas) areaName(f frame, a Area) {
	middle := Point{}
	for _, p := range a.Border {
		q := f.at(p)
		middle.X += q.X / float64(len(a.Border))
		middle.Y += q.Y / float64(len(a.Border))
	}
	if a.Name != "" {
		c.text(middle.X, middle.Y, "small halo", "middle", a.Name)
	}
}

func (c *canvas) series(f frame, s Series) {
	switch s.Kind {
	case Line, Dashed, Thin:
		c.lines(f, s)
	case Dots, Squares, Letters:
		for _, p := range s.Points {
			if finite(p.X, p.Y) {
				c.symbol(s, f.at(p))
			}
		}
	}
}

func (s Series) style() string {
	switch s.Kind {
	case Dashed:
		return dashedStyle
	case Thin:
		return thinStyle
	case Line, Dots, Squares, Letters:
	}
	return lineStyle
}

// lines draws the parts of a line between the points that are none.
func (c *canvas) lines(f frame, s Series) {
	style := s.style()
	var part []Point
	for _, p := range s.Points {
		if finite(p.X, p.Y) {
			part = append(part, f.at(p))
			continue
		}
		c.path(s.Color, part, false, style)
		part = nil
	}
	c.path(s.Color, part, false, style)
}

func (c *canvas) symbol(s Series, p Point) {
	switch s.Kind {
	case Line, Dashed, Thin:
		c.path(s.Color, []Point{{p.X - 10, p.Y}, {p.X + 10, p.Y}}, false, s.style())
	case Squares:
		c.rect(s.Color, p.X-5, p.Y-5, 10, 10, dotStyle)
	case Dots:
		c.circle(s.Color, p.X, p.Y, 2.5, dotStyle)
	case Letters:
		c.circle(s.Color, p.X, p.Y, 4, dotStyle)
	}
}

// names writes what the points of a series are called. Letters that would lie on
// each other are stacked.
func (c *canvas) names(f frame, s Series) {
	type place struct{ x, y float64 }
	var taken []place
	for i, name := range s.Names {
		if !finite(s.Points[i].X, s.Points[i].Y) {
			continue
		}
		p := f.at(s.Points[i])
		if s.Kind == Squares {
			c.text(p.X, p.Y-9, "small halo", "middle", name)
			continue
		}
		y := p.Y - 9
		for clash := true; clash; {
			clash = false
			for _, t := range taken {
				if math.Abs(t.x-p.X) < 10 && math.Abs(t.y-y) < 12 {
					y, clash = t.y-13, true
				}
			}
		}
		taken = append(taken, place{p.X, y})
		c.text(p.X, y, "small halo", "middle", name)
	}
}

// keys returns the legend. To count them, the canvas may be nil.
func (c *Chart) keys(w *canvas, f *frame) []key {
	var out []key
	for _, a := range c.Areas {
		if a.Legend != "" {
			out = append(out, key{a.Legend, func(x, y float64) { w.rect(a.Color, x-10, y-6, 20, 12, areaStyle) }})
		}
	}
	if c.DiscLegend != "" && len(c.Discs) > 0 {
		out = append(out, key{c.DiscLegend, func(x, y float64) { w.circle(c.Discs[0].Color, x, y, 8, discStyle) }})
	}
	for _, s := range c.Series {
		if s.Name != "" {
			out = append(out, key{s.Name, func(x, y float64) { w.symbol(s, Point{x, y}) }})
		}
	}
	for _, k := range c.Keys {
		out = append(out, key{k[1], func(x, y float64) { w.text(x, y+4, "small", "middle", k[0]) }})
	}
	return out
}
