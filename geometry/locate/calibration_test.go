package locate_test

import (
	"encoding/json"
	"math"
	"strings"
	"sync"
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

// roam walks a tag all over a hall, in loops that never quite repeat, and returns
// its mean error in metres.
func roam(t testing.TB, loc locate.Locator, r *radio, from, seconds int) float64 {
	t.Helper()
	track, sum, size := loc.NewTrack(), 0.0, r.site.Bounds.Size()
	for i := range seconds {
		a := float64(from+i) / 12
		p := r2.Point{X: size.X * (0.5 + 0.42*math.Cos(0.61*a)), Y: size.Y * (0.5 + 0.42*math.Sin(a))}
		est, ok := track.Update(time.Duration(i)*time.Second, r.hear(p))
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
	before := roam(t, loc, r, 0, 300)
	c := loc.NewCalibration()
	r.level = -70
	roam(t, loc.Calibrated(c), r, 1000, 900)
	r.level = -55
	after := roam(t, loc.Calibrated(c), r, 0, 300)
	sum, right := 0.0, 0
	for i, bias := range r.bias {
		sum += c.Offset(i)
		if c.Offset(i)*bias > 0 {
			right++
		}
		if math.Abs(c.Offset(i)) > 1.2*math.Abs(bias)+2 {
			t.Errorf("receiver %d is off by %g dB and held for %.1f", i, bias, c.Offset(i))
		}
	}
	t.Logf("mean error %.2f m, calibrated %.2f m", before, after)
	if after > 0.8*before {
		t.Errorf("mean error %.2f m, calibrated %.2f m", before, after)
	}
	if math.Abs(sum) > 0.01 || right < 7 {
		t.Errorf("offsets sum to %.2f dB and %d of 8 have the right sign", sum, right)
	}
	if same := roam(t, loc, newRadio(1, site), 0, 300); same == after {
		t.Error("the plain locator learns too")
	}
}

// Where there is nothing to learn nothing is learned, and nothing lost.
func TestCalibrationDoesNoHarm(t *testing.T) {
	site := hall(15, 9, 8)
	loc := mustNew(t, site)
	plain := roam(t, loc, newRadio(3, site), 0, 600)
	c := loc.NewCalibration()
	learned := roam(t, loc.Calibrated(c), newRadio(3, site), 0, 600)
	if learned > 1.1*plain {
		t.Errorf("mean error %.2f m, calibrated %.2f m", plain, learned)
	}
	for i := range site.Receivers {
		if math.Abs(c.Offset(i)) > 1.5 {
			t.Errorf("receiver %d is right and held for %.1f dB off", i, c.Offset(i))
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
	still(t, loc.Calibrated(c).NewTrack(), shelf, r2.Point{X: 4, Y: 4}, 2400)
	plain := roam(t, loc, newRadio(6, site), 0, 300)
	taught := roam(t, loc.Calibrated(c), newRadio(6, site), 0, 300)
	t.Logf("mean error %.2f m, after the shelf %.2f m", plain, taught)
	if taught > 1.25*plain {
		t.Errorf("mean error %.2f m, after the shelf %.2f m", plain, taught)
	}
}

func TestCalibrationSurvivesARestart(t *testing.T) {
	site, r := biased(2)
	loc := mustNew(t, site)
	c := loc.NewCalibration()
	roam(t, loc.Calibrated(c), r, 0, 300)
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
			if math.Abs(again.Offset(i)-c.Offset(i)) > 1e-4 {
				t.Errorf("receiver %d: %.4f dB, restored %.4f", i, c.Offset(i), again.Offset(i))
			}
		}
		roam(t, loc.Calibrated(again), r, 500, 100)
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
	f("NaN", func(s *locate.CalibrationSnapshot) {
		full[2][1] = math.NaN()
		s.Receivers[3] = full
	})
}

func TestCalibrationOfAnotherSitePanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("it was accepted")
		}
	}()
	mustNew(t, hall(15, 9, 8)).Calibrated(mustNew(t, hall(15, 9, 6)).NewCalibration())
}

// Tags of a plan learn side by side; the race detector watches.
func TestCalibrationIsShared(t *testing.T) {
	site, _ := biased(0)
	loc := mustNew(t, site)
	c := loc.NewCalibration()
	shared := loc.Calibrated(c)
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			_, r := biased(uint64(i))
			roam(t, shared, r, 100*i, 100)
		})
	}
	for range 20 {
		c.Snapshot()
	}
	wg.Wait()
	if c.Offset(0) < 1 {
		t.Errorf("receiver 0 hears 6 dB too much and is held for %.1f dB", c.Offset(0))
	}
}

func TestCalibratedUpdateDoesNotAllocate(t *testing.T) {
	site, r := biased(1)
	loc := mustNew(t, site)
	track, samples := loc.Calibrated(loc.NewCalibration()).NewTrack(), r.hear(r2.Point{X: 4, Y: 4})
	track.Update(0, samples)
	i := 0
	if n := testing.AllocsPerRun(100, func() {
		i++
		track.Update(time.Duration(i)*time.Second, samples)
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
