package http_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"mybeacon/http/shelltest"
	"mybeacon/schema"
)

const newNotePath = "/api/v1/client/notes"

func (n *notes) post(c *shelltest.Client, key string, body any) shelltest.Response {
	return c.Do("POST", newNotePath, body, "Idempotency-Key", key)
}

func note(text string) map[string]any { return map[string]any{"text": text} }

func TestDoneOnce(t *testing.T) {
	n := startNotes(t, nil)
	c := n.Login("owner@example.com")
	first := n.post(c, "k1", note("a"))
	if first.StatusCode != 201 || first.Header.Get("Idempotency-Replayed") != "" {
		t.Fatalf("%d %s", first.StatusCode, first.Bytes)
	}
	again := n.post(c, "k1", note("a"))
	if again.StatusCode != 201 || string(again.Bytes) != string(first.Bytes) || again.Header.Get("Idempotency-Replayed") != "true" || again.Header.Get("Content-Type") != "application/json" {
		t.Errorf("%d %s %v", again.StatusCode, again.Bytes, again.Header)
	}
	if r := n.post(c, "k1", note("b")); r.StatusCode != 409 || r.Problem().Errors[0].Field != "Idempotency-Key" {
		t.Errorf("another body: %d %s", r.StatusCode, r.Bytes)
	}
	if r := n.post(n.Login("second@example.com"), "k1", note("of another")); r.StatusCode != 201 || r.Header.Get("Idempotency-Replayed") != "" {
		t.Errorf("another caller's key: %d %s", r.StatusCode, r.Bytes)
	}
	if r := n.post(n.Login("owner@example.com"), "k1", note("a")); r.Header.Get("Idempotency-Replayed") != "true" {
		t.Errorf("the same person, logged in anew: %d %s", r.StatusCode, r.Bytes)
	}
	for _, bad := range []string{"", "a b", strings.Repeat("x", 256), "ключ"} {
		if r := n.post(c, bad, note("c")); r.StatusCode != 400 {
			t.Errorf("key %q: %d %s", bad, r.StatusCode, r.Bytes)
		}
	}
	if made := n.made.Load(); made != 2 {
		t.Errorf("%d were made", made)
	}
}

// What was refused is not remembered: the request may be put right.
func TestRefusedIsNotDone(t *testing.T) {
	n := startNotes(t, nil)
	c := n.Login("owner@example.com")
	if r := n.post(c, "k", note("")); r.StatusCode != 400 {
		t.Fatalf("%d %s", r.StatusCode, r.Bytes)
	}
	if r := n.post(c, "k", note("right")); r.StatusCode != 201 {
		t.Errorf("%d %s", r.StatusCode, r.Bytes)
	}
	if r := n.post(c, "k2", note("right")); r.StatusCode != 409 || strings.Contains(string(r.Bytes), "Idempotency") {
		t.Errorf("the name is taken: %d %s", r.StatusCode, r.Bytes)
	}
	long := []byte(`{"text":"` + strings.Repeat("x", 2<<20) + `"}`)
	if r := c.Do("POST", newNotePath, long, "Idempotency-Key", "k3"); r.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("too long: %d", r.StatusCode)
	}
}

// A secret that is shown once is shown once.
func TestSecretIsNotKept(t *testing.T) {
	n := startNotes(t, nil)
	c := n.Login("owner@example.com")
	body := map[string]any{"text": "with a secret", "secret": true}
	if r := n.post(c, "k", body); r.StatusCode != 201 || !strings.Contains(string(r.Bytes), "shown-once") {
		t.Fatalf("%d %s", r.StatusCode, r.Bytes)
	}
	r := n.post(c, "k", body)
	if r.StatusCode != 409 || strings.Contains(string(r.Bytes), "shown-once") || !strings.Contains(r.Problem().Detail, "not shown again") {
		t.Errorf("%d %s", r.StatusCode, r.Bytes)
	}
	n.post(c, "plain", note("readable by nobody else"))
	var rows int
	err := n.DB.Pool().QueryRow(t.Context(), `SELECT count(*) FROM idempotency WHERE answer IS NOT NULL AND (position($1 IN answer) > 0 OR position($2 IN answer) > 0)`, []byte("shown-once"), []byte("201")).Scan(&rows)
	if err != nil || rows != 0 {
		t.Errorf("%d answers can be read in the store, %v", rows, err)
	}
}

