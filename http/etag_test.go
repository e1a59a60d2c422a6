package http_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"mybeacon/schema"
)

func TestTags(t *testing.T) {
	n := startNotes(t, nil)
	c := n.Login("owner@example.com")
	first, again := c.Do("GET", n.path(), nil), c.Do("GET", n.path(), nil)
	tag, later := first.Header.Get("ETag"), again.Header.Get("ETag")
	if !strings.HasPrefix(tag, `"`) || tag == later || strings.SplitN(tag, ".", 2)[0] != strings.SplitN(later, ".", 2)[0] {
		t.Errorf("tags %s and %s: only what is after the dot may differ", tag, later)
	}
	changed := c.Do("PATCH", n.path(), map[string]string{"text": "second"}, "If-Match", tag)
	if changed.StatusCode != 200 || stable(changed.Header.Get("ETag")) == stable(tag) {
		t.Errorf("%d %s, tag %s after %s", changed.StatusCode, changed.Bytes, changed.Header.Get("ETag"), tag)
	}
	if r := c.Do("PATCH", n.path(), map[string]string{"text": "third"}, "If-Match", changed.Header.Get("ETag")); r.StatusCode != 200 {
		t.Errorf("with the tag of the change's answer: %d %s", r.StatusCode, r.Bytes)
	}
	for header, want := range map[string]int{
		tag: 412, `"x"`: 412, `W/` + tag: 412, tag[1:]: 412, `"x", ` + tag: 412, "*": 200, "": 200, `"`: 412, ",": 412, strings.ToUpper(tag): 412,
	} {
		if r := c.Do("PATCH", n.path(), map[string]string{"text": "fourth"}, "If-Match", header); r.StatusCode != want || want == 412 && r.Problem().Type != "urn:mybeacon:problem:precondition_failed" {
			t.Errorf("If-Match %s: %d %s, want %d", header, r.StatusCode, r.Bytes, want)
		}
	}
	now := c.Do("GET", n.path(), nil).Header.Get("ETag")
	if r := c.Do("PATCH", n.path(), map[string]string{"text": "fifth"}, "If-Match", `"x" , `+now+`,"y"`); r.StatusCode != 200 {
		t.Errorf("one of several: %d", r.StatusCode)
	}
	nowhere := "/api/v1/client/notes/" + schema.NewID[schema.LocationID]().String()
	if r := c.Do("PATCH", nowhere, map[string]string{"text": "x"}, "If-Match", "*"); r.StatusCode != 412 {
		t.Errorf("what is not there: %d", r.StatusCode)
	}
	if r := c.Do("PUT", "/api/v1/client/lonely/1", map[string]string{"text": "x"}, "If-Match", "*"); r.StatusCode != 400 || r.Problem().Errors[0].Field != "If-Match" {
		t.Errorf("what cannot be read: %d %s", r.StatusCode, r.Bytes)
	}
}

func stable(tag string) string { return strings.SplitN(strings.Trim(tag, `"`), ".", 2)[0] }

// A part is guarded by the tag of what it is part of.
func TestTagOfTheWhole(t *testing.T) {
	n := startNotes(t, nil)
	c := n.Login("owner@example.com")
	tag := c.Do("GET", n.path(), nil).Header.Get("ETag")
	if r := c.Do("DELETE", n.path()+"/parts/7", nil, "If-Match", tag); r.StatusCode != 204 {
		t.Errorf("%d %s", r.StatusCode, r.Bytes)
	}
	if r := c.Do("DELETE", n.path()+"/parts/7", nil, "If-Match", tag); r.StatusCode != 412 {
		t.Errorf("the second time: %d %s", r.StatusCode, r.Bytes)
	}
}

