package locate

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/golang/geo/r2"
)

// Errors are how far estimates were from where the tags were.
type Errors struct {
	Points  int     // that were located
	MedianM float64 // metres
	MeanM   float64
	P90M    float64
}

// The bounds of an [Assess]: it makes a locator for each part of the points that is
// left out, which takes a second each where surveys are large.
const (
	assessPoints = 400
	assessParts  = 20
	fewParts     = 5
	largeSurvey  = 20_000 // readings, from which on the parts are few
)

// stands is for how many seconds a tag is taken to stand at each point.
const stands = 5

// Assess locates the points of the site's survey, as if a tag stood at each for some
// seconds, by what was heard there: before, knowing nothing but where receivers hang
// and their gains; after, with the offsets that were learned and the survey of the
// other points. Up to twenty points are left out one by one; more are divided into
// parts that are left out together. Points at which fewer than least receivers heard
// something are not asked. Both are zero where no point is left.
func Assess(site Site, cfg Config, offsets []float64, least int) (before, after Errors, err error) {
	known := pointsOf(site, least)
	if len(known) == 0 {
		return before, after, nil
	}
	bare := site
	bare.Survey = nil
	plain, err := New(bare, cfg)
	if err != nil {
		return before, after, fmt.Errorf("locate without what was learned: %w", err)
	}
	var without, with []float64
	for _, p := range known {
		without = append(without, p.miss(plain, nil))
	}
	parts := min(len(known), assessParts)
	if len(site.Survey) > largeSurvey {
		parts = min(parts, fewParts)
	}
	for part := range parts {
		some, err := missesOf(site, cfg, offsets, leave(known, part, parts))
		if err != nil {
			return before, after, err
		}
		with = append(with, some...)
	}
	return summary(without), summary(with), nil
}

// knownPoint is where a tag was and what was heard of it there.
type knownPoint struct {
	at       r2.Point
	source   int
	readings []int // in Site.Survey
	samples  []Sample
}

// pointsOf returns the survey's points, ordered; of too many some, evenly.
func pointsOf(site Site, least int) []knownPoint {
	type key struct {
		at     r2.Point
		source int
	}
	byPlace := map[key]*knownPoint{}
	for i, l := range site.Survey {
		k := key{l.At, l.Source}
		p := byPlace[k]
		if p == nil {
			p = &knownPoint{at: l.At, source: l.Source}
			byPlace[k] = p
		}
		p.readings = append(p.readings, i)
		p.samples = append(p.samples, Sample{Receiver: l.Receiver, RSSIdBm: l.RSSIdBm})
	}
	var known []knownPoint
	for _, p := range byPlace {
		if p.receivers() >= least {
			known = append(known, *p)
		}
	}
	slices.SortFunc(known, func(a, b knownPoint) int {
		return cmp.Or(cmp.Compare(a.at.X, b.at.X), cmp.Compare(a.at.Y, b.at.Y), cmp.Compare(a.source, b.source))
	})
	if n := len(known); n > assessPoints {
		for i := range assessPoints {
			known[i] = known[i*n/assessPoints]
		}
		known = known[:assessPoints]
	}
	return known
}

func (p *knownPoint) receivers() int {
	heard := map[int]bool{}
	for _, s := range p.samples {
		heard[s.Receiver] = true
	}
	return len(heard)
}

// leave returns every parts-th point, from part on: neighbours are left out at
// different times.
func leave(known []knownPoint, part, parts int) []knownPoint {
	var some []knownPoint
	for i := part; i < len(known); i += parts {
		some = append(some, known[i])
	}
	return some
}

// missesOf locates the points by what the others teach.
func missesOf(site Site, cfg Config, offsets []float64, points []knownPoint) ([]float64, error) {
	out := map[int]bool{}
	for _, p := range points {
		for _, i := range p.readings {
			out[i] = true
		}
	}
	rest := site
	rest.Survey = nil
	for i, l := range site.Survey {
		if !out[i] {
			rest.Survey = append(rest.Survey, l)
		}
	}
	l, err := New(rest, cfg)
	if err != nil {
		return nil, fmt.Errorf("locate with what was learned: %w", err)
	}
	var learned *Offsets
	if len(offsets) > 0 {
		if learned, err = l.Offsets(offsets); err != nil {
			return nil, err
		}
	}
	misses := make([]float64, len(points))
	for i, p := range points {
		misses[i] = p.miss(l, learned)
	}
	return misses, nil
}

// miss returns how far from its place the tag is put, metres.
func (p *knownPoint) miss(l Locator, offsets *Offsets) float64 {
	t := l.NewTrack()
	t.Calibrate(offsets)
	var found Estimate
	for second := range stands {
		found, _ = t.Update(time.Duration(second)*time.Second, p.samples)
	}
	return found.Pos.Sub(p.at).Norm()
}

func summary(misses []float64) Errors {
	slices.Sort(misses)
	e := Errors{Points: len(misses), MedianM: quantileOf(misses, 0.5), P90M: quantileOf(misses, 0.9)}
	for _, m := range misses {
		e.MeanM += m / float64(len(misses))
	}
	return e
}

// quantileOf is between the two values around it; the values are sorted.
func quantileOf(sorted []float64, q float64) float64 {
	at := q * float64(len(sorted)-1)
	low := int(math.Floor(at))
	high := min(low+1, len(sorted)-1)
	return sorted[low] + (at-float64(low))*(sorted[high]-sorted[low])
}
