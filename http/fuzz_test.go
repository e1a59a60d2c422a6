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

// Whatever a client says of tags and codings, the checks end and agree with each
// other: a tag always matches itself, and If-Match never takes a weak one.
func FuzzTags(f *testing.F) {
	for _, seed := range []string{"", "*", `"a"`, `W/"a"`, `"a.b-gzip"`, `"a", "b"`, `"`, ",,", `"a`, `a"`, "\x00"} {
		f.Add(seed, []byte(`{"a":1,"seen":2}`))
	}
	f.Fuzz(func(t *testing.T, header string, body []byte) {
		tag := tagOf(body, []string{"seen"})
		matches(header, tag)
		noneMatch(header, tag)
		choose(header, "zstd", "gzip")
		if noneMatch(tag, tag) {
			t.Errorf("If-None-Match does not know %s", tag)
		}
		if strong := tag[0] == '"'; matches(tag, tag) != strong {
			t.Errorf("If-Match of %s: %t", tag, !strong)
		}
	})
}

// Whatever comes as a key, it is refused or told apart from every other one.
func FuzzIdempotencyKey(f *testing.F) {
	f.Add("a", "b")
	f.Add("", " ")
	f.Add("x\x00", "ключ")
	f.Fuzz(func(t *testing.T, one, two string) {
		if checkKey([]string{one}) != nil || checkKey([]string{two}) != nil || one == two {
			return
		}
		r := &http.Request{Method: "POST", URL: &url.URL{Path: "/x"}}
		if attemptOf(Principal{}, r, one, nil).Key == attemptOf(Principal{}, r, two, nil).Key {
			t.Errorf("%q and %q are one", one, two)
		}
	})
}
