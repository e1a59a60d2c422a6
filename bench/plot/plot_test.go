package plot_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"mybeacon/bench/plot"
)

// elements reads a file as XML and returns how many elements of each name it has, and
// all its text.
func elements(t testing.TB, svg []byte) (map[string]int, string) {
	t.Helper()
	count, text := map[string]int{}, new(strings.Builder)
	for d := xml.NewDecoder(bytes.NewReader(svg)); ; {
		token, err := d.Token()
		switch {
		case errors.Is(err, io.EOF):
			return count, text.String()
		case err != nil:
			t.Fatalf("%v in\n%s", err, svg)
		}
		switch e := token.(type) {
		case xml.StartElement:
			count[e.Name.Local]++
			for _, a := range e.Attr {
				if strings.Contains(a.Value, "NaN") || strings.Contains(a.Value, "Inf") {
					t.Fatalf("%s of %s is %q", a.Name.Local, e.Name.Local, a.Value)
				}
			}
		case xml.CharData:
			text.Write(e)
			text.WriteByte('\n')
		}
	}
}

func contains(t *testing.T, text string, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if !strings.Contains(text, "\n"+line+"\n") {
			t.Errorf("the line %q is missing in\n%s", line, text)
		}
	}
}

func TestChart(t *testing.T) {
	nan := math.NaN()
	c := plot.Chart{
		Title: "How far <off> & why", Subtitle: `in "metres"`, X: plot.Axis{Label: "x, m", Max: 4}, Y: plot.Axis{Label: "share", Max: 1, Percent: true},
		Areas:      []plot.Area{{Name: "hall", Legend: "room", Border: []plot.Point{{}, {X: 1}, {X: 1, Y: 1}}}},
		Discs:      []plot.Disc{{At: plot.Point{X: 1, Y: 0.5}, Radius: 1}, {Radius: 0.5}},
		DiscLegend: "radius",
		Series: []plot.Series{
			{Name: "broken", Points: []plot.Point{{}, {X: 1, Y: 1}, {X: nan}, {X: 2}, {X: 3, Y: 1}}},
			{Name: "dashed", Kind: plot.Dashed, Points: []plot.Point{{}, {X: 4, Y: 1}}},
			{Kind: plot.Dots, Points: []plot.Point{{X: 1, Y: 1}, {Y: nan}, {X: math.Inf(1)}}},
			{Name: "places", Kind: plot.Squares, Points: []plot.Point{{X: 1}, {X: nan}}, Names: []string{"R1", "R2"}},
		},
		Keys: [][2]string{{"a", "another"}},
	}
	count, text := elements(t, c.SVG())
	contains(t, text, "How far <off> & why", `in "metres"`, "x, m", "share", "0 %", "100 %", "4.0", "hall", "room", "radius", "broken", "dashed", "places", "R1", "a", "another")
	if strings.Contains(text, "R2") {
		t.Error("a point that is none has its name written")
	}
	// the area, two parts of the broken line, the dashed one; in the legend these two
	if count["path"] != 6 || count["circle"] != 1+2+1 {
		t.Errorf("there are %d paths and %d circles", count["path"], count["circle"])
	}
}

func TestLettersDoNotLieOnEachOther(t *testing.T) {
	c := plot.Chart{X: plot.Axis{Max: 1}, Y: plot.Axis{Max: 1}, Series: []plot.Series{{Kind: plot.Letters}}}
	for range 4 {
		c.Series[0].Points = append(c.Series[0].Points, plot.Point{X: 0.5, Y: 0.5})
	}
	c.Series[0].Names = []string{"p", "q", "r", "s"}
	seen := map[string]bool{}
	for line := range strings.Lines(string(c.SVG())) {
		if strings.Contains(line, "halo") && strings.HasPrefix(line, "<text") {
			at, _, _ := strings.Cut(line, " class")
			if seen[at] {
				t.Errorf("two letters are at %s", at)
			}
			seen[at] = true
		}
	}
	if len(seen) != 4 {
		t.Errorf("there are %d letters, want 4", len(seen))
	}
}

