package actors_test

import (
	"math"
	"testing"

	"mybeacon/schema"
)

// The floors of a building of 20 m × 10 m.
const (
	storeyM = 3
	slabDB  = 14 // what a ceiling costs
)

var floorIDs = [2]schema.PlanID{{3, 1}, {3, 2}}

// building is two floors above each other, and a tag that both hear.
type building struct {
	*testing.T
	*world
	floors [2]schema.Layout
	radios [2][]*radio
	dead   [2]int // receivers that are dead, the first ones of the floor
	second int
}

func newBuilding(t *testing.T, seed uint64, receivers [2]int) *building {
	b := &building{T: t, world: newWorld(t, nil)}
	for n := range b.floors {
		l := hallAndKitchen(receivers[n])
		l.Plan = floorIDs[n]
		for i := range l.Zones {
			l.Zones[i].ID[2] = byte(n)
		}
		for i := range l.Receivers {
			l.Receivers[i].Device, l.Receivers[i].Receiver = deviceID(10*n+i), schema.ReceiverID{7, byte(n), byte(i)}
			b.radios[n] = append(b.radios[n], newRadio(seed, uint64(100*n+i)))
		}
		b.floors[n] = l
		b.layouts.Put(l)
	}
	return b
}

// hear lets the tag be at a place, height metres above the ground floor, for a second.
func (b *building) hear(at schema.Point, height float64) {
	begin := schema.EventTimeOf(origin) + schema.EventTime(b.second*1000)
	for n := range b.floors {
		for i, p := range b.floors[n].Receivers {
			if i < b.dead[n] {
				continue
			}
			f := schema.FrameAdmitted{
				Source: sourceOf(&b.floors[n], i), BootID: "boot", Seq: uint64(b.second + 1),
				SentAt: begin + 1000, ArrivedAt: (begin + 1010).Time(),
			}
			d := math.Hypot(math.Hypot(at.X-p.X, at.Y-p.Y), float64(storeyM*n)+p.Z-height-1)
			// Through a hole in the slab, on the stairs, it costs less.
			through := math.Min(math.Abs(float64(storeyM*n)-height)/storeyM, 1) * slabDB
			if dbm, heard := b.radios[n][i].hear(d); heard && dbm-through > -95 {
				o := schema.Observation{At: begin + 500, RSSI: schema.CentiDBmOf(dbm - through)}
				f.Observations = []schema.Heard{{Observation: o, Tag: tagID(1)}}
			}
			b.Frame(f)
		}
	}
	b.settle(b.T)
	b.second++
}

// changes returns how often the plan changed in fixes from a second on, the plan at
// last, and when it came there.
func (b *building) changes(from int) (n int, last schema.PlanID, since int) {
	var before schema.PlanID
	for _, m := range b.rec.Moved() {
		second := int(m.At-schema.EventTimeOf(origin)) / 1000
		if second < from {
			continue
		}
		if m.Plan != before {
			if !before.IsZero() {
				n++
			}
			before, since = m.Plan, second
		}
	}
	return n, before, since
}

// TestATagThatRestsStaysOnItsFloor: five minutes at places near to a receiver of the
// other floor, far from all, and between; with as many receivers above as below, and
// with many fewer; and with the nearest ones dead. The first ten seconds may correct
// what the first fix of all took it for.
func TestATagThatRestsStaysOnItsFloor(t *testing.T) {
	t.Parallel()
	f := func(receivers, dead [2]int, floor int) {
		t.Helper()
		for seed, at := range []schema.Point{{X: 1, Y: 1}, {X: 10, Y: 5}, {X: 18, Y: 9}} {
			b := newBuilding(t, uint64(seed), receivers)
			b.dead = dead
			for range 300 {
				b.hear(at, float64(storeyM*floor))
			}
			if n, plan, _ := b.changes(10); n > 0 || plan != floorIDs[floor] {
				t.Errorf("%v receivers, dead %v, at %v on floor %d: shown on %v after %d changes", receivers, dead, at, floor, plan[1]-1, n)
			}
			b.end(t)
		}
	}
	f([2]int{4, 4}, [2]int{}, 0)
	f([2]int{4, 4}, [2]int{}, 1)
	f([2]int{3, 9}, [2]int{}, 0)
	f([2]int{3, 9}, [2]int{}, 1)
	f([2]int{9, 3}, [2]int{}, 0)
	f([2]int{9, 3}, [2]int{}, 1)
	f([2]int{5, 5}, [2]int{1, 0}, 0)
	f([2]int{5, 5}, [2]int{0, 2}, 1)
}

// TestTheStairsChangeTheFloorOnce walks up and down again. Each way the plan changes
// once, a few seconds after half of the way at most, and so do visits.
func TestTheStairsChangeTheFloorOnce(t *testing.T) {
	t.Parallel()
	for seed := range uint64(5) {
		b := newBuilding(t, seed, [2]int{4, 6})
		stay := func(x, height float64, seconds int) {
			for range seconds {
				b.hear(schema.Point{X: x, Y: 5}, height)
			}
		}
		climb := func(from, to float64) (halfway int) {
			const seconds = 8
			for s := range seconds {
				b.hear(schema.Point{X: 5, Y: 5}, from+(to-from)*float64(s+1)/seconds)
			}
			return b.second - seconds/2
		}
		stay(5, 0, 30)
		up := climb(0, storeyM)
		stay(5, storeyM, 30)
		if n, plan, since := b.changes(0); n != 1 || plan != floorIDs[1] || since > up+6 || since < up-4 {
			t.Errorf("seed %d: up at %d s, shown on floor %d since %d s after %d changes", seed, up, plan[1]-1, since, n)
		}
		down := climb(storeyM, 0)
		stay(5, 0, 30)
		if n, plan, since := b.changes(up + 10); n != 1 || plan != floorIDs[0] || since > down+6 || since < down-4 {
			t.Errorf("seed %d: down at %d s, shown on floor %d since %d s after %d changes", seed, down, plan[1]-1, since, n)
		}
		var stays []schema.PlanID
		for _, v := range b.rec.Final() {
			stays = append(stays, v.Plan)
		}
		if len(stays) != 3 || stays[0] != stays[2] || stays[0] == stays[1] {
			t.Errorf("seed %d: visits on plans %v", seed, stays)
		}
		b.end(t)
	}
}
