package live_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
	"github.com/prometheus/client_golang/prometheus"

	hub "mybeacon/engine/live"
	"mybeacon/http/live"
	"mybeacon/schema"
)

// A client that was away for a moment asks for what came since; one whose
// knowledge is of another server, or too old, is told of the gap and begins anew.
func TestMapResumes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		f.hub.TagMoved(moved(1))
		c := f.open(t)
		first := read(t, c)
		_ = c.Close(websocket.StatusNormalClosure, "")
		f.hub.TagMoved(schema.TagMoved{Fix: schema.Fix{Location: shop, Tag: schema.TagID{5}, X: 2, Rev: 1}})
		since := func(epoch string, seq uint64) *websocket.Conn {
			c := f.connect(t, nil)
			f.send(t, c, fmt.Sprintf(`{"sub":{"location":%q,"since":{"epoch":%q,"seq":%d}}}`, shop, epoch, seq))
			return c
		}
		if m := read(t, since(first.Epoch, first.Seq)); m.Type != hub.TypeDelta || len(m.Tags) != 1 || m.Tags[0].ID != (schema.TagID{5}) || m.Seq <= first.Seq {
			t.Errorf("since the snapshot: %+v, want the one tag that moved", m)
		}
		for _, c := range []*websocket.Conn{since("another", first.Seq), since(first.Epoch, first.Seq+1000)} {
			if m := read(t, c); m.Type != hub.TypeGap || len(m.Tags) != 0 {
				t.Errorf("what is not known: %+v, want a gap", m)
			}
			if m := read(t, c); m.Type != hub.TypeSnapshot || len(m.Tags) != 2 {
				t.Errorf("after the gap: %+v, want everything", m)
			}
		}
	})
}

// The lag of a map is the age of what it is told of: of deltas, not of what was
// there before.
func TestMapLagIsMeasured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reg := prometheus.NewRegistry()
		f := newFixture(t, func(c *live.MapsConfig) { c.Metrics = live.NewMetrics(reg) })
		f.hub.TagMoved(moved(1))
		time.Sleep(time.Minute)
		c := f.open(t)
		read(t, c)
		f.hub.TagMoved(moved(2))
		read(t, c)
		synctest.Wait()
		families, err := reg.Gather()
		if err != nil {
			t.Fatal(err)
		}
		h := families[0].GetMetric()[0].GetHistogram()
		if h.GetSampleCount() != 1 || h.GetSampleSum() <= 0 || h.GetSampleSum() > hub.DefaultRate.Seconds() {
			t.Errorf("%d messages measured, %v s", h.GetSampleCount(), h.GetSampleSum())
		}
	})
}
