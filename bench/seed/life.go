package seed

import (
	"hash/fnv"
	"math/rand/v2"
	"time"

	"mybeacon/bench/sim"
	"mybeacon/schema"
)

// Zone is a zone of the building. Parent is the number of the zone that it is a part
// of, -1 if it is none.
type Zone struct {
	Floor  int
	Parent int
	Name   string
	rect
}

// Tag is somebody or something.
type Tag struct {
	Name, Type string
	home       place
	shelf      schema.Point // where a thing lies
	speed      float64      // metres per second
	radius     float64      // of its fixes
}

// Fix is a row of fixes: where the tag was from At on for ValidMs.
type Fix struct {
	At      schema.EventTime
	Floor   int
	Zone    int // innermost; -1 is outside
	X, Y    float64
	Radius  float64
	ValidMs int64
}

// Visit is a stay of a tag in a zone, parts too.
type Visit struct {
	Floor    int
	Zone     int
	From, To schema.EventTime
}

// Life is the building's past.
type Life struct {
	seed   uint64
	in     *time.Location
	floors []floor
	zones  []Zone
	tags   []Tag
	index  map[place]int // number of a room's zone; its parts follow
}

// NewLife returns the building with so many tags; its days are those of the time zone.
func NewLife(seed uint64, tags int, in *time.Location, language string) *Life {
	l := &Life{seed: seed, in: in, floors: floors(), index: map[place]int{}}
	for f := range l.floors {
		for r := range l.floors[f].rooms {
			room := &l.floors[f].rooms[r]
			whole := len(l.zones)
			l.index[place{f, r}] = whole
			l.zones = append(l.zones, Zone{f, outside, room.name.in(language), room.rect})
			for _, p := range room.parts {
				l.zones = append(l.zones, Zone{f, whole, p.name.in(language), p.rect})
			}
		}
	}
	seen := map[string]int{}
	for i := range tags {
		kind := kindOf(i)
		l.tags = append(l.tags, l.newTag(kind, sim.TagName(kind, seen[kind], language), i))
		seen[kind]++
	}
	return l
}

// The types of tags.
const (
	person  = "person"
	asset   = "asset"
	vehicle = "vehicle"
)

// kindOf returns the type of the i-th tag: of twenty, fourteen people, four things and
// two carts.
func kindOf(i int) string {
	switch i % 20 {
	case 4, 9, 14, 17:
		return asset
	case 7, 19:
		return vehicle
	}
	return person
}

func (l *Life) newTag(kind, name string, i int) Tag {
	rng := l.rng(i, -1)
	t := Tag{Name: name, Type: kind, speed: 0.9 + 0.6*rng.Float64(), radius: 1 + 1.5*rng.Float64()}
	weight := func(r *room) float64 { return r.staff }
	switch kind {
	case asset:
		weight = func(r *room) float64 { return r.goods }
	case vehicle:
		weight = func(r *room) float64 { return r.goods * r.staff }
	}
	t.home = l.choose(rng, weight)
	t.shelf = l.spot(rng, l.room(t.home).rect)
	return t
}

// rng returns the chance of one tag's day, which depends on nothing else.
func (l *Life) rng(tag, day int) *rand.Rand {
	h := fnv.New64a()
	for _, v := range []uint64{l.seed, uint64(tag), uint64(day)} {
		var b [8]byte
		for i := range b {
			b[i] = byte(v >> (8 * i))
		}
		h.Write(b[:])
	}
	return rand.New(rand.NewPCG(l.seed, h.Sum64()))
}

func (l *Life) choose(rng *rand.Rand, weight func(*room) float64) place {
	total := 0.0
	each := func(do func(place, float64) bool) {
		for f := range l.floors {
			for r := range l.floors[f].rooms {
				if do(place{f, r}, weight(&l.floors[f].rooms[r])) {
					return
				}
			}
		}
	}
	each(func(_ place, w float64) bool { total += w; return false })
	at := total * rng.Float64()
	var chosen place
	each(func(p place, w float64) bool {
		if w > 0 {
			chosen = p
		}
		at -= w
		return at < 0
	})
	return chosen
}

// Zones returns the zones, each after the one that it is a part of.
func (l *Life) Zones() []Zone { return l.zones }

// Tags returns the tags.
func (l *Life) Tags() []Tag { return l.tags }
