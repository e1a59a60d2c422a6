package live_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"mybeacon/engine/live"
	"mybeacon/schema"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// directory is what people entered, as far as a hub asks for it.
type directory struct {
	mu    sync.Mutex
	tags  map[schema.TagID]schema.Tag
	zones map[schema.ZoneID]string
}

func newDirectory() *directory {
	return &directory{tags: map[schema.TagID]schema.Tag{}, zones: map[schema.ZoneID]string{}}
}

func (d *directory) TagInfo(id schema.TagID) (schema.Tag, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	t, ok := d.tags[id]
	return t, ok
}

func (d *directory) ZoneName(id schema.ZoneID) (string, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	name, ok := d.zones[id]
	return name, ok
}

func (d *directory) tag(n int, name string) schema.TagID {
	d.mu.Lock()
	defer d.mu.Unlock()
	id := tagID(n)
	d.tags[id] = schema.Tag{ID: id, Name: name, Type: "person"}
	return id
}

func (d *directory) deleteTag(id schema.TagID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.tags, id)
}

func tagID(n int) schema.TagID {
	return schema.DeriveID[schema.TagID]([]byte("tag"), []byte{byte(n >> 8), byte(n)})
}

var (
	shop  = schema.DeriveID[schema.LocationID]([]byte("shop"))
	depot = schema.DeriveID[schema.LocationID]([]byte("depot"))
	plan  = schema.DeriveID[schema.PlanID]([]byte("plan"))
	zone  = schema.DeriveID[schema.ZoneID]([]byte("zone"))
)

func newHub(t testing.TB, names live.Names) *live.Hub {
	t.Helper()
	cfg := live.DefaultConfig()
	cfg.Names = names
	h, err := live.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.Close)
	return h
}

func move(location schema.LocationID, tag schema.TagID, x float64, rev uint64) schema.TagMoved {
	return schema.TagMoved{Fix: schema.Fix{
		Location: location, Tag: tag, Plan: plan, X: x, Y: 2, AccuracyM: 1.5, RSSI: -6150,
		At: schema.EventTimeOf(time.Now()), Rev: rev,
	}}
}

func subscribe(t *testing.T, h *live.Hub, location schema.LocationID, o live.Options) *live.Subscription {
	t.Helper()
	s, err := h.Subscribe(location, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func next(t *testing.T, s *live.Subscription) live.Message {
	t.Helper()
	text, err := s.Next(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return decode(t, text)
}

func decode(t testing.TB, text []byte) live.Message {
	t.Helper()
	var m live.Message
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&m); err != nil {
		t.Fatalf("%v in %.300s", err, text)
	}
	return m
}

func TestSnapshotThenDeltas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		names := newDirectory()
		h := newHub(t, names)
		maria := names.tag(1, `Мария "M" \ <b>`)
		names.zones[zone] = "Столовая"
		m := move(shop, maria, 1.234, 1)
		m.Zone, m.Receiver = zone, schema.DeriveID[schema.ReceiverID]([]byte("r"))
		h.TagMoved(m)
		h.Occupancy(schema.Occupancy{Location: shop, Plan: plan, Zone: zone, Tags: 3})
		h.TagMoved(move(depot, names.tag(2, "elsewhere"), 1, 1))

		s := subscribe(t, h, shop, live.Options{})
		first := next(t, s)
		want := live.Message{Type: live.TypeSnapshot, Epoch: first.Epoch, Seq: 2, At: schema.EventTimeOf(time.Now()),
			Tags: []live.Tag{{ID: maria, Name: `Мария "M" \ <b>`, Type: "person", Plan: plan, X: 1.23, Y: 2, AccuracyM: 1.5,
				Zone: zone, RSSI: -61.5, Receiver: m.Receiver, At: m.At, State: live.StatePresent}},
			Zones: []live.Zone{{ID: zone, Name: "Столовая", Plan: plan, Occupancy: 3}},
		}
		if diff := cmp.Diff(want, first); diff != "" {
			t.Fatalf("snapshot (-want +got):\n%s", diff)
		}
		h.TagMoved(move(shop, maria, 5, 2))
		second := next(t, s)
		if second.Type != live.TypeDelta || second.Seq <= first.Seq || len(second.Tags) != 1 || second.Tags[0].X != 5 || len(second.Zones) != 0 {
			t.Errorf("delta: %+v", second)
		}
	})
}

// A watcher that asks rarely gets the newest state of each tag once.
func TestRateConflates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		names := newDirectory()
		h := newHub(t, names)
		a, b := names.tag(1, "a"), names.tag(2, "b")
		s := subscribe(t, h, shop, live.Options{Rate: time.Second})
		next(t, s)
		start := time.Now()
		for i := range 50 {
			h.TagMoved(move(shop, a, float64(i), uint64(i)))
			h.TagMoved(move(shop, b, float64(-i), uint64(i)))
		}
		m := next(t, s)
		if got := time.Since(start); got != time.Second {
			t.Errorf("told after %v, want the rate of 1 s", got)
		}
		if len(m.Tags) != 2 || m.Tags[0].X != 49 || m.Tags[1].X != -49 {
			t.Errorf("got %+v, want both tags once, at 49 and -49", m.Tags)
		}
	})
}

