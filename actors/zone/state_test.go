package zone_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"mybeacon/actors/zone"
	"mybeacon/schema"
)

func TestOccupancyCountsWhoIsInside(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		place := zone.Place{Zone: schema.ZoneID{9}}
		s := zone.NewState(place)
		inside := map[byte]bool{}
		var newest schema.EventTime
		t.Repeat(map[string]func(*rapid.T){
			"set": func(t *rapid.T) {
				tag := rapid.ByteRange(1, 5).Draw(t, "tag")
				p := &zone.Presence{
					Place: place, Tag: schema.TagID{tag}, Inside: rapid.Bool().Draw(t, "inside"),
					At: schema.EventTime(rapid.Int64Range(1, 1000).Draw(t, "at")),
				}
				changed := inside[tag] != p.Inside
				if s.Set(p) != changed {
					t.Fatalf("Set(%v) reported %v", p, !changed)
				}
				if changed {
					newest = max(newest, p.At)
				}
				if inside[tag] = p.Inside; !p.Inside {
					delete(inside, tag)
				}
			},
			"": func(t *rapid.T) {
				o, _ := s.Take()
				if o.Tags != len(inside) || o.At != newest || o.Zone != place.Zone {
					t.Fatalf("occupancy %+v, want %d tags at %d", o, len(inside), newest)
				}
				if _, again := s.Take(); again {
					t.Fatal("unchanged occupancy taken twice")
				}
			},
		})
	})
}

func TestIdleOnlyAfterBeingEmptyThroughout(t *testing.T) {
	s := zone.NewState(zone.Place{})
	t0 := time.Unix(1000, 0)
	const after = time.Minute
	f := func(at time.Duration, want bool) {
		t.Helper()
		if got := s.Idle(t0.Add(at), after); got != want {
			t.Errorf("idle at %v = %v", at, got)
		}
	}
	f(0, false)
	f(59*time.Second, false)
	s.Set(&zone.Presence{Tag: schema.TagID{1}, Inside: true})
	f(2*time.Minute, false)
	s.Set(&zone.Presence{Tag: schema.TagID{1}})
	f(2*time.Minute+59*time.Second, false)
	f(3*time.Minute, true)
}