func TestBars(t *testing.T) {
	b := plot.Bars{
		Title: "t", Label: "who", Y: plot.Axis{Label: "m", Max: 2},
		Bars:   []plot.Bar{{Label: "one", Value: 1, Text: "+5 %"}, {Label: "none", Value: math.NaN(), Text: "?"}, {Label: "high", Value: 3, Text: "3"}},
		Levels: []plot.Level{{Name: "must", Value: 1.5}},
	}
	count, text := elements(t, b.SVG())
	contains(t, text, "who", "m", "one", "none", "high", "+5 %", "must", "2.0")
	if count["rect"] != 1+2 || strings.Contains(text, "?") {
		t.Errorf("there are %d rectangles, want the page and two bars:\n%s", count["rect"], text)
	}
}

func TestTimeline(t *testing.T) {
	line := plot.Timeline{
		Title: "t", X: plot.Axis{Label: "time, s", Max: 100},
		Rows:   []plot.Row{{Label: "run", Spans: []plot.Span{{From: -5, To: 50}, {From: 90, To: 200}, {From: 150, To: 160}}}, {Label: "shown", Thin: true}},
		States: []plot.Level{{Name: "in"}, {Name: "out", Color: plot.Orange}},
	}
	count, text := elements(t, line.SVG())
	contains(t, text, "time, s", "run", "shown", "in", "out", "100")
	if count["rect"] != 1+2+2 {
		t.Errorf("there are %d rectangles, want the page, two spans and two states", count["rect"])
	}
}

func TestAxesWithoutLengthPanic(t *testing.T) {
	for name, svg := range map[string]func() []byte{
		"chart":    (&plot.Chart{X: plot.Axis{Max: 1}}).SVG,
		"bars":     (&plot.Bars{}).SVG,
		"timeline": (&plot.Timeline{X: plot.Axis{Min: 1, Max: 1}}).SVG,
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			svg()
		}()
	}
}

// Whatever is drawn, the file is XML without numbers that are none, the same each time,
// and an axis has a handful of marks within its ends.
func TestAnyChart(t *testing.T) {
	number := rapid.OneOf(rapid.Float64Range(-10, 10), rapid.Float64())
	point := rapid.Custom(func(t *rapid.T) plot.Point { return plot.Point{X: number.Draw(t, "x"), Y: number.Draw(t, "y")} })
	rapid.Check(t, func(t *rapid.T) {
		from, length := rapid.Float64Range(-1e6, 1e6).Draw(t, "from"), math.Pow(10, rapid.Float64Range(-3, 6).Draw(t, "length"))
		c := plot.Chart{
			Title: rapid.String().Filter(func(s string) bool { return strings.IndexFunc(s, unprintable) < 0 }).Draw(t, "title"),
			X:     plot.Axis{Label: "x", Min: from, Max: from + length}, Y: plot.Axis{Label: "y", Max: 1, Percent: rapid.Bool().Draw(t, "percent")},
			Series: []plot.Series{{
				Kind: plot.Kind(rapid.IntRange(int(plot.Line), int(plot.Dots)).Draw(t, "kind")), Points: rapid.SliceOfN(point, 0, 20).Draw(t, "points"),
			}},
		}
		svg := c.SVG()
		count := wellFormed(t, svg)
		if !bytes.Equal(svg, c.SVG()) {
			t.Fatal("the second drawing differs")
		}
		if grid := count; grid < 8 || grid > 60 {
			t.Fatalf("there are %d lines of the grid and axes", grid)
		}
	})
}

func unprintable(r rune) bool {
	return r < ' ' || r == 0xfffd || r >= 0xd800 && r < 0xe000 || r >= 0xfffe
}

// wellFormed returns how many lines there are.
func wellFormed(t *rapid.T, svg []byte) (lines int) {
	for d := xml.NewDecoder(bytes.NewReader(svg)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return lines
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, svg)
		}
		e, ok := token.(xml.StartElement)
		if ok && e.Name.Local == "line" {
			lines++
		}
	}
}
