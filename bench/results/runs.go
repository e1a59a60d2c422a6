package results

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

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

// sized is the flat with so many points of its survey: the means over several choices
// of them, and the worst median.
type sized struct {
	Points int
	locate.Figures
	WorstM float64
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

// surveySizes returns how many points of the flat's survey are given to the engine,
// beside none and all, and choices in how many ways they are chosen.
func surveySizes() []int { return []int{5, 10, 20, 50, 100} }

const choices = 5

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
	r.Surveys = append(r.Surveys, sized{Figures: r.Flat.Figures, WorstM: r.Flat.MedianM})
	for _, n := range surveySizes() {
		if n < spots(flat.survey) {
			r.Surveys = append(r.Surveys, m.thinned(flat, n))
		}
	}
	r.Surveys = append(r.Surveys, sized{Points: spots(flat.survey), Figures: r.FlatSurvey.Figures, WorstM: r.FlatSurvey.MedianM})
}

// thinned measures some choices of n points and returns the means of their figures.
func (m *meter) thinned(f folder, n int) sized {
	s := sized{Points: n}
	for seed := range uint64(choices) {
		r := m.measure(fmt.Sprintf("flat, %d survey points, choice %d", n, seed+1), f, locate.Config{Survey: f.survey, SurveyPoints: n, SurveySeed: seed + 1})
		s.MedianM += r.MedianM / choices
		s.MeanM += r.MeanM / choices
		s.P90M += r.P90M / choices
		s.ZoneAccuracy += r.ZoneAccuracy / choices
		s.WorstM = max(s.WorstM, r.MedianM)
	}
	return s
}

// spots counts the points of a survey.
func spots(survey []recording.SurveyPoint) int {
	seen := map[string]bool{}
	for _, p := range survey {
		seen[p.Point] = true
	}
	return len(seen)
}
