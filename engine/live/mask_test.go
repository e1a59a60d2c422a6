package live_test

import (
	"strings"
	"testing"
	"testing/synctest"

	"mybeacon/engine/live"
)

// A nameless watcher is told the same of tags as another one, but neither their names
// nor their ids, in no message; what it knows a tag by stays while the tag does.
func TestNamelessWatchersLearnNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		names := newDirectory()
		h := newHub(t, names)
		anna, bert := names.tag(1, "Anna"), names.tag(2, "Bert")
		h.TagMoved(move(shop, anna, 1, 1))
		named, nameless, second := subscribe(t, h, shop, live.Options{}), subscribe(t, h, shop, live.Options{Nameless: true}), subscribe(t, h, shop, live.Options{Nameless: true})
		whole := next(t, named)
		if len(whole.Tags) != 1 || whole.Tags[0].Name != "Anna" || whole.Tags[0].ID != anna {
			t.Errorf("who may know is told %+v", whole.Tags)
		}
		first := next(t, nameless).Tags[0]
		want := whole.Tags[0]
		want.ID, want.Name = first.ID, "Tag 1"
		if first != want || first.ID == anna {
			t.Errorf("got %+v, want %+v under another id", first, want)
		}
		h.TagMoved(move(shop, anna, 3, 2))
		h.TagMoved(move(shop, bert, 4, 1))
		text, err := nameless.Next(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{"Anna", "Bert", anna.String(), bert.String()} {
			if strings.Contains(string(text), secret) {
				t.Errorf("%s stands in %s", secret, text)
			}
		}
		moved := decode(t, text).Tags
		if len(moved) != 2 || moved[0].ID != first.ID || moved[0].Name != "Tag 1" || moved[0].X != 3 || moved[1].Name != "Tag 2" {
			t.Errorf("got %+v", moved)
		}
		if same := next(t, second).Tags; len(same) != 2 || same[0].ID != first.ID && same[1].ID != first.ID {
			t.Errorf("another nameless watcher is told %+v", same)
		}
		if told := next(t, named).Tags; len(told) != 2 || told[0].Name != "Anna" || told[1].Name != "Bert" {
			t.Errorf("who may know is told %+v", told)
		}
		h.TagMoved(move(depot, anna, 1, 3)) // it leaves under the id that was shown
		if left := next(t, nameless).Tags; len(left) != 1 || left[0].ID != first.ID || left[0].State != live.StateGone {
			t.Errorf("it left as %+v", left)
		}
		there := subscribe(t, h, depot, live.Options{Nameless: true})
		if arrived := next(t, there).Tags; len(arrived) != 1 || arrived[0].Name != "Tag 1" || arrived[0].ID == first.ID {
			t.Errorf("it arrived as %+v", arrived)
		}
		another := newHub(t, names)
		another.TagMoved(move(shop, anna, 1, 1))
		if later := next(t, subscribe(t, another, shop, live.Options{Nameless: true})).Tags; later[0].ID == first.ID {
			t.Error("the id outlives the hub")
		}
	})
}

// A message that was cut says that there is more, so that who asks once gets all.
func TestMoreFollowsACutMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		names := newDirectory()
		h := newHub(t, names)
		const tags = 1500
		for n := range tags {
			h.TagMoved(move(shop, names.tag(n, strings.Repeat("x", 200)), 1, 1))
		}
		for _, nameless := range []bool{false, true} {
			s := subscribe(t, h, shop, live.Options{Nameless: nameless})
			got := len(next(t, s).Tags)
			if !nameless && !s.More() {
				t.Error("the first message held everything: make it larger")
			}
			for s.More() {
				got += len(next(t, s).Tags)
			}
			if got != tags {
				t.Errorf("nameless %v: told of %d tags of %d", nameless, got, tags)
			}
		}
	})
}
