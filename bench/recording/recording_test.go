package recording_test

import (
	"fmt"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"mybeacon/bench/recording"
	"mybeacon/schema"
)

var kiosk = os.DirFS("testdata/kiosk")

func TestRead(t *testing.T) {
	site, err := recording.Read(kiosk)
	if err != nil {
		t.Fatal(err)
	}
	want := recording.Site{
		Name: "kiosk", TagHeightM: 1.2,
		Bounds: schema.Rect{Max: schema.Point{X: 6, Y: 4}},
		Receivers: []recording.Receiver{
			{Name: "counter", X: 0.5, Y: 0.5, Z: 2.4},
			{Name: "door", X: 5.5, Y: 0.5, Z: 2.4},
			{Name: "store", X: 3, Y: 3.5, Z: 2.4},
		},
		Zones: []recording.Zone{
			{Name: "shop", Polygon: []schema.Point{{X: 0, Y: 0}, {X: 6, Y: 0}, {X: 6, Y: 2.5}, {X: 0, Y: 2.5}}},
			{Name: "store", Polygon: []schema.Point{{X: 0, Y: 2.5}, {X: 6, Y: 2.5}, {X: 6, Y: 4}, {X: 0, Y: 4}}},
		},
	}
	got := *site
	got.Tracks, got.Digest = nil, want.Digest
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("site (-want +got):\n%s", diff)
	}
	if n := len(site.Tracks); n != 2 || site.Tracks[0].Name != "anna" || site.Tracks[1].Name != "trolley" {
		t.Fatalf("got %d tracks, want anna and trolley", n)
	}
	if first, last := site.Span(); first != 100*time.Millisecond || last < 12*time.Second || last > 13*time.Second {
		t.Errorf("span %v to %v", first, last)
	}
	checkOrder(t, site)
}

func checkOrder(t *testing.T, site *recording.Site) {
	t.Helper()
	for _, track := range site.Tracks {
		if len(track.Events) == 0 {
			t.Fatalf("track %s has no events", track.Name)
		}
		for i, e := range track.Events {
			if i > 0 && e.At < track.Events[i-1].At {
				t.Fatalf("track %s: event %d goes back in time", track.Name, i)
			}
			if e.Receiver < 0 || e.Receiver >= len(site.Receivers) || e.RSSI < schema.MinRSSI || e.RSSI > schema.MaxRSSI {
				t.Fatalf("track %s: event %d is out of range: %+v", track.Name, i, e)
			}
		}
	}
}

func TestReadTruths(t *testing.T) {
	site, err := recording.Read(kiosk)
	if err != nil {
		t.Fatal(err)
	}
	truth, err := recording.ReadTruth(kiosk)
	if err != nil {
		t.Fatal(err)
	}
	if got := truth[0]; got != (recording.Truth{Track: "anna", X: 1, Y: 1, Z: 1.2}) {
		t.Errorf("first truth: %+v", got)
	}
	if got := truth[len(truth)-1]; got.Track != "trolley" || got.At != 12500*time.Millisecond || !math.IsNaN(got.Z) {
		t.Errorf("last truth: %+v, want trolley at 12.5 s of unknown height", got)
	}
	zones, err := recording.ReadZoneTruth(kiosk)
	if err != nil {
		t.Fatal(err)
	}
	want := []recording.ZoneTruth{
		{Track: "anna", Label: "counter", Zone: "shop"},
		{Track: "anna", From: 7 * time.Second, Label: "shelves", Zone: "store"},
		{Track: "trolley", Label: "door", Zone: "shop"},
	}
	if diff := cmp.Diff(want, zones); diff != "" {
		t.Errorf("zone truth (-want +got):\n%s", diff)
	}
	survey, err := recording.ReadSurvey(kiosk, site.Receivers)
	if err != nil {
		t.Fatal(err)
	}
	if len(survey) != 9 || survey[4].Point != "1" || survey[4].Receiver != 1 || survey[4].X != 5 {
		t.Errorf("survey: %d rows, row 4 is %+v", len(survey), survey[4])
	}
}

