package http

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"net/url"
	"path"
	"strings"
	"testing"

	"mybeacon/engine/store/postgres"
)

// A cursor is read or refused, and what is read is what was written.
func FuzzCursor(f *testing.F) {
	f.Add("")
	f.Add("x")
	f.Add(base64.RawURLEncoding.EncodeToString([]byte(`["Зал 1","01890a5d-ac96-774b-bcce-b302099a8057"]`)))
	f.Add(base64.RawURLEncoding.EncodeToString([]byte(`["a",null]`)))
	f.Fuzz(func(t *testing.T, text string) {
		in := &PageInput{Limit: 50, Cursor: text}
		page, err := in.Page()
		if err != nil || page.After == (postgres.Cursor{}) {
			return
		}
		out := Paged(in, []int{1}, page.After, func(i int) int { return i })
		again, err := (&PageInput{Cursor: out.Body.Next}).Page()
		if err != nil || again.After != page.After {
			t.Errorf("%q read as %+v, written as %q, read as %+v, %v", text, page.After, out.Body.Next, again.After, err)
		}
	})
}

// A path that passes means the same to whoever reads it: decoding and cleaning
// it changes nothing.
func FuzzAmbiguousPath(f *testing.F) {
	for _, seed := range []string{"/", "/api/v1/x", "//x", "/a/./b", "/a/..", "/a%2fb", "/a%2Fb", "/%2e%2e/b", "/a%5c", "/a%00", "/a/..;/b", "/%252f", "/a//"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		u, err := url.ParseRequestURI(raw)
		if err != nil || ambiguous(&http.Request{URL: u}) {
			return
		}
		clean := path.Clean(u.Path)
		if clean != u.Path && clean+"/" != u.Path {
			t.Errorf("%q passes but is %q when cleaned, %q when decoded", raw, clean, u.Path)
		}
		if strings.Count(u.Path, "/") != strings.Count(u.EscapedPath(), "/") || strings.ContainsAny(u.Path, "\\\x00") {
			t.Errorf("%q passes but decodes to %q", raw, u.Path)
		}
	})
}

// The console's choice of a coding never names one the client did not list.
func FuzzAcceptEncoding(f *testing.F) {
	file := &consoleFile{plain: []byte("plain"), encoded: map[string][]byte{"gzip": []byte("g"), "br": []byte("b")}}
	for _, seed := range []string{"", "gzip", "br, gzip", "gzip;q=0", "br;q=0.0,gzip;q=0.001", "*", ";", "gzip;q="} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, accept string) {
		coding, body := file.choose(accept)
		if coding != "" && !strings.Contains(strings.ToLower(accept), coding) {
			t.Errorf("%q got %q", accept, coding)
		}
		if coding == "" && !bytes.Equal(body, file.plain) || coding != "" && !bytes.Equal(body, file.encoded[coding]) {
			t.Errorf("%q got the body of another coding", accept)
		}
	})
}
