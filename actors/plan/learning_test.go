package plan_test

import (
	"encoding/json"
	"log/slog"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mybeacon/actors/actortest"
	"mybeacon/actors/plan"
	"mybeacon/actors/tag"
	"mybeacon/geometry/locate"
	"mybeacon/geometry/zonemodel"
	"mybeacon/schema"
)

// school is a plan of four receivers that learns, driven by one of them.
type school struct {
	*testing.T
	layouts *actortest.Layouts
	layout  schema.Layout
	plans   *tag.Plans
	cfg     plan.Config
	state   *plan.State
	told    []tag.Correction // by the newest tide
	news    []schema.Offsets
	lost    uint64
}

func newSchool(t *testing.T) *school {
	s := &school{T: t, layouts: &actortest.Layouts{}, cfg: plan.DefaultConfig()}
	s.layout = schema.Layout{
		Organisation: schema.OrganisationID{1}, Location: schema.LocationID{2}, Plan: planID, TagHeightM: 1,
		Bounds: schema.Rect{Max: schema.Point{X: 12, Y: 12}},
	}
	for i := range byte(4) {
		s.layout.Receivers = append(s.layout.Receivers, schema.Placement{
			Receiver: schema.ReceiverID{7, i}, X: float64(i%2) * 12, Y: float64(i/2) * 12, Z: 2.5,
		})
	}
	s.layouts.Put(s.layout)
	s.plans = tag.NewPlans(s.layouts, locate.DefaultConfig(), zonemodel.DefaultConfig(), slog.New(slog.DiscardHandler))
	s.state = plan.New(&s.cfg, planID).Follow(s.plans)
	return s
}

// tide lets the plan reach a second.
func (s *school) tide(second int) {
	d := &plan.Delivered{
		Source:  schema.Source{Organisation: s.layout.Organisation, Device: schema.DeviceID{9}, Plan: planID, KeepDays: 30},
		Through: at(float64(second)), Heard: at(float64(second)) - 1, Tags: []schema.TagID{{1}},
	}
	for _, m := range s.state.Delivered(d, nil) {
		s.told = m.Msg.Corrections
	}
	news, lost := s.state.Learned()
	s.news, s.lost = append(s.news, news...), s.lost+lost
}

// lesson says what a receiver heard too much in all parts of the plan.
func (s *school) lesson(second int, teacher byte, receiver int32, excess float32) *tag.Lessons {
	l := &tag.Lessons{Tag: schema.TagID{teacher}, Plan: planID, Site: s.plans.Plan(planID).Locator(), Second: at(float64(second))}
	for part := range int32(16) {
		for range 10 {
			l.Items = append(l.Items, locate.Lesson{Receiver: receiver, Part: part, Weight: 1, ExcessDB: excess})
		}
	}
	return l
}

// offsets returns what is in force for a second, by receiver.
func (s *school) offsets(second int) (db [4]float64) {
	for i := len(s.told) - 1; i >= 0; i-- {
		if s.told[i].From <= at(float64(second)) {
			for r := range db {
				db[r] = s.told[i].Offsets.DB(r)
			}
			return db
		}
	}
	return db
}

func TestLessonsComeIntoForceByEpochs(t *testing.T) {
	s := newSchool(t)
	s.tide(101)
	s.state.Lessons(s.lesson(104, 1, 0, 6))
	s.state.Lessons(s.lesson(104, 1, 1, 0))
	for second := 102; second <= 140; second++ {
		s.tide(second)
	}
	if len(s.news) != 0 || s.offsets(139) != [4]float64{} {
		t.Fatalf("in force already: %v, %v", s.news, s.told)
	}
	s.tide(141) // second 140 is the first that may not be fixed without
	got := s.offsets(140)
	if s.offsets(139) != [4]float64{} || !(got[0] > 1 && got[1] < -1) || got[2] != 0 {
		t.Errorf("in force for second 140: %v", got)
	}
	want := []schema.Offsets{{
		Organisation: s.layout.Organisation, Location: s.layout.Location, Plan: planID, From: at(140), KeepDays: 30,
		Receivers: []schema.ReceiverOffset{
			{Receiver: schema.ReceiverID{7, 0}, Offset: schema.CentiDBmOf(got[0])},
			{Receiver: schema.ReceiverID{7, 1}, Offset: schema.CentiDBmOf(got[1])},
		},
	}}
	if diff := cmp.Diff(want, s.news); diff != "" {
		t.Errorf("-want +told\n%s", diff)
	}
	s.state.Lessons(s.lesson(109, 2, 0, 6)) // up to second 110 all was applied
	s.tide(142)
	if s.lost != 1 {
		t.Errorf("%d lessons lost, want the one that came too late", s.lost)
	}
}

