package results

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"mybeacon/bench/locate"
	"mybeacon/bench/plot"
)

// plots returns the pictures by their files' names.
func plots(r *runs) map[string][]byte {
	return map[string][]byte{
		"flat-errors.svg":    errorsOf("Flat: how far off", "share of 333 epochs whose position is at most so far from the truth", 5, flatPeers(), r.Flat, r.FlatSurvey),
		"library-errors.svg": errorsOf("Library: how far off", "share of 964 single snapshots", 6, libraryPeers(), r.Library, r.LibrarySurvey),
		"flat-track.svg":     trackOf(r, "Flat: the robot's way, no survey", r.Flat),
		"flat-dead.svg":      deadOf(r),
		"flat-survey.svg":    surveyOf(r),
		"radii.svg":          radiiOf(r),
		"doors.svg":          doorsOf(r),
	}
}

// errorsOf draws cumulative distributions of the error.
func errorsOf(title, subtitle string, most float64, peers []peer, none, full run) []byte {
	others, keys := marks(peers)
	c := plot.Chart{
		Title: title, Subtitle: subtitle,
		X:    plot.Axis{Label: "error, m", Max: most},
		Y:    plot.Axis{Label: "share of epochs", Max: 1, Percent: true},
		Keys: keys,
		Series: []plot.Series{
			others,
			{Name: "MyBeacon", Color: plot.Blue, Points: cumulated(none)},
			{Name: "MyBeacon, full survey", Color: plot.Orange, Points: cumulated(full)},
		},
	}
	return c.SVG()
}

// eachError calls do for every epoch whose truth is known.
func eachError(r run, do func(e *locate.Epoch, errorM float64)) {
	for _, t := range r.traces {
		for i := range t.Epochs {
			if d := t.Epochs[i].ErrorM(); !math.IsNaN(d) {
				do(&t.Epochs[i], d)
			}
		}
	}
}

func cumulated(r run) []plot.Point {
	var all []float64
	eachError(r, func(_ *locate.Epoch, d float64) { all = append(all, d) })
	slices.Sort(all)
	out := []plot.Point{{}}
	for i, d := range all {
		out = append(out, plot.Point{X: d, Y: float64(i+1) / float64(len(all))})
	}
	return out
}

// trackOf draws a walk over the flat's plan.
func trackOf(r *runs, title string, walk run) []byte {
	site := r.flatSite
	c := plot.Chart{
		Title: title, Subtitle: "positions once a second beside the truth; a disc holds 68 % by what the engine says",
		X: plot.Axis{Label: "x, m", Min: site.Bounds.Min.X - 0.2, Max: site.Bounds.Max.X + 0.2}, Y: plot.Axis{Label: "y, m", Min: site.Bounds.Min.Y - 0.2, Max: site.Bounds.Max.Y + 0.2},
		Equal: true, DiscLegend: "68 % radius, every 30 s",
	}
	for _, z := range site.Zones {
		a := plot.Area{Name: z.Name, Color: plot.Grey}
		for _, p := range z.Polygon {
			a.Border = append(a.Border, plot.Point(p))
		}
		c.Areas = append(c.Areas, a)
	}
	truth, shown := plot.Series{Name: "truth", Color: plot.Green}, plot.Series{Name: "shown", Kind: plot.Dots, Color: plot.Blue}
	off := plot.Series{Name: "off by", Kind: plot.Thin, Color: plot.Blue}
	for _, t := range walk.traces {
		for i, e := range t.Epochs {
			truth.Points = append(truth.Points, plot.Point(e.Truth))
			shown.Points = append(shown.Points, plot.Point(e.Shown))
			if i%5 == 0 {
				off.Points = append(off.Points, plot.Point(e.Truth), plot.Point(e.Shown), plot.Point{X: math.NaN()})
			}
			if i%30 == 10 {
				c.Discs = append(c.Discs, plot.Disc{At: plot.Point(e.Shown), Radius: e.Accuracy68M, Color: plot.Blue})
			}
		}
	}
	receivers := plot.Series{Name: "receiver", Kind: plot.Squares, Color: plot.Orange}
	for _, rx := range site.Receivers {
		receivers.Points = append(receivers.Points, plot.Point{X: rx.X, Y: rx.Y})
		receivers.Names = append(receivers.Names, rx.Name)
	}
	c.Series = []plot.Series{truth, off, shown, receivers}
	return c.SVG()
}

