package locate_test

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang/geo/r2"

	"mybeacon/geometry/locate"
)

// biased returns a hall of eight receivers that differ, and who hears in it.
func biased(seed uint64) (locate.Site, *radio) {
	site := hall(15, 9, 8)
	r := newRadio(seed, site)
	r.bias = []float64{6, -6, 5, -5, -6, 6, -3, 3}
	return site, r
}

// schooled is a track that uses what a calibration knows and teaches it; a nil
// calibration leaves it alone.
type schooled struct {
	locate.Track
	c *locate.Calibration
}

func (s schooled) Update(at time.Duration, samples []locate.Sample) (locate.Estimate, bool) {
	if s.c == nil {
		return s.Track.Update(at, samples)
	}
	s.Calibrate(s.c.Offsets())
	est, ok := s.Track.Update(at, samples)
	s.c.Learn(s.Lessons(nil))
	return est, ok
}

// roam walks a tag all over a hall, in loops that never quite repeat, and returns
// its mean error in metres. Its fixes teach c, and use what c has learned; nil for
// neither.
func roam(t testing.TB, loc locate.Locator, c *locate.Calibration, r *radio, from, seconds int) float64 {
	t.Helper()
	track, sum, size := loc.NewTrack(), 0.0, r.site.Bounds.Size()
	for i := range seconds {
		a := float64(from+i) / 12
		p := r2.Point{X: size.X * (0.5 + 0.42*math.Cos(0.61*a)), Y: size.Y * (0.5 + 0.42*math.Sin(a))}
		est, ok := schooled{track, c}.Update(time.Duration(i)*time.Second, r.hear(p))
		if !ok {
			t.Fatal("no fix")
		}
		sum += est.Pos.Sub(p).Norm()
	}
	return sum / float64(seconds)
}

// Nobody says where the tags are, and yet receivers that hear too much are found
// out, by one tag for all others; and only the differences are learned.
func TestCalibrationLearnsFromTraffic(t *testing.T) {
	site, r := biased(1)
	loc := mustNew(t, site)
	before := roam(t, loc, nil, r, 0, 300)
	c := loc.NewCalibration()
	r.level = -70
	roam(t, loc, c, r, 1000, 900)
	r.level = -55
	after := roam(t, loc, c, r, 0, 300)
	sum, right := 0.0, 0
	for i, bias := range r.bias {
		sum += c.Offsets().DB(i)
		if c.Offsets().DB(i)*bias > 0 {
			right++
		}
		if math.Abs(c.Offsets().DB(i)) > 1.2*math.Abs(bias)+2 {
			t.Errorf("receiver %d is off by %g dB and held for %.1f", i, bias, c.Offsets().DB(i))
		}
	}
	t.Logf("mean error %.2f m, calibrated %.2f m", before, after)
	if after > 0.8*before {
		t.Errorf("mean error %.2f m, calibrated %.2f m", before, after)
	}
	if math.Abs(sum) > 8*0.25 || right < 7 {
		t.Errorf("offsets sum to %.2f dB and %d of 8 have the right sign", sum, right)
	}
	if same := roam(t, loc, nil, newRadio(1, site), 0, 300); same == after {
		t.Error("the plain locator learns too")
	}
}

// Where there is nothing to learn nothing is learned, and nothing lost.
func TestCalibrationDoesNoHarm(t *testing.T) {
	site := hall(15, 9, 8)
	loc := mustNew(t, site)
	plain := roam(t, loc, nil, newRadio(3, site), 0, 600)
	c := loc.NewCalibration()
	learned := roam(t, loc, c, newRadio(3, site), 0, 600)
	if learned > 1.1*plain {
		t.Errorf("mean error %.2f m, calibrated %.2f m", plain, learned)
	}
	for i := range site.Receivers {
		if math.Abs(c.Offsets().DB(i)) > 1.5 {
			t.Errorf("receiver %d is right and held for %.1f dB off", i, c.Offsets().DB(i))
		}
	}
}

