package blehttp_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"mybeacon/engine/modules/ble"
)

// Questions about the past wait for one another, some of them; the others are refused
// at once, and all places are given back.
func TestQuestionsAreBounded(t *testing.T) {
	release := make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
		w.WriteHeader(http.StatusInternalServerError)
	}))
	defer slow.Close()
	w := settle(t, startOver(t, ble.New(), slow.URL+"/mybeacon"), "o")
	const asked, waiting = 4, 16
	path := root + "/occupancy/now?location=" + w.location.ID.String()
	answers := make(chan int)
	for range asked + waiting + 1 {
		go func() { answers <- w.Do("GET", path, nil).StatusCode }()
	}
	if first := <-answers; first != http.StatusTooManyRequests {
		t.Errorf("the first answer is %d", first)
	}
	close(release)
	for range asked + waiting {
		if got := <-answers; got == http.StatusTooManyRequests {
			t.Errorf("one more was refused")
		}
	}
	if got := w.Do("GET", path, nil).StatusCode; got == http.StatusTooManyRequests {
		t.Error("places were not given back")
	}
}

// The years of dates are bounded as those of times are.
func TestMoments(t *testing.T) {
	w := settle(t, start(t), "o")
	for _, at := range []string{"0001-01-01", "1970-12-31", "9999-01-01", "0001-01-01T00:00:00Z", "9999-01-01T00:00:00Z", "yesterday"} {
		for _, field := range []string{"from", "to"} {
			p := w.Refuse(400, "GET", root+"/occupancy/now?location="+w.location.ID.String()+"&"+field+"="+at, nil)
			if len(p.Errors) != 1 || p.Errors[0].Field != field {
				t.Errorf("%s=%s: %+v", field, at, p)
			}
		}
	}
}