// deadOf draws the median without each receiver.
func deadOf(r *runs) []byte {
	all := r.Flat.MedianM
	most := all * 1.3
	bars := []plot.Bar{{Label: "none", Value: all, Text: fmt.Sprintf("%.2f m", all), Color: plot.Green}}
	for _, d := range r.Without {
		color := plot.Blue
		if d.MedianM > all*deadMust {
			color = plot.Orange
		}
		bars = append(bars, plot.Bar{Label: d.Receiver, Value: d.MedianM, Text: more(d.MedianM, all), Color: color})
		most = max(most, d.MedianM)
	}
	b := plot.Bars{
		Title: "Flat: one receiver dead", Subtitle: "median error when one of the six receivers is on the plan and silent",
		Label: "dead receiver", Y: plot.Axis{Label: "median error, m", Max: most * 1.12}, Bars: bars,
		Levels: []plot.Level{{Name: "must: at most +15 %", Value: all * deadMust, Color: plot.Orange}, {Name: "goal: at most +8 %", Value: all * deadGoal, Color: plot.Green}},
	}
	return b.SVG()
}

// deadMust and deadGoal are how much a dead receiver may cost.
const deadMust, deadGoal = 1.15, 1.08

// surveyOf draws the error over the size of the survey.
func surveyOf(r *runs) []byte {
	var median, mean, p90, worst []plot.Point
	var names []string
	most := 0.0
	for i, s := range r.Surveys {
		x := float64(i)
		median, mean, p90 = append(median, plot.Point{X: x, Y: s.MedianM}), append(mean, plot.Point{X: x, Y: s.MeanM}), append(p90, plot.Point{X: x, Y: s.P90M})
		worst = append(worst, plot.Point{X: x, Y: s.WorstM})
		names = append(names, grouped(s.Points))
		most = max(most, s.P90M)
	}
	last := float64(len(names) - 1)
	c := plot.Chart{
		Title: "Flat: what a survey is worth", Subtitle: "means over five choices of points, spread evenly over the flat",
		X: plot.Axis{Label: "survey points", Min: -0.3, Max: last + 0.3, Names: names},
		Y: plot.Axis{Label: "error, m", Max: most * 1.1},
		Series: []plot.Series{
			{Name: "90th percentile", Color: plot.Purple, Points: p90},
			{Name: "mean", Kind: plot.Dashed, Color: plot.Blue, Points: mean},
			{Name: "median", Color: plot.Blue, Points: median},
			{Name: "worst median of five", Kind: plot.Thin, Color: plot.Blue, Points: worst},
			{Name: "kNN, median", Kind: plot.Letters, Color: plot.Grey, Points: []plot.Point{{X: last, Y: 1.00}}},
		},
	}
	return c.SVG()
}

// grouped writes 4104 as 4,104.
func grouped(n int) string {
	s := fmt.Sprint(n)
	if len(s) > 3 {
		return s[:len(s)-3] + "," + s[len(s)-3:]
	}
	return s
}

