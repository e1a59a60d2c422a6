package http

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// What tags, compression and rates cost of an answer of 20 kB, beside an answer
// without them: the ratio is what counts.
func BenchmarkAnswer(b *testing.B) {
	body := []byte(`{"items":[` + strings.Repeat(`{"id":"01a20029-8af7-79a0-9b72-ded670d5b7ff","name":"By the door"},`, 300) + `{}]}`)
	packer, err := newPacker()
	if err != nil {
		b.Fatal(err)
	}
	bounds := newBuckets(Rate{PerSecond: 1e9, Burst: 1e6})
	answer := func(b *testing.B, accept string, all bool) {
		b.ReportAllocs()
		for b.Loop() {
			w := httptest.NewRecorder()
			h := hold(w)
			h.header.Set("Content-Type", "application/json")
			if all {
				if err := spend(h.header, bounds, "user", "you"); err != nil {
					b.Fatal(err)
				}
			}
			_, _ = h.Write(body)
			if all {
				h.tag(nil)
				packer.pack(accept, h)
				h.unlessKnown(&http.Request{Header: http.Header{}})
			}
			_ = h.send()
		}
	}
	b.Run("bare", func(b *testing.B) { answer(b, "", false) })
	b.Run("tagged", func(b *testing.B) { answer(b, "", true) })
	b.Run("zstd", func(b *testing.B) { answer(b, "zstd", true) })
	b.Run("gzip", func(b *testing.B) { answer(b, "gzip", true) })
}
