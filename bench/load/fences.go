package load

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/golang/geo/r2"

	"mybeacon/actors/zone"
	"mybeacon/engine/live"
	"mybeacon/geometry/fence"
	"mybeacon/schema"
)

const (
	// zoneCell is the side of a plan's square per zone, zoneSide that of the zone.
	zoneCell, zoneSide = 10.0, 8.0
	// fenceStep is the event time between two positions of a tag.
	fenceStep = 100 * time.Millisecond
)

// FencesConfig of a measurement of the fences.
type FencesConfig struct {
	Zones, Tags int
	Seconds     int // of wall clock
	Seed        uint64
}

// Validate names the first field that is wrong.
func (c FencesConfig) Validate() error {
	switch {
	case c.Zones < 1 || c.Zones > fence.MaxZones:
		return schema.Errorf(schema.Invalid, "zones", "%d must be 1 to %d", c.Zones, fence.MaxZones)
	case c.Tags < 1 || c.Tags > live.DefaultConfig().MaxTags/2:
		return schema.Errorf(schema.Invalid, "tags", "%d must be 1 to %d", c.Tags, live.DefaultConfig().MaxTags/2)
	case c.Seconds < 1 || c.Seconds > 86_400:
		return schema.Errorf(schema.Invalid, "seconds", "%d must be 1 to 86400", c.Seconds)
	}
	return nil
}

// FenceFigures is what [Fences] measured.
type FenceFigures struct {
	UpdatesPerS float64 // positions taken in
	// Events are the entries and exits that the live map's subscriber received. It
	// is told the newest state, so that of two changes of a tag within one message
	// the first is not among them.
	Events          int
	AllocsPerUpdate float64 // of the whole process, the subscriber among it
	// Confirmed, not in the JSON form, are the entries and exits there were.
	Confirmed int
}

func (f FenceFigures) rows() []row {
	return []row{
		{"updates_per_s", f.UpdatesPerS, 0},
		{"events", float64(f.Events), 0},
		{"allocs_per_update", f.AllocsPerUpdate, 4},
	}
}

// MarshalJSON writes one object.
func (f FenceFigures) MarshalJSON() ([]byte, error) { return object(f.rows()), nil }

// WriteText writes one figure per line.
func (f FenceFigures) WriteText(w io.Writer) error {
	return lines(w, append(f.rows(), row{"confirmed", float64(f.Confirmed), 0}))
}

// Fences measures positions against zones. Each position goes the way that it goes
// behind the locator: the index finds its zone, the fence's state confirms entries
// and exits after the usual delays, zones count who is inside, and the hub gets the
// tag's new state; a live map's subscriber reads over a WebSocket on loopback. Left
// out are the mailboxes between them. All processors take part, each with its own
// tags.
//
// At the end the subscriber must know of every tag the zone that the fences say;
// that it does not is an error.
func Fences(ctx context.Context, cfg FencesConfig) (f FenceFigures, err error) {
	if err := cfg.Validate(); err != nil {
		return f, err
	}
	site, err := newFenceSite(cfg)
	if err != nil {
		return f, err
	}
	defer site.hub.Close()
	watcher, err := watchFences(ctx, site.hub, site.place.Location, cfg.Tags)
	if err != nil {
		return f, err
	}
	defer func() { err = errors.Join(err, watcher.close()) }()
	length := time.Duration(cfg.Seconds) * time.Second
	if _, err := site.walk(ctx, length/10); err != nil {
		return f, err
	}
	if err := watcher.await(ctx, site); err != nil {
		return f, err
	}
	confirmed, events, s := site.confirmed(), watcher.events(), beginStretch()
	updates, err := site.walk(ctx, length)
	if err != nil {
		return f, err
	}
	s.end()
	f = FenceFigures{UpdatesPerS: s.perSecond(updates), AllocsPerUpdate: s.perEvent(updates)}
	if err := watcher.await(ctx, site); err != nil {
		return f, err
	}
	f.Confirmed, f.Events = site.confirmed()-confirmed, watcher.events()-events
	return f, nil
}

// fenceSite is a plan with its zones and tags.
type fenceSite struct {
	cfg   fence.Config
	size  float64
	index *fence.Index
	place zone.Place // without its zone
	zones []fenceZone
	lanes []lane
	hub   *live.Hub
}

// fenceZone counts who is inside, as the zone's actor does.
type fenceZone struct {
	mu    sync.Mutex
	state *zone.State
}

// lane is the tags of one goroutine.
type lane struct {
	first     int // number of the first tag
	tags      []fenceTag
	confirmed atomic.Int64
	_         [64]byte // keeps the counters of two lanes apart in the caches
}

type fenceTag struct {
	at, step r2.Point
	state    fence.State
	now      time.Duration
}

