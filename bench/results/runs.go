package results

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"

	"mybeacon/bench/locate"
	"mybeacon/bench/recording"
	"mybeacon/bench/sim"
)

// run is one measurement.
type run struct {
	locate.Figures
	traces []locate.Trace
}

// runs is everything that the page tells.
type runs struct {
	flatSite, doorsSite *recording.Site

	Flat, FlatSurvey           run
	Without                    []dead
	Surveys                    []sized
	Library, LibrarySurvey     run
	Walk, CarGeometry, CarZone run
	Sims                       []lived
}

// dead is the flat without one receiver.
type dead struct {
	Receiver string
	run
}

// sized is the flat with so many points of its survey.
type sized struct {
	Points int
	run
}

// lived is a simulated site.
type lived struct {
	Seed uint64
	run
}

// folder is a recording.
type folder struct {
	site   *recording.Site
	survey []recording.SurveyPoint
	truth  locate.Folder
}

func open(dir, name string, surveyed bool) (folder, error) {
	files := os.DirFS(filepath.Join(dir, name))
	site, err := recording.Read(files)
	if err != nil {
		return folder{}, fmt.Errorf("read the recording %s: %w", name, err)
	}
	f := folder{site: site, truth: locate.Folder{Dir: files}}
	if surveyed {
		if f.survey, err = recording.ReadSurvey(files, site.Receivers); err != nil {
			return f, fmt.Errorf("read the survey of %s: %w", name, err)
		}
	}
	return f, nil
}

// meter measures one thing after the other, until something fails.
type meter struct {
	ctx  context.Context
	step func(string)
	err  error
}

func (m *meter) measure(what string, f folder, cfg locate.Config) (r run) {
	if m.err != nil {
		return r
	}
	m.step(what)
	r.Figures, r.traces, m.err = locate.MeasureTraces(m.ctx, f.site, cfg, f.truth)
	return r
}

func (m *meter) open(dir, name string, surveyed bool) (f folder) {
	if m.err == nil {
		f, m.err = open(dir, name, surveyed)
	}
	return f
}

func (m *meter) simulate(seed uint64, seconds int) lived {
	r := lived{Seed: seed}
	if m.err != nil {
		return r
	}
	m.step(fmt.Sprintf("the simulated site, seed %d", seed))
	cfg := sim.DefaultConfig()
	cfg.Tags, cfg.Seed = 60, seed
	life, err := locate.Simulate(cfg, seconds)
	if m.err = err; err == nil {
		r.Figures, r.traces, m.err = locate.MeasureTraces(m.ctx, life.Site, locate.Config{}, life)
	}
	return r
}

func measureAll(ctx context.Context, cfg Config) (*runs, error) {
	m := &meter{ctx: ctx, step: cfg.Step}
	r := &runs{}
	m.flat(r, m.open(cfg.Data, "flat", true))
	library := m.open(cfg.Data, "library", true)
	r.Library = m.measure("library", library, locate.Config{})
	r.LibrarySurvey = m.measure("library, survey", library, locate.Config{Survey: library.survey})
	doors := m.open(cfg.Data, "doors", false)
	r.doorsSite = doors.site
	r.Walk = m.measure("doors, walk", doors, locate.Config{Track: "walk"})
	r.CarGeometry = m.measure("doors, car", doors, locate.Config{Track: "car"})
	r.CarZone = m.measure("doors, car, zones learned", doors, locate.Config{Track: "car", LeaveOneRunOut: true})
	for i := range seeds {
		seconds := cfg.SimSeconds
		if seconds == 0 {
			seconds = 600
		}
		r.Sims = append(r.Sims, m.simulate(uint64(i+1), seconds))
	}
	return r, m.err
}

// seeds is how many simulated sites there are: 1, 2, ….
const seeds = 3

// surveySizes are how many points of the flat's survey are given to the engine.
var surveySizes = [...]int{0, 5, 10, 20, 50, 100, math.MaxInt}

func (m *meter) flat(r *runs, flat folder) {
	if m.err != nil {
		return
	}
	r.flatSite = flat.site
	r.Flat = m.measure("flat", flat, locate.Config{})
	r.FlatSurvey = m.measure("flat, survey", flat, locate.Config{Survey: flat.survey})
	for _, receiver := range flat.site.Receivers {
		r.Without = append(r.Without, dead{receiver.Name, m.measure("flat without "+receiver.Name, flat, locate.Config{Without: receiver.Name})})
	}
	for _, n := range surveySizes {
		part := spreadOut(flat.survey, n)
		s := sized{Points: len(points(part))}
		switch s.Points {
		case 0:
			s.run = r.Flat
		case len(points(flat.survey)):
			s.run = r.FlatSurvey
		default:
			s.run = m.measure(fmt.Sprintf("flat, %d survey points", s.Points), flat, locate.Config{Survey: part})
		}
		r.Surveys = append(r.Surveys, s)
	}
}

// place is one point of a survey.
type place struct {
	name string
	x, y float64
}

// points returns the survey's points in the order of their first reading.
func points(survey []recording.SurveyPoint) (out []place) {
	seen := map[string]bool{}
	for _, p := range survey {
		if !seen[p.Point] {
			seen[p.Point] = true
			out = append(out, place{p.Point, p.X, p.Y})
		}
	}
	return out
}

// spreadOut returns the readings of n points as somebody would choose who wants to
// cover the place with few: the first one nearest to the middle, then always the one
// farthest from all chosen.
func spreadOut(survey []recording.SurveyPoint, n int) []recording.SurveyPoint {
	all := points(survey)
	if n >= len(all) {
		return survey
	}
	var middle place
	for _, p := range all {
		middle.x += p.x / float64(len(all))
		middle.y += p.y / float64(len(all))
	}
	gap := make([]float64, len(all)) // from the nearest chosen; of the first, its nearness to the middle
	for i, p := range all {
		gap[i] = -math.Hypot(p.x-middle.x, p.y-middle.y)
	}
	chosen := map[string]bool{}
	for range n {
		next := slices.Index(gap, slices.Max(gap))
		at := all[next]
		for i, p := range all {
			d := math.Hypot(p.x-at.x, p.y-at.y)
			if len(chosen) > 0 {
				d = math.Min(d, gap[i])
			}
			gap[i] = d
		}
		chosen[at.name] = true
	}
	var out []recording.SurveyPoint
	for _, p := range survey {
		if chosen[p.Point] {
			out = append(out, p)
		}
	}
	return out
}
