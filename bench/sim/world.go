package sim

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"mybeacon/schema"
)

// MaxTags bounds a world; names and radio are made for offices, not for crowds.
const MaxTags = 2000

// Config of a world.
type Config struct {
	// Seed decides everything that is random.
	Seed uint64
	// Tags is how many there are, of which about 60 % are worn by people.
	Tags int
	// BootID names one run of the receivers; frames are numbered from 1 within it.
	BootID string
	// UUID is the iBeacon UUID of the tags; they differ in their minor number.
	UUID [16]byte
	// Language of the names, "ru" or "en".
	Language string
}

// DefaultConfig returns a world of 60 tags with English names.
func DefaultConfig() Config {
	return Config{
		Seed: 1, Tags: 60, BootID: "sim", Language: "en",
		UUID: schema.DeriveID[[16]byte]([]byte("mybeacon simulated site")),
	}
}

// Validate reports what is wrong.
func (c Config) Validate() error {
	switch {
	case c.Tags < 1 || c.Tags > MaxTags:
		return schema.Errorf(schema.Invalid, "tags", "%d must be 1 to %d", c.Tags, MaxTags)
	case c.Language != "ru" && c.Language != "en":
		return schema.Errorf(schema.Invalid, "language", "%q must be ru or en", c.Language)
	case c.BootID == "" || len(c.BootID) > 64:
		return schema.Errorf(schema.Invalid, "boot_id", "must have 1 to 64 characters")
	}
	return nil
}

// Zone is a room as a polygon in metres.
type Zone struct {
	Name    string
	Polygon []schema.Point
}

// Receiver hangs at X, Y and Z metres.
type Receiver struct {
	Name    string
	X, Y, Z float64
}

// Tag is a transmitter and what carries it.
type Tag struct {
	Name        string
	Type        string // "person", "asset" or "vehicle"
	Transmitter schema.Transmitter
}

// FrameOf is what one receiver heard in one second.
type FrameOf struct {
	Receiver int // index in World.Receivers
	Frame    schema.Frame
}

// Position is where a tag truly is.
type Position struct {
	X, Y float64 // metres
	Zone int     // index in World.Zones, -1 in the corridor
}

// World is a simulated site.
type World struct {
	cfg       Config
	walls     []segment
	routes    [len(areas)][len(areas)]int
	receivers []*receiver
	movers    []*mover
	seq       uint64
}

// New returns a world at the first moment of its day.
func New(cfg Config) (*World, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	w := &World{cfg: cfg, walls: walls(), routes: routes()}
	for i, at := range mounts {
		w.receivers = append(w.receivers, newReceiver(at, stream(cfg.Seed, 'r', i)))
	}
	for i := range cfg.Tags {
		w.movers = append(w.movers, newMover(i, stream(cfg.Seed, 'm', i)))
	}
	return w, nil
}

// stream returns a source of randomness of its own for each thing, so that one
// tag more does not change what the others do.
func stream(seed uint64, what rune, index int) *rand.Rand {
	return rand.New(rand.NewPCG(seed, uint64(what)<<32|uint64(index)))
}

// Zones returns the rooms; what is in none of them is the corridor.
func (w *World) Zones() []Zone {
	var zones []Zone
	for _, a := range areas[:corridor] {
		zones = append(zones, Zone{
			Name:    pick(w.cfg.Language, a.ru, a.en),
			Polygon: []schema.Point{{X: a.x0, Y: a.y0}, {X: a.x1, Y: a.y0}, {X: a.x1, Y: a.y1}, {X: a.x0, Y: a.y1}},
		})
	}
	return zones
}

// Receivers returns where the receivers hang.
func (w *World) Receivers() []Receiver {
	out := make([]Receiver, len(mounts))
	for i, at := range mounts {
		out[i] = Receiver{Name: fmt.Sprintf("R%02d", i+1), X: at.X, Y: at.Y, Z: mountHeight}
	}
	return out
}

// Walls returns the walls as lines of two points in metres, for drawing.
func (w *World) Walls() [][]schema.Point {
	out := make([][]schema.Point, len(w.walls))
	for i, s := range w.walls {
		out[i] = []schema.Point{s.a, s.b}
	}
	return out
}

// Tags returns the tags in the order of [World.Truth].
func (w *World) Tags() []Tag {
	out := make([]Tag, len(w.movers))
	for i, m := range w.movers {
		out[i] = Tag{Name: nameOf(m.kind, m.nth, w.cfg.Language), Type: m.kind, Transmitter: w.transmitter(i)}
	}
	return out
}

func (w *World) transmitter(i int) schema.Transmitter {
	return schema.IBeacon(w.cfg.UUID, 1, uint16(i+1))
}

// Truth returns where every tag is after the last step.
func (w *World) Truth() []Position {
	out := make([]Position, len(w.movers))
	for i, m := range w.movers {
		out[i] = Position{X: m.at.X, Y: m.at.Y, Zone: m.area}
		if m.area == corridor {
			out[i].Zone = -1
		}
	}
	return out
}

// substep is how finely people walk: 15 cm at their fastest.
const substep = 100 * time.Millisecond

// Step lets the world live for one second that begins at the event time from,
// and returns one frame per receiver, in their order, as sent at its end. Frames
// are new values that the caller may keep. Calls name later times each; a hole
// between them is a second in which nobody did anything.
func (w *World) Step(from schema.EventTime) []FrameOf {
	w.seq++
	out := make([]FrameOf, len(w.receivers))
	for i := range out {
		out[i] = FrameOf{Receiver: i, Frame: schema.Frame{BootID: w.cfg.BootID, Seq: w.seq, SentAt: from.Add(time.Second)}}
	}
	for elapsed := time.Duration(0); elapsed < time.Second; elapsed += substep {
		for i, m := range w.movers {
			m.live(w, substep)
			for m.untilAdvert -= substep; m.untilAdvert < 0; m.untilAdvert += m.interval() {
				at := from.Add(elapsed + substep + m.untilAdvert)
				w.advertise(i, m, at, out)
			}
		}
	}
	for i := range out {
		slices.SortStableFunc(out[i].Frame.Observations, func(a, b schema.Observation) int { return int(a.At - b.At) })
	}
	return out
}

// advertise sends one packet of the tag to all receivers.
func (w *World) advertise(tag int, m *mover, at schema.EventTime, out []FrameOf) {
	for i, r := range w.receivers {
		rssi, heard := r.hear(w, m)
		if !heard {
			continue
		}
		f := &out[i].Frame
		f.Observations = append(f.Observations, schema.Observation{At: at, Transmitter: w.transmitter(tag), RSSI: rssi})
	}
}
