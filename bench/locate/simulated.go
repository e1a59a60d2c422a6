package locate

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"mybeacon/bench/recording"
	"mybeacon/bench/sim"
	"mybeacon/schema"
)

// MaxTagSeconds bounds a simulation, which is kept in memory before it is
// measured: some 15 observations of 24 bytes per tag and second.
const MaxTagSeconds = 600_000

// Simulated is a stretch of the simulated site's life, as if it had been
// recorded. It implements [Truths].
type Simulated struct {
	Site   *recording.Site
	places []recording.Truth
	zones  []recording.ZoneTruth
}

// Simulate lets the simulated site live for so many seconds. An error names the
// field that is wrong: those of [sim.Config], or "seconds".
func Simulate(cfg sim.Config, seconds int) (*Simulated, error) {
	world, err := sim.New(cfg)
	if err != nil {
		return nil, err
	}
	if most := MaxTagSeconds / cfg.Tags; seconds < 1 || seconds > most {
		return nil, schema.Errorf(schema.Invalid, "seconds", "%d must be 1 to %d with %d tags", seconds, most, cfg.Tags)
	}
	s := &Simulated{Site: siteOf(world, fmt.Sprintf("simulated site, seed %d", cfg.Seed))}
	tracks := make(map[schema.Transmitter]int)
	for i, t := range world.Tags() {
		tracks[t.Transmitter] = i
	}
	last := make([]int, cfg.Tags)
	for second := range seconds {
		for _, f := range world.Step(base.Add(time.Duration(second) * time.Second)) {
			for _, o := range f.Frame.Observations {
				track := &s.Site.Tracks[tracks[o.Transmitter]]
				track.Events = append(track.Events, recording.Event{At: o.At.Sub(base), Receiver: f.Receiver, RSSI: o.RSSI})
			}
		}
		s.tell(world, time.Duration(second+1)*time.Second, last)
	}
	s.Site.Tracks = heardInOrder(s.Site.Tracks)
	return s, nil
}

// tell notes the truth at a moment. last holds each tag's zone of the moment
// before, plus two: zero is unknown.
func (s *Simulated) tell(world *sim.World, at time.Duration, last []int) {
	for i, p := range world.Truth() {
		name := s.Site.Tracks[i].Name
		s.places = append(s.places, recording.Truth{Track: name, At: at, X: p.X, Y: p.Y, Z: math.NaN()})
		if last[i] == p.Zone+2 {
			continue
		}
		last[i] = p.Zone + 2
		row := recording.ZoneTruth{Track: name, From: at}
		if p.Zone >= 0 {
			row.Zone = s.Site.Zones[p.Zone].Name
		}
		s.zones = append(s.zones, row)
	}
}

// Truth implements [Truths].
func (s *Simulated) Truth() ([]recording.Truth, error) { return s.places, nil }

// ZoneTruth implements [Truths].
func (s *Simulated) ZoneTruth() ([]recording.ZoneTruth, error) { return s.zones, nil }

func siteOf(world *sim.World, name string) *recording.Site {
	site := &recording.Site{Name: name, Bounds: sim.Bounds(), TagHeightM: sim.TagHeightM}
	for _, r := range world.Receivers() {
		site.Receivers = append(site.Receivers, recording.Receiver(r))
	}
	for _, z := range world.Zones() {
		site.Zones = append(site.Zones, recording.Zone(z))
	}
	for i := range world.Tags() {
		site.Tracks = append(site.Tracks, recording.Track{Name: fmt.Sprintf("tag %04d", i+1)})
	}
	return site
}

// heardInOrder orders each track by time, across receivers, and leaves out what
// nobody heard.
func heardInOrder(tracks []recording.Track) []recording.Track {
	for _, t := range tracks {
		slices.SortStableFunc(t.Events, func(a, b recording.Event) int { return cmp.Compare(a.At, b.At) })
	}
	return slices.DeleteFunc(tracks, func(t recording.Track) bool { return len(t.Events) == 0 })
}
