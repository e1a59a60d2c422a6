package locate_test

import (
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/golang/geo/r1"
	"github.com/golang/geo/r2"
	"github.com/golang/geo/r3"

	"mybeacon/geometry/fence"
	"mybeacon/geometry/locate"
)

// recording is a recorded site: what its receivers heard, and the truth.
type recording struct {
	site  locate.Site
	cfg   locate.Config
	heard map[string][]event // per track, ordered by time
	truth map[string][]place
	zones *fence.Index
	areas []fence.Zone // what zones is the index of
	stays map[string][]stay

	calibrate bool // fresh for each replay, so that nothing is learned from elsewhere
}

type event struct {
	at       float64 // seconds
	receiver int
	rssi     float64
}

type place struct {
	at  float64
	pos r2.Point
}

// stay says in which zone a track was from then on.
type stay struct {
	from float64
	zone int
}

// record reads the site of that name, or skips the test where recordings are
// not at hand. They are found through MYBEACON_SHARED_DATA or in a folder
// shared/data beside one of the parents of the working directory.
func record(t testing.TB, name string) *recording {
	t.Helper()
	dir := filepath.Join(sharedData(t), "rtls", name)
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("recording %s is not at hand: %v", name, err)
	}
	rec := &recording{cfg: locate.DefaultConfig(), heard: map[string][]event{}, truth: map[string][]place{}, stays: map[string][]stay{}}
	ids := rec.readSite(t, dir)
	zones := rec.readZones(t, dir)
	for _, row := range table(t, filepath.Join(dir, "events.csv")) {
		rec.heard[row[0]] = append(rec.heard[row[0]], event{at: number(t, row[1]), receiver: ids[row[2]], rssi: number(t, row[3])})
	}
	for _, row := range table(t, filepath.Join(dir, "truth.csv")) {
		pos := r2.Point{X: number(t, row[2]), Y: number(t, row[3])}
		rec.truth[row[0]] = append(rec.truth[row[0]], place{at: number(t, row[1]), pos: pos})
	}
	for _, row := range table(t, filepath.Join(dir, "zone_truth.csv")) {
		zone, ok := zones[row[3]]
		if !ok {
			zone = -1 // the end of the track
		}
		rec.stays[row[0]] = append(rec.stays[row[0]], stay{from: number(t, row[1]), zone: zone})
	}
	return rec
}

func sharedData(t testing.TB) string {
	if dir := os.Getenv("MYBEACON_SHARED_DATA"); dir != "" {
		return dir
	}
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		data := filepath.Join(dir, "shared", "data")
		if info, err := os.Stat(data); err == nil && info.IsDir() {
			return data
		}
	}
	t.Skip("recordings are not at hand: no shared/data above the working directory and MYBEACON_SHARED_DATA is not set")
	return ""
}

func (rec *recording) readSite(t testing.TB, dir string) map[string]int {
	var meta struct {
		Bounds [4]float64 `json:"bounds_m"`
		Height float64    `json:"tag_height_m"`
	}
	readJSON(t, filepath.Join(dir, "meta.json"), &meta)
	b := meta.Bounds
	rec.site.Bounds = r2.Rect{X: r1.Interval{Lo: b[0], Hi: b[2]}, Y: r1.Interval{Lo: b[1], Hi: b[3]}}
	rec.site.TagHeightM = meta.Height
	ids := map[string]int{}
	for i, row := range table(t, filepath.Join(dir, "receivers.csv")) {
		ids[row[0]] = i
		rec.site.Receivers = append(rec.site.Receivers, r3.Vector{X: number(t, row[1]), Y: number(t, row[2]), Z: number(t, row[3])})
	}
	return ids
}

func (rec *recording) readZones(t testing.TB, dir string) map[string]int {
	var polygons map[string][][2]float64
	readJSON(t, filepath.Join(dir, "zones.json"), &polygons)
	ids := map[string]int{}
	for name, corners := range polygons {
		z := fence.Zone{Index: len(rec.areas)}
		for _, c := range corners {
			z.Polygon = append(z.Polygon, r2.Point{X: c[0], Y: c[1]})
		}
		ids[name] = z.Index
		rec.areas = append(rec.areas, z)
	}
	var err error
	if rec.zones, err = fence.NewIndex(rec.areas); err != nil {
		t.Fatal(err)
	}
	return ids
}

func readJSON(t testing.TB, path string, into any) {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(raw, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// table returns the rows of a CSV file below its heading; a file that is not
// there has none, because not every recording has every kind of truth.
func table(t testing.TB, path string) [][]string {
	t.Helper()
	f, err := os.Open(path)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil || len(rows) == 0 {
		t.Fatalf("%s: %d rows, %v", path, len(rows), err)
	}
	return rows[1:]
}

func number(t testing.TB, s string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func (rec *recording) locator(t testing.TB) locate.Locator {
	t.Helper()
	loc, err := locate.New(rec.site, rec.cfg)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

// replay feeds a track second by second to a fresh state, as the engine would,
// and calls each for every fix with the state after it. without names a receiver that is switched off,
// or −1.
func (rec *recording) replay(t testing.TB, track string, without int, each func(second float64, est locate.Estimate, state locate.Track)) {
	t.Helper()
	loc, events := rec.locator(t), rec.heard[track]
	state := schooled{Track: loc.NewTrack()}
	if rec.calibrate {
		state.c = loc.NewCalibration()
	}
	const window = 5
	var samples []locate.Sample
	for first, next, second := 0, 0, 0.0; next < len(events); second++ {
		for next < len(events) && events[next].at <= second {
			next++
		}
		for first < next && events[first].at <= second-window {
			first++
		}
		samples = samples[:0]
		for _, e := range events[first:next] {
			if e.receiver != without {
				age := time.Duration((second - e.at) * float64(time.Second))
				samples = append(samples, locate.Sample{Receiver: e.receiver, RSSIdBm: e.rssi, Age: age})
			}
		}
		if est, ok := state.Update(time.Duration(second)*time.Second, samples); ok {
			each(second, est, state)
		}
	}
}