// load copies the kiosk into memory, so that a test can break one file of it.
func load(t testing.TB) fstest.MapFS {
	t.Helper()
	files, err := fs.Glob(kiosk, "*")
	if err != nil {
		t.Fatal(err)
	}
	m := fstest.MapFS{}
	for _, name := range files {
		text, err := fs.ReadFile(kiosk, name)
		if err != nil {
			t.Fatal(err)
		}
		m[name] = &fstest.MapFile{Data: text}
	}
	return m
}

func TestReadNamesWhatIsWrong(t *testing.T) {
	const events = "track,t_s,rx,rssi_dbm\n"
	tests := []struct{ file, text, want string }{
		{"meta.json", `{"name": "x",`, "meta.json line 1 column 13"},
		{"meta.json", "{\n \"name\": 5}", "meta.json line 2"},
		{"meta.json", `{"name": "", "bounds_m": [0,0,1,1]}`, "meta.json name"},
		{"meta.json", `{"name": "x", "bounds_m": [0,0,0,1]}`, "meta.json bounds_m"},
		{"meta.json", strings.Repeat(" ", 1<<20) + `{}`, "must not be larger"},
		{"receivers.csv", "", "receivers.csv: the file is empty"},
		{"receivers.csv", "rx,x_m\na,1\n", `there is no column "y_m"`},
		{"receivers.csv", "rx,x_m,y_m,z_m\na,1,2,high\n", "line 2 column 4 (z_m)"},
		{"receivers.csv", "rx,x_m,y_m,z_m\n", "there is no receiver"},
		{"receivers.csv", "rx,x_m,y_m,z_m\na,1,2,3\na,1,2,3\n", "line 3 column 1 (rx): the receiver \"a\" is there twice"},
		{"receivers.csv", "rx,x_m,y_m,z_m\na,NaN,2,3\n", "line 2 column 2 (x_m)"},
		{"receivers.csv", "rx,x_m,y_m,z_m\na,1,2e9,3\n", "line 2 column 3 (y_m)"},
		{"events.csv", events, "there is no event"},
		{"events.csv", events + "anna,0,nowhere,-60\n", `line 2 column 3 (rx): "nowhere" is not in receivers.csv`},
		{"events.csv", events + "anna,0,door,127\n", "line 2 column 4 (rssi_dbm): 127 must be between -127 and 20"},
		{"events.csv", events + "anna,0,door,strong\n", `"strong" is not a number such as -61.5`},
		{"events.csv", events + "anna,0,door,-60\n\nanna,0,door\n", "line 4: the line has 3 columns, at least 4 are needed"},
		{"events.csv", events + ",0,door,-60\n", "line 2 column 1 (track)"},
		{"events.csv", events + `"anna,0,door,-60` + "\n", "line 2: the quotes do not match"},
		{"events.csv", events + strings.Repeat("a", 5000) + ",0,door,-60\n", "line 2: the line is longer"},
		{"zones.json", `[]`, "zones.json: must be an object"},
		{"zones.json", `{"a": [[0,0],[1,0]]}`, `zones.json "a": has 2 corners`},
		{"zones.json", `{"a": [[0,0],[1,0],[1]]}`, `zones.json "a" corner 3`},
		{"zones.json", `{"a": [[0,0],[1,0],[1,1]], "a": [[0,0],[1,0],[1,1]]}`, `"a" is there twice`},
		{"zones.json", "{\n\"a\": [[0,0],[1,0],[\"1\",1]]}", "zones.json line 2"},
	}
	for _, test := range tests {
		dir := load(t)
		dir[test.file] = &fstest.MapFile{Data: []byte(test.text)}
		_, err := recording.Read(dir)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s = %.60q:\n got %v\nwant something with %q", test.file, test.text, err, test.want)
		}
		if kind := schema.KindOf(err); kind != schema.Invalid && kind != schema.TooLarge {
			t.Errorf("%s = %.60q: kind %v", test.file, test.text, kind)
		}
	}
}

