package node

import (
	"context"
	"errors"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// The board says since when a part has been as it is, also when that lasts over
// many looks, and a part that hangs does not keep the others from being seen.
func TestBoardRemembersSinceWhen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var broken atomic.Bool
		store := func(context.Context) (map[string]float64, error) {
			if broken.Load() {
				return nil, errors.New("no connection")
			}
			return nil, nil
		}
		b := newBoard("v", []part{
			{name: "store", critical: true, look: store},
			{name: "spare", look: func(ctx context.Context) (map[string]float64, error) {
				<-ctx.Done()
				return nil, errors.New("hangs")
			}},
		})
		if r := b.report(); r.Status != stateOK || len(r.Parts) != 0 {
			t.Errorf("before the first look: %+v", r)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- b.Run(ctx) }()
		f := func(after time.Duration, status string, since time.Duration) {
			t.Helper()
			time.Sleep(after)
			r := b.report()
			if r.Status != status || len(r.Parts) != 2 || r.Parts[0].ForS < since.Seconds()-6 || r.Parts[0].ForS > since.Seconds()+1 || r.Parts[0].AgeS > 9 {
				t.Errorf("%+v, want %s for about %v", r, status, since)
			}
		}
		f(time.Minute, stateDegraded, time.Minute)
		broken.Store(true)
		f(time.Minute, stateFailed, time.Minute)
		w := httptest.NewRecorder()
		b.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "/healthz?verbose", nil))
		if w.Code != 503 || !strings.Contains(w.Body.String(), "no connection") {
			t.Errorf("%d %s", w.Code, w.Body)
		}
		broken.Store(false)
		f(time.Minute, stateDegraded, time.Minute)
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}