func TestNotModified(t *testing.T) {
	n := startNotes(t, nil)
	c := n.Login("owner@example.com")
	list := c.Do("GET", "/api/v1/client/notes", nil)
	tag := list.Header.Get("ETag")
	if !strings.HasPrefix(tag, `W/"`) {
		t.Fatalf("the tag of a list is %s", tag)
	}
	for header, want := range map[string]int{tag: 304, strings.TrimPrefix(tag, "W/"): 304, `"x", ` + tag: 304, "*": 304, `"x"`: 200, "": 200} {
		r := c.Do("GET", "/api/v1/client/notes", nil, "If-None-Match", header)
		if r.StatusCode != want || want == 304 && (len(r.Bytes) > 0 || r.Header.Get("ETag") != tag || r.Header.Get("Content-Type") != "") {
			t.Errorf("If-None-Match %s: %d %q %v", header, r.StatusCode, r.Bytes, r.Header)
		}
	}
	n.insert(t, "another")
	if r := c.Do("GET", "/api/v1/client/notes", nil, "If-None-Match", tag); r.StatusCode != 200 {
		t.Errorf("after a change: %d", r.StatusCode)
	}
}

// A change that was overtaken between its check and its transaction is taken back
// by the check in the transaction.
func TestConditionWithinTheTransaction(t *testing.T) {
	n := startNotes(t, nil)
	c, other := n.Login("owner@example.com"), n.Login("second@example.com")
	tag := c.Do("GET", n.path(), nil).Header.Get("ETag")
	var late atomic.Bool
	n.before = func(context.Context) {
		if late.CompareAndSwap(false, true) { // the other's change comes by here too
			other.Want(200, "PATCH", n.path(), map[string]string{"text": "overtaken"}, nil)
		}
	}
	if r := c.Do("PATCH", n.path(), map[string]string{"text": "late"}, "If-Match", tag); r.StatusCode != 412 {
		t.Errorf("%d %s", r.StatusCode, r.Bytes)
	}
	var note Note
	c.Want(200, "GET", n.path(), nil, &note)
	if note.Text != "overtaken" {
		t.Errorf("the note says %q", note.Text)
	}
}

// Of many who read the same, one changes it.
func TestOneOfManyWins(t *testing.T) {
	n := startNotes(t, nil)
	c := n.Login("owner@example.com")
	tag := c.Do("GET", n.path(), nil).Header.Get("ETag")
	var mu sync.Mutex
	count := map[int]int{}
	var all sync.WaitGroup
	for i := range 24 {
		all.Go(func() {
			r := c.Do("PATCH", n.path(), map[string]string{"text": fmt.Sprint("by ", i)}, "If-Match", tag)
			mu.Lock()
			defer mu.Unlock()
			count[r.StatusCode]++
		})
	}
	all.Wait()
	if count[200] != 1 || count[412] != 23 {
		t.Errorf("answers %v", count)
	}
}

func TestCompression(t *testing.T) {
	n := startNotes(t, nil)
	for i := range 60 {
		n.insert(t, fmt.Sprintf("a note with a number %d", i))
	}
	c := n.Login("owner@example.com")
	const path = "/api/v1/client/notes?limit=50"
	plain := c.Do("GET", path, nil, "Accept-Encoding", "identity")
	for accept, want := range map[string]string{"gzip": "gzip", "zstd, gzip": "zstd", "br": "", "gzip;q=0": "", "gzip;q=0, zstd;q=0.5": "zstd", "identity": "", "*": ""} {
		r := c.Do("GET", path, nil, "Accept-Encoding", accept)
		if got := r.Header.Get("Content-Encoding"); got != want || r.Header.Get("Vary") != "Accept-Encoding" {
			t.Errorf("Accept-Encoding %q: Content-Encoding %q, Vary %q", accept, got, r.Header.Get("Vary"))
		}
		if want == "" {
			continue
		}
		if body := unpack(t, want, r.Bytes); string(body) != string(plain.Bytes) || len(r.Bytes) > len(plain.Bytes)/2 {
			t.Errorf("%s: %d bytes of %d, the same text %t", want, len(r.Bytes), len(plain.Bytes), string(body) == string(plain.Bytes))
		}
		if r := c.Do("GET", path, nil, "Accept-Encoding", accept, "If-None-Match", r.Header.Get("ETag")); r.StatusCode != 304 {
			t.Errorf("%s: the tag of the packed form is not known: %d", accept, r.StatusCode)
		}
	}
	if r := c.Do("GET", n.path(), nil, "Accept-Encoding", "gzip"); r.Header.Get("Content-Encoding") != "" || !json.Valid(r.Bytes) {
		t.Errorf("a short answer is packed: %v", r.Header)
	}
}
