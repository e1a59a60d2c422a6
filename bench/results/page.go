package results

import (
	"bytes"
	_ "embed"
	"fmt"
	"math"
	"strings"
	"text/template"
	"time"
)

//go:embed positioning.md.tmpl
var pageText string

// page fills in the figures.
func page(r *runs, now time.Time) ([]byte, error) {
	t, err := template.New("page").Funcs(template.FuncMap{
		"m":   func(v float64) string { return fixed(v, 2) },
		"s":   func(v float64) string { return fixed(v, 1) },
		"n":   func(v float64) string { return fixed(v, 0) },
		"pct": func(v float64) string { return fixed(100*v, 1) + " %" },
		"more": func(v, than float64) string {
			return strings.Replace(fmt.Sprintf("%+.0f %%", 100*(v/than-1)), "-", "−", 1)
		},
		"grouped": grouped,
	}).Parse(pageText)
	if err != nil {
		return nil, fmt.Errorf("read the page's template: %w", err)
	}
	var b bytes.Buffer
	data := struct {
		*runs
		Date string
	}{r, now.Format(time.DateOnly)}
	if err := t.Execute(&b, data); err != nil {
		return nil, fmt.Errorf("fill in the page: %w", err)
	}
	return b.Bytes(), nil
}

func fixed(v float64, places int) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return ""
	}
	return fmt.Sprintf("%.*f", places, v)
}

// more writes by how much v exceeds than.
func more(v, than float64) string {
	return strings.Replace(fmt.Sprintf("%+.0f %%", 100*(v/than-1)), "-", "−", 1)
}

// target is one of the project's own.
type target struct {
	what string
	ok   bool
}

func most(what string, v, limit float64) target  { return target{what, v <= limit} }
func least(what string, v, limit float64) target { return target{what, v >= limit} }

// errorsBelow are targets for errors in metres and a share in the right zone.
func errorsBelow(f run, median, mean, p90, zone float64) []target {
	return []target{most("median", f.MedianM, median), most("mean", f.MeanM, mean), most("90th percentile", f.P90M, p90), least("right zone", f.ZoneAccuracy, zone)}
}

func covered(f run) []target {
	return []target{
		{"coverage of 68 %", f.Coverage68 >= 0.58 && f.Coverage68 <= 0.78},
		{"coverage of 95 %", f.Coverage95 >= 0.88 && f.Coverage95 <= 0.99},
		most("fixes outside the plan", f.FixesOutsidePlan, 0),
	}
}

func switching(f run) target {
	return most("switches", f.ZoneSwitches, 1.8*f.TrueSwitches)
}

// musts are the targets that each set must meet.
func (r *runs) musts() map[string][]target {
	walk, car := r.Walk, r.CarZone
	return map[string][]target{
		"flat":            append(append(errorsBelow(r.Flat, 1.40, 1.60, 3.0, 0.79), covered(r.Flat)...), switching(r.Flat), most("dwell", r.Flat.DwellMisallocated, 0.08)),
		"flat, survey":    append(append(errorsBelow(r.FlatSurvey, 1.05, 1.15, 2.0, 0.89), covered(r.FlatSurvey)...), switching(r.FlatSurvey), most("dwell", r.FlatSurvey.DwellMisallocated, 0.04)),
		"library":         append(errorsBelow(r.Library, 1.52, 1.90, 3.75, 0.70), covered(r.Library)...),
		"library, survey": covered(r.LibrarySurvey),
		"walk": {
			least("right", walk.ZoneAccuracy, 0.975), least("away from changes", walk.AccuracyOutside2s, 0.995),
			most("switches", walk.ZoneSwitches, 10), most("latency", walk.LatencyS, 1.5),
		},
		"car":       {least("right", car.ZoneAccuracy, 0.96), least("away from changes", car.AccuracyOutside2s, 0.995), most("switches", car.ZoneSwitches, 75)},
		"simulated": append(covered(r.Sims[0].run), switching(r.Sims[0].run)),
		"dead":      {most("one receiver dead", r.worst().MedianM, r.Flat.MedianM*deadMust)},
	}
}

// Met says of a set which of its musts are not met, or that all are.
func (r *runs) Met(set string) string {
	var missed []string
	for _, t := range r.musts()[set] {
		if !t.ok {
			missed = append(missed, t.what)
		}
	}
	if len(missed) == 0 {
		return "All musts are met."
	}
	return "**Not met**: " + strings.Join(missed, ", ") + "."
}

func (r *runs) worst() (worst dead) {
	for _, d := range r.Without {
		if !(d.MedianM <= worst.MedianM) {
			worst = d
		}
	}
	return worst
}

// Worst is the receiver without which the flat is worst.
func (r *runs) Worst() string { return r.worst().Receiver }
