package sim

import (
	"math"
	"math/rand/v2"
	"time"

	"mybeacon/schema"
)

// The kinds of what carries a tag.
const (
	person  = "person"
	asset   = "asset"
	vehicle = "vehicle"
)

// mover is a tag and what carries it.
type mover struct {
	kind string
	nth  int // of its kind
	rng  *rand.Rand

	home    int // the area it belongs to
	area    int
	at      schema.Point
	heading float64 // radians, where the wearer faces
	path    []schema.Point
	speed   float64       // metres per second while it walks
	stay    time.Duration // before it goes to another area
	fidget  time.Duration // before it moves a little within this one

	level       float64 // of its radio at 1 m, dBm
	period      time.Duration
	untilAdvert time.Duration
}

// kindOf returns the kind of the i-th tag: of ten, six people, three things and
// a cart.
func kindOf(i int) (kind string, nth int) {
	round, place := i/10, i%10
	switch {
	case place == 9:
		return vehicle, round
	case place%3 == 2:
		return asset, round*3 + place/3
	default:
		return person, round*6 + place - place/3
	}
}

func newMover(i int, rng *rand.Rand) *mover {
	kind, nth := kindOf(i)
	m := &mover{kind: kind, nth: nth, rng: rng, level: -59 + 2*rng.NormFloat64()}
	m.period = 500*time.Millisecond + time.Duration(rng.IntN(500))*time.Millisecond
	m.untilAdvert = time.Duration(rng.Int64N(int64(m.period)))
	m.speed = 0.9 + 0.6*rng.Float64()
	m.home = m.choose(func(a area) float64 { return a.people })
	if kind == asset {
		m.home = m.choose(func(a area) float64 { return a.people + a.visits })
	}
	if kind == vehicle {
		m.home = []int{0, 4}[rng.IntN(2)] // warehouse and sales floor
	}
	m.area = m.home
	m.at = m.spot(m.area)
	m.heading = 2 * math.Pi * rng.Float64()
	m.rest()
	m.stay = time.Duration(rng.Float64() * float64(m.stay)) // the day began before the first step
	return m
}

func (m *mover) choose(weight func(area) float64) int {
	total := 0.0
	for _, a := range areas {
		total += weight(a)
	}
	at := m.rng.Float64() * total
	for i, a := range areas {
		if at -= weight(a); at < 0 {
			return i
		}
	}
	return 0
}

// spot returns a random place in the area, a step away from its walls.
func (m *mover) spot(i int) schema.Point {
	const margin = 0.7
	a := areas[i]
	return schema.Point{
		X: a.x0 + margin + m.rng.Float64()*(a.x1-a.x0-2*margin),
		Y: a.y0 + margin + m.rng.Float64()*(a.y1-a.y0-2*margin),
	}
}

// interval returns the time to the next advertisement; Bluetooth adds up to
// 10 ms at random so that two tags do not collide for ever.
func (m *mover) interval() time.Duration {
	return m.period + time.Duration(m.rng.IntN(10))*time.Millisecond
}

// rest draws how long it stays here.
func (m *mover) rest() {
	mean := map[string]time.Duration{person: 2 * time.Minute, asset: 45 * time.Minute, vehicle: 5 * time.Minute}[m.kind]
	if m.kind == person && m.area == m.home {
		mean *= 2
	}
	m.stay = 20*time.Second + time.Duration(m.rng.ExpFloat64()*float64(mean))
	m.stay = min(m.stay, 10*mean)
	m.fidget = m.pause()
}

func (m *mover) pause() time.Duration {
	return 8*time.Second + time.Duration(m.rng.IntN(22_000))*time.Millisecond
}

// live lets d pass.
func (m *mover) live(w *World, d time.Duration) {
	if len(m.path) > 0 {
		m.walk(m.speed * d.Seconds())
		if len(m.path) == 0 && m.stay <= 0 {
			m.rest()
		}
		return
	}
	m.stay -= d
	m.fidget -= d
	switch {
	case m.stay <= 0:
		m.leave(w)
	case m.fidget <= 0 && m.kind == person:
		m.fidget = m.pause()
		m.shift()
	}
}

// leave sets out for another area: people wander and come home again, things
// are carried somewhere or put to another place of the same room.
func (m *mover) leave(w *World) {
	to := m.home
	if m.area == m.home {
		to = m.choose(func(a area) float64 { return a.visits })
	}
	m.path = m.path[:0]
	for at := m.area; at != to; {
		d := doors[w.routes[at][to]]
		m.path = append(m.path, before(d, at), d.at)
		at = d.other(at)
		m.path = append(m.path, before(d, at))
	}
	m.path = append(m.path, m.spot(to))
}

// before returns the place in front of the door on that side of it: people go
// through doors at a right angle and do not walk along inside the wall.
func before(d door, side int) schema.Point {
	const step = 0.7
	a := areas[side]
	return schema.Point{X: min(max(d.at.X, a.x0+step), a.x1-step), Y: min(max(d.at.Y, a.y0+step), a.y1-step)}
}

// shift takes a step or two within the area and turns.
func (m *mover) shift() {
	a := areas[m.area]
	turn := 2 * math.Pi * m.rng.Float64()
	length := 1.5 * m.rng.Float64()
	to := schema.Point{
		X: min(max(m.at.X+length*math.Cos(turn), a.x0+0.5), a.x1-0.5),
		Y: min(max(m.at.Y+length*math.Sin(turn), a.y0+0.5), a.y1-0.5),
	}
	m.path = append(m.path[:0], to)
}

// walk goes some metres along the path.
func (m *mover) walk(metres float64) {
	for metres > 0 && len(m.path) > 0 {
		to := m.path[0]
		dx, dy := to.X-m.at.X, to.Y-m.at.Y
		left := math.Hypot(dx, dy)
		if left > 1e-9 {
			m.heading = math.Atan2(dy, dx)
		}
		if left > metres {
			m.at.X += dx / left * metres
			m.at.Y += dy / left * metres
			return
		}
		m.at, metres = to, metres-left
		m.path = m.path[1:]
		if len(m.path) > 0 {
			m.pass(to)
		}
	}
}

// pass goes through the door at that point.
func (m *mover) pass(at schema.Point) {
	for _, d := range doors {
		if d.at == at && (d.a == m.area || d.b == m.area) {
			m.area = d.other(m.area)
			return
		}
	}
}