// A tag that lies on a shelf for long behind a shadow of its own spoils nothing
// for the others.
func TestOneTagDoesNotTeachAlone(t *testing.T) {
	site := hall(15, 9, 8)
	loc := mustNew(t, site)
	shelf := newRadio(5, site)
	shelf.bias = []float64{-15, 0, 10, 0, 0, -10, 0, 0}
	c := loc.NewCalibration()
	still(t, schooled{loc.NewTrack(), c}, shelf, r2.Point{X: 4, Y: 4}, 2400)
	plain := roam(t, loc, nil, newRadio(6, site), 0, 300)
	taught := roam(t, loc, c, newRadio(6, site), 0, 300)
	t.Logf("mean error %.2f m, after the shelf %.2f m", plain, taught)
	if taught > 1.25*plain {
		t.Errorf("mean error %.2f m, after the shelf %.2f m", plain, taught)
	}
}

func TestCalibrationSurvivesARestart(t *testing.T) {
	site, r := biased(2)
	loc := mustNew(t, site)
	c := loc.NewCalibration()
	roam(t, loc, c, r, 0, 300)
	raw, err := json.Marshal(c.Snapshot())
	if err != nil {
		t.Fatal(err)
	}
	var saved locate.CalibrationSnapshot
	if err := json.Unmarshal(raw, &saved); err != nil {
		t.Fatal(err)
	}
	again := loc.NewCalibration()
	for range 2 { // also over what was learned before
		if err := again.Restore(saved); err != nil {
			t.Fatal(err)
		}
		for i := range site.Receivers {
			if math.Abs(again.Offsets().DB(i)-c.Offsets().DB(i)) > 1e-4 {
				t.Errorf("receiver %d: %.4f dB, restored %.4f", i, c.Offsets().DB(i), again.Offsets().DB(i))
			}
		}
		roam(t, loc, again, r, 500, 100)
	}
}

func TestRestoreRefuses(t *testing.T) {
	loc := mustNew(t, hall(15, 9, 8))
	f := func(want string, change func(*locate.CalibrationSnapshot)) {
		t.Helper()
		s := loc.NewCalibration().Snapshot()
		change(&s)
		if err := loc.NewCalibration().Restore(s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want something about %q", err, want)
		}
	}
	full := make([][2]float64, 15)
	f("does not fit", func(s *locate.CalibrationSnapshot) { s.Cols++ })
	f("does not fit", func(s *locate.CalibrationSnapshot) { s.Receivers = s.Receivers[1:] })
	f("has 1 parts", func(s *locate.CalibrationSnapshot) { s.Receivers[3] = full[:1] })
	f("offsets", func(s *locate.CalibrationSnapshot) { s.Offsets = s.Offsets[1:] })
	f("offset of", func(s *locate.CalibrationSnapshot) { s.Offsets[1] = math.Inf(1) })
	f("NaN", func(s *locate.CalibrationSnapshot) {
		full[2][1] = math.NaN()
		s.Receivers[3] = full
	})
}

func TestOffsetsOfAnotherSitePanic(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("they were accepted")
		}
	}()
	other := mustNew(t, hall(15, 9, 6)).NewCalibration()
	mustNew(t, hall(15, 9, 8)).NewTrack().Calibrate(other.Offsets())
}

func TestOffsetsFromHistory(t *testing.T) {
	site, r := biased(4)
	loc := mustNew(t, site)
	c := loc.NewCalibration()
	roam(t, loc, c, r, 0, 600)
	learned := c.Offsets()
	stored := make([]float64, len(site.Receivers))
	for i := range stored {
		stored[i] = learned.DB(i)
	}
	again, err := loc.Offsets(stored)
	if err != nil {
		t.Fatal(err)
	}
	if !again.Equal(learned) {
		t.Errorf("%v became others", stored)
	}
	stored[3]++
	if other, _ := loc.Offsets(stored); other.Equal(learned) || other.Equal(nil) {
		t.Error("offsets of other receivers are held for equal")
	}
	f := func(dB []float64, want string) {
		t.Helper()
		if _, err := loc.Offsets(dB); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want something about %q", err, want)
		}
	}
	f(stored[1:], "7 offsets for 8")
	stored[2] = math.NaN()
	f(stored, "receiver 2")
}

