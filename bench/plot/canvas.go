package plot

import (
	"fmt"
	"math"
	"strings"
)

// Width of every chart in pixels.
const Width = 860

const (
	legendWidth = 220
	leftMargin  = 62
	topMargin   = 66
	endMargin   = 52 // below the axis, for its numbers and label
)

// Color is one of the palette.
type Color int

// The palette: after M. Okabe and K. Ito, Color Universal Design, 2008, with the light
// ones darkened for a white page.
const (
	Blue Color = iota
	Orange
	Green
	Purple
	Yellow
	Grey
)

const style = `
text{font:13px system-ui,-apple-system,"Segoe UI",Helvetica,Arial,sans-serif;fill:#1f2328}
.title{font-size:17px;font-weight:600}.small{font-size:12px}.dim{fill:#59636e}
.page{fill:#fff}.grid{stroke:#d8dee4;stroke-width:1}.axis{stroke:#818b98;stroke-width:1}
.halo{stroke:#fff;stroke-width:3px;stroke-linejoin:round;paint-order:stroke}.on{fill:#fff}
.c0{color:#0072b2}.c1{color:#d55e00}.c2{color:#008a64}.c3{color:#b3528a}.c4{color:#9a7500}.c5{color:#6e7781}
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.dim{fill:#9198a1}
.page{fill:#0d1117}.grid{stroke:#262c33}.axis{stroke:#656c76}.halo{stroke:#0d1117}.on{fill:#0d1117}
.c0{color:#56b4e9}.c1{color:#ff9248}.c2{color:#2fce9e}.c3{color:#e59cc4}.c4{color:#e3c23b}.c5{color:#9aa4af}}
`

// canvas collects the elements of a picture.
type canvas struct {
	strings.Builder
	height float64
}

// begin opens the picture and writes its title; the subtitle may be empty.
func (c *canvas) begin(height float64, title, subtitle string) {
	c.height = height
	c.tag(`<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%s" viewBox="0 0 %d %s" role="img">`, Width, px(height), Width, px(height))
	c.tag(`<title>%s</title><style>%s</style>`, escape(title), style)
	c.tag(`<rect class="page" width="%d" height="%s" rx="6"/>`, Width, px(height))
	c.text(16, 28, "title", "start", title)
	if subtitle != "" {
		c.text(16, 49, "dim", "start", subtitle)
	}
}

func (c *canvas) end() []byte {
	c.WriteString("</svg>\n")
	return []byte(c.String())
}

func (c *canvas) tag(format string, args ...any) {
	fmt.Fprintf(c, format, args...)
	c.WriteByte('\n')
}

func (c *canvas) text(x, y float64, class, anchor, text string) {
	c.tag(`<text x="%s" y="%s" class="%s" text-anchor="%s">%s</text>`, px(x), px(y), class, anchor, escape(text))
}

func (c *canvas) line(class string, x1, y1, x2, y2 float64) {
	c.tag(`<line class="%s" x1="%s" y1="%s" x2="%s" y2="%s"/>`, class, px(x1), px(y1), px(x2), px(y2))
}

// path writes points as a line, or as an area when it is closed.
func (c *canvas) path(color Color, points []Point, closed bool, attributes string) {
	if len(points) == 0 {
		return
	}
	var d strings.Builder
	for i, p := range points {
		d.WriteString([]string{"L", "M"}[b2i(i == 0)] + px(p.X) + " " + px(p.Y))
	}
	if closed {
		d.WriteByte('Z')
	}
	c.tag(`<path class="c%d" d="%s" %s/>`, color, d.String(), attributes)
}

func (c *canvas) rect(color Color, x, y, w, h float64, attributes string) {
	c.tag(`<rect class="c%d" x="%s" y="%s" width="%s" height="%s" %s/>`, color, px(x), px(y), px(w), px(h), attributes)
}

func (c *canvas) circle(color Color, x, y, r float64, attributes string) {
	c.tag(`<circle class="c%d" cx="%s" cy="%s" r="%s" %s/>`, color, px(x), px(y), px(r), attributes)
}

// px writes a coordinate to a tenth of a pixel.
func px(v float64) string {
	s := strings.TrimSuffix(fmt.Sprintf("%.1f", v), ".0")
	if s == "-0" {
		return "0"
	}
	return s
}

func escape(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;").Replace(s)
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// finite reports whether all are numbers that can be drawn.
func finite(values ...float64) bool {
	for _, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return false
		}
	}
	return true
}