func TestReadMissingFiles(t *testing.T) {
	for _, file := range []string{"meta.json", "receivers.csv", "events.csv"} {
		dir := load(t)
		delete(dir, file)
		if _, err := recording.Read(dir); schema.KindOf(err) != schema.NotFound || !strings.Contains(err.Error(), file) {
			t.Errorf("without %s: %v", file, err)
		}
	}
	dir := load(t)
	delete(dir, "zones.json")
	if site, err := recording.Read(dir); err != nil || len(site.Zones) != 0 {
		t.Errorf("without zones.json: %v", err)
	}
	if _, err := recording.ReadTruth(fstest.MapFS{}); schema.KindOf(err) != schema.NotFound {
		t.Errorf("without truth.csv: %v", err)
	}
}

// The same recording may be written with another order of columns, quotes,
// Windows line ends, a byte-order mark or rows out of order.
func TestReadForgivesSpelling(t *testing.T) {
	dir := load(t)
	dir["events.csv"] = &fstest.MapFile{Data: []byte("\ufeffrx,t_s,track,rssi_dbm,channel\r\ndoor,2.5,\"Anna, K.\",-60,37\r\n\r\n\"store\",1,\"Anna, K.\",-70.25,38\r\n")}
	site, err := recording.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := []recording.Track{{Name: "Anna, K.", Events: []recording.Event{
		{At: time.Second, Receiver: 2, RSSI: -7025},
		{At: 2500 * time.Millisecond, Receiver: 1, RSSI: -6000},
	}}}
	if diff := cmp.Diff(want, site.Tracks); diff != "" {
		t.Errorf("tracks (-want +got):\n%s", diff)
	}
}

// What is often not known or written otherwise: heights, moments without truth,
// times since 1970, closed polygons.
func TestReadForgivesWhatIsMissing(t *testing.T) {
	dir := load(t)
	write := func(file, text string) { dir[file] = &fstest.MapFile{Data: []byte(text)} }
	write("meta.json", `{"name":"x","bounds_m":[0,0,9,9]}`)
	write("events.csv", "track,t_s,rx,rssi_dbm\nanna,1700000000.25,a,-60\nanna,1700000001,b,-60\n")
	write("truth.csv", "track,t_s,x_m,y_m\nanna,1700000000,nan,NaN\nanna,1700000000.5,,1\nanna,1700000001,3,4\n")
	write("zones.json", `{"a": [[0,0],[1,0],[1,1],[0,0]]}`)
	for name, text := range map[string]string{
		"no column": "rx,x_m,y_m\na,1,2\nb,3,4\n", "no value": "rx,x_m,y_m,z_m\na,1,2,\nb,3,4,nan\n",
	} {
		write("receivers.csv", text)
		site, err := recording.Read(dir)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if site.Receivers[1] != (recording.Receiver{Name: "b", X: 3, Y: 4, Z: 2}) || site.TagHeightM != 1.2 {
			t.Errorf("%s: %+v, tags at %v m", name, site.Receivers[1], site.TagHeightM)
		}
		if n := len(site.Zones[0].Polygon); n != 3 {
			t.Errorf("the zone has %d corners", n)
		}
		if first, last := site.Span(); last-first != 750*time.Millisecond {
			t.Errorf("span %v to %v", first, last)
		}
	}
	truth, err := recording.ReadTruth(dir)
	if err != nil || len(truth) != 1 || truth[0].X != 3 || !math.IsNaN(truth[0].Z) {
		t.Errorf("truth: %+v, %v", truth, err)
	}
}

