package live_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"

	"github.com/coder/websocket"

	hub "mybeacon/engine/live"
	"mybeacon/http/live"
	"mybeacon/schema"
)

// ask returns the status and the messages that a look got.
func (f *fixture) ask(t *testing.T, query, bearer string) (int, []hub.Message) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/api/v1/live/snapshot?"+query, nil)
	r.Header.Set("Authorization", "Bearer "+bearer)
	w := httptest.NewRecorder()
	f.maps.Snapshot(w, r)
	var body struct{ Messages []hub.Message }
	if w.Code == http.StatusOK {
		if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
			t.Fatalf("%v in %s", err, w.Body)
		}
	}
	return w.Code, body.Messages
}

// Who cannot open a socket is told the same by looking again and again: first
// everything, then what changed, each tag once.
func TestSnapshot(t *testing.T) {
	f := newFixture(t, nil)
	where := "location=" + shop.String()
	if code, got := f.ask(t, where, "good"); code != 200 || len(got) != 1 || got[0].Type != hub.TypeSnapshot || len(got[0].Tags) != 0 {
		t.Fatalf("an empty location: %d %+v", code, got)
	}
	f.hub.TagMoved(moved(1))
	code, got := f.ask(t, where, "good")
	if code != 200 || len(got) != 1 || len(got[0].Tags) != 1 || got[0].Tags[0].Name != "Maria" {
		t.Fatalf("%d %+v", code, got)
	}
	since := "&since=" + got[0].Epoch + "." + strconv.FormatUint(got[0].Seq, 10)
	if _, none := f.ask(t, where+since, "good"); len(none) != 1 || none[0].Type != hub.TypeDelta || len(none[0].Tags) != 0 {
		t.Errorf("nothing changed: %+v", none)
	}
	f.hub.TagMoved(moved(2))
	f.hub.TagMoved(moved(3))
	if _, news := f.ask(t, where+since, "good"); len(news) != 1 || len(news[0].Tags) != 1 || news[0].Tags[0].X != 3 {
		t.Errorf("what changed: %+v", news)
	}
	if _, gap := f.ask(t, where+"&since=another.7", "good"); len(gap) != 2 || gap[0].Type != hub.TypeGap || gap[1].Type != hub.TypeSnapshot || len(gap[1].Tags) != 1 {
		t.Errorf("after a restart: %+v", gap)
	}
	if open := f.maps.Stats().Open; open != 0 || f.hub.Stats().Watchers != 0 {
		t.Errorf("%d sockets and %d watchers are left", open, f.hub.Stats().Watchers)
	}
}

// The rights are the socket's, and so is what is hidden.
func TestSnapshotRights(t *testing.T) {
	f := newFixture(t, func(c *live.MapsConfig) { c.MaxPerViewer = 1 })
	f.hub.TagMoved(moved(1))
	where := "location=" + shop.String()
	for query, want := range map[string]int{
		"": 400, "location=x": 400, where + "&since=x": 400, where + "&since=a.-1": 400, where + "&rate=1": 400, where + "&" + where: 400,
		"location=" + foreign.String(): 404, where: 200,
	} {
		if code, _ := f.ask(t, query, "good"); code != want {
			t.Errorf("%q: %d, want %d", query, code, want)
		}
	}
	if code, _ := f.ask(t, where, "bad"); code != 401 {
		t.Errorf("a stranger: %d", code)
	}
	if _, got := f.ask(t, where, "guest"); len(got) != 1 || got[0].Tags[0].Name != "Tag 1" || got[0].Tags[0].ID == maria {
		t.Errorf("a guest is told %+v", got)
	}
	f.door.revoked.Store(schema.Errorf(schema.Unauthorized, "", "revoked"))
	if code, _ := f.ask(t, where, "good"); code != 401 {
		t.Errorf("after the rights ended: %d", code)
	}
	f.door.revoked.Store(nil)
	f.hub.Close()
	if code, _ := f.ask(t, where, "good"); code != 503 {
		t.Errorf("while the server stops: %d", code)
	}
}

// A guest's socket tells him nobody's name either.
func TestGuestsSocketIsNameless(t *testing.T) {
	f := newFixture(t, nil)
	f.hub.TagMoved(moved(1))
	c := f.connect(t, &websocket.DialOptions{HTTPHeader: http.Header{"Authorization": {"Bearer guest"}}})
	f.send(t, c, fmt.Sprintf(`{"sub":{"location":%q}}`, shop))
	if m := read(t, c); len(m.Tags) != 1 || m.Tags[0].Name != "Tag 1" || m.Tags[0].ID == maria {
		t.Errorf("a guest is told %+v", m.Tags)
	}
}
