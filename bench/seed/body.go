package seed

import (
	"math"
	"math/rand/v2"
	"time"

	"mybeacon/schema"
)

// The engine's rule for what is stored.
const (
	storeEvery = 30_000 // ms
	storeMoveM = 1.0
)

// body is one tag on one day: it moves, and what would be stored of it gathers.
type body struct {
	life   *Life
	tag    *Tag
	rng    *rand.Rand
	now    schema.EventTime // whole second
	floor  int
	at     schema.Point
	whole  int // the visit that is open, by its index in visits; -1: none
	part   int
	fixes  []Fix
	visits []Visit
}

// observe makes the fix of this second, and stores it when it says more than the last
// that was stored.
func (b *body) observe() {
	inner, whole := b.life.zone(b.floor, b.at)
	f := Fix{At: b.now, Floor: b.floor, Zone: inner, X: b.at.X, Y: b.at.Y, Radius: b.tag.radius, ValidMs: storeEvery}
	if n := len(b.fixes); n > 0 {
		last := &b.fixes[n-1]
		moved := math.Hypot(f.X-last.X, f.Y-last.Y) > math.Max(storeMoveM, f.Radius/2)
		if last.At == f.At || !moved && last.Zone == f.Zone && last.Floor == f.Floor && f.At/storeEvery == last.At/storeEvery {
			return
		}
		last.ValidMs = min(last.ValidMs, int64(f.At-last.At))
	}
	b.fixes = append(b.fixes, f)
	if part := partOf(inner, whole); b.part >= 0 && b.visits[b.part].Zone != part {
		b.visit(&b.part, outside) // a part is left before its whole and entered after it
	}
	b.visit(&b.whole, whole)
	b.visit(&b.part, partOf(inner, whole))
}

func partOf(inner, whole int) int {
	if inner == whole {
		return outside
	}
	return inner
}

// visit closes the visit that is open unless it is to the zone, and opens one to it.
func (b *body) visit(open *int, zone int) {
	if *open >= 0 {
		if v := &b.visits[*open]; v.Zone == zone && v.Floor == b.floor {
			return
		}
		b.visits[*open].To = b.now
		*open = -1
	}
	if zone != outside {
		b.visits = append(b.visits, Visit{Floor: b.floor, Zone: zone, From: b.now})
		*open = len(b.visits) - 1
	}
}

// leave ends the day: the tag is not heard from now on.
func (b *body) leave() {
	if n := len(b.fixes); n > 0 {
		last := &b.fixes[n-1]
		last.ValidMs = min(last.ValidMs, int64(b.now-last.At))
	}
	for _, open := range []*int{&b.part, &b.whole} {
		if *open >= 0 {
			b.visits[*open].To = b.now
			*open = -1
		}
	}
}

// rest stays until then; people move a little now and then.
func (b *body) rest(until schema.EventTime, within rect) {
	for b.now < until {
		quiet := time.Duration(100+b.rng.IntN(400)) * time.Second
		b.wait(min(until, b.now.Add(quiet)))
		if b.tag.Type == person && b.now < until {
			b.walk(b.life.spot(b.rng, within))
		}
	}
}

// wait stands still: the engine stores where it is each half minute by the clock.
func (b *body) wait(until schema.EventTime) {
	for next := b.now/storeEvery*storeEvery + storeEvery; next <= until; next += storeEvery {
		b.now = next
		b.observe()
	}
	b.now = max(b.now, until)
}

// walk goes straight to the point, second by second.
func (b *body) walk(to schema.Point) {
	for {
		dx, dy := to.X-b.at.X, to.Y-b.at.Y
		left := math.Hypot(dx, dy)
		if left < 1e-9 {
			return
		}
		step := math.Min(left, b.tag.speed)
		b.at.X += dx / left * step
		b.at.Y += dy / left * step
		if left <= step {
			b.at = to
		}
		b.now += 1000
		b.observe()
	}
}

// goTo walks to a point of a room: through its door, along the corridor, and over the
// stairs where it is on another floor.
func (b *body) goTo(from *room, to place, spot schema.Point) {
	if from != nil {
		b.walk(from.door())
		b.walk(schema.Point{X: from.door().X, Y: middle})
	}
	if to.floor != b.floor {
		b.walk(schema.Point{X: stairsX, Y: middle})
		b.now = b.now.Add(time.Duration(12*abs(to.floor-b.floor)) * time.Second)
		b.floor = to.floor
		b.observe()
	}
	door := b.life.floors[to.floor].rooms[to.room].door()
	b.walk(schema.Point{X: door.X, Y: middle})
	b.walk(door)
	b.walk(spot)
}

func abs(n int) int { return max(n, -n) }

// spot returns a place in the room, a step away from its walls.
func (l *Life) spot(rng *rand.Rand, r rect) schema.Point {
	const margin = 0.7
	return schema.Point{X: r.x0 + margin + rng.Float64()*(r.x1-r.x0-2*margin), Y: r.y0 + margin + rng.Float64()*(r.y1-r.y0-2*margin)}
}
