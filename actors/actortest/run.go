package actortest

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mybeacon/actors"
	"mybeacon/schema"
)

// origin is when scenarios begin. It is a whole second; nothing else about it
// matters.
var origin = time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)

// Run runs every scenario of a pattern such as "testdata/*.txt" as a subtest.
// With rewrite, what happened replaces the expectations in the files.
func Run(t *testing.T, pattern string, rewrite bool) {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenarios match %s: %v", pattern, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			after := RunText(t, file, string(text), rewrite)
			if rewrite && after != string(text) {
				if err := os.WriteFile(file, []byte(after), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// RunText runs one scenario and returns it with what happened as expectations.
// Unless rewrite is set, a difference fails the test.
func RunText(t testing.TB, name, text string, rewrite bool) string {
	t.Helper()
	sc, err := parse(text)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	r := &runner{site: newSite(), present: make(map[schema.TagID]bool), held: make(map[schema.ZoneID]int)}
	for _, f := range sc.site {
		if err := r.site.declare(f); err != nil {
			t.Fatalf("%s: %s: %v", name, strings.Join(f, " "), err)
		}
	}
	r.start(t)
	defer r.stop(t)
	happened := make([][]string, len(sc.stages))
	for i := range sc.stages {
		st := &sc.stages[i]
		if happened[i], err = r.stage(st); err != nil {
			t.Fatalf("%s:%v", name, err)
		}
		if diff := cmp.Diff(st.expect, happened[i]); diff != "" && !rewrite {
			t.Errorf("%s:%d: -expected +happened\n%s", name, st.first+1, diff)
		}
	}
	return sc.rewritten(happened)
}

// rewritten returns the file with what happened in place of each stage's
// expectations.
func (sc *scenario) rewritten(happened [][]string) string {
	var b strings.Builder
	next := 0
	write := func() {
		if len(happened[next]) == 0 {
			b.WriteString("expect nothing\n")
		}
		for _, h := range happened[next] {
			b.WriteString("expect " + h + "\n")
		}
		next++
	}
	for i, line := range sc.lines {
		if next < len(sc.stages) && sc.stages[next].first == i {
			write()
		}
		if f := strings.Fields(line); len(f) == 0 || f[0] != "expect" {
			b.WriteString(line + "\n")
		}
	}
	for next < len(sc.stages) {
		write()
	}
	return b.String()
}

// runner is a scenario under way.
type runner struct {
	site    *site
	rec     *Recorder
	sys     *actors.System
	starts  int
	seen    seen
	present map[schema.TagID]bool
	held    map[schema.ZoneID]int
}

// seen is how much of the recorder earlier stages have accounted for.
type seen struct{ moved, visits, occupancy int }

func (r *runner) start(t testing.TB) {
	t.Helper()
	if err := r.launch(); err != nil {
		t.Fatal(err)
	}
}

func (r *runner) launch() error {
	r.rec, r.seen = &Recorder{}, seen{}
	cfg := actors.DefaultConfig()
	cfg.Log = slog.New(slog.DiscardHandler)
	cfg.Output, cfg.Health, cfg.Layouts, cfg.Learned = r.rec, r.rec, r.site.layouts, r.rec
	cfg.Start = origin.Add(time.Duration(r.starts) * time.Second)
	r.starts++
	var err error
	r.sys, err = actors.New(cfg)
	return err
}

func (r *runner) stop(t testing.TB) {
	t.Helper()
	if n := r.sys.Stats().Unknown; n > 0 {
		t.Errorf("%d unknown messages", n)
	}
	if err := r.sys.Stop(context.Background()); err != nil {
		t.Error(err)
	}
}

// stage runs the steps, checks the checks, and returns what happened.
func (r *runner) stage(st *stage) ([]string, error) {
	var happened []string
	for i := range st.steps {
		s := &st.steps[i]
		if s.verb == "restart" {
			happened = append(happened, r.events()...)
		}
		if err := r.step(s); err != nil {
			return nil, fmt.Errorf("%d: %w", s.line, err)
		}
		if i+1 == len(st.steps) || st.steps[i+1].arrives > s.arrives {
			if err := r.sys.Settle(context.Background()); err != nil {
				return nil, err
			}
		}
	}
	happened = append(happened, r.events()...)
	for _, c := range st.checks {
		if err := r.check(c.fields); err != nil {
			return nil, fmt.Errorf("%d: check %s: %w", c.line, strings.Join(c.fields, " "), err)
		}
	}
	return happened, nil
}

func (r *runner) step(s *step) error {
	switch s.verb {
	case "restart":
		visits := r.sys.OpenVisits()
		if err := r.sys.Stop(context.Background()); err != nil {
			return err
		}
		if err := r.launch(); err != nil {
			return err
		}
		r.sys.Restore(visits)
		return nil
	case "removed":
		plan, err := r.site.remove(s.who, s.name)
		if err == nil {
			r.sys.Forget(plan)
		}
		return err
	}
	return r.frame(s)
}

func (r *runner) frame(s *step) error {
	dev := r.site.receivers[s.who]
	if dev == nil {
		return fmt.Errorf("no receiver %s", s.who)
	}
	at := schema.EventTimeOf(origin.Add(s.at))
	f := schema.FrameAdmitted{
		Source: dev.source, BootID: "boot", Seq: s.seq, SentAt: at, ArrivedAt: origin.Add(s.arrives),
	}
	for i, h := range s.heard {
		id, ok := r.site.tags[h.tag]
		if !ok {
			return fmt.Errorf("no tag %s", h.tag)
		}
		f.Observations = append(f.Observations, schema.Heard{
			Observation: schema.Observation{At: at, RSSI: schema.CentiDBmOf(h.dbm)}, Tag: id, Late: s.late,
		})
		f.Indexes = append(f.Indexes, uint16(i))
	}
	r.sys.Frame(f)
	if s.twice {
		r.sys.Frame(f)
	}
	return nil
}

// events returns what happened since the last call, in canonical order.
func (r *runner) events() []string {
	var timed []event
	moved, visits, occupancy := r.rec.movedAsCame(), r.rec.Visits(), r.rec.Occupancies()
	for _, m := range moved[r.seen.moved:] {
		is := m.Presence == schema.Present
		if is && !r.present[m.Tag] {
			timed = append(timed, event{m.At, r.name(m.Tag) + " appears on " + r.name(m.Plan)})
		}
		if !is {
			timed = append(timed, event{m.At, r.name(m.Tag) + " absent"})
		}
		r.present[m.Tag] = is
	}
	for _, v := range visits[r.seen.visits:] {
		if v.LeftAt.IsZero() {
			timed = append(timed, event{v.EnteredAt, r.name(v.Tag) + " enters " + r.name(v.Zone)})
		} else {
			timed = append(timed, event{v.LeftAt, r.name(v.Tag) + " leaves " + r.name(v.Zone)})
		}
	}
	slices.SortStableFunc(timed, event.compare)
	var out []string
	for _, e := range timed {
		out = append(out, e.String())
	}
	out = append(out, r.occupancy(occupancy[r.seen.occupancy:])...)
	r.seen = seen{len(moved), len(visits), len(occupancy)}
	return out
}

// occupancy returns the zones whose occupancy is not what it was after the last
// stage. How many steps it took depends on the scheduler.
func (r *runner) occupancy(changes []schema.Occupancy) (out []string) {
	newest := make(map[schema.ZoneID]int)
	for _, o := range changes {
		newest[o.Zone] = o.Tags
	}
	for id, n := range newest {
		if n != r.held[id] {
			out = append(out, r.name(id)+" holds "+strconv.Itoa(n))
		}
		r.held[id] = n
	}
	slices.Sort(out)
	return out
}

func (r *runner) name(id [16]byte) string { return r.site.names[id] }

// check tests an assertion about the newest fix of a tag.
func (r *runner) check(f []string) error {
	id, ok := r.site.tags[f[0]]
	if !ok {
		return fmt.Errorf("no tag %s", f[0])
	}
	var last *schema.TagMoved
	for _, m := range r.rec.movedAsCame() {
		if m.Tag == id {
			last = &m
		}
	}
	switch {
	case last == nil:
		return fmt.Errorf("it has no fix")
	case len(f) == 3 && f[1] == "is":
		if is := map[schema.Presence]string{schema.Present: "present", schema.Absent: "absent"}[last.Presence]; is != f[2] {
			return fmt.Errorf("it is %s", is)
		}
		return nil
	case len(f) == 5 && f[1] == "within" && f[3] == "of":
		return near(last, f[2], f[4])
	}
	return fmt.Errorf("not understood")
}

func near(m *schema.TagMoved, radius, where string) error {
	want, err := strconv.ParseFloat(strings.TrimSuffix(radius, "m"), 64)
	if err != nil {
		return err
	}
	p, err := point(where, 2)
	if err != nil {
		return err
	}
	if d := math.Hypot(m.X-p[0], m.Y-p[1]); !(d <= want) {
		return fmt.Errorf("it is at %.2f,%.2f, %.2f m away", m.X, m.Y, d)
	}
	return nil
}

type event struct {
	at   schema.EventTime
	what string
}

func (e event) compare(o event) int {
	if e.at != o.at {
		return int(e.at - o.at)
	}
	return strings.Compare(e.what, o.what)
}

func (e event) String() string {
	return "at " + e.at.Time().Sub(origin).String() + " " + e.what
}
