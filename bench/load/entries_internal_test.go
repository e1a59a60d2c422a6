package load

import (
	"context"
	"encoding/json"
	"math"
	"slices"
	"testing"
	"time"

	"mybeacon/engine/live"
	"mybeacon/schema"
)

// names call a tag what looks like keys and ends.
type names struct{ fenceNames }

func (names) TagInfo(id schema.TagID) (schema.Tag, bool) {
	return schema.Tag{ID: id, Name: `a"},{"id":"x","zone":"y","at":"z"],"zones":[`, Type: "person"}, true
}

// The short-cut reads from the hub's messages what encoding/json reads.
func TestEachTagReadsWhatTheHubWrites(t *testing.T) {
	cfg := live.DefaultConfig()
	cfg.Names = fenceNames{}
	f := func(n int) {
		t.Helper()
		hub, err := live.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		defer hub.Close()
		location := numbered[schema.LocationID](1)
		for i := range n {
			hub.TagMoved(schema.TagMoved{Fix: schema.Fix{
				Location: location, Tag: numbered[schema.TagID](i), At: base.Add(time.Duration(i) * 1700 * time.Millisecond), Zone: zoneID(i%3 - 1),
			}})
			hub.Occupancy(schema.Occupancy{Location: location, Zone: zoneID(i), Tags: 1})
		}
		sub, err := hub.Subscribe(location, live.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer sub.Close()
		text, err := sub.Next(context.Background(), nil)
		if err != nil {
			t.Fatal(err)
		}
		var want live.Message
		if err := json.Unmarshal(text, &want); err != nil {
			t.Fatal(err)
		}
		i := 0
		err = eachTag(text, func(e *entry) error {
			at, err := e.event()
			if w := want.Tags[i]; err != nil || e.id != w.ID || at != w.At || string(e.zone) != textOf(w.Zone) {
				t.Errorf("tag %d is %+v at %v (%v), want %+v", i, e, at, err, w)
			}
			i++
			return nil
		})
		if err != nil || i != n || len(want.Tags) != n {
			t.Errorf("%d of %d tags, %v", i, n, err)
		}
	}
	f(0)
	f(1)
	f(100)
	cfg.Names = names{}
	f(2)
}

func textOf(z schema.ZoneID) string {
	if z.IsZero() {
		return ""
	}
	return z.String()
}

func TestEachTagRefusesOthers(t *testing.T) {
	for _, text := range []string{"", "{}", `{"tags":[`, `{"tags":[{}],"zones":[]}`, `{"tags":[{"id":"01"}],"zones":[]}`, `{"tags":[{"id":"zz890a5d-ac96-774b-bcce-b302099a8057"}],"zones":[]}`} {
		if err := eachTag([]byte(text), func(*entry) error { return nil }); err == nil {
			t.Errorf("%q was taken for a live message", text)
		}
	}
}

func TestSightingsCountSeconds(t *testing.T) {
	s, h := newSightings(), new(histogram)
	s.measure(h)
	a, b, now := numbered[schema.TagID](1), numbered[schema.TagID](2), time.Now()
	s.complete[base] = now.Add(-40 * time.Millisecond)
	for _, one := range []struct {
		id schema.TagID
		at time.Duration
	}{{a, 0}, {b, 0}, {a, 0}, {a, 3 * time.Second}, {a, time.Second}, {b, time.Second}} {
		s.see(one.id, base.Add(one.at), now)
	}
	if n, err := s.seen(); n != 6 || err != nil { // a: 0, 1, 2, 3; b: 0, 1
		t.Errorf("%d seconds, %v", n, err)
	}
	if h.total != 2 || math.Abs(h.quantile(1)-40) > 1 {
		t.Errorf("%d times, the longest %v ms: only second 0 was noted as complete", h.total, h.quantile(1))
	}
}

func TestHistogram(t *testing.T) {
	var h histogram
	if !math.IsNaN(h.quantile(0.5)) {
		t.Error("nothing has a median")
	}
	var all []float64
	for i := range 10_000 {
		d := time.Duration(i*i) * time.Microsecond / 7
		h.add(d)
		all = append(all, max(d.Seconds()*1000, 0.001))
	}
	for _, q := range []float64{0.01, 0.5, 0.99, 1} {
		want := all[int(math.Ceil(q*float64(len(all))))-1]
		if got := h.quantile(q); got < want*0.999 || got > want*1.011 {
			t.Errorf("quantile %v is %v, want %v to 1 %%", q, got, want)
		}
	}
	h.add(1000 * time.Hour)
	if got := h.quantile(1); got < 3_600_000 {
		t.Errorf("a time beyond the end counts as %v ms", got)
	}
}

// Every receiver hears every tag of a small crowd in every beat, and no receiver more
// than its frame may hold; event times lie within the beat.
func TestCrowd(t *testing.T) {
	f := func(tags, receivers, hear int) {
		t.Helper()
		c, again := newCrowd(tags, receivers, 1, "b"), newCrowd(tags, receivers, 1, "b")
		for k := range 50 {
			from := c.now()
			frames, n := c.next()
			same, _ := again.next()
			if n != tags*hear || len(frames) != receivers {
				t.Fatalf("%d observations in %d frames, want %d of each tag", n, len(frames), hear)
			}
			for i, fr := range frames {
				if fr.Seq != uint64(k+1) || fr.SentAt.Sub(from) != beat || !slices.Equal(fr.Observations, same[i].Observations) {
					t.Fatalf("beat %d: frame %+v", k, fr)
				}
				for _, o := range fr.Observations {
					if o.At < from || o.At >= fr.SentAt || o.RSSI < schema.MinRSSI || o.RSSI > -2000 {
						t.Fatalf("beat %d: %+v", k, o)
					}
				}
			}
		}
		for _, w := range c.walkers {
			if w.at.X < 0 || w.at.X > c.size.X || w.at.Y < 0 || w.at.Y > c.size.Y {
				t.Errorf("a tag left the plan: %+v", w.at)
			}
		}
	}
	f(30, 3, 3)
	f(30, 12, 12)
	f(30, 40, 12)
}

func TestLedger(t *testing.T) {
	l := newLedger(2)
	h := new(histogram)
	l.measure(h)
	for i := range 3 {
		l.sent(0, uint64(i+1), 10, base.Add(time.Duration(i)*time.Second))
	}
	l.sent(1, 1, 5, base)
	l.acked(0, 1, 2)
	l.acked(0, 1, 2) // cumulative ranges repeat
	if l.stored() != 20 || h.total != 2 || !l.behind(base+1) || l.behind(base) {
		t.Errorf("%d stored, %d times", l.stored(), h.total)
	}
	l.acked(1, 1, 7)
	if l.behind(base.Add(2*time.Second)) || !l.behind(math.MaxInt64) {
		t.Error("only the third frame of the first is left")
	}
	l.acked(0, 3, 3)
	if err := l.await(context.Background(), math.MaxInt64); err != nil || l.stored() != 35 || len(l.ackedSet(0)) != 1 {
		t.Errorf("%v, %d stored, %v", err, l.stored(), l.ackedSet(0))
	}
}
