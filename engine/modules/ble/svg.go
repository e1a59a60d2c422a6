package ble

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"strconv"

	"mybeacon/engine/modules/ble/store"
)

// Theme is the colours of a drawn plan.
type Theme struct{ Background, Wall, Door, NoGo, Label string }

// Themes returns the colours for light and for dark pages.
func Themes() map[string]Theme {
	return map[string]Theme{
		"light": {Background: "#E5F2E5", Wall: "#D4CFC4", Door: "#FFFFFF", NoGo: "#9E9E9E", Label: "#000000"},
		"dark":  {Background: "#1B2A1F", Wall: "#5C5A54", Door: "#121212", NoGo: "#616161", Label: "#FFFFFF"},
	}
}

// The widths of lines, metres.
const (
	wallWidthM = 0.2
	doorWidthM = 0.25
)

// SVG draws a plan: rooms, no-go areas, walls, doors and labels. Its user units are
// metres, y down as SVG has it. There is nothing in it that runs or is loaded, and
// all text is escaped.
func SVG(p store.Plan, t Theme) []byte {
	d := svgWriter{top: p.Bounds.Min.Y + p.Bounds.Max.Y}
	b := p.Bounds
	w, h := b.Max.X-b.Min.X, b.Max.Y-b.Min.Y
	d.print(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="%s %s %s %s">`, num(b.Min.X), num(b.Min.Y), num(w), num(h))
	d.print(`<rect x="%s" y="%s" width="%s" height="%s" fill="%s"/>`, num(b.Min.X), num(b.Min.Y), num(w), num(h), t.Background)
	for _, r := range p.Figures.Rooms {
		d.shape("polygon", r.Polygon, `fill="`+roomColor(r)+`"`)
	}
	for _, area := range p.NoGo {
		d.shape("polygon", area, `fill="`+t.NoGo+`" fill-opacity="0.35"`)
	}
	for _, wall := range p.Walls {
		d.shape("polyline", wall, fmt.Sprintf(`fill="none" stroke="%s" stroke-width="%g" stroke-linejoin="round" stroke-linecap="round"`, t.Wall, wallWidthM))
	}
	for _, door := range p.Figures.Doors {
		d.shape("polyline", door, fmt.Sprintf(`fill="none" stroke="%s" stroke-width="%g"`, t.Door, doorWidthM))
	}
	for _, r := range p.Figures.Rooms {
		if at := middleOf(r.Polygon); r.Label != "" {
			// Rooms are cream and pale also on dark pages.
			d.text(store.Label{X: at[0], Y: at[1], Text: r.Label, SizeM: roomLabelM}, "#000000")
		}
	}
	for _, l := range p.Figures.Labels {
		d.text(l, t.Label)
	}
	d.print("</svg>\n")
	return d.out.Bytes()
}

const roomLabelM = 0.5

// roomColor makes sure of what stands in an attribute, whatever is stored.
func roomColor(r store.Room) string {
	if !isColor(r.Color) {
		return "#F5EFE0"
	}
	return r.Color
}

// middleOf returns the middle of the polygon's corners.
func middleOf(polygon []store.Corner) store.Corner {
	var sum store.Corner
	for _, c := range polygon {
		sum[0], sum[1] = sum[0]+c[0], sum[1]+c[1]
	}
	n := float64(max(len(polygon), 1))
	return store.Corner{sum[0] / n, sum[1] / n}
}

type svgWriter struct {
	out bytes.Buffer
	top float64 // y turns over: up becomes down within the bounds
}

func (d *svgWriter) print(format string, args ...any) { fmt.Fprintf(&d.out, format, args...) }

func (d *svgWriter) shape(kind string, corners []store.Corner, style string) {
	d.print(`<%s points="`, kind)
	for i, c := range corners {
		if i > 0 {
			d.out.WriteByte(' ')
		}
		d.print("%s,%s", num(c[0]), num(d.top-c[1]))
	}
	d.print(`" %s/>`, style)
}

func (d *svgWriter) text(l store.Label, color string) {
	d.print(`<text x="%s" y="%s" font-family="sans-serif" font-size="%s" fill="%s" text-anchor="middle" dominant-baseline="central">`,
		num(l.X), num(d.top-l.Y), num(l.SizeM), color)
	if err := xml.EscapeText(&d.out, []byte(l.Text)); err != nil {
		panic("BUG: a buffer refuses text: " + err.Error())
	}
	d.print("</text>")
}

// num writes a length to a millimetre.
func num(v float64) string {
	text := strconv.FormatFloat(v, 'f', 3, 64)
	for text[len(text)-1] == '0' {
		text = text[:len(text)-1]
	}
	if text[len(text)-1] == '.' {
		text = text[:len(text)-1]
	}
	return text
}
