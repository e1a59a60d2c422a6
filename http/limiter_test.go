package http

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"mybeacon/schema"
)

func TestLimiterWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(3, time.Minute, 100)
		for i := range 3 {
			if err := l.take(time.Now(), "a", "x"); err != nil {
				t.Fatalf("attempt %d: %v", i, err)
			}
			time.Sleep(10 * time.Second)
		}
		err := l.take(time.Now(), "a")
		if schema.KindOf(err) != schema.TooMany {
			t.Fatalf("the fourth attempt: %v", err)
		}
		s := &Server{}
		if p := s.problemOf(t.Context(), err); p.Status != 429 || p.headers.Get("Retry-After") != "30" {
			t.Errorf("got %d, Retry-After %q", p.Status, p.headers.Get("Retry-After"))
		}
		// One full key refuses the attempt and counts it nowhere.
		if err := l.take(time.Now(), "b", "x"); err == nil {
			t.Error("a full second key admits")
		}
		if _, counted := l.keys["b"]; counted {
			t.Error("a refused attempt is counted")
		}
		time.Sleep(30 * time.Second)
		if err := l.take(time.Now(), "a", "x"); err != nil {
			t.Errorf("a new window: %v", err)
		}
	})
}

func TestLimiterSuccess(t *testing.T) {
	l, now := newLimiter(2, time.Minute, 100), time.Now()
	for i := range 20 {
		if err := l.take(now, "account", "address"); err != nil {
			t.Fatalf("attempt %d: %v", i, err)
		}
		l.succeed("account", "address")
	}
	if len(l.keys) != 0 || l.order.Len() != 0 {
		t.Errorf("%d keys are left", len(l.keys))
	}
	if err := l.take(now, "other", "address"); err != nil {
		t.Fatal(err)
	}
	if err := l.take(now, "account", "address"); err != nil {
		t.Fatal(err)
	}
	l.succeed("account", "address")
	// The failure against the other account stays.
	if err := l.take(now, "third", "address"); err != nil {
		t.Fatal(err)
	}
	if err := l.take(now, "fourth", "address"); err == nil {
		t.Error("success against one account forgave another's failure")
	}
}

func TestLimiterRefund(t *testing.T) {
	l, now := newLimiter(1, time.Minute, 100), time.Now()
	for i := range 5 {
		if err := l.take(now, "account", "address"); err != nil {
			t.Fatalf("attempt %d: %v", i, err)
		}
		l.refund("account", "address")
	}
	l.refund("never taken")
	if len(l.keys) != 0 {
		t.Errorf("%d keys are left", len(l.keys))
	}
}

func TestLimiterIsBounded(t *testing.T) {
	l, now := newLimiter(2, time.Minute, 50), time.Now()
	for i := range 1000 {
		if err := l.take(now, fmt.Sprint(i)); err != nil {
			t.Fatal(err)
		}
		if len(l.keys) > 50 || len(l.keys) != l.order.Len() {
			t.Fatalf("%d keys, %d in order", len(l.keys), l.order.Len())
		}
	}
}

func TestTicketsExpireAndAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newTickets()
		first, err := store.issue(time.Now(), Principal{})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(ticketLife)
		if _, ok := store.take(time.Now(), first); ok {
			t.Error("a ticket of 30 s ago is taken")
		}
		for range maxTickets {
			if _, err := store.issue(time.Now(), Principal{}); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := store.issue(time.Now(), Principal{}); schema.KindOf(err) != schema.TooMany {
			t.Errorf("one more: %v", err)
		}
		time.Sleep(ticketLife)
		if _, err := store.issue(time.Now(), Principal{}); err != nil || len(store.order) != 1 || len(store.issued) != 1 {
			t.Errorf("after 30 s: %v, %d in order, %d issued", err, len(store.order), len(store.issued))
		}
	})
}

// More hashes than turns wait, and give up after a while.
func TestPasswordsAreBounded(t *testing.T) {
	p, err := NewPasswords()
	if err != nil {
		t.Fatal(err)
	}
	hash, err := p.Hash(t.Context(), "correct horse")
	if err != nil {
		t.Fatal(err)
	}
	for _, try := range []struct {
		password, hash string
		want           bool
	}{{"correct horse", hash, true}, {"wrong", hash, false}, {"correct horse", "", false}, {"", "", false}} {
		if got, err := p.Matches(t.Context(), try.password, try.hash); got != try.want || err != nil {
			t.Errorf("%q: got %v, %v", try.password, got, err)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		busy := &Passwords{turns: make(chan struct{}, 1)}
		busy.turns <- struct{}{}
		began := time.Now()
		if _, err := busy.Matches(t.Context(), "x", hash); schema.KindOf(err) != schema.Unavailable {
			t.Errorf("got %v", err)
		}
		if waited := time.Since(began); waited != hashPatience {
			t.Errorf("waited %v", waited)
		}
	})
}
