package http_test

import (
	"testing"
	"testing/synctest"
	"time"

	shell "mybeacon/http"
	"mybeacon/schema"
)

// Places are bounded for one organisation and for all, and given back.
func TestSlots(t *testing.T) {
	s := shell.NewSlots(2, 3, "busy")
	a, b, c := schema.NewID[schema.OrganisationID](), schema.NewID[schema.OrganisationID](), schema.NewID[schema.OrganisationID]()
	enter := func(o schema.OrganisationID, ok bool) func() {
		t.Helper()
		leave, err := s.Enter(o)
		if ok != (err == nil) || !ok && schema.KindOf(err) != schema.TooMany {
			t.Fatalf("got %v, want %t", err, ok)
		}
		return leave
	}
	first := enter(a, true)
	enter(a, true)
	enter(a, false) // it has its two
	enter(b, true)
	enter(c, false) // all have theirs
	first()
	enter(c, true)()
	enter(a, true)
	enter(b, false)
}

// Who waits gets the first place that is given back, or is refused when his time is over;
// not more than some wait.
func TestSlotsWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := shell.NewSlots(1, 9, "busy")
		o := schema.NewID[schema.OrganisationID]()
		leave, err := s.Enter(o)
		if err != nil {
			t.Fatal(err)
		}
		refused := make(chan error)
		for range 4 {
			go func() {
				leave, err := s.Wait(t.Context(), o, time.Second)
				if err == nil {
					defer leave()
				}
				refused <- err
			}()
		}
		synctest.Wait()
		began := time.Now()
		if _, err := s.Wait(t.Context(), o, time.Hour); schema.KindOf(err) != schema.TooMany || !time.Now().Equal(began) {
			t.Errorf("a fifth waits: %v", err)
		}
		leave()
		for range 4 { // one after the other
			if err := <-refused; err != nil {
				t.Error(err)
			}
		}
		if leave, err = s.Enter(o); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Wait(t.Context(), o, time.Second); schema.KindOf(err) != schema.TooMany || time.Since(began) != time.Second {
			t.Errorf("got %v after %v", err, time.Since(began))
		}
		leave()
	})
}
