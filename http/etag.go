package http

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

// Tags and conditions work for all routes alike. The tag of an object is the digest
// of what GET answers, so that whoever has read an object can say "change it if it
// is still so"; If-Match then compares the digest of what GET would answer now. That
// is done twice: before the handler runs, and in the change's own transaction, after
// its statements have locked the rows they change and before it commits. What is
// committed cannot change any more then, in the rows that the transaction touches:
// of two writers with the same tag one gets 412. A handler of several transactions is
// checked in the first; a change of other rows that merely show in the object, such
// as a name of its location, may come between.
//
// Fields that change by themselves, such as when a device was last seen, have a
// digest of their own after a dot: If-None-Match compares both, If-Match the first.
// A part without an address of its own to GET is guarded by the tag of the object it
// is part of.

// Volatile marks the fields of the operation's answer that change by themselves.
func Volatile(op huma.Operation, fields ...string) huma.Operation {
	op.Metadata = map[string]any{volatileKey: fields}
	return op
}

const volatileKey = "volatile"

// tagOf returns the tag of a whole answer: strong of an object, weak of a list.
func tagOf(body []byte, volatile []string) string {
	if bytes.HasPrefix(body, []byte(`{"items":`)) {
		return `W/"` + digest(body) + `"`
	}
	stable, moving := body, []byte(nil)
	var fields map[string]json.RawMessage
	if len(volatile) > 0 && json.Unmarshal(body, &fields) == nil {
		stable, moving = split(fields, volatile)
	}
	if moving == nil {
		return `"` + digest(stable) + `"`
	}
	return `"` + digest(stable) + "." + digest(moving) + `"`
}

// split returns the fields that stay and those that move, each in a fixed order.
func split(fields map[string]json.RawMessage, volatile []string) (stable, moving []byte) {
	rest := map[string]json.RawMessage{}
	for _, name := range volatile {
		if value, ok := fields[name]; ok {
			rest[name] = value
			delete(fields, name)
		}
	}
	stable, err := json.Marshal(fields)
	if err == nil {
		moving, err = json.Marshal(rest)
	}
	if err != nil {
		panic("BUG: JSON that was read cannot be written: " + err.Error())
	}
	return stable, moving
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:12])
}

// version returns the part of a tag that If-Match compares, "" of a weak one.
func version(tag string) string {
	inner, ok := strings.CutPrefix(strings.TrimSpace(tag), `"`)
	if !ok {
		return ""
	}
	inner, ok = strings.CutSuffix(inner, `"`)
	inner, _, _ = strings.Cut(inner, "-") // the coding
	inner, _, _ = strings.Cut(inner, ".")
	if !ok {
		return ""
	}
	return inner
}

// matches implements If-Match: the tag is one of those listed, in its stable part.
func matches(header, tag string) bool {
	if strings.TrimSpace(header) == "*" {
		return true
	}
	now := version(tag)
	return now != "" && slices.ContainsFunc(strings.Split(header, ","), func(one string) bool { return version(one) == now })
}

// noneMatch implements If-None-Match, in which a weak tag is as good.
func noneMatch(header, tag string) bool {
	if header == "" || tag == "" {
		return true
	}
	bare := func(tag string) string { return strings.TrimPrefix(strings.TrimSpace(tag), "W/") }
	return strings.TrimSpace(header) != "*" && !slices.ContainsFunc(strings.Split(header, ","), func(one string) bool { return bare(one) == bare(tag) })
}

// tag gives an answer of 200 its tag, unless the handler has.
func (h *held) tag(volatile []string) {
	if h.status == http.StatusOK && h.header.Get("ETag") == "" && !h.passed && h.body.Len() > 0 {
		h.header.Set("ETag", tagOf(h.body.Bytes(), volatile))
	}
}

// unlessKnown turns an answer that the client has already into 304.
func (h *held) unlessKnown(r *http.Request) {
	if h.passed || h.status != http.StatusOK || noneMatch(r.Header.Get("If-None-Match"), h.header.Get("ETag")) {
		return
	}
	h.status = http.StatusNotModified
	h.body.Reset()
	for _, name := range []string{"Content-Type", "Content-Length", "Content-Encoding", "Link"} {
		h.header.Del(name)
	}
}

// maxConditional bounds the conditional changes that run at once: each needs a
// second connection to the store while it holds one.
const maxConditional = 4

// condition makes the request's change depend on its If-Match. It fails when the
// object is another already; the context carries the check into the transaction.
// done gives back the place.
func (s *Server) condition(r *http.Request) (_ *http.Request, done func(), err error) {
	wanted := r.Header.Get("If-Match")
	if wanted == "" {
		return r, func() {}, nil
	}
	path, ok := s.readable(r)
	if !ok {
		return nil, nil, schema.Errorf(schema.Invalid, "If-Match", "cannot be checked: there is no address to read this object at; leave it out")
	}
	select {
	case s.conditional <- struct{}{}:
	case <-r.Context().Done():
		return nil, nil, r.Context().Err()
	}
	done = func() { <-s.conditional }
	check := func(ctx context.Context) error { return s.unchanged(ctx, r, path, wanted) }
	if err := check(r.Context()); err != nil {
		done()
		return nil, nil, err
	}
	ctx := postgres.AtChange(r.Context(), func(context.Context, postgres.Tx) error { return check(r.Context()) })
	return r.WithContext(ctx), done, nil
}

// readable returns the path of the object that the request is about: its own, or
// that of what it is part of.
func (s *Server) readable(r *http.Request) (string, bool) {
	for path := r.URL.Path; len(path) > len("/api/v1"); path = path[:strings.LastIndexByte(path, '/')] {
		_, pattern := s.mux.Handler(s.probe(r, path))
		if strings.HasPrefix(pattern, "GET /api/v1/") && (path == r.URL.Path || strings.HasSuffix(pattern, "}")) {
			return path, true
		}
	}
	return "", false
}

// probe returns the request that reads the path as the same caller.
func (s *Server) probe(r *http.Request, path string) *http.Request {
	probe := r.Clone(context.WithValue(r.Context(), innerKey{}, true))
	probe.Method, probe.Body, probe.ContentLength = http.MethodGet, http.NoBody, 0
	probe.URL.Path, probe.URL.RawPath, probe.URL.RawQuery = path, "", ""
	for _, name := range []string{"If-Match", "If-None-Match", "Accept-Encoding", "Content-Type", "Content-Length"} {
		probe.Header.Del(name)
	}
	return probe
}

// innerKey marks a request that the server sends itself.
type innerKey struct{}

func inner(ctx context.Context) bool { return ctx.Value(innerKey{}) != nil }

// unchanged returns nil while what GET answers at the path has the wanted tag.
func (s *Server) unchanged(ctx context.Context, r *http.Request, path, wanted string) error {
	seen := &held{header: http.Header{}}
	s.mux.ServeHTTP(seen, s.probe(r.WithContext(ctx), path))
	switch {
	case seen.status == http.StatusNotFound:
		return precondition("there is no such object any more")
	case seen.status != http.StatusOK:
		return newProblem(seen.status, "the object could not be read to compare it with If-Match")
	case !matches(wanted, seen.header.Get("ETag")):
		return precondition("the object was changed since you read it: read it again and decide anew")
	}
	return nil
}

func precondition(detail string) error { return newProblem(http.StatusPreconditionFailed, detail) }