// A fix uses exactly the offsets that its track was given, and what it teaches
// does not depend on them but through the place: the lesson is of what was heard.
func TestTrackUsesTheOffsetsItIsGiven(t *testing.T) {
	site, r := biased(1)
	loc := mustNew(t, site)
	offsets, err := loc.Offsets(r.bias)
	if err != nil {
		t.Fatal(err)
	}
	heard := r.hear(r2.Point{X: 4, Y: 4})
	straight := make([]locate.Sample, len(heard))
	for i, s := range heard {
		straight[i] = s
		straight[i].RSSIdBm -= r.bias[s.Receiver]
	}
	given, plain := loc.NewTrack(), loc.NewTrack()
	given.Calibrate(offsets)
	for i := range 5 {
		at := time.Duration(i) * time.Second
		got, _ := given.Update(at, heard)
		want, _ := plain.Update(at, straight)
		if d := got.Pos.Sub(want.Pos).Norm(); d > 0.25 { // noise scales differ: who is weak is told from what was heard
			t.Fatalf("second %d: %v, and %v with readings that were right", i, got.Pos, want.Pos)
		}
	}
	lessons, right := given.Lessons(nil), make(map[int32]float32)
	if len(lessons) < 4 {
		t.Fatalf("%d lessons", len(lessons))
	}
	for _, l := range plain.Lessons(nil) {
		right[l.Receiver] = l.ExcessDB
	}
	for _, l := range lessons {
		if want := right[l.Receiver] + float32(r.bias[l.Receiver]); math.Abs(float64(l.ExcessDB-want)) > 1.5 {
			t.Errorf("receiver %d is taught to hear %.1f dB too much, want %.1f", l.Receiver, l.ExcessDB, want)
		}
	}
	given.Reset()
	if got := given.Lessons(nil); len(got) != 0 {
		t.Errorf("after a reset there are %d lessons", len(got))
	}
	first, _ := given.Update(0, heard)
	fresh := loc.NewTrack()
	fresh.Calibrate(offsets)
	if want, _ := fresh.Update(0, heard); first != want {
		t.Error("a reset has changed the offsets")
	}
	if given.Calibrate(nil); given.Lessons(nil) == nil {
		t.Error("the lessons of a fix went with its offsets")
	}
}

// Offsets change seldom, and are the very same between two changes.
func TestOffsetsKeepStill(t *testing.T) {
	site, r := biased(3)
	loc := mustNew(t, site)
	c, track, changes := loc.NewCalibration(), loc.NewTrack(), 0
	for i := range 1800 {
		p := r2.Point{X: 7 + 6*math.Cos(float64(i)/17), Y: 4.5 + 3*math.Sin(float64(i)/12)}
		track.Update(time.Duration(i)*time.Second, r.hear(p))
		before := c.Offsets()
		c.Learn(track.Lessons(nil))
		after := c.Offsets()
		if after.Equal(before) != (after == before) {
			t.Fatal("equal offsets are not the same")
		}
		if after != before {
			changes++
		}
		for r := range site.Receivers {
			if q := 4 * after.DB(r); q != math.Trunc(q) {
				t.Fatalf("receiver %d has %g dB, which is no step", r, after.DB(r))
			}
		}
	}
	t.Logf("%d changes", changes)
	if changes < 8 || changes > 300 {
		t.Errorf("%d changes in half an hour", changes)
	}
}

