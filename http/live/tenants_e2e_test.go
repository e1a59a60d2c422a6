package live_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"mybeacon/engine/ingest"
	"mybeacon/http/live"
	"mybeacon/schema"
	"mybeacon/schema/wire"
)

// neighbours adds devices of another organisation, and more of the usual one.
func neighbours(dir *registry) {
	dir.mu.Lock()
	defer dir.mu.Unlock()
	for i := range 40 {
		d := ingest.Device{Clock: ingest.ClockSource, Source: schema.Source{
			Organisation: schema.OrganisationID{1}, Device: schema.DeviceID{100, byte(i)}, KeepDays: schema.KeepForever,
		}}
		dir.devices[fmt.Sprint("same-", i)] = d
		d.Organisation, d.Device = schema.OrganisationID{2}, schema.DeviceID{200, byte(i)}
		dir.devices[fmt.Sprint("other-", i)] = d
	}
}

// While storage is away, one organisation's POSTs do not use up all the places.
func TestPostPlacesAreShared(t *testing.T) {
	dir := newRegistry()
	neighbours(dir)
	h := startHouse(t, warehouse(t), dir, "", func(c *ingest.Config, d *live.DevicesConfig) {
		c.Stored = away{}
		d.MaxPosts, d.PostWait = 8, 3*time.Second
	})
	body := []byte(strings.ReplaceAll(postBody, `"p"`, `"waits"`))
	var all sync.WaitGroup
	var mu sync.Mutex
	statuses := map[int]int{}
	for i := range 20 {
		all.Go(func() {
			status, _ := post(t, h.url, body, "Authorization", fmt.Sprint("Bearer same-", i))
			mu.Lock()
			defer mu.Unlock()
			statuses[status]++
		})
	}
	all.Go(func() {
		for refused := 0; refused < 16; { // the noisy ones have their answers
			mu.Lock()
			refused = statuses[http.StatusTooManyRequests]
			mu.Unlock()
			select {
			case <-t.Context().Done():
				return
			case <-time.After(time.Millisecond):
			}
		}
		if status, b := post(t, h.url, body, "Authorization", "Bearer other-1"); status != http.StatusOK {
			t.Errorf("the neighbour got %d %s", status, b)
		}
	})
	all.Wait()
	if statuses[http.StatusOK] != 4 || statuses[http.StatusTooManyRequests] != 16 {
		t.Errorf("statuses %v, want 4 of 8 places for one organisation and 429 for the rest", statuses)
	}
}

// R23 at the door: an organisation that sends twenty times its quota gets 429s
// and waits; another one's acks take as long as before.
func TestNoisyNeighbour(t *testing.T) {
	dir := newRegistry()
	neighbours(dir)
	h := startHouse(t, warehouse(t), dir, "", func(c *ingest.Config, _ *live.DevicesConfig) {
		c.Quota = ingest.Quota{FramesPerSecond: 100, Burst: time.Second}
	})
	quiet := func(boot string) time.Duration {
		var took []time.Duration
		for seq := range 40 {
			body := fmt.Sprintf(`{"frames":[{"boot_id":%q,"seq":%d,"sent_at":"2026-01-01T00:00:00Z","observations":[{"tag":{"mac":"aa:bb:cc:dd:ee:ff"},"rssi_dbm":-60}]}]}`, boot, seq+1)
			began := time.Now()
			if status, b := post(t, h.url, []byte(body), "Authorization", "Bearer other-1"); status != http.StatusOK || !strings.Contains(string(b), `"ack":[{`) {
				t.Fatalf("the quiet one got %d %s", status, b)
			}
			took = append(took, time.Since(began))
		}
		slices.Sort(took)
		return took[len(took)*9/10]
	}
	before := quiet("before")

	over, end := context.WithCancel(t.Context())
	var noise sync.WaitGroup
	for i := range 4 {
		noise.Go(func() {
			ws := dialDevice(t, h.url, fmt.Sprint("same-", i))
			hello(t, ws)
			noise.Go(func() { // the acks do not matter here
				for _, _, err := ws.Read(over); err == nil; {
					_, _, err = ws.Read(over)
				}
			})
			enc := wire.NewEncoder()
			for seq := uint64(1); over.Err() == nil; seq += 10 {
				var frames [][]byte
				for k := range uint64(10) {
					frames = append(frames, enc.AppendFrame(nil, scanFrame(seq+k)))
				}
				if err := ws.Write(over, websocket.MessageBinary, wire.AppendFramesMessage(nil, frames...)); err != nil {
					return
				}
			}
		})
	}
	noise.Go(func() {
		tick := time.NewTicker(5 * time.Millisecond) // beside the sockets, which send all they may
		defer tick.Stop()
		for over.Err() == nil {
			<-tick.C
			if status, b := post(t, h.url, []byte(postBody), "Authorization", "Bearer same-30"); status != http.StatusOK && status != http.StatusTooManyRequests {
				t.Errorf("the noisy one got %d %s", status, b)
			}
		}
	})
	for h.counter(t, "mybeacon_quota_throttled_total", "post") < 5 || h.counter(t, "mybeacon_quota_throttled_total", "stream") < 4 {
		select {
		case <-time.After(5 * time.Millisecond):
		case <-t.Context().Done():
			t.Fatal("nobody was slowed down")
		}
	}
	began, taken := time.Now(), h.counter(t, "mybeacon_ingest_frames_total", "admitted")
	during := quiet("during")
	rate := (h.counter(t, "mybeacon_ingest_frames_total", "admitted") - taken - 40) / time.Since(began).Seconds()
	end()
	noise.Wait()
	after := quiet("after")
	t.Logf("nine of ten answers within %v before, %v during, %v after; the noisy one got %.0f frames/s", before, during, after, rate)
	if during > 2*max(before, after)+250*time.Millisecond { // the same processors make the noise
		t.Errorf("the quiet one waited %v, %v without noise", during, max(before, after))
	}
	if rate > 200 {
		t.Errorf("the noisy one got %.0f frames/s of 100", rate)
	}
}

// What the connection itself cannot take is counted as well.
func TestMessageBeyondTheConnectionIsCounted(t *testing.T) {
	h := startHouse(t, warehouse(t), newRegistry(), "", nil)
	ws := dialDevice(t, h.url, "good-token")
	hello(t, ws)
	_ = ws.Write(t.Context(), websocket.MessageBinary, make([]byte, 17<<20)) // cut on the way
	limit := time.After(20 * time.Second)
	for h.counter(t, "mybeacon_bad_frames_total", "message_too_large") != 1 {
		select {
		case <-time.After(5 * time.Millisecond):
		case <-limit:
			t.Fatal("it was not counted")
		}
	}
}