func TestTheOrderOfLessonsDoesNotMatter(t *testing.T) {
	run := func(seed uint64) []schema.Offsets {
		s, rng := newSchool(t), rand.New(rand.NewPCG(seed, 1))
		s.tide(1)
		for second := 0; second < 200; second += 5 {
			var all []*tag.Lessons
			for teacher := range byte(6) {
				n := second + int(teacher)
				all = append(all, s.lesson(second+n%5, teacher, int32(n%4), float32(n%11)-5))
			}
			rng.Shuffle(len(all), func(a, b int) { all[a], all[b] = all[b], all[a] })
			for _, l := range all {
				s.state.Lessons(l)
			}
			s.tide(second + 5 + rng.IntN(3))
		}
		s.tide(203)
		if s.lost > 0 {
			t.Errorf("%d lessons lost", s.lost)
		}
		return s.news
	}
	want := run(0)
	if len(want) < 5 {
		t.Fatalf("learned %v", want)
	}
	for seed := range uint64(5) {
		if diff := cmp.Diff(want, run(seed+1)); diff != "" {
			t.Errorf("-one order +another\n%s", diff)
		}
	}
}

func TestWaitingLessonsAreBounded(t *testing.T) {
	s := newSchool(t)
	s.cfg.MaxLessons = 3
	s.tide(101)
	for n := range byte(5) {
		s.state.Lessons(s.lesson(102, n, 0, 6))
	}
	s.tide(102)
	if s.lost != 2 {
		t.Errorf("%d of 5 lessons lost, room for 3", s.lost)
	}
}

// learned lets receivers 0 and 1 differ from the others, and returns what is in force at second 200.
func (s *school) learned() [4]float64 {
	s.tide(101)
	s.state.Lessons(s.lesson(104, 1, 0, 6))
	s.state.Lessons(s.lesson(104, 2, 1, -6))
	s.state.Lessons(s.lesson(104, 3, 2, 0))
	s.state.Lessons(s.lesson(104, 4, 3, 0))
	s.tide(201)
	return s.offsets(200)
}

func TestWhoStaysKeepsWhatWasLearned(t *testing.T) {
	s := newSchool(t)
	before := s.learned()
	// The first is moved, and one more is put up before the second.
	moved := s.layout
	moved.Receivers = append([]schema.Placement{}, s.layout.Receivers...)
	moved.Receivers[0].X++
	moved.Receivers[1], moved.Receivers[2] = moved.Receivers[2], moved.Receivers[1]
	moved.Receivers = append(moved.Receivers, schema.Placement{Receiver: schema.ReceiverID{7, 9}, X: 6, Y: 6, Z: 2.5})
	s.layouts.Put(moved)
	old := s.told[len(s.told)-1]
	s.tide(202)
	after := s.offsets(201)
	// What all have in common is nobody's offset, so those that stay share what one had.
	if after[0] != 0 || !(after[1] > 0) || after[2] > before[1]+2 || before[1] > -2 {
		t.Errorf("in force %v, before the receivers were moved %v", after, before)
	}
	if s.told[len(s.told)-1].Site == old.Site || len(s.told) != 1 {
		t.Error("what was learned on the old site is still told")
	}
	s.state.Lessons(&tag.Lessons{Site: old.Site, Second: at(201)})
	s.tide(203)
	if s.lost != 1 {
		t.Errorf("%d lessons lost, want the one of the old site", s.lost)
	}
	s.layout.TagHeightM = 2 // everything is expected to be heard otherwise
	s.layouts.Put(s.layout)
	s.tide(211)
	if got := s.offsets(210); got != [4]float64{} {
		t.Errorf("%v of another ground", got)
	}
	if last := s.news[len(s.news)-1]; len(last.Receivers) != 0 {
		t.Errorf("the last news are %+v, not that there are no offsets", last)
	}
}

