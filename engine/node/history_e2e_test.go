package node_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"mybeacon/engine/provision"
)

// A receiver is cut off for a while and delivers what it heard when it comes back:
// that is worked into the past, and the visit is still one.
func TestLateFramesAreWorkedIn(t *testing.T) {
	s := start(t, testConfig(t))
	made := provisioned(t, s)
	begin := time.Now().Add(-3 * time.Minute).Truncate(time.Second)
	send := func(dev provision.Device, from, to int) {
		var frames []string
		for second := from; second <= to; second++ {
			frames = append(frames, frame(second, begin.Add(time.Duration(second)*time.Second+300*time.Millisecond), -61.5))
		}
		if status, text := post(t, s, dev.Token, strings.Join(frames, ",")); status != http.StatusOK {
			t.Errorf("seconds %d to %d: %d %s", from, to, status, text)
		}
	}
	const last = 140
	for from := 1; from <= last; from += 4 {
		var all sync.WaitGroup
		for i, dev := range made.Devices {
			if i > 0 || from <= 20 || from > 40 {
				all.Go(func() { send(dev, from, from+3) })
			}
		}
		all.Wait()
	}
	send(made.Devices[0], 21, 40)
	if got := s.ask(t, "SELECT countIf(late) FROM observations FINAL"); got != "21" { // and the first of all, from before the start
		t.Errorf("%s observations are late, want 21", got)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := s.WorkedIn(ctx, time.Now()); err != nil {
		t.Fatal(err)
	}
	// A pass in the middle of the stream leaves the tag for another try, half a minute
	// later.
	s.untilWithin(t, 2*time.Minute, "SELECT sum(late_rows), sum(fixes) > 0 FROM rederivations FINAL", "21\t1")
	if got := s.ask(t, "SELECT uniq(visit_id), countIf(open) FROM visits"); got != "1\t1" {
		t.Errorf("visits and open ones: %q, want one", got)
	}
}