func newFenceSite(cfg FencesConfig) (*fenceSite, error) {
	s := &fenceSite{cfg: fence.DefaultConfig(), zones: make([]fenceZone, cfg.Zones)}
	s.place = zone.Place{
		Organisation: schema.NewID[schema.OrganisationID](), Location: schema.NewID[schema.LocationID](), Plan: schema.NewID[schema.PlanID](),
	}
	columns := int(math.Ceil(math.Sqrt(float64(cfg.Zones))))
	s.size = zoneCell * float64(columns)
	drawn := make([]fence.Zone, cfg.Zones)
	for i := range drawn {
		x, y := zoneCell*float64(i%columns), zoneCell*float64(i/columns)
		corner := func(dx, dy float64) r2.Point { return r2.Point{X: x + dx, Y: y + dy} }
		drawn[i] = fence.Zone{Index: i, Polygon: []r2.Point{corner(0, 0), corner(zoneSide, 0), corner(zoneSide, zoneSide), corner(0, zoneSide)}}
		place := s.place
		place.Zone = numbered[schema.ZoneID](i)
		s.zones[i].state = zone.NewState(place)
	}
	var err error
	if s.index, err = fence.NewIndex(drawn); err != nil {
		return nil, err
	}
	hub := live.DefaultConfig()
	hub.Names = fenceNames{}
	if s.hub, err = live.New(hub); err != nil {
		return nil, err
	}
	s.people(cfg)
	return s, nil
}

// people spreads the tags over the plan and the lanes.
func (s *fenceSite) people(cfg FencesConfig) {
	rng := rand.New(rand.NewPCG(cfg.Seed, 0))
	s.lanes = make([]lane, min(runtime.GOMAXPROCS(0), cfg.Tags))
	for i := range s.lanes {
		l := &s.lanes[i]
		l.first = i * cfg.Tags / len(s.lanes)
		l.tags = make([]fenceTag, (i+1)*cfg.Tags/len(s.lanes)-l.first)
		for k := range l.tags {
			direction, speed := 2*math.Pi*rng.Float64(), 0.5+rng.Float64()
			step := r2.Point{X: math.Cos(direction), Y: math.Sin(direction)}.Mul(speed * fenceStep.Seconds())
			l.tags[k] = fenceTag{at: r2.Point{X: s.size * rng.Float64(), Y: s.size * rng.Float64()}, step: step}
		}
	}
}

// numbered returns the id of the i-th thing, never zero.
func numbered[I ~[16]byte](i int) I {
	var b [16]byte
	binary.BigEndian.PutUint32(b[12:], uint32(i)+1)
	return I(b)
}

// walk lets the tags walk for d and returns how many positions there were.
func (s *fenceSite) walk(ctx context.Context, d time.Duration) (updates int, err error) {
	var all sync.WaitGroup
	var sum atomic.Int64
	end := time.Now().Add(d)
	for i := range s.lanes {
		all.Go(func() {
			l := &s.lanes[i]
			n := 0
			for once := true; once || time.Now().Before(end) && ctx.Err() == nil; once = false {
				for k := range l.tags {
					s.update(l, k)
				}
				n += len(l.tags)
			}
			sum.Add(int64(n))
		})
	}
	all.Wait()
	return int(sum.Load()), ctx.Err()
}

// update takes a tag's next position in.
func (s *fenceSite) update(l *lane, k int) {
	t := &l.tags[k]
	walk(&t.at.X, &t.step.X, s.size)
	walk(&t.at.Y, &t.step.Y, s.size)
	t.now += fenceStep
	found, ok := s.index.Find(t.at)
	if !ok {
		found = fence.Outside
	}
	id := numbered[schema.TagID](l.first + k)
	at := base.Add(t.now)
	for _, change := range t.state.Observe(s.cfg, t.now, found) {
		l.confirmed.Add(1)
		s.tell(change, id)
	}
	moved := schema.TagMoved{Fix: schema.Fix{
		Organisation: s.place.Organisation, Tag: id, Location: s.place.Location, Plan: s.place.Plan,
		At: at, X: t.at.X, Y: t.at.Y, AccuracyM: 1, Zone: zoneID(t.state.Zone()), Rev: uint64(t.now),
	}}
	s.hub.TagMoved(moved)
}

func zoneID(i int) schema.ZoneID {
	if i == fence.Outside {
		return schema.ZoneID{}
	}
	return numbered[schema.ZoneID](i)
}

// tell tells a zone of an entry or exit, and the hub of its occupancy.
func (s *fenceSite) tell(change fence.Transition, tag schema.TagID) {
	z := &s.zones[change.Zone]
	z.mu.Lock()
	defer z.mu.Unlock()
	z.state.Set(&zone.Presence{Tag: tag, Inside: change.Enter, At: base.Add(change.At)})
	if occupancy, changed := z.state.Take(); changed {
		s.hub.Occupancy(occupancy)
	}
}

func (s *fenceSite) confirmed() (n int) {
	for i := range s.lanes {
		n += int(s.lanes[i].confirmed.Load())
	}
	return n
}

// eachZone calls do with the zone in which each tag is, as far as confirmed.
func (s *fenceSite) eachZone(do func(tag int, zone schema.ZoneID)) {
	for i := range s.lanes {
		for k := range s.lanes[i].tags {
			do(s.lanes[i].first+k, zoneID(s.lanes[i].tags[k].state.Zone()))
		}
	}
}

// fenceNames are the names of the site's tags and zones.
type fenceNames struct{}

// TagInfo implements live.Names.
func (fenceNames) TagInfo(id schema.TagID) (schema.Tag, bool) {
	return schema.Tag{ID: id, Name: "tag", Type: "person"}, true
}

// ZoneName implements live.Names.
func (fenceNames) ZoneName(schema.ZoneID) (string, bool) { return "zone", true }

// disagreement is what is wrong when the subscriber does not get to know the truth.
func disagreement(wrong int) error {
	return fmt.Errorf("the live map shows %d tags in other zones than the fences", wrong)
}