func TestACalibrationSurvivesAsJSON(t *testing.T) {
	s := newSchool(t)
	before := s.learned()
	c, changed := s.state.Calibration()
	if _, again := s.state.Calibration(); !changed || again {
		t.Errorf("changed %v, then %v", changed, again)
	}
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	var back plan.Calibration
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	next := newSchool(t)
	next.state.Restore(&back)
	next.tide(501)
	if got := next.offsets(500); got != before {
		t.Errorf("in force after the restart %v, before %v", got, before)
	}
	if len(next.news) != 1 || next.news[0].From != at(500) {
		t.Errorf("told %+v", next.news)
	}
	back.Receivers[0].Parts[0][0] = -1
	bad := newSchool(t)
	bad.state.Restore(&back)
	bad.tide(501)
	if got := bad.offsets(500); got != [4]float64{} {
		t.Errorf("a calibration that cannot be put %v into force", got)
	}
}

func TestAClockThatRanAheadEndsNoLearning(t *testing.T) {
	s := newSchool(t)
	s.tide(101)
	s.tide(5000)
	s.tide(151) // it was wrong
	s.state.Lessons(s.lesson(155, 1, 0, 6))
	s.state.Lessons(s.lesson(155, 2, 1, 0))
	s.tide(201)
	if got := s.offsets(200); got[0] <= 0 || s.lost != 0 {
		t.Errorf("in force %v, lost %d", got, s.lost)
	}
}

// In which order the tags get to teach changes nothing of what is learned.
func TestOrderOfLessonsDoesNotMatter(t *testing.T) {
	run := func(shuffle func(n int, swap func(i, j int))) ([]schema.Offsets, plan.Calibration) {
		s := newSchool(t)
		s.tide(101)
		var lessons []*tag.Lessons
		for i := range 40 { // more than the calibration takes a mean of
			lessons = append(lessons, s.lesson(101+i%7, byte(i), int32(i%2), float32(i%11*(i%2))))
		}
		shuffle(len(lessons), func(i, j int) { lessons[i], lessons[j] = lessons[j], lessons[i] })
		for _, l := range lessons {
			s.state.Lessons(l)
		}
		for second := 102; second <= 150; second++ {
			s.tide(second)
		}
		c, _ := s.state.Calibration()
		return s.news, c
	}
	news, learned := run(func(int, func(i, j int)) {})
	if len(news) == 0 {
		t.Fatal("nothing was learned")
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for range 5 {
		again, same := run(rng.Shuffle)
		if diff := cmp.Diff(news, again) + cmp.Diff(learned, same); diff != "" {
			t.Fatalf("-in order +shuffled\n%s", diff)
		}
	}
}

// Lessons from before a restart are for a plan that may have changed meanwhile.
func TestLessonsOfWhatIsNoMore(t *testing.T) {
	for name, change := range map[string]func(*school){
		"no receivers": func(s *school) { s.layout.Receivers = nil },
		"another hall": func(s *school) { s.layout.Bounds.Max.X = 40 },
	} {
		t.Run(name, func(t *testing.T) {
			s := newSchool(t)
			for second := range 20 {
				s.state.Lessons(s.lesson(100+second, 1, 0, 6))
			}
			change(s)
			s.layout.Version++
			s.layouts.Put(s.layout)
			for second := 101; second <= 200; second++ {
				s.tide(second)
			}
			if s.lost != 20 || len(s.news) != 0 || s.offsets(199) != [4]float64{} {
				t.Errorf("lost %d of 20, told %v, in force %v", s.lost, s.news, s.offsets(199))
			}
		})
	}
}