// After a pause longer than the rate a burst of changes is told as soon as it is
// over, and one that does not end is told of after half the rate.
func TestBurstAfterSilenceIsToldAtItsEnd(t *testing.T) {
	const rate, step = 200 * time.Millisecond, 4 * time.Millisecond
	for moves, want := range map[int]struct {
		tags   int
		within time.Duration
	}{
		1:  {1, 10 * time.Millisecond},
		5:  {5, 4*step + 20*time.Millisecond},
		80: {25, rate / 2},
	} {
		synctest.Test(t, func(t *testing.T) {
			names := newDirectory()
			h := newHub(t, names)
			s := subscribe(t, h, shop, live.Options{Rate: rate})
			next(t, s)
			start := time.Now().Add(3 * time.Second)
			for i := range moves {
				tag := names.tag(i, "x")
				time.AfterFunc(3*time.Second+time.Duration(i)*step, func() { h.TagMoved(move(shop, tag, 1, 1)) })
			}
			if m := next(t, s); len(m.Tags) < want.tags || time.Since(start) > want.within {
				t.Errorf("of %d moves %d told after %v, want %d within %v", moves, len(m.Tags), time.Since(start), want.tags, want.within)
			}
			<-time.After(time.Second) // the rest of the burst
		})
	}
}

func TestSignOfLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub(t, newDirectory())
		s := subscribe(t, h, shop, live.Options{})
		if m := next(t, s); m.Type != live.TypeSnapshot || m.Tags == nil || m.Zones == nil {
			t.Errorf("the first message of an unknown location is %+v, want an empty snapshot", m)
		}
		start := time.Now()
		m := next(t, s)
		if d := time.Since(start); m.Type != live.TypeDelta || len(m.Tags) != 0 || d < 10*time.Second || d > 11*time.Second {
			t.Errorf("after %v: %+v, want an empty delta after 10 s", d, m)
		}
	})
}

func TestOvertakenMoveIsIgnored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		names := newDirectory()
		h := newHub(t, names)
		a := names.tag(1, "a")
		h.TagMoved(move(shop, a, 7, 9))
		h.TagMoved(move(shop, a, 3, 8))
		if m := next(t, subscribe(t, h, shop, live.Options{})); m.Tags[0].X != 7 {
			t.Errorf("tag at %v, want 7", m.Tags[0].X)
		}
	})
}

func runHub(t *testing.T, h *live.Hub) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- h.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// untilState reads until the tag has the state and returns when that was.
func untilState(t *testing.T, s *live.Subscription, tag schema.TagID, state string) time.Time {
	t.Helper()
	for {
		for _, got := range next(t, s).Tags {
			if got.ID == tag && got.State == state {
				return time.Now()
			}
		}
	}
}

func TestAbsentTagsLeaveAfterTenMinutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		names := newDirectory()
		h := newHub(t, names)
		runHub(t, h)
		left, silent := names.tag(1, "left"), names.tag(2, "of a dead scanner")
		h.TagMoved(move(shop, silent, 1, 1))
		m := move(shop, left, 1, 1)
		m.Presence = schema.Absent
		h.TagMoved(m)
		start := time.Now()
		s := subscribe(t, h, shop, live.Options{})
		untilState(t, s, left, live.StateAbsent)
		if d := untilState(t, s, left, live.StateGone).Sub(start); d < 10*time.Minute || d > 11*time.Minute {
			t.Errorf("gone after %v, want 10 min", d)
		}
		fresh := next(t, subscribe(t, h, shop, live.Options{}))
		if len(fresh.Tags) != 1 || fresh.Tags[0].ID != silent || fresh.Tags[0].State != live.StatePresent {
			t.Errorf("a new watcher sees %+v, want only the tag of which nothing is known", fresh.Tags)
		}
		<-time.After(3 * time.Minute)
		if n := h.Stats().Entries; n != 1 {
			t.Errorf("%d entries are held, want the removal forgotten", n)
		}
	})
}

func TestTagLeavesWhenDeletedOrElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		names := newDirectory()
		h := newHub(t, names)
		runHub(t, h)
		traveller, deleted := names.tag(1, "traveller"), names.tag(2, "deleted")
		h.TagMoved(move(shop, traveller, 1, 1))
		h.TagMoved(move(shop, deleted, 1, 1))
		s := subscribe(t, h, shop, live.Options{})
		next(t, s)
		h.TagMoved(move(depot, traveller, 4, 2))
		untilState(t, s, traveller, live.StateGone)
		if m := next(t, subscribe(t, h, depot, live.Options{})); len(m.Tags) != 1 || m.Tags[0].X != 4 {
			t.Errorf("the other location shows %+v", m.Tags)
		}
		names.deleteTag(deleted)
		untilState(t, s, deleted, live.StateGone)
		h.TagMoved(move(shop, traveller, 6, 3))
		untilState(t, s, traveller, live.StatePresent)
	})
}

func TestNewNameIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		names := newDirectory()
		h := newHub(t, names)
		runHub(t, h)
		a := names.tag(1, "before")
		h.TagMoved(move(shop, a, 1, 1))
		s := subscribe(t, h, shop, live.Options{})
		next(t, s)
		names.tag(1, "after")
		for {
			m := next(t, s)
			if len(m.Tags) > 0 {
				if m.Tags[0].Name != "after" {
					t.Errorf("told %q", m.Tags[0].Name)
				}
				return
			}
		}
	})
}

func TestResume(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		names := newDirectory()
		h := newHub(t, names)
		runHub(t, h)
		a, b := names.tag(1, "a"), names.tag(2, "b")
		h.TagMoved(move(shop, a, 1, 1))
		first := next(t, subscribe(t, h, shop, live.Options{}))
		h.TagMoved(move(shop, b, 2, 1))

		cursor := live.Cursor{Epoch: first.Epoch, Seq: first.Seq}
		m := next(t, subscribe(t, h, shop, live.Options{Since: &cursor}))
		if m.Type != live.TypeDelta || len(m.Tags) != 1 || m.Tags[0].ID != b {
			t.Errorf("resumed with %+v, want a delta with b only", m)
		}
		upToDate := live.Cursor{Epoch: m.Epoch, Seq: m.Seq}
		if m := next(t, subscribe(t, h, shop, live.Options{Since: &upToDate})); m.Type != live.TypeDelta || len(m.Tags) != 0 {
			t.Errorf("resumed with %+v, want an empty delta at once", m)
		}
		names.deleteTag(a)
		<-time.After(4 * time.Minute) // a is gone and forgotten
		for name, since := range map[string]live.Cursor{
			"before a forgotten removal": cursor,
			"of another start":           {Epoch: "0011223344556677", Seq: first.Seq},
			"of the future":              {Epoch: first.Epoch, Seq: 1 << 40},
		} {
			s := subscribe(t, h, shop, live.Options{Since: &since})
			gap, snapshot := next(t, s), next(t, s)
			if gap.Type != live.TypeGap || snapshot.Type != live.TypeSnapshot || len(snapshot.Tags) != 1 {
				t.Errorf("cursor %s: %+v then %+v", name, gap, snapshot)
			}
		}
	})
}

// Numbers go on growing when a location was forgotten and comes back, so that
// an old cursor is never mistaken for a new one.
func TestNumbersSurviveAnEmptyLocation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		names := newDirectory()
		h := newHub(t, names)
		runHub(t, h)
		a := names.tag(1, "a")
		for i := range 5 {
			h.TagMoved(move(shop, a, 1, uint64(i)))
		}
		s, err := h.Subscribe(shop, live.Options{})
		if err != nil {
			t.Fatal(err)
		}
		old := next(t, s)
		s.Close()
		names.deleteTag(a)
		<-time.After(5 * time.Minute)
		if st := h.Stats(); st.Locations != 0 || st.Entries != 0 {
			t.Fatalf("still held: %+v", st)
		}
		b := names.tag(2, "b")
		h.TagMoved(move(shop, b, 1, 1))
		since := live.Cursor{Epoch: old.Epoch, Seq: old.Seq}
		if m := next(t, subscribe(t, h, shop, live.Options{Since: &since})); m.Type != live.TypeGap {
			t.Errorf("resumed with %+v, want a gap", m)
		}
	})
}

func TestLargeSnapshotIsCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		names := newDirectory()
		h := newHub(t, names)
		const tags = 3000
		for i := range tags {
			h.TagMoved(move(shop, names.tag(i, fmt.Sprintf("Сотрудник %d", i)), float64(i), 1))
		}
		s := subscribe(t, h, shop, live.Options{})
		start, seen := time.Now(), map[schema.TagID]bool{}
		for n := 0; len(seen) < tags; n++ {
			text, err := s.Next(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			m := decode(t, text)
			if len(text) > live.MaxMessage+1024 || (n == 0) != (m.Type == live.TypeSnapshot) {
				t.Fatalf("message %d: %s of %d bytes", n, m.Type, len(text))
			}
			for _, tag := range m.Tags {
				seen[tag.ID] = true
			}
		}
		if d := time.Since(start); d > 0 {
			t.Errorf("the parts took %v, want them at once", d)
		}
	})
}