// Of many at once with one key, one is done; the others are told to ask again.
func TestManyAtOnce(t *testing.T) {
	n := startNotes(t, nil)
	c := n.Login("owner@example.com")
	release, running := make(chan struct{}), make(chan struct{})
	n.after = func(context.Context) { close(running); <-release }
	first := make(chan shelltest.Response, 1)
	go func() { first <- n.post(c, "k", note("slow")) }()
	<-running
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if r := n.post(c, "k", note("slow")); r.StatusCode != 409 {
				t.Errorf("%d %s", r.StatusCode, r.Bytes)
			}
		})
	}
	all.Wait()
	close(release)
	if r := <-first; r.StatusCode != 201 {
		t.Errorf("%d %s", r.StatusCode, r.Bytes)
	}
	if r := n.post(c, "k", note("slow")); r.Header.Get("Idempotency-Replayed") != "true" {
		t.Errorf("%d %s", r.StatusCode, r.Bytes)
	}
	if n.made.Load() != 1 {
		t.Errorf("%d were made", n.made.Load())
	}
}

// A server that ends after the change and before the answer has not done it twice;
// one that ends before the change leaves the key free after a while.
func TestCutOff(t *testing.T) {
	n := startNotes(t, nil)
	c := n.Login("owner@example.com")
	n.after = func(context.Context) { panic(http.ErrAbortHandler) }
	sent := func(key, text string) {
		req, err := http.NewRequestWithContext(t.Context(), "POST", n.URL+newNotePath, strings.NewReader(fmt.Sprintf(`{"text":%q}`, text)))
		if err != nil {
			t.Fatal(err)
		}
		req.GetBody = nil // else the client, which knows the header, sends it again by itself
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Idempotency-Key", key)
		if resp, err := c.HTTP.Do(req); err == nil {
			_ = resp.Body.Close()
			t.Errorf("an answer: %d", resp.StatusCode)
		}
	}
	sent("committed", "once")
	n.after = func(context.Context) {}
	if r := n.post(c, "committed", note("once")); r.StatusCode != 409 || !strings.Contains(r.Problem().Detail, "done already") {
		t.Errorf("%d %s", r.StatusCode, r.Bytes)
	}
	age := func(sql string) {
		if _, err := n.DB.Pool().Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	// As a kill leaves it: taken, nothing committed.
	n.post(c, "lost", note("lost"))
	age(`UPDATE idempotency SET done_at = NULL, answer = NULL`)
	age(`DELETE FROM location WHERE name = 'lost'`)
	if r := n.post(c, "lost", note("lost")); r.StatusCode != 409 || r.Header.Get("Retry-After") == "" {
		t.Errorf("within the lease: %d %s", r.StatusCode, r.Bytes)
	}
	age(`UPDATE idempotency SET begun_at = now() - interval '3 minutes'`)
	if r := n.post(c, "lost", note("lost")); r.StatusCode != 201 {
		t.Errorf("after it: %d %s", r.StatusCode, r.Bytes)
	}
	age(`UPDATE idempotency SET begun_at = now() - interval '25 hours'`)
	if r := n.post(c, "lost", note("a day later")); r.StatusCode != 201 {
		t.Errorf("a day later: %d %s", r.StatusCode, r.Bytes)
	}
	var left int
	if err := n.DB.Pool().QueryRow(t.Context(), `SELECT count(*) FROM idempotency WHERE begun_at < now() - interval '24 hours'`).Scan(&left); err != nil || left != 0 {
		t.Errorf("%d old keys are left, %v", left, err)
	}
}

// One caller's keys are bounded.
func TestKeysAreBounded(t *testing.T) {
	n := startNotes(t, nil)
	c := n.Login("owner@example.com")
	n.post(c, "one", note("one"))
	const fill = `INSERT INTO idempotency (id, caller, body, attempt, done_at)
		SELECT sha256(n::text::bytea), i.caller, i.body, i.attempt, now() FROM idempotency i, generate_series(1, 10000) AS n`
	if _, err := n.DB.Pool().Exec(t.Context(), fill); err != nil {
		t.Fatal(err)
	}
	if r := n.post(c, "two", note("two")); r.StatusCode != 429 || r.Header.Get("Retry-After") == "" {
		t.Errorf("%d %s", r.StatusCode, r.Bytes)
	}
	if r := n.post(n.Login("second@example.com"), schema.NewID[schema.UserID]().String(), note("three")); r.StatusCode != 201 {
		t.Errorf("another caller: %d %s", r.StatusCode, r.Bytes)
	}
}
