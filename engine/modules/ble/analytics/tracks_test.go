package analytics_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"mybeacon/engine/modules/ble/analytics"
	"mybeacon/schema"
)

// Pages of tracks hold each fix once, by time, over days; thinned, the last of each tag
// in each stretch.
func TestTracksArePaged(t *testing.T) {
	p := open(t)
	p.now = time.Now()
	from := time.Date(2026, 3, 26, 20, 0, 0, 0, time.UTC)
	fixes, visits := live(rand.New(rand.NewPCG(3, 4)), 2, from, from.Add(30*time.Hour))
	p.store(fixes, visits)
	q := &analytics.Query{Organisation: ours, Location: hall, Plan: ground, From: from.Add(100 * time.Second), To: from.Add(28 * time.Hour)}
	for _, every := range []time.Duration{0, time.Minute} {
		want := map[analytics.FixMark]bool{}
		last := map[[2]int64]analytics.FixMark{}
		for _, f := range p.fixes {
			if f.plan != ground || f.at >= q.To.UnixMilli() || f.at+f.validMs <= q.From.UnixMilli() {
				continue
			}
			mark := analytics.FixMark{At: schema.EventTime(f.at), Tag: f.tag}
			if every == 0 {
				want[mark] = true
			} else if k := [2]int64{int64(f.tag[2]), f.at / every.Milliseconds()}; last[k].At <= mark.At {
				last[k] = mark
			}
		}
		for _, mark := range last {
			want[mark] = true
		}
		got := map[analytics.FixMark]bool{}
		var mark *analytics.FixMark
		for {
			page, err := p.analytics().Tracks(t.Context(), q, every, mark, 1500)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range page {
				at := analytics.FixMark{At: f.At, Tag: f.Tag}
				if got[at] || mark != nil && f.At < mark.At {
					t.Fatalf("%+v comes twice or late", at)
				}
				got[at], mark = true, &at
			}
			if len(page) < 1500 {
				break
			}
		}
		same(t, "tracks every "+every.String(), want, got, nil)
	}
}