// radiiOf compares the radii that are stated with those that hold.
func radiiOf(r *runs) []byte {
	c := plot.Chart{
		Title: "Are the stated radii true?", Subtitle: "epochs sorted by stated radius, in eight parts: the radius that did hold 68 or 95 % of each",
		X: plot.Axis{Label: "stated radius, m", Max: 8}, Y: plot.Axis{Label: "radius that held as many, m", Max: 8},
		Series: []plot.Series{{Name: "as it should be", Kind: plot.Dashed, Color: plot.Grey, Points: []plot.Point{{}, {X: 8, Y: 8}}}},
	}
	for _, set := range []struct {
		name  string
		run   run
		color plot.Color
	}{{"flat", r.Flat, plot.Blue}, {"library", r.Library, plot.Orange}, {"simulated, seed 1", r.Sims[0].run, plot.Green}} {
		c.Series = append(c.Series,
			plot.Series{Name: set.name + ", 68 %", Color: set.color, Points: held(set.run, 0.68, func(e *locate.Epoch) float64 { return e.Accuracy68M })},
			plot.Series{Name: set.name + ", 95 %", Kind: plot.Dashed, Color: set.color, Points: held(set.run, 0.95, func(e *locate.Epoch) float64 { return e.Accuracy95M })})
	}
	return c.SVG()
}

// held sorts the epochs by their stated radius and returns, of each eighth, its mean
// and the radius that held the share.
func held(r run, share float64, stated func(*locate.Epoch) float64) []plot.Point {
	type pair struct{ stated, real float64 }
	var all []pair
	eachError(r, func(e *locate.Epoch, d float64) { all = append(all, pair{stated(e), d}) })
	slices.SortFunc(all, func(a, b pair) int { return cmp.Compare(a.stated, b.stated) })
	var out []plot.Point
	const parts = 8
	for i := range parts {
		part := all[i*len(all)/parts : (i+1)*len(all)/parts]
		if len(part) == 0 {
			continue
		}
		errors, sum := make([]float64, len(part)), 0.0
		for j, p := range part {
			errors[j], sum = p.real, sum+p.stated
		}
		slices.Sort(errors)
		out = append(out, plot.Point{X: sum / float64(len(part)), Y: errors[int(share*float64(len(errors)-1)+0.5)]})
	}
	return out
}

// doorsOf draws where the tags were and what was shown, run by run.
func doorsOf(r *runs) []byte {
	t := plot.Timeline{
		Title: "Doors: in or out", Subtitle: "of each run the truth, and below it what was shown; walks by geometry, cars by zones learned from the other runs",
		X: plot.Axis{Label: "time, s"},
	}
	color := func(zone int) (plot.Color, bool) {
		if zone < 0 {
			return plot.Grey, zone == locate.Outside
		}
		return plot.Color(zone % int(plot.Grey)), true
	}
	for i, z := range r.doorsSite.Zones {
		c, _ := color(i)
		t.States = append(t.States, plot.Level{Name: z.Name, Color: c})
	}
	for _, runs := range []run{r.Walk, r.CarZone} {
		for _, trace := range runs.traces {
			truth := plot.Row{Label: shortly(trace.Track)}
			shown := plot.Row{Label: "shown", Thin: true}
			first := trace.Epochs[0].At
			for _, e := range trace.Epochs {
				at := (e.At - first).Seconds()
				t.X.Max = max(t.X.Max, at+1)
				if c, ok := color(e.TrueZone); ok {
					truth.Spans = extended(truth.Spans, at, c)
				}
				if c, ok := color(e.Zone); ok {
					shown.Spans = extended(shown.Spans, at, c)
				}
			}
			t.Rows = append(t.Rows, truth, shown)
		}
	}
	return t.SVG()
}

// extended lets the last span go on for the second from at, or begins another.
func extended(spans []plot.Span, at float64, c plot.Color) []plot.Span {
	if n := len(spans); n > 0 && spans[n-1].Color == c && at-spans[n-1].To < 0.5 {
		spans[n-1].To = at + 1
		return spans
	}
	return append(spans, plot.Span{From: at, To: at + 1, Color: c})
}

// shortly names a run of the doors: "car_sensor_1_measurement_2" is "car 1.2".
func shortly(track string) string {
	words := strings.Split(track, "_")
	if len(words) != 5 {
		return track
	}
	return words[0] + " " + words[2] + "." + words[4]
}
