package locate_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"mybeacon/bench/locate"
	"mybeacon/bench/recording"
	"mybeacon/bench/sim"
	"mybeacon/schema"
)

const kiosk = "../recording/testdata/kiosk"

func measure(t *testing.T, dir fs.FS, cfg locate.Config) locate.Figures {
	t.Helper()
	site, err := recording.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	f, err := locate.Measure(t.Context(), site, cfg, locate.Folder{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestKiosk(t *testing.T) {
	all := measure(t, os.DirFS(kiosk), locate.Config{})
	anna := measure(t, os.DirFS(kiosk), locate.Config{Track: "an"})
	trolley := measure(t, os.DirFS(kiosk), locate.Config{Track: "trolley"})
	if all.Tracks != 2 || anna.Tracks != 1 || trolley.Tracks != 1 || anna.Epochs < 11 {
		t.Errorf("tracks %d, %d, %d; epochs of one %d", all.Tracks, anna.Tracks, trolley.Tracks, anna.Epochs)
	}
	// A track is measured the same alone and after another one.
	if all.Epochs != anna.Epochs+trolley.Epochs {
		t.Errorf("%d epochs, alone %d and %d", all.Epochs, anna.Epochs, trolley.Epochs)
	}
	if pooled := (anna.ZoneAccuracy*float64(anna.Epochs) + trolley.ZoneAccuracy*float64(trolley.Epochs)) / float64(all.Epochs); math.Abs(pooled-all.ZoneAccuracy) > 1e-9 {
		t.Errorf("zone accuracy %v, of the parts %v", all.ZoneAccuracy, pooled)
	}
	if !(all.MedianM > 0.01 && all.MedianM < 2 && all.P90M >= all.MedianM && all.P90M < 4) {
		t.Errorf("median %.2f m, 90th percentile %.2f m", all.MedianM, all.P90M)
	}
	if anna.TrueSwitches != 1 || trolley.TrueSwitches != 0 || all.FixesOutsidePlan != 0 {
		t.Errorf("true switches %v and %v, %v fixes outside", anna.TrueSwitches, trolley.TrueSwitches, all.FixesOutsidePlan)
	}
	if !(all.Coverage95 >= all.Coverage68 && all.Coverage68 > 0 && all.USPerFix > 0) {
		t.Errorf("coverage %v and %v, %v µs per fix", all.Coverage68, all.Coverage95, all.USPerFix)
	}
}

// wanted are the keys of the JSON object in their order.
const wanted = "dataset mode tracks epochs median_m mean_m p90_m zone_accuracy zone_switches true_switches accuracy_outside_2s latency_s dwell_misallocated coverage_68 coverage_95 fixes_outside_plan us_per_fix"

func TestJSON(t *testing.T) {
	untrue := without("truth.csv", "zone_truth.csv")
	for name, f := range map[string]locate.Figures{"truth": measure(t, os.DirFS(kiosk), locate.Config{Without: "door"}), "none": measure(t, untrue, locate.Config{})} {
		text, err := json.Marshal(f)
		if err != nil {
			t.Fatal(err)
		}
		d := json.NewDecoder(strings.NewReader(string(text)))
		var keys []string
		values := map[string]any{}
		for _, err := d.Token(); err == nil && d.More(); {
			key, _ := d.Token()
			var value any
			if err = d.Decode(&value); err != nil {
				t.Fatal(err)
			}
			keys = append(keys, key.(string))
			values[key.(string)] = value
		}
		if got := strings.Join(keys, " "); got != wanted {
			t.Errorf("%s: keys\n%s, want\n%s", name, got, wanted)
		}
		if null := values["median_m"] == nil; values["dataset"] != "kiosk" || null != (name == "none") {
			t.Errorf("%s: %s", name, text)
		}
		if name == "truth" && values["mode"] != "no-survey, without door" {
			t.Errorf("mode %v", values["mode"])
		}
	}
}

// without returns the kiosk lacking some files.
func without(files ...string) fs.FS {
	dir := fstest.MapFS{}
	for _, name := range []string{"meta.json", "receivers.csv", "events.csv", "zones.json", "truth.csv", "zone_truth.csv"} {
		if text, err := os.ReadFile(filepath.Join(kiosk, name)); err == nil {
			dir[name] = &fstest.MapFile{Data: text}
		}
	}
	for _, name := range files {
		delete(dir, name)
	}
	return dir
}

func TestMissingTruthIsUnknown(t *testing.T) {
	unknown := func(name string, v float64, want bool) {
		t.Helper()
		if math.IsNaN(v) != want {
			t.Errorf("%s is %v", name, v)
		}
	}
	zonesOnly := measure(t, without("truth.csv"), locate.Config{})
	unknown("median without places", zonesOnly.MedianM, true)
	unknown("coverage without places", zonesOnly.Coverage95, true)
	unknown("zone accuracy without places", zonesOnly.ZoneAccuracy, false)
	unknown("fixes outside", zonesOnly.FixesOutsidePlan, false)

	placesOnly := measure(t, without("zone_truth.csv"), locate.Config{})
	unknown("zone accuracy by the polygons", placesOnly.ZoneAccuracy, false)

	noZones := measure(t, without("zone_truth.csv", "zones.json"), locate.Config{})
	unknown("zone accuracy without zones", noZones.ZoneAccuracy, true)
	unknown("median without zones", noZones.MedianM, false)
	if noZones.MedianM != placesOnly.MedianM {
		t.Errorf("the zones change the median from %v to %v", noZones.MedianM, placesOnly.MedianM)
	}
}

func TestConfigNamesWhatThereIs(t *testing.T) {
	site, err := recording.Read(os.DirFS(kiosk))
	if err != nil {
		t.Fatal(err)
	}
	for field, cfg := range map[string]locate.Config{"track": {Track: "bob"}, "without": {Without: "roof"}, "survey-points": {SurveyPoints: 5}} {
		err := cfg.Validate(site)
		var e *schema.Error
		if !errors.As(err, &e) || e.Field != field || e.Kind != schema.Invalid || !strings.Contains(e.Message, map[string]string{"track": "anna, trolley", "without": "counter, door, store", "survey-points": "of a survey that is given"}[field]) {
			t.Errorf("%s: %v", field, err)
		}
		if _, measured := locate.Measure(t.Context(), site, cfg, untouchable{t}); measured == nil {
			t.Errorf("%s: measured all the same", field)
		}
	}
}

// TestLeaveOneRunOutLearnsFromTheOthers measures a track whose zones the other
// track never saw: it cannot know them, and it would if it learned from itself.
func TestLeaveOneRunOutLearnsFromTheOthers(t *testing.T) {
	f := measure(t, os.DirFS(kiosk), locate.Config{Track: "anna", LeaveOneRunOut: true})
	if plain := measure(t, os.DirFS(kiosk), locate.Config{Track: "anna"}); f.ZoneAccuracy != plain.ZoneAccuracy {
		t.Errorf("nobody to learn from: %v, with geometry %v", f.ZoneAccuracy, plain.ZoneAccuracy)
	}
	both := measure(t, os.DirFS(kiosk), locate.Config{LeaveOneRunOut: true})
	if !strings.Contains(both.Mode, "leave-one-run-out") || !(both.ZoneAccuracy < 1) || both.Epochs != 24 {
		t.Errorf("%+v", both)
	}
}

// untouchable is a truth that must not be read.
type untouchable struct{ t *testing.T }

func (u untouchable) Truth() ([]recording.Truth, error) {
	u.t.Error("the truth was read")
	return nil, nil
}

func (u untouchable) ZoneTruth() ([]recording.ZoneTruth, error) { return nil, nil }

func TestMeasureStops(t *testing.T) {
	site, err := recording.Read(os.DirFS(kiosk))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := locate.Measure(ctx, site, locate.Config{}, untouchable{t}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestBrokenTruthIsAnError(t *testing.T) {
	dir := without().(fstest.MapFS)
	dir["truth.csv"] = &fstest.MapFile{Data: []byte("track,t_s,x_m,y_m,z_m\nanna,now,1,1,1\n")}
	site, err := recording.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := locate.Measure(t.Context(), site, locate.Config{}, locate.Folder{Dir: dir}); schema.KindOf(err) != schema.Invalid || !strings.Contains(err.Error(), "truth.csv line 2") {
		t.Errorf("got %v", err)
	}
}

func simulated(t *testing.T, seed uint64, tags, seconds int) locate.Figures {
	t.Helper()
	cfg := sim.DefaultConfig()
	cfg.Seed, cfg.Tags = seed, tags
	lived, err := locate.Simulate(cfg, seconds)
	if err != nil {
		t.Fatal(err)
	}
	f, err := locate.Measure(t.Context(), lived.Site, locate.Config{}, lived)
	if err != nil {
		t.Fatal(err)
	}
	f.USPerFix = 0
	return f
}

func TestSimulate(t *testing.T) {
	t.Parallel()
	f, again, other := simulated(t, 1, 5, 60), simulated(t, 1, 5, 60), simulated(t, 2, 5, 60)
	if fmt.Sprint(f) != fmt.Sprint(again) {
		t.Errorf("one seed, two answers:\n%+v\n%+v", f, again)
	}
	if f.MedianM == other.MedianM {
		t.Error("another seed gives the same median")
	}
	if f.Tracks != 5 || f.Epochs < 5*57 || f.Epochs > 5*60 {
		t.Errorf("%d tracks, %d epochs", f.Tracks, f.Epochs)
	}
	// Radio that has lost its connection with the truth gives a dozen metres.
	if !(f.MedianM > 0.2 && f.MedianM < 4 && f.ZoneAccuracy > 0.7 && f.Coverage95 > 0.6 && f.FixesOutsidePlan == 0) {
		t.Errorf("%+v", f)
	}
}

// Things that lie somewhere for an hour, some of them a metre from a wall and
// behind shadows that do not pass, stay in the zone that they are shown in.
func TestAnHourOfRestChangesNoZone(t *testing.T) {
	t.Parallel()
	cfg := sim.DefaultConfig()
	cfg.Tags = 14
	lived, err := locate.Simulate(cfg, 3600)
	if err != nil {
		t.Fatal(err)
	}
	truth, err := lived.Truth()
	if err != nil {
		t.Fatal(err)
	}
	first, moved := make(map[string]recording.Truth), make(map[string]bool)
	for _, p := range truth {
		if _, known := first[p.Track]; !known {
			first[p.Track] = p
		}
		moved[p.Track] = moved[p.Track] || math.Hypot(p.X-first[p.Track].X, p.Y-first[p.Track].Y) > 0.5
	}
	lived.Site.Tracks = slices.DeleteFunc(lived.Site.Tracks, func(t recording.Track) bool { return moved[t.Name] })
	f, err := locate.Measure(t.Context(), lived.Site, locate.Config{}, lived)
	if err != nil {
		t.Fatal(err)
	}
	if f.Tracks < 3 || f.ZoneSwitches > float64(f.Tracks) { // they may settle in the first seconds
		t.Errorf("%g changes of zone of %d things", f.ZoneSwitches, f.Tracks)
	}
}

// The zones that are shown of people, carts and things of all kinds change hardly
// oftener than the true ones, and the radii hold what they say.
func TestSimulatedZonesAreCalm(t *testing.T) {
	shown, truth := 0.0, 0.0
	for seed := range uint64(2) {
		f := simulated(t, seed+1, 30, 300)
		shown, truth = shown+f.ZoneSwitches, truth+f.TrueSwitches
		t.Logf("%+v", f)
		if !(f.Coverage68 >= 0.58 && f.Coverage68 <= 0.78 && f.Coverage95 >= 0.88 && f.Coverage95 <= 0.99) {
			t.Errorf("seed %d: the radii hold %.3f and %.3f", seed+1, f.Coverage68, f.Coverage95)
		}
		if !(f.ZoneAccuracy > 0.9) {
			t.Errorf("seed %d: %.3f in the right zone", seed+1, f.ZoneAccuracy)
		}
	}
	if shown > 1.8*truth {
		t.Errorf("%g changes of zone are shown for %g", shown, truth)
	}
}

func TestSimulateIsBounded(t *testing.T) {
	for _, seconds := range []int{0, -1, locate.MaxTagSeconds/60 + 1} {
		if _, err := locate.Simulate(sim.DefaultConfig(), seconds); schema.KindOf(err) != schema.Invalid || !strings.Contains(err.Error(), "seconds: ") {
			t.Errorf("%d seconds: %v", seconds, err)
		}
	}
	cfg := sim.DefaultConfig()
	cfg.Tags = 0
	if _, err := locate.Simulate(cfg, 10); schema.KindOf(err) != schema.Invalid {
		t.Errorf("no tags: %v", err)
	}
}
