package actors_test

import (
	"runtime"
	"testing"
	"time"

	"mybeacon/actors"
	"mybeacon/schema"
)

// TestAnIdleTagIsSmall holds what a tag keeps of memory when it has been there and
// is gone: its actor, mailbox and state, without posterior and window.
func TestAnIdleTagIsSmall(t *testing.T) {
	const tags, ceiling = 500, 4 << 10
	l := hallAndKitchen(6)
	w := newWorld(t, func(c *actors.Config) {
		c.Output, c.Health = discard{}, discard{}
		c.Now = func() time.Time { return origin } // or a sweep takes the tags away
	})
	defer w.end(t)
	w.layouts.Put(l)
	second := 0
	send := func(from, to int) {
		for r := range l.Receivers {
			f := frame(&l, r, second, -50-5*float64(r))
			for n := from; n < to; n++ {
				o := schema.Observation{At: f.SentAt - 100, RSSI: schema.CentiDBm(-5000 - 300*r)}
				f.Observations = append(f.Observations, schema.Heard{Observation: o, Tag: tagID(n)})
			}
			w.Frame(f)
		}
		w.settle(t)
		second++
	}
	heap := func() uint64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	for range 10 {
		send(0, 1)
	}
	before := heap()
	for range 4 {
		send(1, tags+1)
	}
	busy := heap()
	for range 80 {
		send(0, 0)
	}
	idle := heap()
	if s := w.Stats(); s.Tag.Actors != tags+1 || s.OpenVisits != 0 {
		t.Fatalf("%d tags, %d visits open: the tags are not idle", s.Tag.Actors, s.OpenVisits)
	}
	t.Logf("%d bytes per tag that moves, %d per idle tag", (busy-before)/tags, (idle-min(before, idle))/tags)
	if idle > before+tags*ceiling {
		t.Errorf("%d bytes per idle tag, want at most %d", (idle-before)/tags, ceiling)
	}
}
