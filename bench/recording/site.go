package recording

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"math"
	"slices"
	"time"

	"mybeacon/schema"
)

const (
	maxReceivers = 1_000
	maxTracks    = 10_000
	maxMeta      = 1 << 20 // bytes of meta.json and zones.json

	usualReceiverM = 2   // height of a receiver whose height is not known
	usualTagM      = 1.2 // height of tags where that is not known
)

// Site is a recorded site: its plan, and what was heard.
type Site struct {
	Name       string
	Bounds     schema.Rect // metres
	TagHeightM float64
	Receivers  []Receiver // in the order of receivers.csv
	Zones      []Zone     // in the order of zones.json; empty without that file
	Tracks     []Track    // in the order of their first line in events.csv
	// Digest is the SHA-256 of events.csv: equal digests, equal events.
	Digest [sha256.Size]byte
}

// Receiver is a radio at a known place; Z is its height above the floor.
type Receiver struct {
	Name    string
	X, Y, Z float64 // metres
}

// Zone is a named polygon in metres, closed implicitly.
type Zone struct {
	Name    string
	Polygon []schema.Point
}

// Track is what was heard of one tag.
type Track struct {
	Name   string
	Events []Event // ordered by At; equal times keep the order of the file
}

// Event is one transmission heard by one receiver.
type Event struct {
	At       time.Duration // since the start of the recording, whole milliseconds
	Receiver int           // index in Site.Receivers
	RSSI     schema.CentiDBm
}

// Read reads meta.json, receivers.csv, zones.json if there is one, and
// events.csv of the folder, for instance os.DirFS(dir).
func Read(dir fs.FS) (*Site, error) {
	s := &Site{}
	if err := s.readMeta(dir); err != nil {
		return nil, err
	}
	receivers, err := readReceivers(dir)
	if err != nil {
		return nil, err
	}
	s.Receivers = receivers
	if s.Zones, err = readZones(dir); err != nil {
		return nil, err
	}
	if s.Tracks, err = readTracks(dir, s.Receivers); err != nil {
		return nil, err
	}
	s.Digest, err = digest(dir, "events.csv")
	return s, err
}

// Span returns the times of the first and the last event of all tracks.
func (s *Site) Span() (first, last time.Duration) {
	first, last = math.MaxInt64, math.MinInt64
	for _, t := range s.Tracks {
		first = min(first, t.Events[0].At)
		last = max(last, t.Events[len(t.Events)-1].At)
	}
	return first, last
}

func (s *Site) readMeta(dir fs.FS) error {
	var meta struct {
		Name       string    `json:"name"`
		Bounds     []float64 `json:"bounds_m"`
		TagHeightM float64   `json:"tag_height_m"`
	}
	meta.TagHeightM = usualTagM
	text, err := readSmall(dir, "meta.json")
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, &meta); err != nil {
		return jsonError("meta.json", text, err)
	}
	if meta.Name == "" || len(meta.Name) > maxName {
		return schema.Errorf(schema.Invalid, "meta.json name", "must be a name of 1 to %d bytes", maxName)
	}
	b := meta.Bounds
	if len(b) != 4 || !inRange(b...) || b[0] >= b[2] || b[1] >= b[3] {
		return schema.Errorf(schema.Invalid, "meta.json bounds_m", "must be [x0, y0, x1, y1] in metres with x0 < x1 and y0 < y1")
	}
	if math.Abs(meta.TagHeightM) > 1000 {
		return schema.Errorf(schema.Invalid, "meta.json tag_height_m", "%v must be a height in metres above the floor such as 1.2", meta.TagHeightM)
	}
	s.Name, s.TagHeightM = meta.Name, meta.TagHeightM
	s.Bounds = schema.Rect{Min: schema.Point{X: b[0], Y: b[1]}, Max: schema.Point{X: b[2], Y: b[3]}}
	return nil
}

func readReceivers(dir fs.FS) ([]Receiver, error) {
	t, err := openTable(dir, "receivers.csv", "rx", "x_m", "y_m", "z_m?")
	if err != nil {
		return nil, err
	}
	var all []Receiver
	seen := map[string]bool{}
	for t.next() {
		r := Receiver{Name: t.name(0), X: t.metres(1), Y: t.metres(2), Z: usualReceiverM}
		if !t.unknown(3) {
			r.Z = t.metres(3)
		}
		switch {
		case seen[r.Name]:
			t.fail(0, "the receiver %q is there twice; give each its own name", r.Name)
		case len(all) == maxReceivers:
			t.fail(0, "there are more than %d receivers", maxReceivers)
		}
		seen[r.Name] = true
		all = append(all, r)
	}
	if err := t.finish(); err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, schema.Errorf(schema.Invalid, "receivers.csv", "there is no receiver; write one line per receiver")
	}
	return all, nil
}

// readTracks groups the lines of events.csv by track. The format promises them
// in the order of time; a file that breaks the promise is put in order.
func readTracks(dir fs.FS, receivers []Receiver) ([]Track, error) {
	t, err := openTable(dir, "events.csv", "track", "t_s", "rx", "rssi_dbm")
	if err != nil {
		return nil, err
	}
	byName := receiverIndex(receivers)
	var tracks []Track
	index := map[string]int{}
	for t.next() {
		e := Event{At: milliseconds(t.seconds(1)), Receiver: t.receiver(2, byName), RSSI: t.rssi(3)}
		i, ok := index[t.cell(0)]
		if !ok {
			name := t.name(0)
			if i = len(tracks); i == maxTracks {
				t.fail(0, "there are more than %d tracks", maxTracks)
			}
			index[name] = i
			tracks = append(tracks, Track{Name: name})
		}
		tracks[i].Events = append(tracks[i].Events, e)
	}
	if err := t.finish(); err != nil {
		return nil, err
	}
	if len(tracks) == 0 {
		return nil, schema.Errorf(schema.Invalid, "events.csv", "there is no event; write one line per transmission heard")
	}
	for _, tr := range tracks {
		slices.SortStableFunc(tr.Events, func(a, b Event) int { return int(min(max(a.At-b.At, -1), 1)) })
	}
	return tracks, nil
}

func receiverIndex(receivers []Receiver) map[string]int {
	byName := make(map[string]int, len(receivers))
	for i, r := range receivers {
		byName[r.Name] = i
	}
	return byName
}

func milliseconds(seconds float64) time.Duration {
	return time.Duration(math.Round(seconds*1000)) * time.Millisecond
}

func digest(dir fs.FS, file string) (sum [sha256.Size]byte, err error) {
	f, err := dir.Open(file)
	if err != nil {
		return sum, openError(file, err)
	}
	defer f.Close() // it was only read
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return sum, fmt.Errorf("read %s: %w", file, err)
	}
	h.Sum(sum[:0])
	return sum, nil
}

func inRange(metres ...float64) bool {
	return !slices.ContainsFunc(metres, func(v float64) bool { return math.IsNaN(v) || math.Abs(v) > maxMetres })
}
