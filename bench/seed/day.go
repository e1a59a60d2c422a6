package seed

import (
	"math/rand/v2"
	"time"

	"mybeacon/schema"
)

// Day lives the tag's local day that begins at midnight, which is one of the life's
// time zone. Fixes are by time, visits by their beginning, a part after its whole.
func (l *Life) Day(tag int, midnight time.Time) ([]Fix, []Visit) {
	t := &l.tags[tag]
	day := int(midnight.Unix() / 86_400)
	b := &body{life: l, tag: t, rng: l.rng(tag, day), whole: -1, part: -1}
	switch t.Type {
	case asset:
		l.lie(b, midnight)
	case vehicle:
		if open, _ := l.opens(b.rng, midnight, 1, 0.6, 0.1); open {
			b.work(clock(midnight, 7, b.rng.IntN(50)), clock(midnight, 19, b.rng.IntN(60)), 8*time.Minute, 0.25)
		}
	default:
		if open, late := l.opens(b.rng, midnight, 0.92, 0.3, 0.05); open {
			from, to := clock(midnight, 8, b.rng.IntN(70)), clock(midnight, 17, b.rng.IntN(80))
			if late {
				from, to = clock(midnight, 13, b.rng.IntN(40)), clock(midnight, 21, 20+b.rng.IntN(90))
			}
			b.work(from, to, 15*time.Minute, 0.5)
		}
	}
	return b.fixes, b.visits
}

// opens decides whether the tag comes that day, and whether for the late shift.
func (l *Life) opens(rng *rand.Rand, midnight time.Time, workday, saturday, sunday float64) (comes, late bool) {
	chance := workday
	switch midnight.Weekday() {
	case time.Saturday:
		chance = saturday
	case time.Sunday:
		chance = sunday
	}
	return rng.Float64() < chance, rng.Float64() < 0.2
}

// clock is a time of the day by the clock on the wall.
func clock(midnight time.Time, hour, minutes int) schema.EventTime {
	at := time.Date(midnight.Year(), midnight.Month(), midnight.Day(), hour, minutes, 0, 0, midnight.Location())
	return schema.EventTimeOf(at)
}

// work comes in through the entrance, goes between home and other rooms, and leaves.
func (b *body) work(from, to schema.EventTime, mean time.Duration, away float64) {
	b.now, b.floor, b.at = from, 0, schema.Point{X: entryX, Y: middle}
	b.observe()
	here := b.tag.home
	b.goTo(nil, here, b.life.spot(b.rng, b.life.room(here).rect))
	lunch := clock(from.Time().In(b.life.in), 12, b.rng.IntN(75))
	for b.now < to {
		stay := 40*time.Second + time.Duration(b.rng.ExpFloat64()*float64(mean))
		b.rest(min(to, b.now.Add(min(stay, 6*mean).Truncate(time.Second))), b.life.room(here).rect)
		next := b.tag.home
		switch {
		case b.tag.Type == person && b.now > lunch && lunch > from:
			next, lunch = place{0, 2}, 0
		case here == b.tag.home && b.rng.Float64() > away:
			next = b.life.choose(b.rng, func(r *room) float64 { return r.visits })
		}
		if next == here {
			continue
		}
		b.goTo(b.life.room(here), next, b.life.spot(b.rng, b.life.room(next).rect))
		here = next
	}
	b.goTo(b.life.room(here), place{0, 0}, b.life.room(place{0, 0}).door())
	b.walk(schema.Point{X: b.life.room(place{0, 0}).door().X, Y: middle})
	b.walk(schema.Point{X: entryX, Y: middle})
	b.leave()
}

func (l *Life) room(p place) *room { return &l.floors[p.floor].rooms[p.room] }

// lie is a thing's day: it is there from midnight to midnight, and carried to another
// room and back now and then. It lies at the same place overnight, so that days fit.
func (l *Life) lie(b *body, midnight time.Time) {
	home := b.tag.home
	shelf := b.tag.shelf
	end := schema.EventTimeOf(midnight.AddDate(0, 0, 1))
	b.now, b.floor, b.at = schema.EventTimeOf(midnight), home.floor, shelf
	b.observe()
	for hour := 9 + b.rng.IntN(8); hour < 19; hour += 3 + b.rng.IntN(8) {
		b.wait(clock(midnight, hour, b.rng.IntN(50)))
		to := l.choose(b.rng, func(r *room) float64 { return r.goods + r.staff })
		if to == home {
			continue
		}
		b.goTo(l.room(home), to, l.spot(b.rng, l.room(to).rect))
		b.wait(b.now.Add(time.Duration(10+b.rng.IntN(80)) * time.Minute))
		b.goTo(l.room(to), home, shelf)
	}
	b.wait(end.Add(-time.Second))
	b.now = end
	b.leave()
}