func TestBounds(t *testing.T) {
	names := newDirectory()
	h, err := live.New(live.Config{Names: names, MaxTags: 3})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	for i := range 10 {
		h.TagMoved(move(shop, names.tag(i, "x"), 1, 1))
	}
	h.Occupancy(schema.Occupancy{Location: shop, Zone: zone})
	h.TagMoved(move(shop, tagID(0), 2, 2)) // is known: still moves
	if s := h.Stats(); s.Entries != 3 || s.Dropped != 8 {
		t.Errorf("%+v, want 3 entries and 8 dropped", s)
	}
	for _, rate := range []time.Duration{time.Millisecond, time.Minute, -1} {
		if _, err := h.Subscribe(shop, live.Options{Rate: rate}); schema.KindOf(err) != schema.Invalid {
			t.Errorf("rate %v: %v", rate, err)
		}
	}
	for _, cfg := range []live.Config{{}, {Names: names}, {MaxTags: 1}} {
		if _, err := live.New(cfg); err == nil {
			t.Errorf("%+v was accepted", cfg)
		}
	}
}

func TestCloseEndsWatchers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub(t, newDirectory())
		s := subscribe(t, h, shop, live.Options{})
		next(t, s)
		time.AfterFunc(time.Second, h.Close)
		if _, err := s.Next(t.Context(), nil); !errors.Is(err, live.ErrClosed) {
			t.Errorf("Next: %v", err)
		}
		if _, err := h.Subscribe(shop, live.Options{}); !errors.Is(err, live.ErrClosed) {
			t.Errorf("Subscribe: %v", err)
		}
	})
}

// apply is what every watcher does with a message.
func apply(state map[schema.TagID]float64, m live.Message) {
	if m.Type == live.TypeSnapshot {
		clear(state)
	}
	for _, tag := range m.Tags {
		if tag.State == live.StateGone {
			delete(state, tag.ID)
		} else {
			state[tag.ID] = tag.X
		}
	}
}

// Whatever happens, and whenever a watcher asks, applying its messages gives
// the true state in the end.
func TestWatchersConverge(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) { converge(t, rt) })
}

func converge(t *testing.T, rt *rapid.T) {
	names := newDirectory()
	for i := range 6 {
		names.tag(i, "x")
	}
	h := newHub(t, names)
	places := []schema.LocationID{shop, depot}
	truth := [2]map[schema.TagID]float64{{}, {}}
	states := [2]map[schema.TagID]float64{{}, {}}
	var subs [2]*live.Subscription
	for i, place := range places {
		s, err := h.Subscribe(place, live.Options{})
		if err != nil {
			rt.Fatal(err)
		}
		defer s.Close()
		subs[i] = s
	}
	for step := range rapid.IntRange(1, 60).Draw(rt, "steps") {
		tag, where := tagID(rapid.IntRange(0, 5).Draw(rt, "tag")), rapid.IntRange(0, 1).Draw(rt, "where")
		h.TagMoved(move(places[where], tag, float64(step), uint64(step)))
		delete(truth[1-where], tag)
		truth[where][tag] = float64(step)
		if rapid.IntRange(0, 5).Draw(rt, "ask") == 0 {
			apply(states[where], decode(t, subs[where].Collect(nil)))
		}
	}
	for i, s := range subs {
		apply(states[i], decode(t, s.Collect(nil)))
		if !maps.Equal(states[i], truth[i]) {
			rt.Fatalf("watcher %d ended with %v, the truth is %v", i, states[i], truth[i])
		}
	}
}

// Real goroutines: movers, watchers that come and go, and the upkeep.
func TestConcurrentUse(t *testing.T) {
	names := newDirectory()
	h := newHub(t, names)
	runHub(t, h)
	var tags []schema.TagID
	for i := range 20 {
		tags = append(tags, names.tag(i, "x"))
	}
	var all sync.WaitGroup
	for w := range 4 {
		all.Go(func() {
			for i := range 500 {
				tag := tags[w*5+i%5]
				h.TagMoved(move([]schema.LocationID{shop, depot}[i/5%2], tag, float64(i), uint64(i)))
			}
		})
		all.Go(func() {
			for range 20 {
				s, err := h.Subscribe(shop, live.Options{Rate: live.MinRate})
				if err != nil {
					t.Error(err)
					return
				}
				text, err := s.Next(t.Context(), nil)
				if err != nil || !json.Valid(text) {
					t.Errorf("%v: %.200s", err, text)
				}
				s.Close()
			}
		})
	}
	all.Wait()
	m := next(t, subscribe(t, h, depot, live.Options{}))
	if len(m.Tags) != 20 || !slices.IsSortedFunc(m.Tags, func(a, b live.Tag) int { return int(a.At - b.At) }) {
		t.Errorf("%d tags in the end, want all 20 in the order of their last change", len(m.Tags))
	}
}