func TestDigestFollowsTheEvents(t *testing.T) {
	base, err := recording.Read(load(t))
	if err != nil {
		t.Fatal(err)
	}
	again, changed := load(t), load(t)
	changed["events.csv"].Data = append(changed["events.csv"].Data, "anna,20,door,-60\n"...)
	for name, test := range map[string]struct {
		dir  fs.FS
		same bool
	}{"again": {again, true}, "one event more": {changed, false}} {
		site, err := recording.Read(test.dir)
		if err != nil {
			t.Fatal(err)
		}
		if (site.Digest == base.Digest) != test.same {
			t.Errorf("%s: digest equal is %v", name, !test.same)
		}
	}
}

// The real recordings are not part of the repository.
func TestReadSharedData(t *testing.T) {
	dir := sharedData()
	if dir == "" {
		fmt.Println("skipped: no shared recordings (set MYBEACON_SHARED_DATA)")
		t.SkipNow()
	}
	for name, want := range map[string]struct{ receivers, zones, tracks, events int }{
		"flat": {6, 5, 2, 9063}, "library": {24, 6, 1, 13891}, "doors": {10, 2, 10, 198629},
	} {
		site, err := recording.Read(os.DirFS(filepath.Join(dir, "rtls", name)))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		events := 0
		for _, track := range site.Tracks {
			events += len(track.Events)
		}
		if len(site.Receivers) != want.receivers || len(site.Zones) != want.zones || len(site.Tracks) != want.tracks || events != want.events {
			t.Errorf("%s: %d receivers, %d zones, %d tracks, %d events; want %+v", name, len(site.Receivers), len(site.Zones), len(site.Tracks), events, want)
		}
		checkOrder(t, site)
	}
}

// sharedData walks up to a folder that has shared/data beside it.
func sharedData() string {
	if dir := os.Getenv("MYBEACON_SHARED_DATA"); dir != "" {
		return dir
	}
	dir, err := os.Getwd()
	for ; err == nil && dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		candidate := filepath.Join(dir, "shared", "data")
		if _, err := os.Stat(filepath.Join(candidate, "rtls")); err == nil {
			return candidate
		}
	}
	return ""
}

// FuzzRead: whatever the files say, reading ends with a site that keeps its
// invariants or with an error that is ours.
func FuzzRead(f *testing.F) {
	seed := load(f)
	text := func(name string) string { return string(seed[name].Data) }
	f.Add(text("meta.json"), text("receivers.csv"), text("zones.json"), text("events.csv"))
	f.Add(text("meta.json"), "rx,x_m,y_m,z_m\n\"a\"\"b\",1,2,3\n", "{}", "track,t_s,rx,rssi_dbm\n1,-0,\"a\"\"b\",-0\n")
	f.Add(`{"name":"x","bounds_m":[-1,-1,1e6,1e6]}`, "\ufeffz_m,rx,y_m,x_m\r\n1,1,1,1\r\n", `{"z":[[0,0],[1,1],[0,1]]}`, "rssi_dbm,track,rx,t_s\n-127,,,\n")
	f.Add(`{"name":"x","bounds_m":null}`, "rx\n", `{"z":null,`, ",,,\n\"")
	f.Fuzz(func(t *testing.T, meta, receivers, zones, events string) {
		dir := maps.Clone(seed)
		for name, text := range map[string]string{"meta.json": meta, "receivers.csv": receivers, "zones.json": zones, "events.csv": events} {
			dir[name] = &fstest.MapFile{Data: []byte(text)}
		}
		site, err := recording.Read(dir)
		if err != nil {
			if schema.KindOf(err) == schema.Internal {
				t.Fatalf("not our error: %v", err)
			}
			return
		}
		if len(site.Receivers) == 0 || len(site.Tracks) == 0 || site.Bounds.Min.X >= site.Bounds.Max.X {
			t.Fatalf("impossible site: %+v", site)
		}
		checkOrder(t, site)
	})
}