// What cannot be of the site teaches nothing.
func TestLearnIgnoresWhatCannotBe(t *testing.T) {
	c := mustNew(t, hall(15, 9, 8)).NewCalibration()
	nan := float32(math.NaN())
	c.Learn([]locate.Lesson{
		{Receiver: -1, Weight: 1, ExcessDB: 9}, {Receiver: 8, Weight: 1, ExcessDB: 9},
		{Part: -1, Weight: 1, ExcessDB: 9}, {Part: 15, Weight: 1, ExcessDB: 9},
		{Weight: 0, ExcessDB: 9}, {Weight: 2, ExcessDB: 9}, {Weight: nan, ExcessDB: 9},
		{Weight: 1, ExcessDB: nan}, {Weight: 1, ExcessDB: 1e9},
	})
	for i, parts := range c.Snapshot().Receivers {
		if len(parts) > 0 {
			t.Errorf("receiver %d has learned", i)
		}
	}
}

// Only differences between receivers are learned, no receiver is corrected by more
// than one can be off that works, and new lessons weigh as much after a year as after a
// day.
func TestOffsetsAreBounded(t *testing.T) {
	c := mustNew(t, hall(15, 9, 8)).NewCalibration()
	everywhere := func(times int, excess func(receiver int32) float32) {
		var lessons []locate.Lesson
		for part := range int32(15) {
			for receiver := range int32(8) {
				lessons = append(lessons, locate.Lesson{Receiver: receiver, Part: part, Weight: 1, ExcessDB: excess(receiver)})
			}
		}
		for range times {
			c.Learn(lessons)
		}
	}
	everywhere(1000, func(int32) float32 { return 20 })
	for r := range 8 {
		if db := c.Offsets().DB(r); db != 0 {
			t.Errorf("all hear 20 dB too much, and receiver %d is off by %g dB", r, db)
		}
	}
	first := func(db float32) func(int32) float32 {
		return func(r int32) float32 { return db * float32(1-min(r, 1)) }
	}
	everywhere(1000, first(100))
	if db := c.Offsets().DB(0); db != 15 {
		t.Errorf("a receiver that is broken is off by %g dB", db)
	}
	everywhere(1000, first(-10))
	if db := c.Offsets().DB(0); db > -4 {
		t.Errorf("a receiver that was mended is still off by %g dB", db)
	}
}

// A far receiver is heard when it hears well, and silent when not: that teaches nothing.
func TestFarReceiversTeachNothing(t *testing.T) {
	site := hall(15, 9, 8)
	r := newRadio(1, site)
	track := mustNew(t, site).NewTrack()
	for i := range 10 {
		samples := r.hear(r2.Point{X: 2, Y: 2})
		samples[7].RSSIdBm = samples[0].RSSIdBm - 25
		track.Update(time.Duration(i)*time.Second, samples)
	}
	lessons := track.Lessons(nil)
	if len(lessons) == 0 || slices.ContainsFunc(lessons, func(l locate.Lesson) bool { return l.Receiver == 7 }) {
		t.Errorf("lessons %v", lessons)
	}
}

func TestCalibratedUpdateDoesNotAllocate(t *testing.T) {
	site, r := biased(1)
	loc := mustNew(t, site)
	track, samples := loc.NewTrack(), r.hear(r2.Point{X: 4, Y: 4})
	offsets := loc.NewCalibration().Offsets()
	track.Update(0, samples)
	lessons, i := track.Lessons(nil), 0
	if n := testing.AllocsPerRun(100, func() {
		i++
		track.Calibrate(offsets)
		track.Update(time.Duration(i)*time.Second, samples)
		lessons = track.Lessons(lessons[:0])
	}); n != 0 {
		t.Errorf("Update allocates %g times", n)
	}
}

// The flat again, where the robot's own traffic teaches as it goes.
func TestFlatCalibrated(t *testing.T) {
	rec := record(t, "flat")
	rec.calibrate = true
	scoreTrack(t, rec, "robot", -1).mustMeet(t, bar{median: 1.20, mean: 1.30, p90: 2.4, zone: 83, low68: 58, high68: 80, low95: 88})
}
