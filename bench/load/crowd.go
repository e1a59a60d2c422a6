package load

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"mybeacon/engine/provision"
	"mybeacon/schema"
)

const (
	// beat is the event time that one frame covers; each tag sends once in it.
	beat = 500 * time.Millisecond
	// beatsPerSecond is how many there are in the second in which a tag is fixed.
	beatsPerSecond = int(time.Second / beat)
	// hearing is how many receivers hear one tag, if there are as many.
	hearing = 12
	// spacing of the receivers in metres, and how high they hang.
	spacing, mountHeight = 8.0, 2.7
	tagHeight            = 1.2
	noisePeriod          = 4093 // a prime, so that no tag meets the same noise again soon
)

// base is when a crowd's time begins: 2026-01-01T00:00:00Z.
const base schema.EventTime = 1_767_225_600_000

// crowd is many tags that walk, and what the receivers hear of them. It is made to
// cost little, not to be hard to locate: see package sim for that. It belongs to
// one goroutine.
type crowd struct {
	receivers []schema.Point
	size      schema.Point
	walkers   []walker
	noise     [noisePeriod]schema.CentiDBm
	frames    []schema.Frame // reused from beat to beat
	near      []int
	beats     int
	hits      int
}

type walker struct {
	transmitter schema.Transmitter
	at, step    schema.Point  // step is what it walks in one beat
	phase       time.Duration // within the beat
	near        []int         // the receivers that hear it
}

// newCrowd returns a crowd whose frames have the boot id.
func newCrowd(tags, receivers int, seed uint64, boot string) *crowd {
	rng := rand.New(rand.NewPCG(seed, 0))
	c := &crowd{frames: make([]schema.Frame, receivers)}
	columns := int(math.Ceil(math.Sqrt(float64(receivers))))
	for i := range receivers {
		c.receivers = append(c.receivers, schema.Point{X: spacing * (0.5 + float64(i%columns)), Y: spacing * (0.5 + float64(i/columns))})
		c.frames[i].BootID = boot
	}
	c.size = schema.Point{X: spacing * float64(columns), Y: spacing * math.Ceil(float64(receivers)/float64(columns))}
	for i := range c.noise {
		c.noise[i] = schema.CentiDBmOf(max(-9, min(9, 3*rng.NormFloat64())))
	}
	uuid := schema.DeriveID[[16]byte]([]byte("mybeacon crowd"))
	for i := range tags {
		direction, speed := 2*math.Pi*rng.Float64(), 0.5+rng.Float64()
		c.walkers = append(c.walkers, walker{
			transmitter: schema.IBeacon(uuid, 1, uint16(i+1)),
			at:          schema.Point{X: c.size.X * rng.Float64(), Y: c.size.Y * rng.Float64()},
			step:        schema.Point{X: speed * math.Cos(direction) * beat.Seconds(), Y: speed * math.Sin(direction) * beat.Seconds()},
			phase:       time.Duration(rng.Int64N(int64(beat))),
		})
	}
	return c
}

// now returns the event time at which the next beat begins.
func (c *crowd) now() schema.EventTime { return base.Add(time.Duration(c.beats) * beat) }

// next lets a beat pass and returns one frame per receiver, and how many
// observations they hold. They are valid until the next call.
func (c *crowd) next() (frames []schema.Frame, observations int) {
	from := c.now()
	for i := range c.frames {
		f := &c.frames[i]
		f.Seq, f.SentAt, f.Observations = uint64(c.beats+1), from.Add(beat), f.Observations[:0]
	}
	for i := range c.walkers {
		w := &c.walkers[i]
		walk(&w.at.X, &w.step.X, c.size.X)
		walk(&w.at.Y, &w.step.Y, c.size.Y)
		if c.beats%(10*beatsPerSecond) == 0 {
			w.near = append(w.near[:0], c.nearest(w.at)...)
		}
		at := from.Add(w.phase)
		for _, r := range w.near {
			f := &c.frames[r]
			f.Observations = append(f.Observations, schema.Observation{At: at, Transmitter: w.transmitter, RSSI: c.level(w.at, r)})
		}
		observations += len(w.near)
	}
	c.beats++
	return c.frames, observations
}

// walk goes a step and turns at the walls, as a ball does: standing on the wall
// itself would be rare for people, and dear for a fence.
func walk(at, step *float64, size float64) {
	switch *at += *step; {
	case *at < 0:
		*at, *step = -*at, -*step
	case *at > size:
		*at, *step = 2*size-*at, -*step
	}
}

// nearest returns the receivers that hear a place, valid until the next call.
func (c *crowd) nearest(p schema.Point) []int {
	c.near = c.near[:0]
	for r := range c.receivers {
		c.near = append(c.near, r)
	}
	if len(c.near) <= hearing {
		return c.near
	}
	distance := func(r int) float64 { return math.Hypot(c.receivers[r].X-p.X, c.receivers[r].Y-p.Y) }
	slices.SortFunc(c.near, func(a, b int) int { return cmp.Compare(distance(a), distance(b)) })
	return c.near[:hearing]
}

// level returns how loud the receiver hears a place this time.
func (c *crowd) level(p schema.Point, receiver int) schema.CentiDBm {
	dx, dy, dz := p.X-c.receivers[receiver].X, p.Y-c.receivers[receiver].Y, mountHeight-tagHeight
	c.hits = (c.hits + 1) % noisePeriod
	return schema.CentiDBm(-5900-1100*math.Log10(dx*dx+dy*dy+dz*dz)) + c.noise[c.hits]
}

// site describes what must be on the server for the crowd.
func (c *crowd) site() provision.Site {
	s := provision.Site{
		Organisation: "Load", Location: "Hall", KeepDays: schema.KeepForever, Clock: "source",
		Plan: provision.Plan{Name: "Hall", Bounds: schema.Rect{Max: c.size}, TagHeightM: tagHeight},
	}
	half := schema.Point{X: c.size.X / 2, Y: c.size.Y / 2}
	for i, lo := range []schema.Point{{}, {X: half.X}, {Y: half.Y}, half} {
		hi := schema.Point{X: lo.X + half.X, Y: lo.Y + half.Y}
		s.Zones = append(s.Zones, provision.Zone{
			Name: fmt.Sprintf("Quarter %d", i+1), Polygon: []schema.Point{lo, {X: hi.X, Y: lo.Y}, hi, {X: lo.X, Y: hi.Y}},
		})
	}
	for i, r := range c.receivers {
		s.Receivers = append(s.Receivers, provision.Receiver{Name: fmt.Sprintf("R%03d", i+1), X: r.X, Y: r.Y, Z: mountHeight})
	}
	for i := range c.walkers {
		s.Tags = append(s.Tags, provision.Tag{Transmitter: c.walkers[i].transmitter, Type: "person", Name: fmt.Sprintf("Tag %05d", i+1)})
	}
	return s
}
