package actortest

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"mybeacon/schema"
)

// step is one thing that happens.
type step struct {
	line    int
	at      time.Duration // event time
	arrives time.Duration // at the server
	who     string        // a receiver, or the kind of what is removed
	verb    string        // "hears", "delivers", "removed", "restart"
	name    string        // of what is removed
	heard   []hearing
	seq     uint64 // of the frame
	twice   bool
	late    bool
}

type hearing struct {
	tag string
	dbm float64
}

// stage is steps and what must come of them.
type stage struct {
	steps  []step
	expect []string // canonical lines without "expect"
	checks []check
	// first is the line of the first expect, or where the stage ends: where a
	// rewrite puts what happened.
	first int
}

type check struct {
	line   int
	fields []string
}

// scenario is a parsed file.
type scenario struct {
	lines  []string
	site   [][]string // declarations, as fields
	stages []stage
}

// maxSteps bounds what one file can ask for with "every".
const maxSteps = 200_000

func parse(text string) (*scenario, error) {
	sc := &scenario{lines: strings.Split(strings.TrimSuffix(text, "\n"), "\n")}
	p := parser{sc: sc, current: stage{first: -1}}
	for i, line := range sc.lines {
		line, _, _ = strings.Cut(line, "#")
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		if err := p.line(i, fields); err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
	}
	p.endStage(len(sc.lines))
	sc.number()
	return sc, nil
}

// number gives each receiver's frames numbers in the order in which they were
// sent, and puts each stage's steps in the order in which they arrive.
func (sc *scenario) number() {
	var frames []*step
	for i := range sc.stages {
		for j := range sc.stages[i].steps {
			frames = append(frames, &sc.stages[i].steps[j])
		}
	}
	slices.SortStableFunc(frames, func(a, b *step) int { return cmp.Compare(a.at, b.at) })
	next := make(map[string]uint64)
	for _, f := range frames {
		next[f.who]++
		f.seq = next[f.who]
	}
	for i := range sc.stages {
		slices.SortStableFunc(sc.stages[i].steps, func(a, b step) int { return cmp.Compare(a.arrives, b.arrives) })
	}
}

type parser struct {
	sc      *scenario
	current stage
	steps   int
}

func (p *parser) line(i int, fields []string) error {
	switch fields[0] {
	case "plan", "receiver", "zone", "part", "nogo", "tag":
		if len(p.current.steps) > 0 || len(p.sc.stages) > 0 {
			return fmt.Errorf("%s is declared after the first step", fields[0])
		}
		p.sc.site = append(p.sc.site, fields)
		return nil
	case "at":
		if p.current.first >= 0 || len(p.current.checks) > 0 {
			p.endStage(i)
		}
		return p.at(i, fields[1:])
	case "expect":
		if p.current.first < 0 {
			p.current.first = i
		}
		if what := strings.Join(fields[1:], " "); what != "nothing" {
			p.current.expect = append(p.current.expect, what)
		}
		return nil
	case "check":
		p.current.checks = append(p.current.checks, check{i + 1, fields[1:]})
		return nil
	}
	return fmt.Errorf("%q is none of plan, receiver, zone, tag, at, expect, check", fields[0])
}

func (p *parser) endStage(line int) {
	if len(p.current.steps) == 0 {
		return
	}
	if p.current.first < 0 {
		p.current.first = line
	}
	p.sc.stages = append(p.sc.stages, p.current)
	p.current = stage{first: -1}
}

// at reads "10s[..40s every 1s] WHO VERB …".
func (p *parser) at(line int, f []string) error {
	if len(f) < 2 {
		return fmt.Errorf("at TIME what?")
	}
	from, to, repeated := strings.Cut(f[0], "..")
	begin, err := time.ParseDuration(from)
	if err != nil {
		return err
	}
	end, every, rest := begin, time.Second, f[1:]
	if repeated {
		if end, err = time.ParseDuration(to); err != nil {
			return err
		}
		if len(rest) < 3 || rest[0] != "every" {
			return fmt.Errorf("%s needs: every DURATION", f[0])
		}
		if every, err = time.ParseDuration(rest[1]); err != nil || every <= 0 {
			return fmt.Errorf("every %q is no positive duration", rest[1])
		}
		rest = rest[2:]
	}
	s, err := readStep(rest)
	if err != nil {
		return err
	}
	delay := max(s.arrives-begin, 0)
	for t := begin; t <= end; t += every {
		if p.steps++; p.steps > maxSteps {
			return fmt.Errorf("more than %d steps", maxSteps)
		}
		s.line, s.at, s.arrives = line+1, t, t+delay
		p.current.steps = append(p.current.steps, s)
	}
	return nil
}

// readStep reads "WHO hears TAG DBM … [arrives T] [twice] [late]" and the others.
func readStep(f []string) (step, error) {
	if f[0] == "restart" && len(f) == 1 {
		return step{verb: "restart"}, nil
	}
	if len(f) == 3 && f[2] == "removed" {
		return step{who: f[0], name: f[1], verb: "removed"}, nil
	}
	if len(f) < 2 || f[1] != "hears" && f[1] != "delivers" {
		return step{}, fmt.Errorf("%q is no step", strings.Join(f, " "))
	}
	s := step{who: f[0], verb: f[1]}
	for f = f[2:]; len(f) > 0; {
		switch {
		case f[0] == "twice":
			s.twice, f = true, f[1:]
		case f[0] == "late":
			s.late, f = true, f[1:]
		case f[0] == "arrives" && len(f) > 1:
			d, err := time.ParseDuration(f[1])
			if err != nil {
				return s, err
			}
			s.arrives, f = d, f[2:]
		case s.verb == "hears" && len(f) > 1:
			dbm, err := strconv.ParseFloat(f[1], 64)
			if err != nil {
				return s, fmt.Errorf("%s is heard with %q, which is no power in dBm", f[0], f[1])
			}
			s.heard, f = append(s.heard, hearing{f[0], dbm}), f[2:]
		default:
			return s, fmt.Errorf("%q is not understood", strings.Join(f, " "))
		}
	}
	return s, nil
}

// point reads "x,y" or "x,y,z".
func point(s string, dims int) ([]float64, error) {
	parts := strings.Split(s, ",")
	if len(parts) != dims {
		return nil, fmt.Errorf("%q is not %d numbers", s, dims)
	}
	out := make([]float64, dims)
	for i, p := range parts {
		v, err := strconv.ParseFloat(p, 64)
		if err != nil {
			return nil, err
		}
		out[i] = v
	}
	return out, nil
}

func points(fields []string) ([]schema.Point, error) {
	out := make([]schema.Point, len(fields))
	for i, f := range fields {
		p, err := point(f, 2)
		if err != nil {
			return nil, err
		}
		out[i] = schema.Point{X: p[0], Y: p[1]}
	}
	return out, nil
}
